//! Turns at a name, within this process and between processes.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path as FsPath, PathBuf};

use object_store::path::Path;
use parking_lot::{Mutex, MutexGuard};

/// Names are spread over this many locks.
const STRIPES: usize = 64;

#[derive(Debug)]
pub(super) struct Locks {
    dir: PathBuf,
    /// File locks belong to the open file, which threads share: the mutex is for them.
    stripes: Vec<Mutex<Option<File>>>,
}

/// Someone's turn; ends when dropped.
pub(super) struct Turn<'a>(MutexGuard<'a, Option<File>>);

impl Locks {
    pub(super) fn open(dir: &FsPath) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let stripes = std::iter::repeat_with(Mutex::default).take(STRIPES).collect();
        Ok(Self { dir: dir.to_owned(), stripes })
    }

    /// Waits for its turn. Turns are short: a look and a rename.
    pub(super) fn lock(&self, path: &Path) -> io::Result<Turn<'_>> {
        let stripe = stripe(path);
        let mut held = self.stripes[stripe].lock();
        let file = match held.take() {
            Some(file) => file,
            None => OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(self.dir.join(format!("{stripe:02}")))?,
        };
        file.lock()?;
        *held = Some(file);
        Ok(Turn(held))
    }
}

/// The same in every process and version: FNV-1a.
fn stripe(path: &Path) -> usize {
    let hash = path.as_ref().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash % STRIPES as u64) as usize
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Closing the file gives the lock back for certain.
        if let Some(file) = self.0.take()
            && file.unlock().is_ok()
        {
            *self.0 = Some(file);
        }
    }
}
