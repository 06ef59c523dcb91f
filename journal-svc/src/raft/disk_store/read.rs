//! Reading entries back.

use std::sync::Arc;

use firn_engine::{Context, Error, ErrorKind, Result};
use firn_proto::v1;
use prost::Message;
use raft::eraftpb::Entry;

use super::format::{Kind, item};
use super::index::Position;
use super::{DiskStore, Segment};
use crate::disk::segments::{corrupt, io_error};
use crate::disk::{PAGE, Pages, whole_pages};
use crate::raft::wire::entry_from_proto;

/// Bytes that are read at once.
const READ_BYTES: u64 = 1 << 20;

/// An entry's index, where it is, and in which file.
type Place = (u64, Position, Arc<Segment>);

impl DiskStore {
    /// Entries from `from` to before `to`, at most about `bytes_max` bytes of them, at
    /// least one.
    ///
    /// # Errors
    /// `Corrupt`, also where there is no such entry.
    pub(super) fn read_entries(
        &self,
        group: u32,
        from: u64,
        to: u64,
        bytes_max: u64,
    ) -> Result<Vec<Entry>> {
        loop {
            let found = self.find(group, from, to, bytes_max);
            if found.is_empty() {
                let why = format!("{}: group {group}: no entry {from}", self.dir.display());
                return Err(Error::new(ErrorKind::Corrupt, why));
            }
            let mut entries = Vec::with_capacity(found.len());
            let mut result = Ok(());
            let together = |a: &Place, b: &Place| {
                a.1.segment == b.1.segment
                    && b.1.at > a.1.at
                    && b.1.at - a.1.at < READ_BYTES + u64::from(a.1.len)
            };
            for run in found.chunk_by(together) {
                match read_run(group, run) {
                    Ok(read) => entries.extend(read),
                    Err(e) => {
                        result = Err(e);
                        break;
                    }
                }
            }
            let Err(error) = result else { return Ok(entries) };
            // It may have been moved, and its file used anew, under us.
            let now = self.find(group, from, to, bytes_max);
            let places = |found: &[Place]| -> Vec<Position> {
                found.iter().map(|(_, position, _)| *position).collect()
            };
            if places(&now) == places(&found) {
                return Err(error).context(|| format!("group {group}: entry {from}"));
            }
        }
    }

    /// Where entries are, and the files.
    fn find(&self, group: u32, from: u64, to: u64, bytes_max: u64) -> Vec<Place> {
        let index = self.index.lock();
        let entries = index.groups.get(&group).map(|group| group.entries.range(from..to));
        let mut bytes = 0;
        let mut found = Vec::new();
        for (at, position) in entries.into_iter().flatten() {
            bytes += u64::from(position.len);
            let Some(segment) = index.segments.get(&position.segment) else { break };
            if (bytes > bytes_max && !found.is_empty()) || *at != from + found.len() as u64 {
                break;
            }
            found.push((*at, *position, Arc::clone(segment)));
        }
        found
    }
}

/// Reads entries that stand one behind the other in a segment, in one go.
fn read_run(group: u32, run: &[Place]) -> Result<Vec<Entry>> {
    let [(_, first, segment), ..] = run else { return Ok(Vec::new()) };
    let corrupt = |why: &str| corrupt(&segment.path, first.at, why);
    let last = run.last().map_or(first, |(_, last, _)| last);
    let start = first.at / PAGE as u64 * PAGE as u64;
    let len = usize::try_from(last.at + u64::from(last.len) - start);
    let mut pages = Pages::zeroed(whole_pages(len.map_err(|_| corrupt("too long"))?));
    let read = segment.file.read(start, pages.as_mut());
    pages.truncate(read.map_err(|e| io_error("reading", &segment.path, e))?);
    let mut entries = Vec::with_capacity(run.len());
    for (index, position, _) in run {
        let at = usize::try_from(position.at - start).map_err(|_| corrupt("too long"))?;
        let item = item(pages.as_ref(), at).map_err(corrupt)?;
        let item = item.ok_or_else(|| corrupt("the file is too short"))?;
        if item.group != group || !matches!(item.kind, Kind::Entry | Kind::Moved) {
            return Err(corrupt("it is not an entry of its group"));
        }
        let stored = v1::RaftEntry::decode(item.bytes).map_err(|e| corrupt(&e.to_string()))?;
        if stored.index != *index {
            return Err(corrupt(&format!("it is entry {}, not {index}", stored.index)));
        }
        entries.push(entry_from_proto(stored)?);
    }
    Ok(entries)
}
