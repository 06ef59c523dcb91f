//! Where the scan of a table is cut, so that its parts can run at the same time.
//!
//! Parts are ranges of keys, so that rows keep their order. They are cut where row groups of
//! column copies begin, as far as there are any, and elsewhere at keys of a sample, so that
//! all have about the same number of rows.

use bytes::Bytes;
use firn_engine::key::KeyRange;
use firn_mysql_semantics::error::SqlError;

use super::scan::Source;
use crate::execute::engine_error;
use crate::plan::Lookup;
use crate::session::from_transaction;
use firn_table::ColumnFile;
use firn_table::descriptor::IndexId;

/// Parts of a scan at most.
pub(super) const PARTS_MAX: usize = 8;

/// Tables of fewer rows are read in one.
pub(super) const ROWS_MIN: u64 = 10_000;

/// Keys of a sample where nothing else says where rows are.
const SAMPLE: usize = 32;

/// A key at which a range can be cut, and about how many rows lie between it and the one
/// before.
struct Place {
    key: Bytes,
    rows: u64,
}

/// The one range of rows that a scan reads, if it reads such a one.
pub(super) fn range_of(source: &Source) -> Option<&KeyRange> {
    let direct = source.access.index == IndexId::ROWS && !source.access.backward;
    match &source.lookup {
        Lookup::Ranges(ranges) if direct => match &ranges[..] {
            [range] => Some(range),
            _ => None,
        },
        _ => None,
    }
}

/// The range of a scan in up to `parts` parts, in their order.
pub(super) async fn cut(source: &Source, parts: usize) -> Result<Vec<KeyRange>, SqlError> {
    let Some(range) = range_of(source) else { return Ok(Vec::new()) };
    let places = places(source, range).await?;
    let all: u64 = places.iter().map(|place| place.rows).sum();
    let mut ranges = Vec::with_capacity(parts);
    let (mut start, mut before) = (range.start.clone(), 0);
    for Place { key, rows } in places {
        before += rows;
        let due = all * (ranges.len() as u64 + 1) / parts as u64;
        if before >= due && key > start && range.contains(&key) && ranges.len() + 1 < parts {
            ranges.push(KeyRange { start, end: Some(key.clone()) });
            start = key;
        }
    }
    ranges.push(KeyRange { start, end: range.end.clone() });
    Ok(ranges)
}

async fn places(source: &Source, range: &KeyRange) -> Result<Vec<Place>, SqlError> {
    let space = source.table.codec.table().space();
    let layers = source.view.layers(space, range).await;
    let Some(layers) = layers.map_err(|error| from_transaction(&error))? else {
        return sampled(source, range).await;
    };
    let mut places = Vec::new();
    for piece in layers.pieces() {
        let Some(meta) = &piece.copied else {
            places.extend(sampled(source, &piece.range).await?);
            continue;
        };
        let bytes = meta.column.as_ref().map_or(0, |copy| copy.bytes);
        let file = ColumnFile::open(layers.source(), meta.id, bytes).await.map_err(engine_error)?;
        for group in 0..file.row_groups() {
            let Some(last) = file.last_key(group) else { continue };
            // The first key that comes behind it.
            let key = Bytes::from([last, &[0]].concat());
            if piece.range.contains(&key) {
                places.push(Place { key, rows: file.rows_of(group) });
            }
        }
    }
    Ok(places)
}

async fn sampled(source: &Source, range: &KeyRange) -> Result<Vec<Place>, SqlError> {
    let space = source.table.codec.table().space();
    let (keys, rows) = source.view.sample(space, range, SAMPLE).await.map_err(engine_error)?;
    let share = rows / (keys.len() as u64 + 1);
    Ok(keys.into_iter().map(|key| Place { key, rows: share }).collect())
}
