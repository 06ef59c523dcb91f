//! A memtable becomes files: one or more for each space, newest level.

use std::sync::Arc;

use bytes::Bytes;

use super::output::{FileWriter, Target};
use super::retention::Retention;
use crate::error::Result;
use crate::key::KeyRange;
use crate::manifest::{SpaceOptions, SstMeta, Version};
use crate::memtable::Memtable;
use crate::range_delete::RangeDeletes;
use crate::sst::stored::Compression;
use crate::types::{ObjectId, SpaceId};

/// Versions between two chances for other tasks to run.
const YIELD_EVERY: usize = 1024;

/// Stores a frozen memtable's contents. `first_id` names the first file; the
/// next ones count on from it. Versions that nobody can see any more, as of
/// `version`'s watermark, are left out.
///
/// # Errors
/// When the object store does not take a file; what was stored is garbage then.
pub(crate) async fn flush_memtable(
    target: &Target,
    table: &Arc<Memtable>,
    version: &Version,
    first_id: ObjectId,
    file_bytes_max: u64,
) -> Result<Vec<Arc<SstMeta>>> {
    let mut writer = Writer {
        target,
        version,
        file_bytes_max,
        next_id: first_id,
        open: None,
        range_deletes: table.range_deletes().unwrap_or_default(),
        deleted_until: Bytes::new(),
        done: Vec::new(),
        last_key: Vec::new(),
    };
    match writer.write(table).await {
        Ok(()) => Ok(writer.done),
        Err(e) => {
            if let Some((_, file)) = writer.open {
                file.abort().await;
            }
            Err(e)
        }
    }
}

struct Writer<'a> {
    target: &'a Target,
    version: &'a Version,
    file_bytes_max: u64,
    /// Names the next file.
    next_id: ObjectId,
    open: Option<(SpaceId, FileWriter)>,
    range_deletes: Arc<RangeDeletes>,
    /// Range deletions before this key are in files already.
    deleted_until: Bytes,
    done: Vec<Arc<SstMeta>>,
    last_key: Vec<u8>,
}

impl Writer<'_> {
    async fn write(&mut self, table: &Arc<Memtable>) -> Result<()> {
        let watermark = self.version.watermark.seq;
        // A memtable never lies at the bottom.
        let mut retention = Retention::new(watermark, false);
        let mut next = table.first();
        let mut count = 0usize;
        let mut worked_since = self.target.env.now();
        while let Some(at) = next {
            let (key, seq, kind) = (at.key(), at.seq(), at.kind());
            let hidden = self.range_deletes.covering(key, watermark);
            if retention.keep(key, seq, kind, hidden) {
                if self.needs_turn(key) {
                    self.turn(key).await?;
                }
                if let Some((_, file)) = &mut self.open {
                    file.add(key, seq, kind, at.value())?;
                }
                self.last_key.clear();
                self.last_key.extend_from_slice(key);
            }
            count += 1;
            if count.is_multiple_of(YIELD_EVERY) {
                self.target.env.give_way(&mut worked_since).await;
            }
            next = at.next();
        }
        self.end_file(None).await?;
        let rest = KeyRange { start: self.deleted_until.clone(), end: None };
        self.write_range_deletes(&rest).await
    }

    /// Whether something must be done before `key` can be added.
    fn needs_turn(&self, key: &[u8]) -> bool {
        match &self.open {
            Some((space, file)) => {
                SpaceId::of(key) != Some(*space)
                    || file.wants_sending()
                    || file.size() >= self.file_bytes_max
            }
            None => true,
        }
    }

    async fn turn(&mut self, key: &[u8]) -> Result<()> {
        let space = SpaceId::of(key).expect("every key has a space");
        if let Some((open, file)) = &mut self.open {
            let full = file.size() >= self.file_bytes_max && *key != *self.last_key;
            if *open != space || full {
                self.end_file(Some(key)).await?;
            } else if file.wants_sending() {
                file.send().await?;
            }
        }
        if self.open.is_none() {
            // Range deletions of spaces without versions get files of their own.
            let until = Bytes::copy_from_slice(&space.prefix());
            let before = KeyRange { start: self.deleted_until.clone(), end: Some(until.clone()) };
            self.write_range_deletes(&before).await?;
            self.deleted_until = self.deleted_until.clone().max(until);
            let file = self.new_file(space)?;
            self.open = Some((space, file));
        }
        Ok(())
    }

    fn new_file(&mut self, space: SpaceId) -> Result<FileWriter> {
        let id = self.next_id;
        self.next_id.counter += 1;
        let default = SpaceOptions::default();
        let options = self.version.space(space).map_or(&default, |s| &s.options);
        FileWriter::new(self.target, id, space, options, Compression::Lz4, None)
    }

    /// Ends the open file; the next begins at `next_key`.
    async fn end_file(&mut self, next_key: Option<&[u8]>) -> Result<()> {
        let Some((space, file)) = self.open.take() else { return Ok(()) };
        let own = KeyRange::space(space);
        let end = match next_key {
            Some(key) if own.contains(key) => Some(Bytes::copy_from_slice(key)),
            _ => own.end.clone(),
        };
        let start = self.deleted_until.clone().max(own.start);
        let part = self.range_deletes.within(&KeyRange { start, end: end.clone() });
        if let Some(end) = end {
            self.deleted_until = end;
        }
        self.done.push(file.finish(part).await?);
        Ok(())
    }

    async fn write_range_deletes(&mut self, range: &KeyRange) -> Result<()> {
        let mut rest = self.range_deletes.within(range);
        while let Some(first) = rest.fragments().first() {
            let space = SpaceId::of(&first.start).expect("every key has a space");
            let own = KeyRange::space(space);
            let file = self.new_file(space)?;
            self.done.push(file.finish(rest.within(&own)).await?);
            rest = match own.end {
                Some(end) => rest.within(&KeyRange { start: end, end: None }),
                None => RangeDeletes::default(),
            };
        }
        Ok(())
    }
}
