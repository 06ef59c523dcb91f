//! The memory limit of the control groups around this process, of version 1
//! and 2, seen from inside a container or from outside.

use std::path::{Component, Path, PathBuf};

use super::mounts::{self, Mount};

/// The smallest limit in bytes of the process's group and all groups above it
/// that can be seen; `None` if there is none. `root` is `/`.
pub(super) fn memory_limit(root: &Path) -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let mounts = mounts::parse(&read("proc/self/mountinfo"));
    let groups = read("proc/self/cgroup");
    let limits = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, group) = (fields.next()?, Path::new(fields.next()?));
        let (mount, files): (_, &[&str]) = if controllers.is_empty() {
            (mounts.iter().find(|m| m.kind == "cgroup2")?, &["memory.max", "memory.high"])
        } else if controllers.split(',').any(|c| c == "memory") {
            let holds =
                |m: &&Mount| m.kind == "cgroup" && m.options.split(',').any(|o| o == "memory");
            (mounts.iter().find(holds)?, &["memory.limit_in_bytes"])
        } else {
            return None;
        };
        smallest(root, mount, group, files)
    });
    limits.min()
}

/// Looks into the group's folder and all above it, up to the mount.
fn smallest(root: &Path, mount: &Mount, group: &Path, files: &[&str]) -> Option<u64> {
    // A container sees its own group at the mount point, while the group's path
    // may be the host's, or lead upwards out of what is mounted.
    let below = group.strip_prefix(&mount.root).unwrap_or(Path::new(""));
    let is_plain = below.components().all(|c| matches!(c, Component::Normal(_)));
    let below: PathBuf = if is_plain { below.to_owned() } else { PathBuf::new() };
    let point = mount.point.strip_prefix("/").unwrap_or(&mount.point);
    let folders = below.ancestors().map(|folder| root.join(point).join(folder));
    let limits = folders.flat_map(|folder| {
        files.iter().filter_map(move |file| {
            let text = std::fs::read_to_string(folder.join(file)).ok()?;
            // "max" is no limit. Version 1 writes a number near 2^63 instead.
            text.trim().parse::<u64>().ok().filter(|bytes| *bytes < 1 << 62)
        })
    });
    limits.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file system with these files.
    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    fn limit(files: &[(&str, &str)]) -> Option<u64> {
        memory_limit(root(files).path())
    }

    const V2: (&str, &str) =
        ("proc/self/mountinfo", "30 22 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup2 rw,nsdelegate\n");

    #[test]
    fn version_2_takes_the_smallest_up_to_the_mount() {
        let group = ("proc/self/cgroup", "0::/a.slice/b.service\n");
        assert_eq!(limit(&[V2, group]), None);
        let own = ("sys/fs/cgroup/a.slice/b.service/memory.max", "max\n");
        let above = ("sys/fs/cgroup/a.slice/memory.max", "4294967296\n");
        assert_eq!(limit(&[V2, group, own, above]), Some(4 << 30));
        let high = ("sys/fs/cgroup/a.slice/b.service/memory.high", "1048576\n");
        assert_eq!(limit(&[V2, group, own, above, high]), Some(1 << 20));
    }

    #[test]
    fn version_2_in_a_container_with_its_own_namespace() {
        let max = ("sys/fs/cgroup/memory.max", "1073741824\n");
        assert_eq!(limit(&[V2, ("proc/self/cgroup", "0::/\n"), max]), Some(1 << 30));
        // The namespace was made elsewhere: the path leads out of it.
        assert_eq!(limit(&[V2, ("proc/self/cgroup", "0::/../other\n"), max]), Some(1 << 30));
    }

    #[test]
    fn version_1_beside_version_2() {
        let mounts = (
            "proc/self/mountinfo",
            "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
             35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
             41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
        );
        let group = ("proc/self/cgroup", "4:memory:/jobs/7\n1:cpu:/\n0::/\n");
        let none = ("sys/fs/cgroup/memory/jobs/7/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(limit(&[mounts, group, none]), None);
        let above = ("sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", "536870912\n");
        assert_eq!(limit(&[mounts, group, none, above]), Some(512 << 20));
    }

    #[test]
    fn version_1_in_a_container_that_sees_the_hosts_path() {
        let mounts = (
            "proc/self/mountinfo",
            "9 8 0:27 /docker/7 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
        );
        let group = ("proc/self/cgroup", "9:hugetlb,memory:/docker/7\n");
        let own = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n");
        assert_eq!(limit(&[mounts, group, own]), Some(256 << 20));
    }

    #[test]
    fn nonsense_is_no_limit() {
        assert_eq!(limit(&[]), None);
        let broken = ("proc/self/cgroup", "\n:\n::\n0:\nx\n4:memory\n0::relative\n");
        let max = ("sys/fs/cgroup/memory.max", "lots\n");
        assert_eq!(limit(&[V2, broken, max]), None);
    }
}
