//! A folder as object store: one file per object, named like it.
//!
//! # How an object appears
//!
//! 1. Its bytes go to a temporary file in `.firn/tmp`, on the same file system;
//!    large ones by `O_DIRECT` in pieces (see [`write`]).
//! 2. Its attributes and time are set, and the file is synced.
//! 3. It is renamed into place: a create with `RENAME_NOREPLACE`, so that the
//!    file system picks the winner; an update under the lock of its name, after
//!    its version was compared.
//! 4. The folder it is in is synced. Folders above it were, when this process
//!    first used them.
//!
//! Renaming before syncing the file could leave a name without its bytes after
//! a power cut. A crash before 3 leaves a temporary file, which the next
//! opening removes; a crash after it leaves the object, whether its
//! writer heard of it or not. What is read is a file that is never written
//! again, so readers see one version however often the name is replaced.
//!
//! # Many processes
//!
//! Any number of processes on one machine may use the same folder. A
//! temporary file is locked by its writer for as long as it lives, so that the
//! clean-up at opening only takes those whose writer is gone. Replacing, updating and
//! deleting a name take turns by file locks in `.firn/locks`: a plain replace
//! between an update's look and its rename would be lost otherwise. Creates
//! need no lock.
//!
//! # Versions
//!
//! An object's `e_tag` is made of its file's time, inode and size. The
//! time is set by us: the clock's milliseconds, filled up by chance, and never
//! twice the same in a process. The file system's own clock ticks every few
//! milliseconds only, in which a name could be replaced twice and get an old inode again.

mod attributes;
mod listing;
mod locks;
mod names;
mod read;
mod temp;
#[cfg(test)]
mod tests;
mod uploads;
mod write;

use std::collections::BTreeSet;
use std::fs::{self, FileTimes};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use chrono::DateTime;
use firn_engine::object::{Backend, Cause, Page, PageStart, Part, StoreError};
use firn_engine::{Env, Error, ErrorKind, TaskClass};
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{
    Attributes, CopyMode, CopyOptions, GetOptions, GetResult, ObjectMeta, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parking_lot::Mutex;

use self::locks::Locks;
use self::names::Names;
use self::temp::{Temp, Temps};
use self::uploads::Uploads;

/// Writes of at least this many bytes run at background priority: no commit waits for them.
const BACKGROUND_BYTES: u64 = 1 << 20;

const STORE: &str = "folder";

/// Objects in a folder. Clones share everything.
#[derive(Debug, Clone)]
pub struct FolderStore {
    env: Env,
    folder: Arc<Folder>,
}

#[derive(Debug)]
struct Folder {
    names: Names,
    temps: Temps,
    locks: Locks,
    uploads: Uploads,
    keeps_attributes: bool,
    /// Folders whose own names are known to be durable.
    durable: Mutex<BTreeSet<PathBuf>>,
    /// The time given to the newest object, in nanoseconds since 1970.
    last_nanos: AtomicU64,
}

impl FolderStore {
    /// Opens a folder, or makes it, and removes what crashes left behind.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be made or written, `BadRequest` if it is no folder.
    pub fn open(root: &FsPath, env: Env) -> firn_engine::Result<Self> {
        let opened = Folder::open(root, &env).map_err(|e| {
            let kind = match e.kind() {
                io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                    ErrorKind::BadRequest
                }
                _ => ErrorKind::Unavailable,
            };
            Error::new(kind, format!("object store in folder {}: {e}", root.display()))
        });
        Ok(Self { env, folder: Arc::new(opened?) })
    }

    /// Runs `work` where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        bytes: u64,
        path: &Path,
        work: impl FnOnce(&Arc<Folder>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let class = match bytes {
            BACKGROUND_BYTES.. => TaskClass::Background,
            _ => TaskClass::Foreground,
        };
        let folder = Arc::clone(&self.folder);
        let done = self.env.blocking(class, "folder-store", move || work(&folder)).await;
        done.unwrap_or_else(|| {
            Err(StoreError::new(Cause::Failed, "the work was stopped").at(STORE, path))
        })
    }
}

impl std::fmt::Display for FolderStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "file://{}", self.folder.names.root().display())
    }
}

#[async_trait]
impl Backend for FolderStore {
    async fn put(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let bytes = payload.content_length() as u64;
        let (path, env) = (path.clone(), self.env.clone());
        self.blocking(bytes, &path.clone(), move |folder| {
            folder.put(&env, &path, &payload, &options)
        })
        .await
    }

    async fn get(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let (at, this) = (path.clone(), self.clone());
        self.blocking(0, path, move |folder| folder.get(this, &at, &options)).await
    }

    async fn list(&self, prefix: Option<&Path>, delimiter: bool, start: PageStart) -> Result<Page> {
        let prefix = prefix.cloned().unwrap_or_default();
        self.blocking(0, &prefix.clone(), move |folder| {
            listing::page(&folder.names, &prefix, delimiter, start)
        })
        .await
    }

    async fn delete(&self, paths: &[Path]) -> Result<Vec<Result<()>>> {
        let paths = paths.to_vec();
        self.blocking(0, &Path::default(), move |folder| Ok(folder.delete(&paths))).await
    }

    async fn copy(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let (from, to, env) = (from.clone(), to.clone(), self.env.clone());
        self.blocking(0, &to.clone(), move |folder| folder.copy(&env, &from, &to, options.mode))
            .await
    }

    async fn create_upload(&self, path: &Path, options: PutMultipartOptions) -> Result<String> {
        let (path, env) = (path.clone(), self.env.clone());
        self.blocking(0, &path.clone(), move |folder| {
            folder.names.file(&path)?;
            attributes::check(&options.attributes).map_err(|e| e.at(STORE, &path))?;
            let temp = folder.temps.create(&env).map_err(|e| failed(&path, "creating", &e))?;
            Ok(folder.uploads.begin(temp, options.attributes))
        })
        .await
    }

    async fn put_part(&self, path: &Path, upload: &str, part: Part) -> Result<PartId> {
        let (path, upload) = (path.clone(), upload.to_owned());
        let bytes = part.payload.content_length() as u64;
        self.blocking(bytes, &path.clone(), move |folder| {
            folder.uploads.put_part(&path, &upload, &part)
        })
        .await
    }

    async fn complete_upload(
        &self,
        path: &Path,
        upload: &str,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        let (path, upload, env) = (path.clone(), upload.to_owned(), self.env.clone());
        self.blocking(u64::MAX, &path.clone(), move |folder| {
            folder.uploads.complete(&path, &upload, &parts, |temp, attributes| {
                folder.publish(&env, &path, temp, attributes, &PutMode::Overwrite)
            })
        })
        .await
    }

    async fn abort_upload(&self, path: &Path, upload: &str) -> Result<()> {
        let upload = upload.to_owned();
        self.blocking(0, path, move |folder| {
            folder.uploads.abort(&upload);
            Ok(())
        })
        .await
    }

    fn keeps_attributes(&self) -> bool {
        self.folder.keeps_attributes
    }
}

/// An error of the file system while storing or reading an object. That
/// something is missing then is not about the object.
fn failed(path: &Path, doing: &str, e: &io::Error) -> object_store::Error {
    match Cause::of_io(e) {
        Cause::NotFound => StoreError::new(Cause::NoBucket, format!("{doing}: {e}")),
        _ => StoreError::io(doing, e),
    }
    .at(STORE, path)
}

fn e_tag(meta: &fs::Metadata) -> String {
    let nanos = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
    format!("{nanos:x}-{:x}-{:x}", meta.ino(), meta.size())
}

fn object_meta(location: Path, meta: &fs::Metadata) -> ObjectMeta {
    let nanos = u32::try_from(meta.mtime_nsec()).unwrap_or(0);
    ObjectMeta {
        location,
        last_modified: DateTime::from_timestamp(meta.mtime(), nanos).unwrap_or_default(),
        size: meta.size(),
        e_tag: Some(e_tag(meta)),
        version: None,
    }
}

impl Folder {
    fn open(root: &FsPath, env: &Env) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        let root = fs::canonicalize(root)?;
        let private = root.join(names::PRIVATE);
        let temps = Temps::open(&private.join("tmp"))?;
        let locks = Locks::open(&private.join("locks"))?;
        let temp = temps.create(env)?;
        let keeps_attributes = attributes::probe(&temp.file)?;
        if !keeps_attributes {
            tracing::warn!(
                folder = %root.display(),
                "this file system keeps no extended attributes: \
                 a conditional write whose outcome is unclear stays so"
            );
        }
        Ok(Self {
            names: Names::new(root),
            temps,
            locks,
            uploads: Uploads::default(),
            keeps_attributes,
            durable: Mutex::default(),
            last_nanos: AtomicU64::new(0),
        })
    }

    fn put(
        &self,
        env: &Env,
        path: &Path,
        payload: &PutPayload,
        options: &PutOptions,
    ) -> Result<PutResult> {
        self.names.file(path)?;
        attributes::check(&options.attributes).map_err(|e| e.at(STORE, path))?;
        let temp = self.temps.create(env).map_err(|e| failed(path, "creating", &e))?;
        let bytes = payload.content_length() as u64;
        write::reserve(&temp.file, bytes)
            .and_then(|()| write::at(&temp, 0, payload))
            .map_err(|e| failed(path, "writing", &e))?;
        self.publish(env, path, &temp, &options.attributes, &options.mode)
    }

    /// Steps 2 to 4.
    fn publish(
        &self,
        env: &Env,
        path: &Path,
        temp: &Temp,
        attributes: &Attributes,
        mode: &PutMode,
    ) -> Result<PutResult> {
        let failed = |doing, e: &io::Error| failed(path, doing, e);
        let target = self.names.file(path)?;
        let parent = target.parent().unwrap_or(self.names.root());
        self.make_durable(parent).map_err(|e| failed("making its folder", &e))?;
        attributes::set(&temp.file, attributes).map_err(|e| failed("setting attributes", &e))?;
        let times = FileTimes::new().set_modified(UNIX_EPOCH + self.next_time(env));
        temp.file.set_times(times).map_err(|e| failed("setting its time", &e))?;
        temp.file.sync_all().map_err(|e| failed("syncing", &e))?;
        let meta = temp.file.metadata().map_err(|e| failed("reading its size", &e))?;
        match mode {
            PutMode::Create => temp.rename_new(&target),
            PutMode::Overwrite => {
                let _turn = self.locks.lock(path).map_err(|e| failed("locking", &e))?;
                temp.rename(&target)
            }
            PutMode::Update(version) => {
                let _turn = self.locks.lock(path).map_err(|e| failed("locking", &e))?;
                let there = self.stat(path)?.map(|meta| e_tag(&meta));
                if there.is_none() || there != version.e_tag {
                    return Err(StoreError::new(Cause::Precondition, "").at(STORE, path));
                }
                temp.rename(&target)
            }
        }
        .map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists if *mode == PutMode::Create => {
                StoreError::new(Cause::Exists, "").at(STORE, path)
            }
            io::ErrorKind::IsADirectory | io::ErrorKind::DirectoryNotEmpty => {
                let what = "in a folder, a name cannot be an object and a prefix of others";
                StoreError::new(Cause::BadRequest, what).at(STORE, path)
            }
            _ => failed("renaming", &e),
        })?;
        sync_folder(parent).map_err(|e| failed("syncing its folder", &e))?;
        Ok(PutResult { e_tag: Some(e_tag(&meta)), version: None })
    }

    /// A time that no other object of this process has.
    fn next_time(&self, env: &Env) -> Duration {
        let now = env.unix_ms().saturating_mul(1_000_000) + env.random_u64() % 1_000_000;
        let raise = |last: u64| Some(now.max(last + 1));
        let last = self.last_nanos.fetch_update(Ordering::Relaxed, Ordering::Relaxed, raise);
        Duration::from_nanos(now.max(last.unwrap_or(0) + 1))
    }

    /// Makes a folder with those above it, and their names durable. What another
    /// process just made may not be durable yet, so each is synced once by us.
    fn make_durable(&self, dir: &FsPath) -> io::Result<()> {
        if dir == self.names.root() || self.durable.lock().contains(dir) {
            return Ok(());
        }
        let parent = dir.parent().unwrap_or(self.names.root());
        self.make_durable(parent)?;
        match fs::create_dir(dir) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            _ => {}
        }
        sync_folder(parent)?;
        self.durable.lock().insert(dir.to_owned());
        Ok(())
    }

    /// What is at a name; `None` if that is no object.
    fn stat(&self, path: &Path) -> Result<Option<fs::Metadata>> {
        match fs::metadata(self.names.file(path)?) {
            Ok(meta) => Ok(meta.is_file().then_some(meta)),
            Err(e) if is_absent(&e) => Ok(None),
            Err(e) => Err(failed(path, "looking", &e)),
        }
    }

    fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        let mut touched = BTreeSet::new();
        let mut results: Vec<_> = paths
            .iter()
            .map(|path| {
                let target = self.names.file(path)?;
                let _turn = self.locks.lock(path).map_err(|e| failed(path, "locking", &e))?;
                match fs::remove_file(&target) {
                    Ok(()) => {
                        touched.extend(target.parent().map(FsPath::to_owned));
                        Ok(())
                    }
                    Err(e) if is_absent(&e) || target.is_dir() => Ok(()),
                    Err(e) => Err(failed(path, "deleting", &e)),
                }
            })
            .collect();
        for dir in touched {
            let Err(e) = sync_folder(&dir) else { continue };
            for (path, result) in paths.iter().zip(&mut results) {
                let target = self.names.file(path);
                if result.is_ok() && target.is_ok_and(|t| t.parent() == Some(&dir)) {
                    *result = Err(failed(path, "syncing its folder", &e));
                }
            }
        }
        results
    }

    /// Objects are files that are never written again, so a copy is a second
    /// name for the same file.
    fn copy(&self, env: &Env, from: &Path, to: &Path, mode: CopyMode) -> Result<()> {
        if from == to && mode == CopyMode::Overwrite {
            let there = self.stat(from)?;
            return there
                .map(drop)
                .ok_or_else(|| StoreError::new(Cause::NotFound, "").at(STORE, from));
        }
        let (source, target) = (self.names.file(from)?, self.names.file(to)?);
        let parent = target.parent().unwrap_or(self.names.root());
        self.make_durable(parent).map_err(|e| failed(to, "making its folder", &e))?;
        let linked = match mode {
            CopyMode::Create => fs::hard_link(&source, &target),
            CopyMode::Overwrite => {
                let name = self.temps.name(env);
                fs::hard_link(&source, &name).and_then(|()| {
                    let _turn = self.locks.lock(to)?;
                    let renamed = fs::rename(&name, &target);
                    // Still there if it failed, or if both are the same file.
                    match fs::remove_file(&name) {
                        Err(e) if e.kind() != io::ErrorKind::NotFound => renamed.and(Err(e)),
                        _ => renamed,
                    }
                })
            }
        };
        match linked {
            Ok(()) => sync_folder(parent).map_err(|e| failed(to, "syncing its folder", &e)),
            Err(e) if is_absent(&e) => Err(StoreError::new(Cause::NotFound, "").at(STORE, from)),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                Err(StoreError::new(Cause::Exists, "").at(STORE, to))
            }
            Err(e) => Err(failed(to, "copying", &e)),
        }
    }
}

/// Whether an error says that there is no such object.
fn is_absent(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn sync_folder(dir: &FsPath) -> io::Result<()> {
    let flags = i32::try_from(rustix::fs::OFlags::DIRECTORY.bits()).unwrap_or(0);
    fs::OpenOptions::new().read(true).custom_flags(flags).open(dir)?.sync_all()
}
