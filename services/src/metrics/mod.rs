//! Metrics in Prometheus' text format.
//!
//! Whoever has figures registers a [`Collect`]; a scrape asks all of them. A
//! counter lives where it is counted, not here, so reading it costs nothing
//! until somebody scrapes.

mod histogram;
mod process;
mod writer;

use std::sync::Arc;

use parking_lot::RwLock;

pub use histogram::{Histogram, LATENCY_BOUNDS_S};
pub use process::{BuildInfo, ProcessMetrics};
pub use writer::{Number, Writer};

/// Something that has figures.
pub trait Collect: Send + Sync + 'static {
    /// Writes them all, as they are now. Must not block.
    fn collect(&self, out: &mut Writer);
}

impl<F: Fn(&mut Writer) + Send + Sync + 'static> Collect for F {
    fn collect(&self, out: &mut Writer) {
        self(out);
    }
}

/// All collectors of a process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Registry(Arc<RwLock<Vec<Arc<dyn Collect>>>>);

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registry of {}", self.0.read().len())
    }
}

impl Registry {
    /// One without collectors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a collector. What it writes joins what others write.
    pub fn add(&self, collector: impl Collect) {
        self.0.write().push(Arc::new(collector));
    }

    /// Everything, as a scrape gets it: text format 0.0.4.
    pub fn render(&self) -> String {
        // Not under the lock: a collector may register another.
        let collectors = self.0.read().clone();
        let mut out = Writer::default();
        for collector in collectors {
            collector.collect(&mut out);
        }
        out.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    fn everything() -> String {
        let registry = Registry::new();
        let histogram = Histogram::new(&LATENCY_BOUNDS_S);
        histogram.observe(Duration::from_micros(70));
        histogram.observe(Duration::from_secs(100));
        registry.add(ProcessMetrics::default());
        registry.add(BuildInfo { version: "1.2.3", commit: "abc" });
        registry.add(move |out: &mut Writer| {
            out.counter("firn_commits_total", "Commits.", &[("branch", "a\"b\\c\nd")], 7);
            out.histogram(
                "firn_commit_seconds",
                "Time of commits.",
                &[("kind", "put")],
                &histogram,
            );
        });
        let inner = registry.clone();
        registry.add(move |out: &mut Writer| {
            out.gauge("firn_collectors", "Collectors.", &[], inner.0.read().len());
        });
        registry.render()
    }

    #[test]
    fn collectors_are_asked_in_every_scrape() {
        let text = everything();
        assert!(text.contains("\nfirn_commits_total{branch=\"a\\\"b\\\\c\\nd\"} 7\n"), "{text}");
        assert!(text.contains("\nfirn_commit_seconds_count{kind=\"put\"} 2\n"), "{text}");
        assert!(text.contains("firn_build_info{version=\"1.2.3\",commit=\"abc\"} 1\n"), "{text}");
        assert!(text.contains("\nfirn_collectors 4\n"), "{text}");
        assert!(text.contains("\nprocess_resident_memory_bytes "), "{text}");
    }

    /// Prometheus' own tool reads it, where it is installed.
    #[test]
    fn promtool_takes_the_text() {
        let child = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else { return };
        child.stdin.take().unwrap().write_all(everything().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}\n{}", everything());
    }
}
