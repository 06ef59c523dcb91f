//! What a running database counts, for Prometheus.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use firn_engine::object::{RequestKind, StoreStats};
use firn_services::metrics::{Collect, Writer};

use crate::local::Local;

/// Metrics of a database with all its parts.
#[derive(Debug)]
pub struct DbMetrics {
    local: Arc<Local>,
    store: Arc<StoreStats>,
}

impl DbMetrics {
    /// Of this database, on this object store.
    #[must_use]
    pub fn new(local: Arc<Local>, store: Arc<StoreStats>) -> Self {
        Self { local, store }
    }
}

impl Collect for DbMetrics {
    fn collect(&self, out: &mut Writer) {
        self.commits(out);
        self.caches(out);
        self.files(out);
        StoreMetrics(Arc::clone(&self.store)).collect(out);
    }
}

/// What a process asks of the object store.
#[derive(Debug)]
pub struct StoreMetrics(pub Arc<StoreStats>);

impl DbMetrics {
    fn commits(&self, out: &mut Writer) {
        let stats = self.local.db().stats();
        out.counter("firn_commits_total", "Commits acknowledged.", &[], stats.commits);
        out.counter(
            "firn_commit_groups_total",
            "Journal records: commits written and synced together.",
            &[],
            stats.commit_groups,
        );
        out.counter("firn_journal_bytes_total", "Bytes appended.", &[], stats.journal_bytes);
        out.gauge(
            "firn_journal_kept_bytes",
            "Bytes that the journal holds.",
            &[],
            stats.journal_kept_bytes,
        );
        out.counter("firn_flushes_total", "Memtables flushed.", &[], stats.flushes);
        out.counter("firn_flush_in_bytes_total", "Size in memory.", &[], stats.flush_bytes_in);
        out.counter("firn_flush_out_bytes_total", "Size in files.", &[], stats.flush_bytes_out);
        out.gauge("firn_memtable_bytes", "Bytes in memtables.", &[], stats.memtable_bytes);
        out.gauge(
            "firn_memtables_waiting",
            "Memtables that wait to be flushed.",
            &[],
            stats.memtables_waiting,
        );
        out.gauge(
            "firn_write_pressure",
            "How much writers are slowed down: 0 not at all, 1 stopped.",
            &[],
            stats.write_pressure,
        );
        out.counter("firn_delayed_writes_total", "Writes delayed.", &[], stats.delayed_writes);
        out.counter(
            "firn_write_delay_seconds_total",
            "Their delays in sum.",
            &[],
            stats.delay_us as f64 / 1e6,
        );
        out.gauge("firn_snapshots", "Open snapshots.", &[], stats.snapshots);
        out.gauge("firn_last_seq", "Last visible seq.", &[], stats.last_seq.0);
        out.gauge("firn_flushed_seq", "Last seq in files.", &[], stats.flushed_seq.0);
        out.gauge("firn_manifest_version", "Version that is read.", &[], stats.version.0);
        let failed = self.local.db().failure().is_some();
        out.gauge("firn_failed", "1 if no more writes are taken.", &[], failed);
    }

    fn caches(&self, out: &mut Writer) {
        let cache = self.local.db().stats().cache;
        let help = "Reads that a cache answered.";
        for (name, hits) in
            [("row", cache.row_hits), ("block", cache.block_hits), ("disk", cache.disk_hits)]
        {
            out.counter("firn_cache_hits_total", help, &[("cache", name)], hits);
        }
        out.counter(
            "firn_cache_misses_total",
            "Reads that a cache did not answer.",
            &[("cache", "row")],
            cache.row_misses,
        );
        let help = "Bytes in a cache.";
        for (name, bytes) in
            [("row", cache.row_bytes), ("block", cache.block_bytes), ("pinned", cache.pinned_bytes)]
        {
            out.gauge("firn_cache_bytes", help, &[("cache", name)], bytes);
        }
        out.counter(
            "firn_storage_reads_total",
            "Reads that no cache answered.",
            &[],
            cache.storage_reads,
        );
        out.counter("firn_storage_read_bytes_total", "Bytes of them.", &[], cache.storage_bytes);
        out.counter(
            "firn_refilled_blocks_total",
            "Blocks read ahead of compacted versions.",
            &[],
            cache.refilled_blocks,
        );
    }

    fn files(&self, out: &mut Writer) {
        let stats = self.local.db().stats();
        for (level, files) in stats.levels.iter().enumerate() {
            let level = level.to_string();
            let labels = [("level", level.as_str())];
            out.gauge("firn_level_files", "Files of a level.", &labels, files.files);
            out.gauge("firn_level_bytes", "Bytes of rows of a level.", &labels, files.bytes);
            out.gauge(
                "firn_level_column_bytes",
                "Bytes of column copies of a level.",
                &labels,
                files.column_bytes,
            );
        }
        let version = self.local.db().version();
        let parked = version.jobs.values().filter(|job| job.parked.is_some()).count();
        out.gauge("firn_compaction_jobs", "Jobs in the manifest.", &[], version.jobs.len());
        out.gauge("firn_compaction_jobs_parked", "Jobs that failed too often.", &[], parked);
        out.gauge("firn_garbage_objects", "Objects to be deleted.", &[], version.garbage.len());
        out.gauge("firn_watermark_seq", "GC watermark.", &[], version.watermark.seq.0);
        let running = self.local.merges_running();
        out.gauge("firn_merges_running", "Merges running in this process.", &[], running);
        if let Some(merges) = self.local.merges() {
            let help = "Bytes that merges have read and stored.";
            for (direction, bytes) in [
                ("in", &merges.bytes_in),
                ("out", &merges.row_bytes_out),
                ("column_out", &merges.column_bytes_out),
            ] {
                let labels = [("direction", direction)];
                let bytes = bytes.load(Ordering::Relaxed);
                out.counter("firn_merge_bytes_total", help, &labels, bytes);
            }
        }
    }
}

impl Collect for StoreMetrics {
    fn collect(&self, out: &mut Writer) {
        let counts = self.0.snapshot();
        for kind in RequestKind::ALL {
            let of = counts.of(kind);
            let labels = [("kind", kind.as_str())];
            let requests = "Requests to the object store.";
            out.counter("firn_store_requests_total", requests, &labels, of.requests);
            let errors = "Requests that failed.";
            out.counter("firn_store_errors_total", errors, &labels, of.errors);
            let retries = "Requests that repeat another.";
            out.counter("firn_store_retries_total", retries, &labels, of.retries);
            let throttled = "Requests that the store had too many of.";
            out.counter("firn_store_throttled_total", throttled, &labels, of.throttled);
            let time = "Time that requests took, added up.";
            out.counter("firn_store_seconds_total", time, &labels, of.time.as_secs_f64());
            let sent = "Bytes of objects sent.";
            out.counter("firn_store_sent_bytes_total", sent, &labels, of.sent_bytes);
            let received = "Bytes of objects received.";
            out.counter("firn_store_received_bytes_total", received, &labels, of.received_bytes);
        }
        let hedges = "Second requests sent because the first was slow.";
        out.counter("firn_store_hedges_total", hedges, &[], counts.hedges);
    }
}
