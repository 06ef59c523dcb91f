//! How many different keys indexes have, by samples.
//!
//! Of each index some runs of neighbouring keys are read, from places that are about equally
//! far apart. How often the leading parts change within a run says how many entries a key has,
//! as long as that is less than a run; how often they change from one place to the next says
//! it for keys of very many entries.

use firn_engine::key::{KeyRange, prefix_end};
use firn_engine::{Db, Result};
use firn_table::descriptor::IndexId;
use firn_table::key::IndexCodec;

use super::columns::of_columns;
use super::{TableStatistics, rows_now};
use crate::table::OpenTable;

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Before a plan that waits for it.
    Quick,
    /// ANALYZE TABLE.
    Thorough,
}

impl Effort {
    /// Places from which keys are read, of each index.
    pub(super) fn places(self) -> usize {
        match self {
            Self::Quick => 12,
            Self::Thorough => 64,
        }
    }

    /// An index of so many keys is read whole.
    pub(super) fn few(self) -> u64 {
        match self {
            Self::Quick => (self.places() * self.run()) as u64,
            // Of so few there are few places, each of one block or so.
            Self::Thorough => 12 << 10,
        }
    }

    /// Keys of a run.
    pub(super) fn run(self) -> usize {
        match self {
            Self::Quick => 48,
            Self::Thorough => 128,
        }
    }
}

/// Changes from one key to the next, by how many leading parts are looked at.
struct Changes {
    counts: Vec<u64>,
    pairs: u64,
    last: Vec<u8>,
    ends: Vec<usize>,
}

impl Changes {
    fn new(parts: usize) -> Self {
        Self { counts: vec![0; parts], pairs: 0, last: Vec::new(), ends: Vec::new() }
    }

    /// The next key is no neighbour of those before.
    fn begin(&mut self) {
        self.last.clear();
    }

    fn add(&mut self, key: &[u8], codec: &IndexCodec) {
        codec.part_ends(key, &mut self.ends);
        if !self.last.is_empty() {
            self.pairs += 1;
            for (count, end) in self.counts.iter_mut().zip(&self.ends) {
                let same = self.last.get(..*end) == key.get(..*end);
                *count += u64::from(!same);
            }
        }
        self.last.clear();
        self.last.extend_from_slice(key);
    }
}

/// Reads some keys of each index of a table. Histograms are not gathered.
///
/// # Errors
/// The engine's.
pub(crate) async fn gather(db: &Db, table: &OpenTable, effort: Effort) -> Result<TableStatistics> {
    let rows = match rows_now(db, table) {
        // What is deleted and overwritten counts in the estimate.
        rows if rows <= effort.few() => counted(db, table, effort).await?.unwrap_or(rows),
        rows => rows,
    };
    let mut statistics = TableStatistics {
        rows,
        analyzed: effort == Effort::Thorough,
        columns: of_columns(db, table, rows, effort).await?,
        ..TableStatistics::default()
    };
    let codecs = std::iter::once(table.codec.row_index()).chain(table.codec.indexes());
    for codec in codecs {
        let distinct = of_index(db, table, codec, rows, effort).await?;
        statistics.distinct.insert(codec.id().0, distinct);
    }
    Ok(statistics)
}

/// The rows of a table, if they are few.
async fn counted(db: &Db, table: &OpenTable, effort: Effort) -> Result<Option<u64>> {
    let prefix = IndexId::ROWS.0.to_be_bytes();
    let whole = KeyRange { start: prefix.to_vec().into(), end: prefix_end(&prefix) };
    let mut scan = db.scan(table.descriptor().space(), &whole).await?;
    let mut rows = 0;
    while scan.next().await?.is_some() {
        rows += 1;
        if rows > 2 * effort.few() {
            return Ok(None);
        }
    }
    Ok(Some(rows))
}

async fn of_index(
    db: &Db,
    table: &OpenTable,
    codec: &IndexCodec,
    rows: u64,
    effort: Effort,
) -> Result<Vec<u64>> {
    let parts = codec.parts();
    if parts == 0 || (parts == 1 && codec.id() == IndexId::ROWS) {
        return Ok(vec![rows; parts]);
    }
    let space = table.descriptor().space();
    let prefix = codec.id().0.to_be_bytes();
    let whole = KeyRange { start: prefix.to_vec().into(), end: prefix_end(&prefix) };
    let few = effort.few();
    let (mut near, mut far) = (Changes::new(parts), Changes::new(parts));
    let all = rows <= few;
    if all {
        let mut scan = db.scan(space, &whole).await?;
        let mut left = 4 * few;
        while let Some((key, _)) = scan.next().await? {
            near.add(key, codec);
            left -= 1;
            if left == 0 {
                break;
            }
        }
    } else {
        for start in db.sample_keys(space, &whole, effort.places()).await? {
            near.begin();
            let range = KeyRange { start, end: whole.end.clone() };
            let mut scan = db.scan(space, &range).await?;
            for at in 0..effort.run() {
                let Some((key, _)) = scan.next().await? else { break };
                if at == 0 {
                    far.add(key, codec);
                }
                near.add(key, codec);
            }
        }
    }
    let unique = codec.is_unique();
    let count = |part: usize| {
        if all {
            return near.counts[part] + 1;
        }
        if unique && part + 1 == parts {
            return rows;
        }
        let share = near.counts[part] as f64 / near.pairs.max(1) as f64;
        let by_runs = (share * rows as f64).round() as u64;
        by_runs.max(far.counts[part] + 1).min(rows.max(1))
    };
    Ok((0..parts).map(count).collect())
}
