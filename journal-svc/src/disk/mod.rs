//! The disk as journals see it, so that tests can cut its power.
//!
//! Files are read and written in whole pages. On the real disk that is done
//! with `O_DIRECT`, past the page cache: what is read is what the disk has, and
//! not what a failed write left in memory. Where the file system cannot do that
//! (`tmpfs`), the page cache is used, and dropped before a file is recovered.

pub(crate) mod segments;
#[cfg(test)]
pub(crate) mod sim;

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Advice, FallocateFlags, OFlags};

/// Bytes in a page: offsets and lengths of all reads and writes are multiples.
pub(crate) const PAGE: usize = 4096;

/// Zeros are written in pieces this large, so that the writes of others come in between.
const ZEROS: usize = 256 << 10;

/// `len` rounded up to whole pages.
pub(crate) const fn whole_pages(len: usize) -> usize {
    len.next_multiple_of(PAGE)
}

/// Memory that starts at a multiple of the page size, as `O_DIRECT` wants it.
pub(crate) struct Pages {
    bytes: Vec<u8>,
    start: usize,
    len: usize,
}

impl Pages {
    /// `len` zeros.
    pub(crate) fn zeroed(len: usize) -> Self {
        let bytes = vec![0; len + PAGE];
        let start = bytes.as_ptr().align_offset(PAGE);
        assert!(start < PAGE, "a page boundary is never further than a page away");
        Self { bytes, start, len }
    }

    /// Forgets everything after `len`.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

impl AsRef<[u8]> for Pages {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.len]
    }
}

impl AsMut<[u8]> for Pages {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + self.len]
    }
}

/// Files and their names. A change of names lasts once `sync_dir` has returned.
pub(crate) trait Disk: Debug + Send + Sync + 'static {
    /// Makes a folder and those above it, lasting, unless they exist.
    fn create_dir(&self, path: &Path) -> Result<()>;
    /// Names in a folder; none if there is no such folder.
    fn list(&self, dir: &Path) -> Result<Vec<String>>;
    /// Makes a file of `len` bytes. With `zeroed`, writing to it later changes
    /// nothing but the bytes written.
    fn create(&self, path: &Path, len: u64, zeroed: bool) -> Result<Arc<dyn DiskFile>>;
    /// Opens a file.
    fn open(&self, path: &Path) -> Result<Arc<dyn DiskFile>>;
    /// Gives a file another name, in the same folder.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;
    /// Takes a name away. Those who have the file open can still read it.
    fn remove(&self, path: &Path) -> Result<()>;
    /// Removes a folder, if it is empty.
    fn remove_dir(&self, path: &Path) -> Result<()>;
    /// Makes changes of names last.
    fn sync_dir(&self, dir: &Path) -> Result<()>;
}

/// An open file.
pub(crate) trait DiskFile: Debug + Send + Sync + 'static {
    /// Length in bytes.
    fn len(&self) -> Result<u64>;
    /// Writes pages inside the file; they last when this returns.
    fn write(&self, at: u64, pages: &[u8]) -> Result<()>;
    /// Reads pages; fewer bytes than asked for at the end of the file.
    fn read(&self, at: u64, pages: &mut [u8]) -> Result<usize>;
    /// Cuts the file, lasting.
    fn truncate(&self, len: u64) -> Result<()>;
    /// Makes everything last that was written by whomever.
    fn sync(&self) -> Result<()>;
}

/// The disk of this machine.
#[derive(Debug)]
pub(crate) struct RealDisk {
    direct: bool,
}

impl RealDisk {
    /// Finds out what the file system under `dir`, an existing folder, can do.
    pub(crate) fn probe(dir: &Path) -> Result<Self> {
        let path = dir.join(".probe");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let probed = options
            .custom_flags(OFlags::DIRECT.bits().cast_signed())
            .open(&path)
            .and_then(|file| file.write_all_at(Pages::zeroed(PAGE).as_ref(), 0));
        let direct = match probed {
            Ok(()) => true,
            Err(e) if e.kind() == ErrorKind::InvalidInput => false,
            Err(e) if e.raw_os_error() == Some(rustix::io::Errno::OPNOTSUPP.raw_os_error()) => {
                false
            }
            Err(e) => return Err(e),
        };
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
            _ => Ok(Self { direct }),
        }
    }

    /// Whether the page cache is passed by.
    pub(crate) fn is_direct(&self) -> bool {
        self.direct
    }

    fn options(&self, flags: OFlags) -> OpenOptions {
        let flags = if self.direct { flags | OFlags::DIRECT } else { flags };
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(flags.bits().cast_signed());
        options
    }
}

impl Disk for RealDisk {
    fn create_dir(&self, path: &Path) -> Result<()> {
        std::fs::create_dir_all(path)?;
        match path.parent() {
            Some(parent) => self.sync_dir(parent),
            None => Ok(()),
        }
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>> {
        let entries = match std::fs::read_dir(dir) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn create(&self, path: &Path, len: u64, zeroed: bool) -> Result<Arc<dyn DiskFile>> {
        let file = self.options(OFlags::empty()).create_new(true).open(path)?;
        match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, len) {
            Err(rustix::io::Errno::OPNOTSUPP) => file.set_len(len)?,
            allocated => allocated?,
        }
        if zeroed {
            // Allocated blocks count as unwritten until they are, and making
            // them written is a change that the file system has to log.
            let zeros = Pages::zeroed(ZEROS);
            let mut at = 0;
            while at < len {
                let piece = usize::try_from(len - at).map_or(ZEROS, |left| left.min(ZEROS));
                file.write_all_at(&zeros.as_ref()[..piece], at)?;
                at += piece as u64;
            }
        }
        file.sync_all()?;
        self.open(path)
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn DiskFile>> {
        let file = self.options(OFlags::DSYNC).open(path)?;
        if !self.direct {
            rustix::fs::fadvise(&file, 0, None, Advice::DontNeed)?;
        }
        Ok(Arc::new(RealFile(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        std::fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> Result<()> {
        std::fs::remove_dir(path)
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        File::open(dir)?.sync_all()
    }
}

#[derive(Debug)]
struct RealFile(File);

impl DiskFile for RealFile {
    fn len(&self) -> Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn write(&self, at: u64, pages: &[u8]) -> Result<()> {
        assert!(at.is_multiple_of(PAGE as u64) && pages.len().is_multiple_of(PAGE), "whole pages");
        self.0.write_all_at(pages, at)
    }

    fn read(&self, at: u64, pages: &mut [u8]) -> Result<usize> {
        assert!(at.is_multiple_of(PAGE as u64) && pages.len().is_multiple_of(PAGE), "whole pages");
        let mut done = 0;
        while done < pages.len() {
            match self.0.read_at(&mut pages[done..], at + done as u64) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(done)
    }

    fn truncate(&self, len: u64) -> Result<()> {
        self.0.set_len(len)?;
        self.0.sync_all()
    }

    fn sync(&self) -> Result<()> {
        self.0.sync_all()
    }
}

/// Whether an error says that there is no room.
pub(crate) fn is_full(e: &Error) -> bool {
    matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}
