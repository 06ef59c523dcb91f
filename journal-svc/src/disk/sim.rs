//! A disk in memory that remembers every operation, so that each moment can be
//! looked at as a power cut would have left it.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::ThreadId;

use parking_lot::Mutex;

use super::{Disk, DiskFile, PAGE};

/// What a disk writes whole.
const SECTOR: usize = 512;

/// One operation; `usize`s are numbers of files.
#[derive(Debug, Clone)]
enum Op {
    Create(usize, PathBuf, u64),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncDir,
    Write(usize, u64, Vec<u8>),
    Truncate(usize, u64),
}

#[derive(Debug, Clone, Default)]
struct Files {
    contents: Vec<Vec<u8>>,
    names: BTreeMap<PathBuf, usize>,
}

impl Files {
    fn apply(&mut self, op: &Op) {
        match op {
            Op::Create(file, path, len) => {
                self.contents.resize(self.contents.len().max(file + 1), Vec::new());
                self.contents[*file] = vec![0; *len as usize];
                self.names.insert(path.clone(), *file);
            }
            Op::Rename(from, to) => {
                if let Some(file) = self.names.remove(from) {
                    self.names.insert(to.clone(), file);
                }
            }
            Op::Remove(path) => {
                self.names.remove(path);
            }
            Op::SyncDir => {}
            Op::Write(file, at, bytes) => {
                let at = *at as usize;
                self.contents[*file][at..at + bytes.len()].copy_from_slice(bytes);
            }
            Op::Truncate(file, len) => self.contents[*file].truncate(*len as usize),
        }
    }
}

/// What goes wrong next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A write fails and nothing was written.
    WriteFails,
    /// A write happens, and fails all the same.
    WriteFailsLate,
}

#[derive(Debug, Default)]
struct Inner {
    /// What the first operation found.
    base: Files,
    now: Files,
    ops: Vec<Op>,
    fault: Option<Fault>,
    /// Files that may still be made.
    room: Option<usize>,
    /// The power is off.
    off: bool,
    /// Where the last write was made.
    thread: Option<ThreadId>,
}

/// The disk; a clone is the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct SimDisk(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    file: usize,
}

impl SimDisk {
    /// Operations so far.
    pub(crate) fn ops(&self) -> usize {
        self.0.lock().ops.len()
    }

    /// The thread that wrote last.
    pub(crate) fn thread(&self) -> Option<ThreadId> {
        self.0.lock().thread
    }

    /// Nothing can be read or written any more.
    pub(crate) fn power_off(&self) {
        self.0.lock().off = true;
    }

    /// Makes the next write of records fail.
    pub(crate) fn fail_next_write(&self, fault: Fault) {
        self.0.lock().fault = Some(fault);
    }

    /// How many more files may be made; any number if `None`.
    pub(crate) fn set_room(&self, room: Option<usize>) {
        self.0.lock().room = room;
    }

    /// How many ways a power cut in operation `at` can tear it.
    pub(crate) fn tears(&self, at: usize) -> u64 {
        match &self.0.lock().ops[at] {
            // None, all, each prefix and each suffix, and some of everything.
            Op::Write(_, _, bytes) => 2 * (bytes.len() / SECTOR) as u64 + 32,
            _ => 2,
        }
    }

    /// The disk after a power cut during operation `at`, which took effect as
    /// `tear` says. Of the changes of names since the last sync, those last
    /// whose bit is set in `names`.
    pub(crate) fn after_power_cut(&self, at: usize, tear: u64, names: u64) -> Self {
        let inner = self.0.lock();
        let done = &inner.ops[..at];
        let synced = done.iter().rposition(|op| matches!(op, Op::SyncDir)).unwrap_or(0);
        let mut files = inner.base.clone();
        let mut unsynced = 0;
        for (i, op) in done.iter().enumerate() {
            let named = matches!(op, Op::Create(..) | Op::Rename(..) | Op::Remove(..));
            if named && i > synced {
                unsynced += 1;
                if names >> (unsynced % 64) & 1 == 0 {
                    if let Op::Create(file, ..) = op {
                        // The file is there, its name is not.
                        files.contents.resize(files.contents.len().max(file + 1), Vec::new());
                        files.apply(op);
                        files.names.retain(|_, f| f != file);
                    }
                    continue;
                }
            }
            files.apply(op);
        }
        match inner.ops.get(at) {
            Some(Op::Write(file, offset, bytes)) => {
                let sectors = bytes.len() / SECTOR;
                for (i, sector) in bytes.chunks(SECTOR).enumerate() {
                    if torn_in(tear, i, sectors) {
                        let offset = offset + (i * SECTOR) as u64;
                        files.apply(&Op::Write(*file, offset, sector.to_vec()));
                    }
                }
            }
            Some(Op::Create(file, path, len)) if tear % 2 == 1 => {
                // Half of it is written.
                let len = *len / 2 / PAGE as u64 * PAGE as u64;
                files.apply(&Op::Create(*file, path.clone(), len));
            }
            Some(op) if tear % 2 == 1 => files.apply(op),
            _ => {}
        }
        drop(inner);
        let inner = Inner { base: files.clone(), now: files, ..Inner::default() };
        Self(Arc::new(Mutex::new(inner)))
    }

    /// The disk as it is now, in a machine of its own.
    pub(crate) fn copy(&self) -> Self {
        let files = self.0.lock().now.clone();
        let inner = Inner { base: files.clone(), now: files, ..Inner::default() };
        Self(Arc::new(Mutex::new(inner)))
    }

    /// Names and lengths of the files that a path fragment is part of.
    pub(crate) fn files(&self, part: &str) -> Vec<(PathBuf, usize)> {
        let inner = self.0.lock();
        let named = inner.now.names.iter();
        named
            .filter(|(path, _)| path.to_string_lossy().contains(part))
            .map(|(path, file)| (path.clone(), inner.now.contents[*file].len()))
            .collect()
    }

    /// Changes bytes behind the journal's back.
    pub(crate) fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut inner = self.0.lock();
        let file = inner.now.names[path];
        change(&mut inner.now.contents[file]);
    }

    fn run<T>(&self, work: impl FnOnce(&mut Inner) -> Result<T>) -> Result<T> {
        let mut inner = self.0.lock();
        if inner.off { Err(Error::other("the power is off")) } else { work(&mut inner) }
    }

    fn op(&self, op: Op) -> Result<()> {
        self.run(|inner| {
            inner.now.apply(&op);
            inner.ops.push(op);
            Ok(())
        })
    }
}

/// Which sectors of an operation in flight reached the disk.
fn torn_in(tear: u64, sector: usize, sectors: usize) -> bool {
    let (sector, sectors) = (sector as u64, sectors as u64);
    match tear {
        t if t < sectors => sector < t,
        t if t < 2 * sectors => sector >= t - sectors,
        t => {
            // Any of them, by a coin.
            let coin = (t * 0x9e37_79b9 + sector).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (coin ^ (coin >> 31)) & 2 == 0
        }
    }
}

impl Disk for SimDisk {
    fn create_dir(&self, _: &Path) -> Result<()> {
        self.run(|_| Ok(()))
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>> {
        self.run(|inner| {
            let inside = inner.now.names.keys().filter(|p| p.parent() == Some(dir));
            Ok(inside.map(|p| p.file_name().unwrap().to_str().unwrap().into()).collect())
        })
    }

    fn create(&self, path: &Path, len: u64, _: bool) -> Result<Arc<dyn DiskFile>> {
        let file = self.run(|inner| {
            assert!(!inner.now.names.contains_key(path), "{} exists", path.display());
            match &mut inner.room {
                Some(0) => return Err(ErrorKind::StorageFull.into()),
                Some(room) => *room -= 1,
                None => {}
            }
            let file = inner.now.contents.len();
            let op = Op::Create(file, path.into(), len);
            inner.now.apply(&op);
            inner.ops.push(op);
            Ok(file)
        })?;
        Ok(Arc::new(SimFile { disk: self.clone(), file }))
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn DiskFile>> {
        let file = self.run(|inner| {
            inner.now.names.get(path).copied().ok_or_else(|| ErrorKind::NotFound.into())
        })?;
        Ok(Arc::new(SimFile { disk: self.clone(), file }))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.run(|inner| {
            assert!(inner.now.names.contains_key(from), "{} exists", from.display());
            assert!(!inner.now.names.contains_key(to), "{} does not", to.display());
            Ok(())
        })?;
        self.op(Op::Rename(from.into(), to.into()))
    }

    fn remove_dir(&self, _path: &Path) -> Result<()> {
        // There are no folders, only names.
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.run(|inner| {
            if !inner.now.names.contains_key(path) {
                return Err(ErrorKind::NotFound.into());
            }
            if let Some(room) = &mut inner.room {
                *room += 1;
            }
            Ok(())
        })?;
        self.op(Op::Remove(path.into()))
    }

    fn sync_dir(&self, _: &Path) -> Result<()> {
        self.op(Op::SyncDir)
    }
}

impl DiskFile for SimFile {
    fn len(&self) -> Result<u64> {
        self.disk.run(|inner| Ok(inner.now.contents[self.file].len() as u64))
    }

    fn write(&self, at: u64, pages: &[u8]) -> Result<()> {
        assert!(at.is_multiple_of(PAGE as u64) && pages.len().is_multiple_of(PAGE), "whole pages");
        let fault = self.disk.run(|inner| {
            let inside = at as usize + pages.len() <= inner.now.contents[self.file].len();
            assert!(inside, "writes stay inside the file");
            inner.thread = Some(std::thread::current().id());
            Ok(if at > 0 { inner.fault.take() } else { None })
        })?;
        if fault != Some(Fault::WriteFails) {
            self.disk.op(Op::Write(self.file, at, pages.to_vec()))?;
        }
        fault.map_or(Ok(()), |fault| Err(Error::other(format!("{fault:?}"))))
    }

    fn read(&self, at: u64, pages: &mut [u8]) -> Result<usize> {
        self.disk.run(|inner| {
            let contents = &inner.now.contents[self.file];
            let from = contents.get(at as usize..).unwrap_or_default();
            let len = from.len().min(pages.len());
            pages[..len].copy_from_slice(&from[..len]);
            Ok(len)
        })
    }

    fn truncate(&self, len: u64) -> Result<()> {
        self.disk.op(Op::Truncate(self.file, len))
    }

    fn sync(&self) -> Result<()> {
        self.disk.run(|_| Ok(()))
    }
}
