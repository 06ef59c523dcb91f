//! What ANALYZE TABLE has gathered, as it is kept beside the catalog.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_engine::{Db, Error, ErrorKind, Result, WriteBatch};

use super::TableStatistics;
use crate::catalog::{CATALOG_SPACE, statistics_key, statistics_prefix};

/// Most rows that are read at a time.
const CHUNK_ROWS: usize = 1024;

/// What was stored, by the ids of the tables.
///
/// # Errors
/// The engine's; `Corrupt` for what this did not write.
pub(crate) async fn load(db: &Db) -> Result<BTreeMap<u32, Arc<TableStatistics>>> {
    let mut known = BTreeMap::new();
    let mut scan = db.scan_prefix(CATALOG_SPACE, &statistics_prefix()).await?;
    loop {
        let rows = scan.collect(CHUNK_ROWS).await?;
        if rows.is_empty() {
            return Ok(known);
        }
        for (key, stored) in rows {
            let corrupt = |why: String| {
                Error::new(ErrorKind::Corrupt, format!("statistics of a table: {why}"))
            };
            let id = key.get(1..).and_then(|id| id.try_into().ok()).map(u32::from_be_bytes);
            let id = id.ok_or_else(|| corrupt("no id".to_owned()))?;
            let statistics = serde_json::from_slice(&stored);
            let statistics = statistics.map_err(|error| corrupt(error.to_string()))?;
            known.insert(id, Arc::new(statistics));
        }
    }
}

/// Adds them to a batch.
///
/// # Errors
/// The engine's, for too large a batch.
pub(crate) fn store(
    table: u32,
    statistics: &TableStatistics,
    batch: &mut WriteBatch,
) -> Result<()> {
    let stored = serde_json::to_vec(statistics)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("statistics: {error}")))?;
    batch.put(CATALOG_SPACE, &statistics_key(table), &stored)
}
