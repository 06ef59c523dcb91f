//! Files of a log that are numbered, and what is said of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use firn_engine::{Error, ErrorKind, Result};

use super::Disk;

const SPARE_SUFFIX: &str = ".spare";

/// Segments of one kind of log; `.log` for example.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SegmentFiles {
    /// What their names end with.
    pub(crate) suffix: &'static str,
}

/// What a folder has.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) segments: BTreeMap<u64, PathBuf>,
    /// Numbers of spare files.
    pub(crate) spares: Vec<u64>,
    /// Other names.
    pub(crate) others: Vec<String>,
}

impl SegmentFiles {
    pub(crate) fn segment_path(self, dir: &Path, number: u64) -> PathBuf {
        dir.join(format!("{number:020}{}", self.suffix))
    }

    /// # Errors
    /// If the folder cannot be read.
    pub(crate) fn list(self, disk: &dyn Disk, dir: &Path) -> Result<Listed> {
        let mut listed = Listed::default();
        for name in disk.list(dir).map_err(|e| io_error("reading", dir, e))? {
            if let Some(number) = number(&name, self.suffix) {
                listed.segments.insert(number, dir.join(name));
            } else if let Some(number) = number(&name, SPARE_SUFFIX) {
                listed.spares.push(number);
            } else {
                listed.others.push(name);
            }
        }
        Ok(listed)
    }
}

pub(crate) fn spare_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:020}{SPARE_SUFFIX}"))
}

fn number(name: &str, suffix: &str) -> Option<u64> {
    let digits = name.strip_suffix(suffix)?;
    (digits.len() == 20).then(|| digits.parse().ok())?
}

pub(crate) fn io_error(doing: &str, path: &Path, e: std::io::Error) -> Error {
    Error::with_source(ErrorKind::Unavailable, format!("{doing} {}", path.display()), e)
}

pub(crate) fn corrupt(path: &Path, at: u64, why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, format!("{} at offset {at}: {why}", path.display()))
}
