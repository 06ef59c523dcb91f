//! The loop that makes calls and times them.
//!
//! What is timed is the call alone; choosing the key, making the value and
//! checking what was read lie outside of it, but not outside of the throughput.
//! What all this costs is measured with an engine that does nothing, and
//! printed in the report.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use firn_engine::{Error, ErrorKind, Result};

use super::work::Work;
use crate::config::{Kind, Mix, Verify};
use crate::engine::{Batch, Engine};
use crate::generate::{Rng, index_of, mix, write_key};
use crate::measure::{Op, cpu};

/// Calls after which a task lets others run: calls that never wait would
/// otherwise keep a thread to one task.
const YIELD_CALLS: u32 = 64;

/// Numbers of a sequence that a reader takes at once.
const CLAIM: u64 = 16;

/// What callers' threads are called.
pub(super) const CALLER: &str = "caller";

/// One read in so many is checked under [`Verify::Sample`].
const SAMPLE: u64 = 64;

struct Worker<'a, E> {
    engine: &'a E,
    work: &'a Work,
    rng: Rng,
    /// What is left of the claimed numbers.
    claimed: (u64, u64),
    reads: u64,
    key: Vec<u8>,
    value: Vec<u8>,
    batch: Batch,
}

/// Does a share of the work until there is none or it is stopped.
async fn work_on<E: Engine>(engine: &E, work: &Work, id: u64, cooperative: bool) -> Result<()> {
    let mut worker = Worker {
        engine,
        work,
        rng: Rng::new(mix(work.seed, id)),
        claimed: (0, 0),
        reads: 0,
        key: Vec::new(),
        value: Vec::new(),
        batch: Batch::default(),
    };
    let mut calls = 0;
    while !work.is_stopped() {
        let intended = match &work.pacer {
            Some(pacer) => match pacer.turn().await {
                Some(intended) => Some(intended),
                None => break,
            },
            None => None,
        };
        let op = worker.choose();
        let went_on = match op {
            Op::Put => worker.put(intended).await?,
            Op::Get => worker.get(intended).await?,
            Op::Scan => worker.scan(intended).await?,
        };
        if !went_on {
            break;
        }
        calls += 1;
        if cooperative && calls % YIELD_CALLS == 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

impl<E: Engine> Worker<'_, E> {
    #[inline]
    fn choose(&mut self) -> Op {
        let Mix { put, get, scan } = self.work.mix;
        if get == 0.0 && scan == 0.0 {
            return Op::Put;
        }
        if put == 0.0 && scan == 0.0 {
            return Op::Get;
        }
        let at = self.rng.unit() * (put + get + scan);
        if at < put {
            Op::Put
        } else if at < put + get {
            Op::Get
        } else {
            Op::Scan
        }
    }

    /// The place in the sequence of the next read; `None` at its end.
    #[inline]
    fn read_number(&mut self) -> Option<u64> {
        let work = self.work;
        if work.ops_max.is_none() && !work.chooser.is_sequential() {
            return Some(0);
        }
        if self.claimed.1 == 0 {
            // Together with puts, or paced, nothing may be claimed ahead.
            let alone = work.pacer.is_none() && work.mix.put == 0.0;
            self.claimed = work.claim(if alone { CLAIM } else { 1 })?;
        }
        let number = self.claimed.0;
        self.claimed = (number + 1, self.claimed.1 - 1);
        Some(number)
    }

    async fn put(&mut self, intended: Option<Instant>) -> Result<bool> {
        let work = self.work;
        let Some((first, count)) = work.claim(u64::from(work.batch)) else { return Ok(false) };
        if work.batch == 1 {
            let index = self.put_index(first);
            write_key(index, work.key_bytes, &mut self.key);
            self.value.clear();
            work.values.append(index, self.rng.next_u64(), &mut self.value);
            let start = Instant::now();
            let done = self.engine.put(&self.key, &self.value).await;
            let latency = intended.unwrap_or(start).elapsed();
            done.map_err(|e| e.context(format!("put of key {index}")))?;
            work.recorder.record(Op::Put, 1, latency);
            return Ok(true);
        }
        self.batch.clear();
        for number in first..first + count {
            let index = self.put_index(number);
            let nonce = self.rng.next_u64();
            write_key(index, work.key_bytes, &mut self.key);
            self.batch.push(&self.key, |bytes| work.values.append(index, nonce, bytes));
        }
        let start = Instant::now();
        let done = self.engine.put_batch(&self.batch).await;
        let latency = intended.unwrap_or(start).elapsed();
        done.map_err(|e| e.context(format!("put of a batch of {count}")))?;
        work.recorder.record(Op::Put, count, latency);
        Ok(true)
    }

    #[inline]
    fn put_index(&mut self, number: u64) -> u64 {
        let work = self.work;
        match work.kind {
            Kind::Load => work.chooser.load(number),
            _ => work.chooser.write(number, &mut self.rng, &work.cursors),
        }
    }

    #[inline]
    fn is_to_be_checked(&mut self) -> bool {
        self.reads += 1;
        match self.work.verify {
            Verify::All => true,
            Verify::Sample => self.reads.is_multiple_of(SAMPLE),
            Verify::None => false,
        }
    }

    async fn get(&mut self, intended: Option<Instant>) -> Result<bool> {
        let Some(number) = self.read_number() else { return Ok(false) };
        let work = self.work;
        let index = work.chooser.read(number, &mut self.rng, &work.cursors);
        write_key(index, work.key_bytes, &mut self.key);
        let check = self.is_to_be_checked();
        let start = Instant::now();
        let got = self.engine.get(&self.key).await;
        let latency = intended.unwrap_or(start).elapsed();
        let got = got.map_err(|e| e.context(format!("get of key {index}")))?;
        match &got {
            Some(value) if check && !work.values.is_right(index, value.as_ref()) => {
                return Err(wrong(index, "a value that nobody has put"));
            }
            None if index < work.loaded => return Err(wrong(index, "nothing, though it was put")),
            _ => {}
        }
        let found = got.is_some();
        work.recorder.record_get(latency, found, check && found);
        Ok(true)
    }

    async fn scan(&mut self, intended: Option<Instant>) -> Result<bool> {
        let Some(number) = self.read_number() else { return Ok(false) };
        let work = self.work;
        // In key order one scan begins where the last one ended.
        let place = number.wrapping_mul(u64::from(work.scan_entries));
        let first = work.chooser.read(place, &mut self.rng, &work.cursors);
        write_key(first, work.key_bytes, &mut self.key);
        let check = self.is_to_be_checked();
        let (mut entries, mut bytes, mut fault) = (0u64, 0usize, None);
        let each = |key: &[u8], value: &[u8]| {
            entries += 1;
            bytes += key.len() + value.len();
            if check && fault.is_none() {
                fault = check_entry(work, first, key, value);
            }
        };
        let start = Instant::now();
        let done = self.engine.scan(&self.key, work.scan_entries as usize, each).await;
        let latency = intended.unwrap_or(start).elapsed();
        done.map_err(|e| e.context(format!("scan from key {first}")))?;
        if let Some(fault) = fault {
            return Err(fault);
        }
        let there = work.loaded.saturating_sub(first).min(u64::from(work.scan_entries));
        if entries < there {
            return Err(wrong(first, &format!("a scan of {entries} entries instead of {there}")));
        }
        std::hint::black_box(bytes);
        work.recorder.record_scan(latency, entries, check);
        Ok(true)
    }
}

/// What is wrong with an entry of a scan, if anything is. Skipped and unordered
/// keys show in the number of entries.
fn check_entry(work: &Work, first: u64, key: &[u8], value: &[u8]) -> Option<Error> {
    match index_of(key) {
        Some(index) if index < first => Some(wrong(index, "a scan that starts behind it gave it")),
        Some(index) if !work.values.is_right(index, value) => {
            Some(wrong(index, "a value that nobody has put"))
        }
        Some(_) => None,
        None => Some(wrong(first, "a key that nobody has put")),
    }
}

fn wrong(index: u64, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("reading key {index}: {what}"))
}

/// Does the work by as many tasks as it asks for, on this runtime.
///
/// # Errors
/// The first error of any operation; all tasks have ended by then.
pub async fn run_tasks<E: Engine>(engine: &Arc<E>, work: &Arc<Work>) -> Result<()> {
    let mut tasks = tokio::task::JoinSet::new();
    for id in 0..u64::from(work.tasks) {
        let (engine, work) = (Arc::clone(engine), Arc::clone(work));
        tasks.spawn(async move {
            if let Err(error) = work_on(&*engine, &work, id, true).await {
                work.fail(error);
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(e) = ended {
            work.fail(Error::with_source(ErrorKind::Internal, "a worker has panicked", e));
        }
    }
    work.failure().map_or(Ok(()), Err)
}

/// Does the work by threads, for engines whose calls block: as many as it asks
/// for, `threads_max` at most.
///
/// # Errors
/// As [`run_tasks`].
pub async fn run_threads<E: Engine>(
    engine: &Arc<E>,
    work: &Arc<Work>,
    threads_max: u32,
) -> Result<()> {
    let mut ends = Vec::new();
    for id in 0..work.tasks.min(threads_max) {
        let (engine, mine) = (Arc::clone(engine), Arc::clone(work));
        let (send, ended) = tokio::sync::oneshot::channel();
        let body = move || {
            if let Err(error) = block_on(work_on(&*engine, &mine, u64::from(id), false)) {
                mine.fail(error);
            }
            let used = u64::try_from(cpu::leave().as_nanos()).unwrap_or(u64::MAX);
            mine.ended_callers_ns.fetch_add(used, Ordering::Relaxed);
            // Who waits may want to be the last to hold the engine.
            drop(engine);
            let _ = send.send(());
        };
        let started = std::thread::Builder::new().name(format!("{CALLER}-{id}")).spawn(body);
        match started {
            Ok(_) => ends.push(ended),
            Err(e) => {
                let why = format!("thread {id} could not be started");
                work.fail(Error::with_source(ErrorKind::Unavailable, why, e));
                break;
            }
        }
    }
    for ended in ends {
        if ended.await.is_err() {
            work.fail(Error::new(ErrorKind::Internal, "a worker has panicked"));
        }
    }
    work.failure().map_or(Ok(()), Err)
}

fn block_on<F: Future>(future: F) -> F::Output {
    futures::executor::block_on(future)
}

/// What the runner itself costs for one operation: `calls` of them with an
/// engine that does nothing, by one worker, nothing verified.
pub(super) fn runner_cost(work: &Work, calls: u64) -> Result<Duration> {
    let start = Instant::now();
    block_on(work_on(&crate::target::Null, work, 0, false))?;
    Ok(start.elapsed() / u32::try_from(calls.max(1)).unwrap_or(u32::MAX))
}
