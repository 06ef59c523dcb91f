//! What was asked for, what was answered, and what must be there because of it.
//!
//! Every batch puts a key of its own beside what it is about, its *marker*: so it can be told
//! from what is there which batches took effect. Each client writes below a prefix of its own,
//! one batch at a time, so their order is known too. Once a later writer has opened the branch,
//! the fate of all batches of earlier epochs is settled, and never changes again. A writer that
//! was slow to open may find batches of one that came after it.
//!
//! Every branch has a ledger of its own, which begins with what is found in the branch when
//! it is first opened. That must be what its parent's ledger says of the seq where it begins.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_engine::{Epoch, Error, Seq, SpaceId, WriteBatch};
use parking_lot::Mutex;

use super::verdict::Verdict;

/// Rows of all spaces.
pub(crate) type Rows = BTreeMap<(u32, Vec<u8>), Vec<u8>>;

/// Its rows are copied as columns.
pub(crate) const COPIED: u32 = 1;
pub(crate) const PLAIN: u32 = 2;
const MARKERS: u32 = 3;
pub(crate) const SPACES: [u32; 3] = [COPIED, PLAIN, MARKERS];

/// One change of one space.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Put(u32, Vec<u8>, Vec<u8>),
    Delete(u32, Vec<u8>),
    /// From the first to before the second.
    DeleteRange(u32, Vec<u8>, Vec<u8>),
}

impl Op {
    pub(crate) fn apply(&self, rows: &mut Rows) {
        match self {
            Self::Put(space, key, value) => {
                rows.insert((*space, key.clone()), value.clone());
            }
            Self::Delete(space, key) => {
                rows.remove(&(*space, key.clone()));
            }
            Self::DeleteRange(space, start, end) => {
                rows.retain(|(s, key), _| s != space || key < start || key >= end);
            }
        }
    }

    fn add_to(&self, batch: &mut WriteBatch) -> firn_engine::Result<()> {
        match self {
            Self::Put(space, key, value) => batch.put(SpaceId(*space), key, value),
            Self::Delete(space, key) => batch.delete(SpaceId(*space), key),
            Self::DeleteRange(space, start, end) => {
                batch.delete_range(SpaceId(*space), start, Some(end))
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    /// None, or that it is not known.
    Unknown,
    Done(Seq),
    Refused(String),
}

#[derive(Debug)]
struct Entry {
    epoch: Epoch,
    ops: Vec<Op>,
    answer: Answer,
    /// Whether it took effect, once that is settled.
    settled: Option<bool>,
}

/// A named snapshot: its name, where it is, and what was there.
pub(crate) type Checkpoint = (String, Seq, Rows);

/// Of who serves a branch and who looks at it.
pub(crate) type SharedLedger = Arc<Mutex<Ledger>>;

/// Where a branch begins that nobody has opened yet.
#[derive(Debug, Clone)]
pub(crate) struct Beginning {
    pub(crate) parent: SharedLedger,
    pub(crate) seq: Seq,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Ledger {
    verdict: Verdict,
    /// Whose, for people; `main` is the first.
    name: String,
    /// Tells its markers from those of other branches.
    number: u64,
    /// The branch was not opened yet.
    beginning: Option<Beginning>,
    /// What the branch began with, and all that is at this seq or before.
    base: (Seq, Rows),
    entries: Vec<Entry>,
    /// The fate of all batches of earlier epochs is settled.
    settled_before: Epoch,
    seqs: BTreeMap<Seq, usize>,
    pub(crate) checkpoints: Vec<Checkpoint>,
    /// Openings that were looked at.
    pub(crate) openings: u64,
    /// Reads that were compared.
    pub(crate) reads: u64,
}

/// Key of the marker of a batch of a branch.
fn marker(branch: u64, id: usize) -> Vec<u8> {
    (branch << 32 | id as u64).to_be_bytes().to_vec()
}

impl Ledger {
    /// That of `main`, whose number is 0, or of a branch that begins with nothing known.
    pub(crate) fn new(verdict: &Verdict, name: &str, number: u64) -> Self {
        Self {
            verdict: verdict.clone(),
            name: name.to_owned(),
            number,
            beginning: None,
            base: (Seq::ZERO, Rows::new()),
            entries: Vec::new(),
            settled_before: Epoch::ZERO,
            seqs: BTreeMap::new(),
            checkpoints: Vec::new(),
            openings: 0,
            reads: 0,
        }
    }

    /// The branch is there, and nobody has opened it.
    pub(crate) fn begin_at(&mut self, beginning: Beginning) {
        self.base.0 = beginning.seq;
        self.beginning = Some(beginning);
    }

    /// All that is at this seq or before was there when the branch began, and what that was.
    pub(crate) fn base(&self) -> &(Seq, Rows) {
        &self.base
    }

    /// Whether it is known what the branch began with.
    pub(crate) fn has_begun(&self) -> bool {
        self.beginning.is_none()
    }

    /// The last commit that a client was told of; the beginning if there is none.
    pub(crate) fn last_seq(&self) -> Seq {
        self.seqs.keys().next_back().map_or(self.base.0, |seq| *seq)
    }

    /// One of the commits that clients were told of, by a number.
    pub(crate) fn past_seq(&self, number: u64) -> Option<Seq> {
        let at = usize::try_from(number % (self.seqs.len() as u64).max(1)).unwrap_or(0);
        self.seqs.keys().nth(at).copied()
    }

    fn marker(&self, id: usize) -> Vec<u8> {
        marker(self.number, id)
    }

    /// A branch was made of this one at `seq`, and `rows` are found in it: those of all
    /// commits up to there, and of no other.
    fn forked(&mut self, name: &str, seq: Seq, rows: &Rows) {
        let mut expected = self.base.1.clone();
        let mut there = self.base.0.0;
        for id in 0..self.entries.len() {
            let found = rows.contains_key(&(MARKERS, self.marker(id)));
            let entry = &mut self.entries[id];
            let wrong = match (&entry.answer, found, entry.settled) {
                (Answer::Done(at), false, _) if *at <= seq => format!("is at {at}, and not there"),
                (Answer::Done(at), true, _) if *at > seq => format!("is at {at}, and there"),
                (Answer::Refused(why), true, _) => format!("was refused ({why}), and is there"),
                (_, true, Some(false)) => "did not take effect, and is there".to_owned(),
                _ => String::new(),
            };
            self.verdict.check(wrong.is_empty(), || {
                format!("{name}, made of {} at {seq}: its batch {id} {wrong}", self.name)
            });
            if found {
                // What is in files does not go away.
                entry.settled = Some(true);
                there += 1;
                entry.ops.iter().for_each(|op| op.apply(&mut expected));
            }
        }
        self.verdict.check(seq == Seq(there), || {
            format!("{name}, made of {} at {seq}: {there} batches are there", self.name)
        });
        let what = format!("{name}, made of {} at {seq}", self.name);
        self.compare(&what, &expected, rows);
    }

    /// The oldest named snapshot, which is known no more.
    pub(crate) fn drop_checkpoint(&mut self) -> Option<Checkpoint> {
        (!self.checkpoints.is_empty()).then(|| self.checkpoints.remove(0))
    }

    /// A batch that the writer of `epoch` is about to be asked for.
    pub(crate) fn begin(&mut self, epoch: Epoch, ops: Vec<Op>) -> (usize, WriteBatch) {
        let id = self.entries.len();
        let ops: Vec<_> =
            ops.into_iter().chain([Op::Put(MARKERS, self.marker(id), b"there".to_vec())]).collect();
        let mut batch = WriteBatch::new();
        for op in &ops {
            if let Err(error) = op.add_to(&mut batch) {
                self.verdict.fail(format!("batch {id}: {error}"));
            }
        }
        let settled = (epoch < self.settled_before).then_some(false);
        self.entries.push(Entry { epoch, ops, answer: Answer::Unknown, settled });
        (id, batch)
    }

    pub(crate) fn done(&mut self, id: usize, seq: Seq) {
        let entry = &mut self.entries[id];
        entry.answer = Answer::Done(seq);
        if entry.settled == Some(false) {
            self.verdict.fail(format!(
                "batch {id} of {:?} is acknowledged at {seq}, and a later writer did not find it",
                entry.epoch
            ));
        }
        if let Some(other) = self.seqs.insert(seq, id) {
            self.verdict.fail(format!("batches {other} and {id} are both at {seq}"));
        }
    }

    pub(crate) fn refused(&mut self, id: usize, why: &Error) {
        let entry = &mut self.entries[id];
        entry.answer = Answer::Refused(why.to_string());
        if entry.settled == Some(true) {
            self.verdict.fail(format!("batch {id} is refused ({why}), and is there"));
        }
    }

    /// The writer of `epoch` has opened the branch and found `rows` at `seq`. What must be there.
    pub(crate) fn opened(&mut self, epoch: Epoch, seq: Seq, rows: &Rows) -> Rows {
        self.openings += 1;
        if let Some(Beginning { parent, seq }) = self.beginning.take() {
            parent.lock().forked(&self.name, seq, rows);
            self.base = (seq, rows.clone());
        }
        let mut expected = self.base.1.clone();
        let mut there = self.base.0.0;
        let (name, number) = (self.name.clone(), self.number);
        for (id, entry) in self.entries.iter_mut().enumerate() {
            let found = rows.contains_key(&(MARKERS, marker(number, id)));
            let wrong =
                |what: &str| format!("{name}, {epoch:?}: batch {id} of {:?} {what}", entry.epoch);
            if entry.epoch == epoch {
                self.verdict.check(!found, || wrong("is there before its time"));
                continue;
            }
            // A later writer may have the branch by now. What the log has of it is read, too.
            if entry.epoch > epoch && !found {
                continue;
            }
            match (&entry.answer, found, entry.settled) {
                (_, found, Some(before)) if found != before => {
                    let now = if found { "appeared" } else { "disappeared" };
                    self.verdict.fail(wrong(&format!("{now} after a later writer had opened")));
                }
                (Answer::Done(at), false, _) => {
                    self.verdict.fail(wrong(&format!("was acknowledged at {at} and is lost")));
                }
                (Answer::Done(at), true, _) if *at > seq => {
                    self.verdict.fail(wrong(&format!("is at {at}, beyond the end at {seq}")));
                }
                (Answer::Refused(why), true, _) => {
                    self.verdict.fail(wrong(&format!("was refused ({why}) and is there")));
                }
                _ => {}
            }
            entry.settled = Some(found);
            if found {
                there += 1;
                entry.ops.iter().for_each(|op| op.apply(&mut expected));
            }
        }
        self.settled_before = self.settled_before.max(epoch);
        // Each commit has one seq, and nothing else has.
        self.verdict.check(seq == Seq(there), || {
            format!("{name}, {epoch:?}: {there} batches are there, and the last seq is {seq}")
        });
        self.compare(&format!("{epoch:?} after opening"), &expected, rows);
        expected
    }

    /// `rows` are the expected ones.
    pub(crate) fn compare(&mut self, what: &str, expected: &Rows, rows: &Rows) {
        self.reads += 1;
        let differs = |(space, key): &(u32, Vec<u8>)| {
            let (have, want) =
                (rows.get(&(*space, key.clone())), expected.get(&(*space, key.clone())));
            let show = |v: Option<&Vec<u8>>| v.map(|v| format!("{} bytes", v.len()));
            format!(
                "{}: {what}: {space} {}: {:?}, not {:?} ({} rows, not {})",
                self.name,
                key.escape_ascii(),
                show(have),
                show(want),
                rows.len(),
                expected.len()
            )
        };
        let mut keys = expected.keys().chain(rows.keys());
        if let Some(key) = keys.find(|key| rows.get(*key) != expected.get(*key)) {
            self.verdict.fail(differs(key));
        }
    }

    /// Writers' acknowledged commits in the order of their seqs.
    pub(crate) fn check_order(&self) {
        let mut last = (Epoch::ZERO, Seq::ZERO);
        for (seq, id) in &self.seqs {
            let epoch = self.entries[*id].epoch;
            self.verdict.check(epoch >= last.0, || {
                format!("{seq} is of {epoch:?}, and {} before it of {:?}", last.1, last.0)
            });
            last = (epoch, *seq);
        }
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.seqs.len()
    }

    pub(crate) fn unknown(&self) -> usize {
        self.entries.iter().filter(|entry| entry.answer == Answer::Unknown).count()
    }
}
