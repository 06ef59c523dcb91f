//! How many different values columns have, and which are frequent, by the rows of some places
//! of a table.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use firn_engine::key::KeyRange;
use firn_engine::{Db, Result};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::json::PackedTime;
use firn_mysql_semantics::{SqlType, Value};
use foldhash::quality::FixedState;
use serde::{Deserialize, Serialize};

use super::gather::Effort;
use crate::table::OpenTable;

/// What is known of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ColumnStatistics {
    /// About how many different values it has.
    pub(crate) distinct: u64,
    /// The share of rows that have NULL.
    pub(crate) nulls: f64,
    /// The values that are frequent, by hashes, and the share of rows that have each.
    frequent: Vec<(u64, f64)>,
}

/// So many values are known as frequent ones at most.
const FREQUENT_MAX: usize = 32;
/// A frequent value is seen so often at least,
const FREQUENT_SEEN: u32 = 4;
/// and so many times as often as the average one.
const FREQUENT_TIMES: f64 = 1.5;

impl ColumnStatistics {
    /// The share of rows that have a value, which is as the column has it.
    pub(crate) fn equal(&self, value: &Value, ty: &SqlType) -> Option<f64> {
        let hash = hash_of(value, ty)?;
        if let Some((_, share)) = self.frequent.iter().find(|(one, _)| *one == hash) {
            return Some(*share);
        }
        let frequent: f64 = self.frequent.iter().map(|(_, share)| share).sum();
        let others = (self.distinct as f64 - self.frequent.len() as f64).max(1.0);
        Some((1.0 - self.nulls - frequent).max(0.0) / others)
    }
}

/// Of longer texts the beginning stands for all.
const TEXT_BYTES_MAX: usize = 256;

/// What was seen of a column.
#[derive(Default)]
struct Seen {
    /// How often each value was, by hashes.
    values: BTreeMap<u64, u32>,
    nulls: u64,
}

/// Looks at rows of a table that has so many, all of them if they are few; by the columns' ids.
///
/// # Errors
/// The engine's.
pub(super) async fn of_columns(
    db: &Db,
    table: &OpenTable,
    rows: u64,
    effort: Effort,
) -> Result<BTreeMap<u32, ColumnStatistics>> {
    let columns = &table.descriptor().columns;
    let mut seen: Vec<Seen> = columns.iter().map(|_| Seen::default()).collect();
    let (space, whole) = (table.descriptor().space(), table.codec.row_index().all());
    let all = rows <= effort.few();
    let (places, run) = match all {
        true => (vec![whole.start.clone()], 2 * effort.few()),
        false => (db.sample_keys(space, &whole, effort.places()).await?, effort.run() as u64),
    };
    let mut count = 0_u64;
    for start in places {
        let range = KeyRange { start, end: whole.end.clone() };
        let mut scan = db.scan(space, &range).await?;
        for _ in 0..run {
            let Some((_, value)) = scan.next().await? else { break };
            let row = table.codec.rows().read(value)?;
            count += 1;
            for (at, column) in columns.iter().enumerate() {
                if column.is_virtual() {
                    continue;
                }
                match hash_of(&Value::from(row.cell(at)?), &column.ty) {
                    Some(hash) => *seen[at].values.entry(hash).or_default() += 1,
                    None => seen[at].nulls += 1,
                }
            }
        }
    }
    if count == 0 {
        return Ok(BTreeMap::new());
    }
    let share = if all { 1.0 } else { (count as f64 / rows.max(1) as f64).min(1.0) };
    let of = |seen: &Seen| {
        let distinct = seen.values.len() as f64;
        // The first-order jackknife: what is seen once says how much is not seen at all.
        let once = seen.values.values().filter(|times| **times == 1).count() as f64;
        let about = distinct / (1.0 - (1.0 - share) * once / count as f64);
        let distinct = (about.round() as u64).clamp(1, rows.max(1));
        let average = count as f64 / distinct as f64;
        let is_frequent =
            |times: u32| times >= FREQUENT_SEEN && f64::from(times) >= FREQUENT_TIMES * average;
        let mut frequent: Vec<(u64, u32)> =
            seen.values.iter().map(|(hash, times)| (*hash, *times)).collect();
        frequent.retain(|(_, times)| is_frequent(*times));
        frequent.sort_by_key(|(hash, times)| (std::cmp::Reverse(*times), *hash));
        frequent.truncate(FREQUENT_MAX);
        let share = |times: u32| f64::from(times) / count as f64;
        ColumnStatistics {
            distinct,
            nulls: seen.nulls as f64 / count as f64,
            frequent: frequent.into_iter().map(|(hash, times)| (hash, share(times))).collect(),
        }
    };
    let known = columns.iter().zip(&seen).filter(|(column, _)| !column.is_virtual());
    Ok(known.map(|(column, seen)| (column.id.0, of(seen))).collect())
}

/// The hash of a value, the same for equal ones; `None` of NULL.
fn hash_of(value: &Value, ty: &SqlType) -> Option<u64> {
    let state = FixedState::with_seed(0x636f_6c75);
    Some(match value {
        Value::Null => return None,
        Value::Int(number) => state.hash_one(number),
        Value::UInt(number) => state.hash_one(number),
        Value::Float(number) => state.hash_one(number.to_bits()),
        Value::Double(number) => state.hash_one(number.to_bits()),
        Value::Decimal(number) => {
            let mut key = Vec::with_capacity(16);
            number.write_key(&mut key);
            state.hash_one(key)
        }
        Value::Date(date) => state.hash_one(PackedTime::from(*date).0),
        Value::Time(time) => state.hash_one(PackedTime::from(*time).0),
        Value::DateTime(at) => state.hash_one(PackedTime::from(*at).0),
        Value::Bytes(text) => {
            let text = &text[..text.len().min(TEXT_BYTES_MAX)];
            let mut key = Vec::with_capacity(2 * text.len());
            match Collation::by_id(ty.collation.0) {
                Some(collation) if collation.sort_key(text, &mut key).is_ok() => {
                    state.hash_one(key)
                }
                _ => state.hash_one(text),
            }
        }
    })
}
