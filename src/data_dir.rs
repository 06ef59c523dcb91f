//! The folder of a process: its journal, its disk cache, and, when there is no
//! bucket, its objects.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use firn_engine::{Error, ErrorKind, Result};

/// The right to use a data folder; given back when dropped, or when the
/// process ends in whatever way.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Open file with a lock on it.
    _lock: File,
}

impl DataDir {
    /// Takes the folder, which is made if it is missing.
    ///
    /// # Errors
    /// `Unavailable`, naming the folder and the process that uses it, or why
    /// it cannot be used.
    pub fn take(path: &Path) -> Result<Self> {
        let failed = |what: &str, e: std::io::Error| {
            Error::with_source(ErrorKind::Unavailable, format!("{what} {}", path.display()), e)
        };
        std::fs::create_dir_all(path).map_err(|e| failed("data folder", e))?;
        let path = path.canonicalize().map_err(|e| failed("data folder", e))?;
        let file = path.join("LOCK");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&file)
            .map_err(|e| failed("lock file in", e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                // Only for the message: who has it may be just writing its number.
                let _ = lock.read_to_string(&mut owner);
                let owner = match owner.trim() {
                    "" => "another process".to_owned(),
                    number => format!("process {number}"),
                };
                let message = format!("data folder {} is in use by {owner}", path.display());
                return Err(Error::new(ErrorKind::Unavailable, message));
            }
            Err(TryLockError::Error(e)) => return Err(failed("locking", e)),
        }
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| write!(lock, "{}", std::process::id()))
            .map_err(|e| failed("lock file in", e))?;
        Ok(Self { path, _lock: lock })
    }

    /// Where it is, as an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the local journal is.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }

    /// Where blocks are cached.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.path.join("cache")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_user_is_told_who_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        let first = DataDir::take(&path).unwrap();
        let e = DataDir::take(&path).unwrap_err();
        let owner = format!("is in use by process {}", std::process::id());
        assert!(e.to_string().ends_with(&owner), "{e}");
        assert!(e.to_string().contains("a/b"), "{e}");
        drop(first);
        DataDir::take(&path).unwrap();
    }

    #[test]
    fn a_file_in_its_place_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let e = DataDir::take(&file).unwrap_err();
        assert!(e.to_string().starts_with(&format!("data folder {}", file.display())), "{e}");
    }
}
