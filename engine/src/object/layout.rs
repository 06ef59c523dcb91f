//! Names of objects.
//!
//! ```text
//! <prefix>/branches/<branch>/manifest/<version:020>.pb
//! <prefix>/branches/<branch>/last-state.pb                   copy of the last state; a hint
//! <prefix>/sst/<id>.sst        <prefix>/col/<id>.parquet     shared by all branches
//! <prefix>/log/<branch>/<first seq:020>-<last seq:020>.seg   archived journal
//! <prefix>/log/<branch>/live/<number:020>.seg                journal kept in the object store
//! <prefix>/log/<branch>/live-start                           where that one begins
//! ```

use object_store::path::Path;

use crate::error::{Error, Result};
use crate::types::{BranchName, ManifestVersion, ObjectId, Seq};

/// Which of the two copies of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// Rows, sorted.
    Sst,
    /// Columns: the Parquet twin.
    Column,
}

/// Makes and reads object names under one prefix.
#[derive(Debug, Clone)]
pub struct Layout {
    prefix: Path,
}

impl Layout {
    /// Names under `prefix`, which may be empty.
    #[must_use]
    pub fn new(prefix: Path) -> Self {
        Self { prefix }
    }

    /// The prefix that all names share.
    #[must_use]
    pub fn prefix(&self) -> &Path {
        &self.prefix
    }

    /// Where a file is.
    #[must_use]
    pub fn object(&self, id: ObjectId, kind: ObjectKind) -> Path {
        match kind {
            ObjectKind::Sst => self.objects(kind).join(format!("{id}.sst")),
            ObjectKind::Column => self.objects(kind).join(format!("{id}.parquet")),
        }
    }

    /// The folder of all files of a kind.
    #[must_use]
    pub fn objects(&self, kind: ObjectKind) -> Path {
        self.prefix.clone().join(match kind {
            ObjectKind::Sst => "sst",
            ObjectKind::Column => "col",
        })
    }

    /// The file that an object name stands for.
    ///
    /// # Errors
    /// `BadRequest` if it is not the name of a file of this kind.
    pub fn parse_object(&self, kind: ObjectKind, path: &Path) -> Result<ObjectId> {
        let suffix = match kind {
            ObjectKind::Sst => ".sst",
            ObjectKind::Column => ".parquet",
        };
        let name = path.filename().and_then(|n| n.strip_suffix(suffix));
        name.ok_or_else(|| Error::bad_request(format!("{path} is not a *{suffix}")))?.parse()
    }

    /// The folder of all branches.
    #[must_use]
    pub fn branches(&self) -> Path {
        self.prefix.clone().join("branches")
    }

    /// The folder of a branch's manifests.
    #[must_use]
    pub fn manifests(&self, branch: &BranchName) -> Path {
        self.branches().join(branch.as_str()).join("manifest")
    }

    /// Where a copy of a branch's last state is, so that it opens faster.
    #[must_use]
    pub fn last_state(&self, branch: &BranchName) -> Path {
        self.branches().join(branch.as_str()).join("last-state.pb")
    }

    /// Where a manifest is.
    #[must_use]
    pub fn manifest(&self, branch: &BranchName, version: ManifestVersion) -> Path {
        self.manifests(branch).join(format!("{:020}.pb", version.0))
    }

    /// The version that a manifest's name stands for; `None` if it is none.
    #[must_use]
    pub fn parse_manifest(path: &Path) -> Option<ManifestVersion> {
        number(path.filename()?.strip_suffix(".pb")?).map(ManifestVersion)
    }

    /// The folder of all branches' archived and object-store journals.
    #[must_use]
    pub fn logs(&self) -> Path {
        self.prefix.clone().join("log")
    }

    /// The folder of a branch's archived and object-store journal.
    #[must_use]
    pub fn log(&self, branch: &BranchName) -> Path {
        self.logs().join(branch.as_str())
    }

    /// Where an archived segment is.
    #[must_use]
    pub fn archived(&self, branch: &BranchName, first: Seq, last: Seq) -> Path {
        self.log(branch).join(format!("{:020}-{:020}.seg", first.0, last.0))
    }

    /// The seqs that an archived segment's name stands for; `None` if it is none.
    #[must_use]
    pub fn parse_archived(path: &Path) -> Option<(Seq, Seq)> {
        let (first, last) = path.filename()?.strip_suffix(".seg")?.split_once('-')?;
        Some((Seq(number(first)?), Seq(number(last)?)))
    }

    /// The folder of the segments of a journal that is kept in the object store.
    #[must_use]
    pub fn live_segments(&self, branch: &BranchName) -> Path {
        self.log(branch).join("live")
    }

    /// Where such a segment is.
    #[must_use]
    pub fn live_segment(&self, branch: &BranchName, segment: u64) -> Path {
        self.live_segments(branch).join(format!("{segment:020}.seg"))
    }

    /// Where the number of the first kept segment is stored.
    #[must_use]
    pub fn live_start(&self, branch: &BranchName) -> Path {
        self.log(branch).join("live-start")
    }

    /// The number that such a segment's name stands for; `None` if it is none.
    #[must_use]
    pub fn parse_live_segment(path: &Path) -> Option<u64> {
        number(path.filename()?.strip_suffix(".seg")?)
    }
}

/// A number of exactly twenty digits.
fn number(text: &str) -> Option<u64> {
    (text.len() == 20).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Epoch;

    #[test]
    fn names_read_back() {
        let layout = Layout::new(Path::from("db/one"));
        let branch = BranchName::main();
        let id = ObjectId { branch: 7, counter: 9, epoch: Epoch(2) };
        for kind in [ObjectKind::Sst, ObjectKind::Column] {
            let path = layout.object(id, kind);
            assert_eq!(layout.parse_object(kind, &path).unwrap(), id);
        }
        let manifest = layout.manifest(&branch, ManifestVersion(12));
        assert_eq!(manifest.as_ref(), "db/one/branches/main/manifest/00000000000000000012.pb");
        assert_eq!(Layout::parse_manifest(&manifest), Some(ManifestVersion(12)));
        let archived = layout.archived(&branch, Seq(1), Seq(30));
        assert_eq!(Layout::parse_archived(&archived), Some((Seq(1), Seq(30))));
        assert_eq!(Layout::parse_live_segment(&archived), None);
        assert_eq!(Layout::parse_live_segment(&layout.live_segment(&branch, 5)), Some(5));
        assert_eq!(Layout::parse_manifest(&Path::from("x/12.pb")), None);
    }
}
