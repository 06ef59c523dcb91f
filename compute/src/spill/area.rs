//! The folder of temporary files.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use firn_mysql_semantics::error::{SqlError, code};

/// All temporary files together, if nobody says how much they may be, in bytes.
const BYTES_MAX: u64 = 64 << 30;

/// Where the statements of a server have their temporary files, and how much these are.
#[derive(Debug)]
pub struct SpillArea {
    folder: PathBuf,
    bytes_max: u64,
    bytes: AtomicU64,
    files: AtomicU64,
    written: AtomicU64,
}

impl Default for SpillArea {
    /// In the system's folder for such files.
    fn default() -> Self {
        Self::new(std::env::temp_dir(), BYTES_MAX)
    }
}

impl SpillArea {
    fn new(folder: PathBuf, bytes_max: u64) -> Self {
        let (bytes, files, written) = Default::default();
        Self { folder, bytes_max, bytes, files, written }
    }

    /// In a folder of its own, which is made, or emptied: what is in it is of a process that
    /// is gone. All files together are `bytes_max` bytes at most.
    ///
    /// # Errors
    /// The file system's.
    pub fn open(folder: &Path, bytes_max: Option<u64>) -> io::Result<Arc<Self>> {
        std::fs::create_dir_all(folder)?;
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(Arc::new(Self::new(folder.to_owned(), bytes_max.unwrap_or(BYTES_MAX))))
    }

    /// Bytes of the files that there are.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Files that there are.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// Bytes that were ever written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file that goes with its last owner, and what errors call it.
    pub(super) fn file(&self) -> io::Result<File> {
        let file = tempfile::tempfile_in(&self.folder)?;
        self.files.fetch_add(1, Ordering::Relaxed);
        Ok(file)
    }

    /// A file of so many bytes is gone.
    pub(super) fn gone(&self, bytes: u64) {
        self.files.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// A file becomes larger by so many bytes.
    ///
    /// # Errors
    /// 1114 if all of them are too large then.
    pub(super) fn grow(&self, more: u64) -> Result<(), SqlError> {
        let before = self.bytes.fetch_add(more, Ordering::Relaxed);
        if before.saturating_add(more) > self.bytes_max {
            self.bytes.fetch_sub(more, Ordering::Relaxed);
            let name = self.name();
            return Err(SqlError::new(code::ER_RECORD_FILE_FULL, &[(&*name).into()]));
        }
        self.written.fetch_add(more, Ordering::Relaxed);
        Ok(())
    }

    /// What errors call a file.
    pub(super) fn name(&self) -> String {
        self.folder.join("#sql_temporary").display().to_string()
    }
}
