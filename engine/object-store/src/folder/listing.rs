//! Lists of a folder, in the order of names as bytes, page by page.

use std::fs;
use std::io;
use std::path::Path as FsPath;

use firn_engine::object::{Cause, Page, PageStart, StoreError};
use object_store::path::Path;
use object_store::{ObjectMeta, Result};

use super::names::{Names, PRIVATE};
use super::{STORE, is_absent, object_meta};

/// Objects in a page. Each page reads the folders that it touches as a whole,
/// so pages are large.
const PAGE_OBJECTS_MAX: usize = 10_000;

/// Folders within folders at most.
const DEPTH_MAX: usize = 64;

pub(super) fn page(
    names: &Names,
    prefix: &Path,
    delimiter: bool,
    start: PageStart,
) -> Result<Page> {
    let folder = names.folder(prefix)?;
    let failed = |e: io::Error| StoreError::io("listing", &e).at(STORE, prefix);
    if let Err(e) = fs::metadata(names.root()) {
        let what = format!("{}: {e}", names.root().display());
        return Err(StoreError::new(Cause::NoBucket, what).at(STORE, prefix));
    }
    let after = match start {
        PageStart::First => String::new(),
        PageStart::After(path) => path.to_string(),
        PageStart::Continue(last) => last,
    };
    let key = match prefix.as_ref() {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    };
    let mut page = Page::default();
    if delimiter {
        one_level(&folder, &key, &mut page).map_err(failed)?;
        return Ok(page);
    }
    // One more than asked for shows whether there are more.
    let mut walk = Walk { after, objects: Vec::new(), max: PAGE_OBJECTS_MAX + 1 };
    walk.folder(&folder, &key, 0).map_err(failed)?;
    page.objects = walk.objects;
    if page.objects.len() > PAGE_OBJECTS_MAX {
        page.objects.truncate(PAGE_OBJECTS_MAX);
        page.next = page.objects.last().map(|last| last.location.to_string());
    }
    Ok(page)
}

/// A name in a folder.
struct Entry {
    /// With a slash at the end for a folder, so that names sort as those of
    /// the objects in it do.
    name: String,
    is_dir: bool,
}

/// What is in a folder, sorted. A folder that is not there is empty.
fn entries(dir: &FsPath, at_root: bool) -> io::Result<Vec<Entry>> {
    let read = match fs::read_dir(dir) {
        Err(e) if is_absent(&e) => return Ok(Vec::new()),
        read => read?,
    };
    let mut entries = Vec::new();
    for entry in read {
        let entry = entry?;
        let kind = match entry.file_type() {
            Err(e) if is_absent(&e) => continue,
            kind => kind?,
        };
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        if (at_root && name == PRIVATE) || !(kind.is_dir() || kind.is_file()) {
            continue;
        }
        let name = if kind.is_dir() { name + "/" } else { name };
        entries.push(Entry { name, is_dir: kind.is_dir() });
    }
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// The object at a key; `None` if it is gone, or its name is none of an object.
fn object(dir: &FsPath, name: &str, key: &str) -> io::Result<Option<ObjectMeta>> {
    let Ok(location) = Path::parse(key) else { return Ok(None) };
    match fs::metadata(dir.join(name)) {
        Ok(meta) => Ok(Some(object_meta(location, &meta))),
        Err(e) if is_absent(&e) => Ok(None),
        Err(e) => Err(e),
    }
}

fn one_level(dir: &FsPath, key: &str, page: &mut Page) -> io::Result<()> {
    for Entry { name, is_dir } in entries(dir, key.is_empty())? {
        let full = format!("{key}{name}");
        if !is_dir {
            page.objects.extend(object(dir, &name, &full)?);
        } else if let Ok(prefix) = Path::parse(&full)
            && has_object(&dir.join(&name), 0)?
        {
            page.prefixes.push(prefix);
        }
    }
    Ok(())
}

/// Whether there is an object anywhere in a folder. Folders stay when their
/// last object is deleted; a store has no such thing.
fn has_object(dir: &FsPath, depth: usize) -> io::Result<bool> {
    for Entry { name, is_dir } in entries(dir, false)? {
        if !is_dir || (depth < DEPTH_MAX && has_object(&dir.join(name), depth + 1)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

struct Walk {
    after: String,
    objects: Vec<ObjectMeta>,
    max: usize,
}

impl Walk {
    fn folder(&mut self, dir: &FsPath, key: &str, depth: usize) -> io::Result<()> {
        for Entry { name, is_dir } in entries(dir, key.is_empty())? {
            if self.objects.len() >= self.max {
                return Ok(());
            }
            let full = format!("{key}{name}");
            if is_dir {
                // All of it comes before, unless `after` is in it.
                let passed = self.after > full && !self.after.starts_with(&full);
                if !passed && depth < DEPTH_MAX {
                    self.folder(&dir.join(&name), &full, depth + 1)?;
                }
            } else if full > self.after {
                self.objects.extend(object(dir, &name, &full)?);
            }
        }
        Ok(())
    }
}
