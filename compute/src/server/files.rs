//! Files of the server's that statements read and write: LOAD DATA INFILE, SELECT … INTO
//! OUTFILE and DUMPFILE, LOAD_FILE. `secure_file_priv` says where they may be.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use firn_engine::{Env, TaskClass};
use firn_mysql_semantics::error::{SqlError, code};

/// What is read or written at once, in bytes.
pub(crate) const PIECE_BYTES: usize = 256 << 10;

/// MySQL's own number for a file that cannot be made.
pub(crate) const EE_CANT_CREATE_FILE: u16 = 1;
/// A file that cannot be read.
pub(crate) const EE_READ: u16 = 2;
/// A file that cannot be written.
pub(crate) const EE_WRITE: u16 = 3;
/// A file of which nothing is known.
const EE_STAT: u16 = 13;
/// A file that cannot be opened.
const EE_FILE_NOT_FOUND: u16 = 29;

/// Access of one is its owner's, and of its group for reading, as MySQL makes them.
const MODE: u32 = 0o640;

/// Where statements may read and write files.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Allowed {
    Nowhere,
    Anywhere,
    Below(PathBuf),
}

/// The files of a server's machine, as far as statements may use them.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    allowed: Allowed,
    /// What relative names begin at.
    data_dir: PathBuf,
}

/// A file that is read from its beginning to its end.
pub(crate) struct Reading {
    env: Env,
    name: String,
    file: Option<File>,
}

/// A new file.
pub(crate) struct Writing {
    env: Env,
    name: String,
    file: Option<File>,
    waiting: Vec<u8>,
}

/// An error with the system's reason. Numbers below 1000 have no list.
pub(crate) fn failed(number: u16, what: &str, error: &io::Error) -> SqlError {
    let text = error.to_string();
    // The system's words, without what Rust puts behind them.
    let reason = text.split(" (os error").next().unwrap_or_default();
    let errno = error.raw_os_error().unwrap_or_default();
    SqlError::with_message(number, format!("{what} (OS errno {errno} - {reason})"))
}

/// 1085
fn not_readable(name: &str) -> SqlError {
    SqlError::new(code::ER_TEXTFILE_NOT_READABLE, &[name.into()])
}

/// The error of statements that would read or write a file outside of what is allowed.
fn prevented() -> SqlError {
    SqlError::new(code::ER_OPTION_PREVENTS_STATEMENT, &["--secure-file-priv".into()])
}

impl Files {
    /// Those below `secure_file_priv`: `None` none, an empty text all.
    pub(crate) fn new(secure_file_priv: Option<&str>, data_dir: &str) -> Self {
        let allowed = match secure_file_priv {
            None => Allowed::Nowhere,
            Some("") => Allowed::Anywhere,
            Some(folder) => Allowed::Below(folder.into()),
        };
        Self { allowed, data_dir: data_dir.into() }
    }

    /// The full name of a file: a bare name is in the database's folder, other relative
    /// ones begin at the data folder.
    pub(crate) fn path(&self, name: &str, schema: Option<&str>) -> PathBuf {
        let given = Path::new(name);
        let bare = !name.contains('/');
        match schema.filter(|_| bare && !given.is_absolute()) {
            Some(schema) => self.data_dir.join(schema).join(given),
            None => self.data_dir.join(given),
        }
    }

    /// Whether a file may be used: it, or the folder that it would be in, is where it may
    /// be, whatever links lead to it.
    fn check(&self, path: &Path) -> Result<(), SqlError> {
        let folder = match &self.allowed {
            Allowed::Anywhere => return Ok(()),
            Allowed::Nowhere => return Err(prevented()),
            Allowed::Below(folder) => folder.canonicalize().map_err(|_| prevented())?,
        };
        let real = path.canonicalize().or_else(|_| {
            let parent = path.parent().unwrap_or(Path::new("/"));
            parent.canonicalize()
        });
        match real {
            Ok(real) if real.starts_with(&folder) => Ok(()),
            _ => Err(prevented()),
        }
    }

    fn open(&self, path: &Path) -> Result<File, SqlError> {
        self.check(path)?;
        let name = path.to_string_lossy();
        let known = std::fs::metadata(path)
            .map_err(|error| failed(EE_STAT, &format!("Can't get stat of '{name}'"), &error))?;
        // Others may never end, or never begin.
        if !known.is_file() {
            return Err(not_readable(&name));
        }
        File::open(path)
            .map_err(|error| failed(EE_FILE_NOT_FOUND, &format!("File '{name}' not found"), &error))
    }

    /// Opens a file to be read.
    ///
    /// # Errors
    /// 1290 where it may not be; 13, 29 and 1085 if it cannot be read.
    pub(crate) async fn read(&self, env: &Env, path: PathBuf) -> Result<Reading, SqlError> {
        let (files, name) = (self.clone(), path.to_string_lossy().into_owned());
        let opened = env
            .blocking(TaskClass::Foreground, "open a file", move || files.open(&path))
            .await
            .ok_or_else(SqlError::query_interrupted)?;
        Ok(Reading { env: env.clone(), name, file: Some(opened?) })
    }

    /// All of a file, for LOAD_FILE: `Ok(None)` if there is none, if it may not be read,
    /// or is longer than `bytes_max`. On the calling thread.
    ///
    /// # Errors
    /// 1085 for what is no file.
    pub(crate) fn load(&self, path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, SqlError> {
        if self.check(path).is_err() {
            return Ok(None);
        }
        let Ok(known) = std::fs::metadata(path) else { return Ok(None) };
        if !known.is_file() {
            return Err(not_readable(&path.to_string_lossy()));
        }
        let Ok(file) = File::open(path) else { return Ok(None) };
        let mut bytes = Vec::new();
        match file.take(bytes_max + 1).read_to_end(&mut bytes) {
            Ok(read) if read as u64 <= bytes_max => Ok(Some(bytes)),
            _ => Ok(None),
        }
    }

    fn make(&self, path: &Path, given: &str) -> Result<File, SqlError> {
        self.check(path)?;
        let name = path.to_string_lossy();
        if path.exists() {
            return Err(SqlError::new(code::ER_FILE_EXISTS_ERROR, &[given.into()]));
        }
        let made = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path);
        made.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                SqlError::new(code::ER_FILE_EXISTS_ERROR, &[given.into()])
            }
            _ => {
                let what = format!("Can't create/write to file '{name}'");
                failed(EE_CANT_CREATE_FILE, &what, &error)
            }
        })
    }

    /// Makes a file; `given` is its name as the statement has it.
    ///
    /// # Errors
    /// 1290 where it may not be; 1086 if it is there; 1 if it cannot be made.
    pub(crate) async fn write(
        &self,
        env: &Env,
        path: PathBuf,
        given: &str,
    ) -> Result<Writing, SqlError> {
        let name = path.to_string_lossy().into_owned();
        let (files, given) = (self.clone(), given.to_owned());
        let made = env
            .blocking(TaskClass::Foreground, "make a file", move || files.make(&path, &given))
            .await
            .ok_or_else(SqlError::query_interrupted)?;
        Ok(Writing { env: env.clone(), name, file: Some(made?), waiting: Vec::new() })
    }
}

impl Reading {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// 2 if it cannot be read.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, SqlError> {
        let Some(mut file) = self.file.take() else { return Ok(None) };
        let read = self
            .env
            .blocking(TaskClass::Foreground, "read a file", move || {
                let mut piece = vec![0; PIECE_BYTES];
                let read = file.read(&mut piece);
                read.map(|read| {
                    piece.truncate(read);
                    (file, piece)
                })
            })
            .await
            .ok_or_else(SqlError::query_interrupted)?;
        let (file, piece) = read.map_err(|error| {
            failed(EE_READ, &format!("Error reading file '{}'", self.name), &error)
        })?;
        if piece.is_empty() {
            return Ok(None);
        }
        self.file = Some(file);
        Ok(Some(piece))
    }
}

impl Writing {
    /// What is written next is appended to this.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.waiting
    }

    /// Writes what waits, if that is much.
    ///
    /// # Errors
    /// 3 if it cannot be written.
    pub(crate) async fn give_way(&mut self) -> Result<(), SqlError> {
        if self.waiting.len() < PIECE_BYTES { Ok(()) } else { self.flush().await }
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// 3 if it cannot be written.
    pub(crate) async fn flush(&mut self) -> Result<(), SqlError> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        let piece = std::mem::take(&mut self.waiting);
        let written = self
            .env
            .blocking(TaskClass::Foreground, "write a file", move || {
                file.write_all(&piece).map(|()| {
                    let mut piece = piece;
                    piece.clear();
                    (file, piece)
                })
            })
            .await
            .ok_or_else(SqlError::query_interrupted)?;
        let (file, piece) = written.map_err(|error| {
            failed(EE_WRITE, &format!("Error writing file '{}'", self.name), &error)
        })?;
        (self.file, self.waiting) = (Some(file), piece);
        Ok(())
    }
}
