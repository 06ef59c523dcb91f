//! The number of a disk: by chance, and kept with the log from when its folder was made.

use std::fs::File;
use std::path::Path;

use firn_engine::{Env, Error, ErrorKind, Result};

use crate::disk::segments::io_error;

/// Reads the number of the disk in `dir`, or gives it one.
pub(super) fn of(dir: &Path, env: &Env) -> Result<u64> {
    let path = dir.join(".disk");
    let failed = |doing: &str, e| io_error(doing, &path, e);
    match std::fs::read_to_string(&path) {
        Ok(text) => u64::from_str_radix(text.trim(), 16).map_err(|e| {
            let what = format!("{}: no number of a disk", path.display());
            Error::with_source(ErrorKind::Corrupt, what, e)
        }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let number = env.random_u64().max(1);
            let new = dir.join(".disk-new");
            let write = |mut file: File| {
                std::io::Write::write_all(&mut file, format!("{number:016x}\n").as_bytes())?;
                file.sync_all()?;
                std::fs::rename(&new, &path)?;
                File::open(dir)?.sync_all()
            };
            File::create(&new).and_then(write).map_err(|e| failed("writing", e))?;
            Ok(number)
        }
        Err(e) => Err(failed("reading", e)),
    }
}
