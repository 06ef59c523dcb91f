//! A process with an engine, which takes a branch, serves two clients, and loses it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use firn_engine::db::Snapshot;
use firn_engine::key::KeyRange;
use firn_engine::manifest::SpaceOptions;
use firn_engine::{Db, Env, Epoch, Error, ErrorKind, Options, Parts, Result, SpaceId};
use firn_table::RowDescription;

use super::ledger::{COPIED, Ledger, Op, PLAIN, Rows, SPACES, SharedLedger};
use super::verdict::Verdict;

const CLIENTS: u64 = 2;
/// Keys of a client.
const KEYS: u64 = 60;
const FLUSH_MAX: Duration = Duration::from_secs(60);

/// What a compute process needs to serve one branch.
pub(crate) struct Compute {
    pub(crate) env: Env,
    pub(crate) name: String,
    pub(crate) parts: Parts,
    pub(crate) options: Options,
    pub(crate) verdict: Verdict,
    pub(crate) ledger: SharedLedger,
    /// No more work is begun.
    pub(crate) stopping: Arc<AtomicBool>,
    /// The branch is being dropped, or was.
    pub(crate) dropping: Arc<AtomicBool>,
    /// It was away for so long, or so much else was, that its lease may have ended.
    pub(crate) lapsed: Arc<AtomicBool>,
    /// How long it waits before it takes the branch, at most, in milliseconds.
    pub(crate) standby_ms_max: u64,
    /// How long it serves clients before it opens the branch anew, at most.
    pub(crate) serve_s_max: u64,
}

/// An open database of one epoch.
struct Session<'a> {
    compute: &'a Compute,
    db: Db,
    epoch: Epoch,
}

fn everything() -> KeyRange {
    KeyRange { start: bytes::Bytes::new(), end: None }
}

/// All that a snapshot shows.
pub(crate) async fn rows_of(snapshot: &Snapshot) -> Result<Rows> {
    let mut rows = Rows::new();
    for space in SPACES {
        let mut scan = snapshot.scan(SpaceId(space), &everything()).await?;
        let found = scan.collect(usize::MAX).await?;
        rows.extend(found.into_iter().map(|(k, v)| ((space, k.to_vec()), v.to_vec())));
    }
    Ok(rows)
}

impl Compute {
    fn below(&self, bound: u64) -> u64 {
        self.env.random_u64() % bound
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// An error that faults explain, or not.
    fn excuse(&self, doing: &str, error: &Error) {
        let explained = match error.kind() {
            ErrorKind::Unavailable | ErrorKind::Retry | ErrorKind::Fenced => true,
            ErrorKind::OutcomeUnknown => true,
            _ => self.lapsed.load(Ordering::Relaxed) || self.dropping.load(Ordering::Relaxed),
        };
        self.verdict.check(explained, || format!("{}: {doing}: {error:?}", self.name));
    }

    /// Until the process ends, or is told to stop.
    pub(crate) async fn run(self) {
        while !self.is_stopping() {
            let standby = Duration::from_millis(self.below(self.standby_ms_max));
            self.env.sleep(standby).await;
            if self.is_stopping() {
                return;
            }
            self.serve().await;
        }
    }

    /// Takes the branch and serves clients for a while, or until it is lost.
    pub(crate) async fn serve(&self) {
        if let Err(error) = self.open_and_serve().await {
            self.excuse("serving", &error);
        }
    }

    async fn open_and_serve(&self) -> Result<()> {
        let db = Db::open(self.parts.clone(), self.options.clone()).await?;
        let epoch = db.stats().epoch;
        let session = Session { compute: self, db, epoch };
        let rows = session.look().await?;
        session.describe().await?;
        session.checkpoints(&rows).await?;
        let until = self.env.now().after(Duration::from_secs(1 + self.below(self.serve_s_max)));
        let clients = (0..CLIENTS).map(|client| session.client(client, rows.clone(), until));
        futures::future::join_all(clients).await;
        if self.below(3) == 0
            && let Err(error) = session.db.close(FLUSH_MAX).await
        {
            self.excuse("closing", &error);
        }
        Ok(())
    }
}

impl Session<'_> {
    fn ledger(&self) -> parking_lot::MutexGuard<'_, Ledger> {
        self.compute.ledger.lock()
    }

    fn is_over(&self) -> bool {
        self.db.failure().is_some() || self.compute.is_stopping()
    }

    /// What it finds after opening.
    async fn look(&self) -> Result<Rows> {
        let snapshot = self.db.snapshot();
        let rows = rows_of(&snapshot).await?;
        Ok(self.ledger().opened(self.epoch, snapshot.seq(), &rows))
    }

    async fn describe(&self) -> Result<()> {
        let row_schema = RowDescription::KeyValue.encode();
        let options = SpaceOptions { row_schema, ..SpaceOptions::default() };
        self.db.declare_space(SpaceId(COPIED), options).await
    }

    fn knows(&self, checkpoint: &str) -> bool {
        self.ledger().checkpoints.iter().any(|(name, _, _)| name == checkpoint)
    }

    /// Looks at the named snapshots; makes one or drops one.
    async fn checkpoints(&self, rows: &Rows) -> Result<()> {
        let known = self.ledger().checkpoints.clone();
        for (name, seq, expected) in &known {
            let found = async { rows_of(&self.db.snapshot_at(*seq)?).await };
            let found = match found.await {
                Ok(found) => found,
                // Dropped meanwhile, by a writer before this one.
                Err(_) if !self.knows(name) => continue,
                Err(error) => return Err(error),
            };
            self.ledger().compare(&format!("snapshot {name:?}"), expected, &found);
        }
        match self.compute.below(4) {
            0 if known.len() < 2 => {
                let name = format!("of {:?}", self.epoch);
                let seq = self.db.checkpoint(&name, FLUSH_MAX).await?;
                self.ledger().checkpoints.push((name, seq, rows.clone()));
            }
            1 if !known.is_empty() => {
                // Forgotten first: who knows what becomes of the call. A writer after this one
                // may have been faster.
                let dropped = self.ledger().drop_checkpoint();
                if let Some((name, _, _)) = dropped {
                    self.db.drop_checkpoint(&name).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// One client's work.
    async fn client(&self, client: u64, mut rows: Rows, until: firn_engine::Instant) {
        let compute = self.compute;
        let prefix = format!("{client}/").into_bytes();
        rows.retain(|(space, key), _| *space <= PLAIN && key.starts_with(&prefix));
        let mut work = Client { session: self, prefix, rows, unsure: false };
        while !self.is_over() && compute.env.now() < until {
            let done = match compute.below(100) {
                0..62 => work.write().await,
                62..82 => work.get().await,
                82..90 => work.scan().await,
                90..95 => work.hold().await,
                95 => self.db.flush(FLUSH_MAX).await,
                _ => {
                    compute.env.sleep(Duration::from_millis(compute.below(10_000))).await;
                    Ok(())
                }
            };
            if let Err(error) = done {
                compute.excuse("a client", &error);
            }
            compute.env.sleep(Duration::from_millis(compute.below(150))).await;
        }
    }
}

/// Who writes below one prefix, and what is there.
struct Client<'a> {
    session: &'a Session<'a>,
    prefix: Vec<u8>,
    rows: Rows,
    /// It is not known what became of a write: nothing is compared any more.
    unsure: bool,
}

impl Client<'_> {
    fn below(&self, bound: u64) -> u64 {
        self.session.compute.below(bound)
    }

    fn space(&self) -> u32 {
        if self.below(4) == 0 { PLAIN } else { COPIED }
    }

    fn key(&self, number: u64) -> Vec<u8> {
        let mut key = self.prefix.clone();
        key.extend_from_slice(format!("{number:03}").as_bytes());
        key
    }

    fn value(&self) -> Vec<u8> {
        let len = if self.below(8) == 0 { self.below(6000) } else { self.below(300) } as usize;
        let mut value = vec![self.below(256) as u8; len];
        // Half of it does not compress.
        for chunk in value[..len / 2].chunks_mut(8) {
            let bytes = self.session.compute.env.random_u64().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        value
    }

    fn op(&self) -> Op {
        let (space, number) = (self.space(), self.below(KEYS));
        match self.below(100) {
            0..78 => Op::Put(space, self.key(number), self.value()),
            78..97 => Op::Delete(space, self.key(number)),
            _ => Op::DeleteRange(space, self.key(number), self.key(number + 1 + self.below(10))),
        }
    }

    async fn write(&mut self) -> Result<()> {
        let count = if self.below(3) == 0 { 1 + self.below(8) } else { 1 };
        let ops: Vec<_> = (0..count).map(|_| self.op()).collect();
        let (id, batch) = self.session.ledger().begin(self.session.epoch, ops.clone());
        match self.session.db.write(&batch).await {
            Ok(seq) => {
                self.session.ledger().done(id, seq);
                ops.iter().for_each(|op| op.apply(&mut self.rows));
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::OutcomeUnknown => {
                self.unsure = true;
                Ok(())
            }
            Err(error) => {
                self.session.ledger().refused(id, &error);
                Err(error)
            }
        }
    }

    async fn get(&self) -> Result<()> {
        let (space, key) = (self.space(), self.key(self.below(KEYS)));
        let found = self.session.db.get(SpaceId(space), &key).await?;
        let mut rows = Rows::new();
        rows.extend(found.map(|value| ((space, key.clone()), value.to_vec())));
        let expected = self.rows.get_key_value(&(space, key));
        let expected = expected.map(|(k, v)| (k.clone(), v.clone())).into_iter().collect();
        self.compare("a get", &expected, &rows);
        Ok(())
    }

    fn compare(&self, what: &str, expected: &Rows, rows: &Rows) {
        if !self.unsure {
            let what = format!("{:?}: {what}", self.session.epoch);
            self.session.ledger().compare(&what, expected, rows);
        }
    }

    async fn own_rows(&self, snapshot: &Snapshot) -> Result<Rows> {
        let mut rows = Rows::new();
        for space in [COPIED, PLAIN] {
            let mut scan = snapshot.scan_prefix(SpaceId(space), &self.prefix).await?;
            let found = scan.collect(usize::MAX).await?;
            rows.extend(found.into_iter().map(|(k, v)| ((space, k.to_vec()), v.to_vec())));
        }
        Ok(rows)
    }

    async fn scan(&self) -> Result<()> {
        let rows = self.own_rows(&self.session.db.snapshot()).await?;
        self.compare("a scan", &self.rows, &rows);
        Ok(())
    }

    /// Writes on while a snapshot is held, which must not change.
    async fn hold(&mut self) -> Result<()> {
        let (snapshot, expected, unsure) =
            (self.session.db.snapshot(), self.rows.clone(), self.unsure);
        for _ in 0..self.below(40) {
            let env = &self.session.compute.env;
            env.sleep(Duration::from_millis(self.below(1500))).await;
            if self.session.is_over() {
                break;
            }
            self.write().await?;
        }
        let rows = self.own_rows(&snapshot).await?;
        if !unsure {
            let what = format!("{:?}: a snapshot at {}", self.session.epoch, snapshot.seq());
            self.session.ledger().compare(&what, &expected, &rows);
        }
        Ok(())
    }
}
