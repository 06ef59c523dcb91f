//! The machine that a process runs on: for defaults sized from it, and for
//! reports that must say what they were measured on.

mod cgroup;
mod mounts;

use std::path::{Path, PathBuf};

use firn_engine::{Error, ErrorKind, Result};

/// What is known about the machine. Text that could not be read is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// Cores that the process may use: affinity and CPU quota count.
    pub cores: usize,
    /// Memory of the machine in bytes; 0 if unknown.
    pub memory_bytes: u64,
    /// The smallest memory limit of the control groups around the process.
    pub memory_limit_bytes: Option<u64>,
    /// As `AMD EPYC 9R14`.
    pub cpu: String,
    /// As `6.1.0-18-amd64`.
    pub kernel: String,
    /// As `Debian GNU/Linux 12 (bookworm)`.
    pub system: String,
}

/// Room on a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// Size of the file system.
    pub total_bytes: u64,
    /// What this process may still fill.
    pub free_bytes: u64,
}

impl Machine {
    /// Looks at the machine. What it does not tell stays empty or zero: a
    /// process must start on a kernel that hides things.
    pub fn detect() -> Self {
        Self::detect_under(Path::new("/"))
    }

    fn detect_under(root: &Path) -> Self {
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: memory_total(&read("proc/meminfo")).unwrap_or(0),
            memory_limit_bytes: cgroup::memory_limit(root),
            cpu: cpu_model(&read("proc/cpuinfo")),
            kernel: read("proc/sys/kernel/osrelease").trim().to_owned(),
            system: system_name(&read("etc/os-release")),
        }
    }

    /// Bytes that the process may use: the machine's, or less in a control
    /// group. 1 GiB if neither is known.
    pub fn memory_usable_bytes(&self) -> u64 {
        let total = Some(self.memory_bytes).filter(|bytes| *bytes > 0);
        total.into_iter().chain(self.memory_limit_bytes).min().unwrap_or(1 << 30)
    }

    /// Room on the disk under `path`, or under the nearest folder above it that exists.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] if the file system does not answer.
    pub fn disk_space(&self, path: &Path) -> Result<DiskSpace> {
        let path = nearest_existing(path);
        let stat = rustix::fs::statvfs(&path).map_err(|e| {
            let doing = format!("looking for free disk under {}", path.display());
            Error::with_source(ErrorKind::Unavailable, doing, e)
        })?;
        Ok(DiskSpace {
            total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
            free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
        })
    }

    /// Type of the file system under `path`, as `ext4`; empty if unknown.
    pub fn file_system(&self, path: &Path) -> String {
        let Ok(path) = std::fs::canonicalize(nearest_existing(path)) else { return String::new() };
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        mounts::holding(&mounts::parse(&mounts), &path).map_or(String::new(), |m| m.kind.clone())
    }
}

fn nearest_existing(path: &Path) -> PathBuf {
    let mut ancestors = path.ancestors().filter(|p| !p.as_os_str().is_empty());
    // A relative path may have no folder above it that has a name.
    let here = if path.is_absolute() { "/" } else { "." };
    ancestors.find(|p| p.exists()).unwrap_or(Path::new(here)).to_owned()
}

fn memory_total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

fn cpu_model(cpuinfo: &str) -> String {
    let field = |name: &str| {
        cpuinfo.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        })
    };
    // Arm names an implementer and a part by number.
    let arm = || {
        let (implementer, part) = (field("CPU implementer")?, field("CPU part")?);
        Some(format!("Arm implementer {implementer} part {part}"))
    };
    field("model name").or_else(|| field("Model")).or_else(arm).unwrap_or_default()
}

fn system_name(os_release: &str) -> String {
    let line = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    line.unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_described() {
        let machine = Machine::detect();
        assert!(machine.cores >= 1);
        assert!(machine.memory_bytes >= 64 << 20, "{machine:?}");
        assert!(machine.memory_usable_bytes() <= machine.memory_bytes);
        assert!(!machine.kernel.is_empty(), "{machine:?}");
        let dir = tempfile::tempdir().unwrap();
        let space = machine.disk_space(&dir.path().join("not/yet/there")).unwrap();
        assert!(space.free_bytes <= space.total_bytes && space.total_bytes > 0, "{space:?}");
        assert!(!machine.file_system(&dir.path().join("not/yet")).is_empty());
        assert!(machine.disk_space(Path::new("no-such-folder")).is_ok());
        assert!(machine.disk_space(Path::new("")).is_ok());
    }

    #[test]
    fn a_machine_that_tells_nothing_is_small() {
        let dir = tempfile::tempdir().unwrap();
        let machine = Machine::detect_under(dir.path());
        assert_eq!(machine.memory_usable_bytes(), 1 << 30);
        assert_eq!((&*machine.cpu, &*machine.kernel, &*machine.system), ("", "", ""));
    }

    #[test]
    fn memory_and_names_are_read() {
        assert_eq!(memory_total("MemFree: 1 kB\nMemTotal:   24684092 kB\n"), Some(25_276_510_208));
        assert_eq!(memory_total("MemTotal: many kB\n"), None);
        assert_eq!(memory_total("MemTotal: 99999999999999999 kB\n"), None);
        let x86 = "processor\t: 0\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n";
        assert_eq!(cpu_model(x86), "AMD EPYC");
        let arm = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n";
        assert_eq!(cpu_model(arm), "Arm implementer 0x41 part 0xd40");
        assert_eq!(cpu_model(""), "");
        let release = "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(system_name(release), "Debian GNU/Linux 12 (bookworm)");
    }

    #[test]
    fn the_smaller_of_machine_and_limit_counts() {
        let with = |memory_bytes, memory_limit_bytes| Machine {
            memory_bytes,
            memory_limit_bytes,
            ..Machine::default()
        };
        assert_eq!(with(8, None).memory_usable_bytes(), 8);
        assert_eq!(with(8, Some(4)).memory_usable_bytes(), 4);
        assert_eq!(with(8, Some(u64::MAX)).memory_usable_bytes(), 8);
        assert_eq!(with(0, Some(4)).memory_usable_bytes(), 4);
    }
}
