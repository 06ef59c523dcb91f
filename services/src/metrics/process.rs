//! Metrics that every process has.

use super::{Collect, Writer};
use crate::process::ProcessStats;
use crate::runtime::ThreadGroup;

/// Processor, memory, disk and threads of this process, under the names that
/// Prometheus' own clients use; what those do not have is named `firn_`.
#[derive(Debug, Default)]
pub struct ProcessMetrics {
    groups: Vec<ThreadGroup>,
}

impl ProcessMetrics {
    /// With processor time by group of threads, see
    /// [`Runtimes::thread_groups`](crate::runtime::Runtimes::thread_groups).
    pub fn new(groups: &[ThreadGroup]) -> Self {
        Self { groups: groups.to_vec() }
    }
}

impl Collect for ProcessMetrics {
    fn collect(&self, out: &mut Writer) {
        // Groups first: their threads' time must not exceed the process's.
        let groups: Vec<_> = self.groups.iter().map(|g| (g, g.cpu(), g.threads())).collect();
        let stats = ProcessStats::read();
        out.counter(
            "process_cpu_seconds_total",
            "Processor time of the process.",
            &[],
            stats.cpu().as_secs_f64(),
        );
        let resident = "Memory that is resident.";
        out.gauge("process_resident_memory_bytes", resident, &[], stats.resident_bytes);
        out.gauge("process_open_fds", "Open file descriptors.", &[], stats.fds);
        out.gauge("process_max_fds", "How many there may be.", &[], stats.fds_max);
        let start = "When the process started, since 1970.";
        out.gauge("process_start_time_seconds", start, &[], stats.start_unix_s);
        let peak = "The most memory that ever was resident.";
        out.gauge("firn_process_resident_peak_bytes", peak, &[], stats.resident_bytes_peak);
        let read = "Read from disks, the kernel's cache not counted.";
        out.counter("firn_process_disk_read_bytes_total", read, &[], stats.disk_read_bytes);
        let written = "Sent to disks.";
        out.counter(
            "firn_process_disk_written_bytes_total",
            written,
            &[],
            stats.disk_written_bytes,
        );
        let panics = "Panics that ended a task.";
        out.counter("firn_panics_total", panics, &[], crate::telemetry::panics());
        crate::telemetry::collect_spans(out);

        let cpu_help = "Processor time by group of threads.";
        let threads_help = "Threads by group.";
        let mut cpu_of_groups = std::time::Duration::ZERO;
        let mut threads_of_groups = 0;
        for (group, cpu, threads) in groups {
            let labels = [("group", group.name())];
            out.counter("firn_thread_cpu_seconds_total", cpu_help, &labels, cpu.as_secs_f64());
            out.gauge("firn_threads", threads_help, &labels, threads);
            cpu_of_groups += cpu;
            threads_of_groups += threads as u64;
        }
        let other = [("group", "other")];
        out.gauge(
            "firn_threads",
            threads_help,
            &other,
            stats.threads.saturating_sub(threads_of_groups),
        );
        // The process's time comes in ticks of 10 ms, so this may step back by
        // one, which a counter must not: it is a gauge by another name.
        let cpu = stats.cpu().saturating_sub(cpu_of_groups).as_secs_f64();
        out.gauge("firn_thread_cpu_other_seconds", "Processor time outside both groups.", &[], cpu);
    }
}

/// Which build this is.
#[derive(Debug, Clone, Copy)]
pub struct BuildInfo {
    /// Version of the release.
    pub version: &'static str,
    /// Commit of the source, or empty.
    pub commit: &'static str,
}

impl Collect for BuildInfo {
    fn collect(&self, out: &mut Writer) {
        let labels = [("version", self.version), ("commit", self.commit)];
        out.gauge(
            "firn_build_info",
            "Always 1; the labels say which build this is.",
            &labels,
            true,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Runtimes;

    #[test]
    fn groups_of_threads_are_told_apart() {
        let runtimes = Runtimes::start(2).unwrap();
        let ready = runtimes.foreground().spawn(async {});
        runtimes.block_on(ready).unwrap();
        let mut out = Writer::default();
        ProcessMetrics::new(runtimes.thread_groups()).collect(&mut out);
        let text = out.finish();
        for series in [
            "firn_thread_cpu_seconds_total{group=\"foreground\"} ",
            "firn_thread_cpu_seconds_total{group=\"background\"} ",
            "firn_threads{group=\"other\"} ",
            "firn_thread_cpu_other_seconds ",
            "firn_panics_total 0",
        ] {
            assert!(text.contains(series), "{series}: {text}");
        }
        runtimes.shutdown(std::time::Duration::from_secs(10)).unwrap();
    }
}
