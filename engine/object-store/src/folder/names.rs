//! Which file an object is.

use std::path::{Path as FsPath, PathBuf};

use firn_engine::object::{Cause, StoreError};
use object_store::Result;
use object_store::path::Path;

/// Where temporary files and locks are; no object's name may begin with it.
pub(super) const PRIVATE: &str = ".firn";

#[derive(Debug)]
pub(super) struct Names {
    root: PathBuf,
}

impl Names {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &FsPath {
        &self.root
    }

    /// The file of an object.
    pub(super) fn file(&self, path: &Path) -> Result<PathBuf> {
        let refused = |what: &str| Err(StoreError::new(Cause::BadRequest, what).at("folder", path));
        if path.as_ref().is_empty() {
            return refused("an object needs a name");
        }
        let mut file = self.root.clone();
        for (index, part) in path.as_ref().split('/').enumerate() {
            if matches!(part, "" | "." | "..") || part.contains('\0') {
                return refused("the name cannot be that of a file");
            }
            if index == 0 && part == PRIVATE {
                return refused("names under .firn are the store's own");
            }
            file.push(part);
        }
        Ok(file)
    }

    /// The folder that a prefix stands for.
    pub(super) fn folder(&self, prefix: &Path) -> Result<PathBuf> {
        if prefix.as_ref().is_empty() { Ok(self.root.clone()) } else { self.file(prefix) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let names = Names::new("/data".into());
        assert_eq!(names.file(&Path::from("a/b c")).unwrap(), FsPath::new("/data/a/b c"));
        for odd in ["..", "../x", "a/../../x", ".", "/etc/passwd", "a\0b"] {
            // What makes a path out of text makes it harmless; what parses refuses.
            let file = names.file(&Path::from(odd));
            assert!(file.is_err() || file.is_ok_and(|f| f.starts_with("/data")), "{odd}");
            if let Ok(parsed) = Path::parse(odd)
                && let Ok(file) = names.file(&parsed)
            {
                assert!(file.starts_with("/data") && !file.to_string_lossy().contains(".."));
            }
        }
        assert!(names.file(&Path::from(".firn/tmp/x")).is_err());
        assert!(names.file(&Path::from("a/.firn")).is_ok());
        assert!(names.file(&Path::default()).is_err());
    }
}
