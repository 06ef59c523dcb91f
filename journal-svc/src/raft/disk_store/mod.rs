//! A member's disk: one log of segments for all its groups.
//!
//! # Writing
//!
//! All changes of one step of the member's loop are one *frame*, written with
//! one synced write. What need not be durable (a commit index, a cut) waits in
//! memory and goes with the next that must.
//!
//! # Segments
//!
//! Every segment begins with bases and terms of all groups, so that an older
//! one is needed for its entries alone. It goes once none of them is needed and
//! all segments before it have gone. When more than half of the disk's use is
//! not needed any more, entries of the oldest segment are written again, a few
//! with each frame, until it can go: a branch that is silent does not keep what
//! others have trimmed. Files that have gone are used for new segments.
//!
//! # Errors
//!
//! Of a write that fails nobody knows what of it is durable. The store is dead
//! then, and so is its member: after a restart what the disk has counts.

mod format;
mod index;
mod number;
mod read;
mod recover;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use firn_engine::{Env, Error, ErrorKind, Result};
use firn_proto::v1;
use parking_lot::Mutex;
use prost::Message;
use raft::eraftpb::Entry;

use super::store::{GroupWrite, LogStore, Stored};
use crate::disk::segments::{io_error, spare_path};
use crate::disk::{Disk, DiskFile, RealDisk};
use format::{FRAMES_AT, Header, ITEMS_AT, Items, Kind, NAME_LEN_MAX, frame_pages, item};
use index::{Index, hard_to_proto};
use recover::{FILES, recover};

/// Length of a segment. A longer frame gets one of its own.
const SEGMENT_BYTES: u64 = 32 << 20;
/// Spare files that are kept.
const SPARES_MAX: usize = 2;
/// What need not be durable waits up to so many bytes.
const WAITING_BYTES_MAX: usize = 256 << 10;
/// Bytes of entries that are written again with a frame.
const MOVE_BYTES: u64 = 256 << 10;
/// Segments without use that are put up with.
const UNUSED_SEGMENTS: u64 = 4;

/// Whose disk it is. A folder is not given to anybody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name of the cluster, at most 64 bytes.
    pub cluster: String,
    /// Number of the member.
    pub member: u64,
    /// Raft groups of the cluster.
    pub groups: u32,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster, member, groups } = self;
        write!(f, "member {member} of journal {cluster:?} with {groups} raft groups")
    }
}

#[derive(Debug)]
struct Segment {
    header: Header,
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    len: u64,
}

#[derive(Debug)]
struct Writer {
    /// Where frames go, and the offset of the next.
    current: Option<(Arc<Segment>, u64)>,
    next_frame: u64,
    /// Numbers of segments have no gaps: spare files have their own.
    next_number: u64,
    next_spare: u64,
    /// What waits for the next frame.
    waiting: Items,
    /// Numbers of spare files of the usual length.
    spares: Vec<u64>,
    /// Entries of the oldest segment that are to be written again.
    moving: VecDeque<(u32, u64)>,
    /// That segment.
    moving_from: u64,
    failed: Option<Error>,
}

/// The disk of a member. See the module.
#[derive(Debug)]
pub struct DiskStore {
    env: Env,
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    identity: Identity,
    /// See [`Self::number`]; 0 for disks of tests.
    number: u64,
    segment_bytes: u64,
    writer: Mutex<Writer>,
    index: Mutex<Index>,
    ahead: Arc<Ahead>,
    /// Kept as well by who makes a file.
    lock: Option<Arc<File>>,
}

/// Files that are made behind the writer's back.
#[derive(Debug, Default)]
struct Ahead {
    /// One is being made.
    making: AtomicBool,
    /// Numbers of those that are there.
    made: Mutex<Vec<u64>>,
}

impl DiskStore {
    /// Takes a folder, which is made if there is none, and reads what it has. Blocks.
    ///
    /// # Errors
    /// `BadRequest` if the folder belongs to another member, `Unavailable` if another
    /// process has it or it cannot be used, `Corrupt` for damage.
    pub fn open(env: Env, dir: &Path, identity: Identity) -> Result<Self> {
        let failed = |e: std::io::Error| {
            let what = format!("journal folder {}", dir.display());
            Error::with_source(ErrorKind::Unavailable, what, e)
        };
        std::fs::create_dir_all(dir).map_err(failed)?;
        let path = dir.join(".lock");
        let lock = File::options().write(true).create(true).truncate(false).open(path);
        let lock = lock.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let why = format!("journal folder {} is in use", dir.display());
                return Err(Error::new(ErrorKind::Unavailable, why));
            }
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        let disk = RealDisk::probe(dir).map_err(failed)?;
        disk.create_dir(dir).map_err(failed)?;
        let number = number::of(dir, &env)?;
        let (disk, lock) = (Arc::new(disk), Some(Arc::new(lock)));
        let mut store = Self::on(env, disk, dir, identity, SEGMENT_BYTES, lock)?;
        store.number = number;
        Ok(store)
    }

    /// Tells this disk from any other: a number by chance, from when its folder was made.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    fn on(
        env: Env,
        disk: Arc<dyn Disk>,
        dir: &Path,
        identity: Identity,
        segment_bytes: u64,
        lock: Option<Arc<File>>,
    ) -> Result<Self> {
        let len = identity.cluster.len();
        if len == 0 || len > NAME_LEN_MAX {
            let why = format!("the journal's name has {len} bytes, must be 1 to {NAME_LEN_MAX}");
            return Err(Error::new(ErrorKind::BadRequest, why));
        }
        let found = recover(&*disk, dir, &identity)?;
        let mut spares = Vec::new();
        for number in found.spares {
            let path = spare_path(dir, number);
            // One that a crash has left half made is of no use.
            let whole = disk.open(&path).and_then(|file| file.len()).ok() == Some(segment_bytes);
            if whole && spares.len() < SPARES_MAX {
                spares.push(number);
            } else {
                disk.remove(&path).map_err(|e| io_error("removing", &path, e))?;
            }
        }
        for path in found.leftovers {
            disk.remove(&path).map_err(|e| io_error("removing", &path, e))?;
        }
        let writer = Writer {
            current: None,
            next_frame: found.next_frame,
            next_number: found.next_number,
            next_spare: found.next_spare,
            waiting: Items::default(),
            spares,
            moving: VecDeque::new(),
            moving_from: 0,
            failed: None,
        };
        let (writer, index) = (Mutex::new(writer), Mutex::new(found.index));
        let dir = dir.to_path_buf();
        let ahead = Arc::default();
        let number = 0;
        Ok(Self { env, disk, dir, identity, number, segment_bytes, writer, index, ahead, lock })
    }

    /// Whose disk it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Bytes of the disk that segments take.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        self.index.lock().bytes().1
    }

    /// Writes what waits as one frame.
    fn flush(&self, writer: &mut Writer) -> Result<()> {
        self.move_entries(writer)?;
        let mut items = std::mem::take(&mut writer.waiting);
        let pages = frame_pages(items.len()) as u64;
        let room = |(segment, at): &(Arc<Segment>, u64)| at + pages <= segment.len;
        let (segment, at) = match writer.current.clone().filter(room) {
            Some(current) => current,
            None => {
                let mut first = self.beginning();
                first.append(&mut items);
                items = first;
                (self.make_segment(writer, frame_pages(items.len()) as u64)?, FRAMES_AT)
            }
        };
        let frame = items.frame(writer.next_frame, segment.header.salt, at);
        let pages = frame.as_ref().len() as u64;
        segment
            .file
            .write(at, frame.as_ref())
            .map_err(|e| io_error("writing", &segment.path, e))?;
        writer.next_frame += 1;
        {
            let mut index = self.index.lock();
            let mut next = 0;
            let corrupt = |why| Error::new(ErrorKind::Internal, why);
            while let Some(item) = item(items.bytes(), next).map_err(corrupt)? {
                next = item.range.end;
                let place = at + ITEMS_AT + item.range.start as u64;
                index.apply(&item, segment.header.number, place)?;
            }
        }
        writer.current = Some((segment, at + pages));
        items.clear();
        writer.waiting = items;
        self.retire(writer)
    }

    /// What a segment begins with.
    fn beginning(&self) -> Items {
        let mut items = Items::default();
        for (number, group) in &self.index.lock().groups {
            items.put(Kind::Base, *number, &group.base.to_proto());
            items.put(Kind::Hard, *number, &hard_to_proto(&group.hard));
        }
        items
    }

    /// A new segment with room for a frame of `pages` bytes. It has its whole header
    /// before it has its name.
    fn make_segment(&self, writer: &mut Writer, pages: u64) -> Result<Arc<Segment>> {
        writer.spares.append(&mut self.ahead.made.lock());
        let number = writer.next_number;
        writer.next_number += 1;
        let len = self.segment_bytes.max(FRAMES_AT + pages);
        let spare = if len == self.segment_bytes { writer.spares.pop() } else { None };
        let (spare, file) = match spare {
            Some(spare) => {
                let path = spare_path(&self.dir, spare);
                // Its old name must not come back with the new header.
                self.sync_dir()?;
                let file = self.disk.open(&path).map_err(|e| io_error("opening", &path, e))?;
                (path, file)
            }
            None => {
                let path = spare_path(&self.dir, writer.take_spare());
                let made = self.disk.create(&path, len, true);
                (path.clone(), made.map_err(|e| io_error("making", &path, e))?)
            }
        };
        let header = Header {
            identity: self.identity.clone(),
            number,
            salt: self.env.random_u64(),
            first_frame: writer.next_frame,
        };
        let path = FILES.segment_path(&self.dir, number);
        let named = file
            .write(0, header.encode().as_ref())
            .and_then(|()| self.disk.rename(&spare, &path))
            .map_err(|e| io_error("making", &path, e));
        named?;
        self.sync_dir()?;
        if writer.spares.is_empty()
            && let Some(lock) = &self.lock
        {
            self.make_ahead(writer, Arc::clone(lock));
        }
        let segment = Arc::new(Segment { header, path, file, len });
        let mut index = self.index.lock();
        index.segments.insert(number, Arc::clone(&segment));
        index.live.entry(number).or_default();
        Ok(segment)
    }

    /// Makes a spare file on a thread of its own: filling one with zeros takes a while.
    fn make_ahead(&self, writer: &mut Writer, lock: Arc<File>) {
        if self.ahead.making.swap(true, Ordering::AcqRel) {
            return;
        }
        let number = writer.take_spare();
        let (path, len) = (spare_path(&self.dir, number), self.segment_bytes);
        let (disk, ahead) = (Arc::clone(&self.disk), Arc::clone(&self.ahead));
        let make = move || {
            match disk.create(&path, len, true) {
                Ok(_) => ahead.made.lock().push(number),
                // The writer will make one itself, or say why not.
                Err(error) => tracing::warn!(%error, path = %path.display(), "no spare file"),
            }
            ahead.making.store(false, Ordering::Release);
            drop(lock);
        };
        if let Err(error) = self.env.thread("raft-spare", make) {
            tracing::warn!(%error, "no thread for a spare file");
            self.ahead.making.store(false, Ordering::Release);
        }
    }

    fn sync_dir(&self) -> Result<()> {
        self.disk.sync_dir(&self.dir).map_err(|e| io_error("syncing", &self.dir, e))
    }

    /// Lets the oldest segments go that nothing needs. What made them so is durable.
    fn retire(&self, writer: &mut Writer) -> Result<()> {
        let Some((current, _)) = &writer.current else { return Ok(()) };
        let current = current.header.number;
        loop {
            let segment = {
                let mut index = self.index.lock();
                let Some((&oldest, _)) = index.segments.first_key_value() else { return Ok(()) };
                if oldest == current || index.live.get(&oldest).is_some_and(|bytes| *bytes > 0) {
                    return Ok(());
                }
                index.live.remove(&oldest);
                index.segments.remove(&oldest)
            };
            let Some(segment) = segment else { return Ok(()) };
            let spare = segment.len == self.segment_bytes && writer.spares.len() < SPARES_MAX;
            let gone = if spare {
                let number = writer.take_spare();
                writer.spares.push(number);
                self.disk.rename(&segment.path, &spare_path(&self.dir, number))
            } else {
                self.disk.remove(&segment.path)
            };
            gone.map_err(|e| io_error("retiring", &segment.path, e))?;
        }
    }

    /// Adds entries of the oldest segment to what waits, if too much of the disk is
    /// taken by what nobody needs.
    fn move_entries(&self, writer: &mut Writer) -> Result<()> {
        let oldest = {
            let index = self.index.lock();
            let (live, used) = index.bytes();
            let unused = used.saturating_sub(live);
            let Some((&oldest, _)) = index.segments.first_key_value() else { return Ok(()) };
            let writes = writer.current.as_ref().map(|(segment, _)| segment.header.number);
            if unused <= live + UNUSED_SEGMENTS * self.segment_bytes || writes == Some(oldest) {
                return Ok(());
            }
            if writer.moving_from != oldest {
                writer.moving_from = oldest;
                writer.moving = index
                    .groups
                    .iter()
                    .flat_map(|(group, g)| g.entries.iter().map(move |(at, p)| (*group, *at, p)))
                    .filter(|(_, _, position)| position.segment == oldest)
                    .map(|(group, at, _)| (group, at))
                    .collect();
            }
            oldest
        };
        let changes = writer.changes()?;
        let stays =
            |group, at| changes.get(&group).is_none_or(|c: &Changes| at < c.from && at > c.through);
        let mut moved = 0;
        while moved < MOVE_BYTES
            && let Some((group, at)) = writer.moving.pop_front()
        {
            let position = {
                let index = self.index.lock();
                index.groups.get(&group).and_then(|g| g.entries.get(&at)).copied()
            };
            // Not one that has gone, or goes with what waits, which comes first.
            if position.is_none_or(|position| position.segment != oldest) || !stays(group, at) {
                continue;
            }
            let entries = self.entries(group, at, at + 1, u64::MAX)?;
            for entry in &entries {
                writer.waiting.put_entry(Kind::Moved, group, entry);
            }
            moved += position.map_or(0, |position| u64::from(position.len));
        }
        Ok(())
    }
}

/// What the items that wait do to entries of a group.
#[derive(Debug, Clone, Copy)]
struct Changes {
    /// Entries from this one on go or are new.
    from: u64,
    /// Entries up to this one go.
    through: u64,
}

impl Writer {
    /// A number for a spare file.
    fn take_spare(&mut self) -> u64 {
        self.next_spare += 1;
        self.next_spare - 1
    }

    /// What waits, by group.
    fn changes(&self) -> Result<BTreeMap<u32, Changes>> {
        let failed = |why: String| Error::new(ErrorKind::Internal, why);
        let mut changes = BTreeMap::new();
        let (bytes, mut next) = (self.waiting.bytes(), 0);
        while let Some(item) = item(bytes, next).map_err(|why| failed(why.to_owned()))? {
            next = item.range.end;
            let none = Changes { from: u64::MAX, through: 0 };
            let group: &mut Changes = changes.entry(item.group).or_insert(none);
            match item.kind {
                Kind::Replaced => group.from = 0,
                Kind::Entry => {
                    let entry = v1::RaftEntry::decode(item.bytes);
                    let index = entry.map_err(|e| failed(e.to_string()))?.index;
                    group.from = group.from.min(index);
                }
                Kind::Cut => {
                    let base = v1::RaftBase::decode(item.bytes);
                    group.through = base.map_err(|e| failed(e.to_string()))?.index;
                }
                Kind::Hard | Kind::Moved | Kind::Base => {}
            }
        }
        Ok(changes)
    }
}

impl LogStore for DiskStore {
    fn load(&self, group: u32) -> Result<Option<Stored>> {
        Ok(self.index.lock().groups.get(&group).map(index::Group::stored))
    }

    fn entries(&self, group: u32, from: u64, to: u64, bytes_max: u64) -> Result<Vec<Entry>> {
        self.read_entries(group, from, to, bytes_max)
    }

    fn write(&self, writes: &[GroupWrite], sync: bool) -> Result<()> {
        let mut writer = self.writer.lock();
        if let Some(error) = &writer.failed {
            return Err(error.clone());
        }
        let mut now = sync;
        for write in writes {
            let (group, items) = (write.group, &mut writer.waiting);
            if let Some(base) = &write.replaced {
                items.put(Kind::Replaced, group, &base.to_proto());
            }
            if let Some(hard) = &write.hard {
                items.put(Kind::Hard, group, &hard_to_proto(hard));
            }
            for entry in &write.entries {
                items.put_entry(Kind::Entry, group, entry);
            }
            if let Some(base) = &write.cut {
                items.put(Kind::Cut, group, &base.to_proto());
            }
            // What may be asked for has its place on the disk.
            now |= write.replaced.is_some() || !write.entries.is_empty();
        }
        if !now && writer.waiting.len() < WAITING_BYTES_MAX {
            return Ok(());
        }
        let flushed = self.flush(&mut writer);
        if let Err(error) = &flushed {
            writer.failed = Some(error.clone());
        }
        flushed
    }
}
