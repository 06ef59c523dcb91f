//! Temporary files, and what becomes of those whose writer died.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path as FsPath, PathBuf};

use firn_engine::Env;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

/// Times that making a temporary file is tried: only a clean-up that comes
/// between making and locking it makes one fail.
const TRIES_MAX: usize = 16;

#[derive(Debug)]
pub(super) struct Temps {
    dir: PathBuf,
}

/// A temporary file, locked while it lives and removed when it is dropped.
#[derive(Debug)]
pub(super) struct Temp {
    pub(super) file: File,
    pub(super) path: PathBuf,
}

impl Temps {
    /// Makes the folder of temporary files and removes those without a writer.
    pub(super) fn open(dir: &FsPath) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            match remove_if_abandoned(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        Ok(Self { dir: dir.to_owned() })
    }

    /// A name that is not taken.
    pub(super) fn name(&self, env: &Env) -> PathBuf {
        self.dir.join(format!("{:016x}{:016x}", env.random_u64(), env.random_u64()))
    }

    pub(super) fn create(&self, env: &Env) -> io::Result<Temp> {
        for _ in 0..TRIES_MAX {
            let path = self.name(env);
            let file = match OpenOptions::new().read(true).write(true).create_new(true).open(&path)
            {
                Ok(file) => file,
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(e) => return Err(e),
            };
            // Someone cleaning up may have seen it before it was locked.
            match file.try_lock() {
                Ok(()) if file.metadata()?.nlink() == 1 => return Ok(Temp { file, path }),
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(e)) => return Err(e),
            }
        }
        Err(io::Error::other(format!("temporary files in {} keep vanishing", self.dir.display())))
    }
}

fn remove_if_abandoned(path: &FsPath) -> io::Result<()> {
    let file = File::open(path)?;
    match file.try_lock() {
        Ok(()) => fs::remove_file(path),
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

impl Temp {
    /// Gives it a name that must be free: the file system picks one of many.
    pub(super) fn rename_new(&self, target: &FsPath) -> io::Result<()> {
        match renameat_with(CWD, &self.path, CWD, target, RenameFlags::NOREPLACE) {
            // Not on every file system; a second name then comes as close.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                fs::hard_link(&self.path, target)?;
                fs::remove_file(&self.path)
            }
            result => Ok(result?),
        }
    }

    /// Gives it a name, whatever has it now.
    pub(super) fn rename(&self, target: &FsPath) -> io::Result<()> {
        fs::rename(&self.path, target)
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        // Gone if it was renamed. Otherwise the next opening has a second go.
        let _ = fs::remove_file(&self.path);
    }
}
