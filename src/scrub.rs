//! Looks whether everything that the manifests name is there and whole, and
//! whether anything is there that nothing names.
//!
//! It reads the object store alone, so it may run beside a database, or
//! without one. Objects come and go meanwhile; what looks wrong is therefore
//! looked at again in a manifest read afterwards, and only what that still
//! names is reported as missing or corrupt. Orphans are found, and deleted if
//! told, by the garbage collector's own protocol.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_engine::manifest::{SstMeta, Version};
use firn_engine::object::{BlockSource, Layout, ObjectKind, StoreBlocks};
use firn_engine::{Env, Error, ErrorKind, Result, sst};
use firn_storage::gc::{self, Listing, Orphans, Reachable};
use firn_storage::manifests::Manifests;
use futures::StreamExt;
use object_store::ObjectStore;
use object_store::path::Path;
use parking_lot::Mutex;

/// Files checked at the same time: more would not be faster on any disk or
/// network that is worth scrubbing, and each holds a block or two.
const CONCURRENCY: usize = 8;

/// What to do.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScrubOptions {
    /// Look only at names and sizes, and read no file.
    pub quick: bool,
    /// Delete orphans.
    pub delete_orphans: bool,
}

/// A file that is not as its manifest says.
#[derive(Debug, Clone)]
pub struct Damage {
    /// Name of the object.
    pub object: Path,
    /// What is wrong with it.
    pub why: String,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Branches whose manifests were read.
    pub branches: u64,
    /// Objects that they name.
    pub objects: u64,
    /// Bytes read and checked.
    pub bytes: u64,
    /// Named and not there.
    pub missing: Vec<Path>,
    /// Named and there, but not what was written.
    pub corrupt: Vec<Damage>,
    /// Never to be named by anyone: name and size in bytes.
    pub orphans: Vec<(Path, u64)>,
    /// How many of them were deleted.
    pub deleted: u64,
    /// Not named by this program.
    pub strange: Vec<String>,
}

impl Findings {
    /// Whether all data are there and whole; orphans are litter, not damage.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.corrupt.is_empty()
    }
}

/// Looks at everything under `layout`'s prefix of `store`. `progress` is told
/// the numbers of objects checked and to check.
///
/// # Errors
/// When the store cannot be listed or a manifest cannot be read; damaged files
/// are findings, not errors.
pub async fn scrub(
    env: &Env,
    store: &Arc<dyn ObjectStore>,
    layout: &Layout,
    options: ScrubOptions,
    progress: impl Fn(u64, u64),
) -> Result<Findings> {
    let manifests = Manifests::new(env.clone(), Arc::clone(store), layout.clone());
    let (listing, _) = gc::list(&**store, layout).await?;
    let reachable = Reachable::read(&manifests).await?;
    let files = named(reachable.versions());
    let mut findings = Findings {
        branches: reachable.versions().len() as u64,
        objects: files.values().map(|f| 1 + u64::from(f.column.is_some())).sum(),
        ..Findings::default()
    };

    let bytes = Mutex::new(0);
    let check = &Check {
        listing: &listing,
        source: Arc::new(StoreBlocks::new(Arc::clone(store), layout.clone())),
        quick: options.quick,
        bytes: &bytes,
    };
    let mut suspects = Vec::new();
    let mut checked = 0;
    let checks = files.values().map(|file| async move { (file, check.file(file).await) });
    let mut checks = futures::stream::iter(checks).buffer_unordered(CONCURRENCY);
    while let Some((file, found)) = checks.next().await {
        checked += 1 + u64::from(file.column.is_some());
        progress(checked, findings.objects);
        suspects.extend(found.into_iter().map(|problem| (Arc::clone(file), problem)));
    }
    drop(checks);
    findings.bytes = *bytes.lock();

    // Deleted while we looked, or listed before it was stored: look again.
    if !suspects.is_empty() {
        let now = named(Reachable::read(&manifests).await?.versions());
        suspects.retain(|(file, _)| now.contains_key(&file.id));
    }
    for (file, problem) in suspects {
        problem.confirm(&**store, layout, &file, &mut findings).await?;
    }

    let orphans = gc::find_orphans(&**store, layout, &manifests).await?;
    if options.delete_orphans {
        let objects = orphans.objects.iter().map(|(id, kind, _)| (*id, *kind));
        findings.deleted = gc::delete(&**store, layout, objects).await?;
    }
    let Orphans { objects, strange } = orphans;
    let path = |(id, kind, bytes)| (layout.object(id, kind), bytes);
    findings.orphans = objects.into_iter().map(path).collect();
    findings.strange = strange;
    Ok(findings)
}

/// Every file that a branch or a running job needs.
fn named(versions: &[Version]) -> BTreeMap<firn_engine::ObjectId, Arc<SstMeta>> {
    let mut files = BTreeMap::new();
    for version in versions {
        let shards = version.jobs.values().flat_map(|j| &j.shards);
        let outputs = shards.flat_map(|s| &s.outputs);
        for file in version.files().map(|(_, f)| f).chain(outputs) {
            // Where branches share a file, one that knows all of it says more.
            if !file.cut || !files.contains_key(&file.id) {
                files.insert(file.id, Arc::clone(file));
            }
        }
    }
    files
}

/// What looks wrong with an object.
enum Problem {
    Missing(ObjectKind),
    Corrupt(ObjectKind, String),
}

struct Check<'a> {
    listing: &'a Listing,
    source: Arc<dyn BlockSource>,
    quick: bool,
    bytes: &'a Mutex<u64>,
}

impl Check<'_> {
    async fn file(&self, file: &Arc<SstMeta>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let row = self.present(file, ObjectKind::Sst, file.bytes, &mut problems);
        let column = match &file.column {
            Some(copy) => self.present(file, ObjectKind::Column, copy.bytes, &mut problems),
            None => false,
        };
        if self.quick {
            return problems;
        }
        let mut digest = None;
        if row {
            match sst::verify(file, Arc::clone(&self.source)).await {
                Ok(verified) => {
                    *self.bytes.lock() += file.bytes;
                    digest = Some(verified.digest);
                }
                Err(e) => problems.push(Problem::Corrupt(ObjectKind::Sst, e.to_string())),
            }
        }
        if column {
            match firn_table::verify(file, Arc::clone(&self.source)).await {
                Ok(verified)
                    if digest.is_none_or(|rows| verified.digest.is_none_or(|own| own == rows)) =>
                {
                    *self.bytes.lock() += file.total_bytes() - file.bytes;
                }
                Ok(_) => {
                    let why = "its rows are not those of its SST".to_owned();
                    problems.push(Problem::Corrupt(ObjectKind::Column, why));
                }
                Err(e) => problems.push(Problem::Corrupt(ObjectKind::Column, e.to_string())),
            }
        }
        problems
    }

    /// Whether the object is listed with its size.
    fn present(
        &self,
        file: &SstMeta,
        kind: ObjectKind,
        bytes: u64,
        problems: &mut Vec<Problem>,
    ) -> bool {
        match self.listing.get(&(file.id, kind)) {
            Some(listed) if *listed == bytes => return true,
            Some(listed) => {
                let why = format!("{listed} bytes long instead of {bytes}");
                problems.push(Problem::Corrupt(kind, why));
            }
            None => problems.push(Problem::Missing(kind)),
        }
        false
    }
}

impl Problem {
    /// Adds it to the findings, if it is still there.
    async fn confirm(
        self,
        store: &dyn ObjectStore,
        layout: &Layout,
        file: &SstMeta,
        findings: &mut Findings,
    ) -> Result<()> {
        use object_store::ObjectStoreExt;
        match self {
            Self::Corrupt(kind, why) => {
                findings.corrupt.push(Damage { object: layout.object(file.id, kind), why });
            }
            Self::Missing(kind) => {
                let path = layout.object(file.id, kind);
                match store.head(&path).await {
                    Ok(_) => {}
                    Err(e) if firn_engine::object::is_not_found(&e) => findings.missing.push(path),
                    Err(e) => return Err(firn_engine::object::from_store("HEAD", &path, e)),
                }
            }
        }
        Ok(())
    }
}

/// The error for a store that is not whole.
#[must_use]
pub fn not_whole(findings: &Findings) -> Error {
    let (missing, corrupt) = (findings.missing.len(), findings.corrupt.len());
    let message = format!("{missing} objects are missing and {corrupt} are corrupt");
    Error::new(ErrorKind::Corrupt, message)
}
