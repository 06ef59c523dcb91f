//! What is measured: an engine inside, a target outside.
//!
//! The workers' loop is compiled for each [`Engine`] by itself, so that a call
//! costs what it costs a program that uses the engine, with nothing boxed in
//! between. Only whole phases go through the dynamic [`Target`].

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use firn_engine::Result;

use crate::config::Topology;
use crate::measure::{Counters, Latency, Requests};
use crate::run::Work;

/// Keys and values that are put together.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    /// Where each key and each value ends.
    ends: Vec<(usize, usize)>,
}

impl Batch {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Adds a key and the value that `fill` appends.
    pub(crate) fn push(&mut self, key: &[u8], fill: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.extend_from_slice(key);
        let key_end = self.bytes.len();
        fill(&mut self.bytes);
        self.ends.push((key_end, self.bytes.len()));
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Keys with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |(key_end, end)| {
            let entry = (&self.bytes[start..*key_end], &self.bytes[*key_end..*end]);
            start = *end;
            entry
        })
    }
}

/// The calls that are timed. Puts are durable on return, unless the topology says otherwise.
pub trait Engine: Send + Sync + 'static {
    /// A value as a get gives it.
    type Value<'a>: AsRef<[u8]> + Send
    where
        Self: 'a;

    /// Sets one key.
    fn put(&self, key: &[u8], value: &[u8]) -> impl Future<Output = Result<()>> + Send;

    /// Sets several keys, all or none.
    fn put_batch(&self, batch: &Batch) -> impl Future<Output = Result<()>> + Send;

    /// Reads one key.
    fn get<'a>(
        &'a self,
        key: &'a [u8],
    ) -> impl Future<Output = Result<Option<Self::Value<'a>>>> + Send;

    /// Gives keys and values from `start` on, `limit` at most, to `each`.
    fn scan<F>(
        &self,
        start: &[u8],
        limit: usize,
        each: F,
    ) -> impl Future<Output = Result<()>> + Send
    where
        F: FnMut(&[u8], &[u8]) + Send;
}

/// Something that phases run on.
#[async_trait]
pub trait Target: Send + Sync {
    /// Its settings as far as they matter for the figures, for the report.
    fn settings(&self) -> Vec<(String, String)>;

    /// How it does so many operations at once: `256 tasks`.
    fn shape(&self, tasks: u32) -> String {
        format!("{tasks} tasks")
    }

    /// Does a phase's operations; see [`run_tasks`](crate::run_tasks) and
    /// [`run_threads`](crate::run_threads).
    ///
    /// # Errors
    /// The first error of any operation.
    async fn run(&self, work: &Arc<Work>) -> Result<()>;

    /// Puts into files what is in memory.
    ///
    /// # Errors
    /// Why it could not be done within `limit`.
    async fn flush(&self, limit: Duration) -> Result<()>;

    /// Waits until nothing is left to compact; for how long at the end there was nothing, which
    /// is no time of the work's.
    ///
    /// # Errors
    /// If that takes longer than `limit`, or a compaction has failed.
    async fn settle(&self, limit: Duration) -> Result<Duration>;

    /// Counts since it was opened, and sizes now. Called once a second.
    fn counters(&self) -> Counters;

    /// Processes besides this one that are part of it, by name: their processor time, memory
    /// and disk count as its own.
    fn processes(&self) -> Vec<(String, u32)> {
        Vec::new()
    }

    /// What those of these processes that it started have asked of the object store, by name.
    /// May take milliseconds. A process that does not answer is missing.
    fn part_requests(&self) -> BTreeMap<String, Requests> {
        BTreeMap::new()
    }

    /// How long calls to its parts took since this was called last, by call.
    fn part_latencies(&self) -> BTreeMap<&'static str, Latency> {
        BTreeMap::new()
    }

    /// Bytes in store now: files, garbage, manifests, log; `None` if unknown.
    ///
    /// # Errors
    /// If the store cannot be listed.
    async fn stored_bytes(&self) -> Result<Option<u64>>;

    /// Closes it in good order.
    ///
    /// # Errors
    /// What could not be put away.
    async fn close(&self, limit: Duration) -> Result<()>;
}

/// Opens Firn for a topology. The benchmark links no services: whoever does gives it this.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Which source the program was built from, for the report.
    fn commit(&self) -> String;

    /// Opens a target whose data is in `dir`, or goes on with what is there.
    ///
    /// # Errors
    /// What stands in the way, by name.
    async fn open(&self, topology: &Topology, dir: &Path) -> Result<Arc<dyn Target>>;
}
