//! What this process has used so far: processor, memory, disk, descriptors.

use std::time::Duration;

/// Figures of this process; those that the kernel hides are zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessStats {
    /// Processor time in its own code.
    pub cpu_user: Duration,
    /// Processor time in the kernel on its behalf.
    pub cpu_system: Duration,
    /// Memory that is resident now.
    pub resident_bytes: u64,
    /// The most memory that ever was.
    pub resident_bytes_peak: u64,
    /// Threads now.
    pub threads: u64,
    /// Open file descriptors.
    pub fds: u64,
    /// How many there may be.
    pub fds_max: u64,
    /// Bytes read from disks, caches of the kernel not counted.
    pub disk_read_bytes: u64,
    /// Bytes sent to disks.
    pub disk_written_bytes: u64,
    /// When it started, in seconds since 1970.
    pub start_unix_s: u64,
}

/// Lets this process open as many files, connections among them, as the system
/// allows it; gives how many that are.
pub fn raise_file_limit() -> u64 {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Refused only where the limit is not ours to raise: then it stays as it is.
    let _ = setrlimit(Resource::Nofile, limit);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

impl ProcessStats {
    /// Reads them from `/proc/self`; takes well under a millisecond.
    pub fn read() -> Self {
        let file = |name: &str| std::fs::read_to_string(name).unwrap_or_default();
        let mut stats = Self::default();
        let hertz = rustix::param::clock_ticks_per_second().max(1);
        stats.take_stat(&file("/proc/self/stat"), &file("/proc/stat"), hertz);
        stats.take_status(&file("/proc/self/status"));
        stats.take_io(&file("/proc/self/io"));
        // The listing itself holds one.
        let fds = std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64);
        stats.fds = fds.saturating_sub(1);
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        stats.fds_max = limit.current.unwrap_or(u64::MAX);
        stats
    }

    /// Processor time in sum.
    pub fn cpu(&self) -> Duration {
        self.cpu_user + self.cpu_system
    }

    fn take_stat(&mut self, stat: &str, system: &str, hertz: u64) {
        // The name stands in brackets and may hold anything, brackets too.
        let Some((_, fields)) = stat.rsplit_once(") ") else { return };
        let fields: Vec<u64> = fields.split(' ').map(|f| f.trim().parse().unwrap_or(0)).collect();
        // proc(5) counts from 1, and the state after the name is its third.
        let field = |number: usize| fields.get(number - 3).copied().unwrap_or(0);
        let time = |ticks: u64| Duration::from_millis(ticks.saturating_mul(1000) / hertz);
        self.cpu_user = time(field(14));
        self.cpu_system = time(field(15));
        self.threads = field(20);
        let boot = system.lines().find_map(|line| line.strip_prefix("btime "));
        let boot: u64 = boot.and_then(|s| s.trim().parse().ok()).unwrap_or(0);
        self.start_unix_s = boot + field(22) / hertz;
    }

    fn take_status(&mut self, status: &str) {
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
        };
        self.resident_bytes = bytes("VmRSS:").unwrap_or(0);
        self.resident_bytes_peak = bytes("VmHWM:").unwrap_or(0);
    }

    fn take_io(&mut self, io: &str) {
        let bytes = |name: &str| {
            let line = io.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().parse::<u64>().ok()
        };
        self.disk_read_bytes = bytes("read_bytes:").unwrap_or(0);
        // What was truncated before it was written never reached the disk.
        let cancelled = bytes("cancelled_write_bytes:").unwrap_or(0);
        self.disk_written_bytes = bytes("write_bytes:").unwrap_or(0).saturating_sub(cancelled);
    }
}

/// Name of the machine; empty if the system does not say.
#[must_use]
pub fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    name.map_or_else(|_| String::new(), |name| name.trim().to_owned())
}

/// Memory of this process that is resident now, in bytes; 0 where the system does not tell.
#[must_use]
pub fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0).saturating_mul(rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_something() {
        let mut work = vec![0_u8; 32 << 20];
        work.iter_mut().enumerate().for_each(|(i, byte)| *byte = i as u8);
        let before = ProcessStats::read();
        assert!(before.resident_bytes >= 32 << 20, "{before:?}");
        assert!(before.resident_bytes_peak >= before.resident_bytes, "{before:?}");
        assert!(resident_bytes() >= 32 << 20);
        assert!(before.threads >= 1 && before.fds >= 3 && before.fds_max >= before.fds);
        assert!(before.start_unix_s > 1_500_000_000, "{before:?}");
        drop(work);
        assert!(ProcessStats::read().cpu() >= before.cpu());
    }

    #[test]
    fn the_name_of_a_process_may_hold_anything() {
        let stat = "77 (a) S) b) R 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 9 0 1000 4096 12\n";
        let mut stats = ProcessStats::default();
        stats.take_stat(stat, "cpu 1\nbtime 1700000000\n", 100);
        assert_eq!(stats.cpu_user, Duration::from_millis(2500));
        assert_eq!(stats.cpu_system, Duration::from_millis(500));
        assert_eq!((stats.threads, stats.start_unix_s), (9, 1_700_000_010));
    }

    #[test]
    fn what_cannot_be_read_is_zero() {
        let mut stats = ProcessStats::default();
        stats.take_stat("", "", 100);
        stats.take_stat("1 (x) R", "btime x", 100);
        stats.take_status("VmRSS:\nVmHWM: many kB\n");
        stats.take_io("read_bytes: x\nwrite_bytes: 5\ncancelled_write_bytes: 9\n");
        assert_eq!(stats, ProcessStats::default());
    }
}
