//! Reads a whole column copy and checks everything that can be checked.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{Array, BinaryArray, BooleanArray, RecordBatch, UInt64Array};
use firn_engine::column::VersionsDigest;
use firn_engine::key::{self, KeyBuf, ValueKind, user_key};
use firn_engine::manifest::SstMeta;
use firn_engine::object::BlockSource;
use firn_engine::{Context, Error, ErrorKind, Result, Seq};

use super::read::ColumnFile;
use crate::columns::ROW_KEY_COLUMN;
use crate::{DELETED_COLUMN, KEY_COLUMN, SEQ_COLUMN, VALUE_COLUMN};

/// What a whole column copy was found to hold.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Rows: versions of keys, deletions included.
    pub rows: u64,
    /// Rows that are deletions.
    pub deletes: u64,
    /// Row groups.
    pub row_groups: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Of all rows. The file of rows has the same if both hold the same. A table's
    /// columns do not tell: there is none.
    pub digest: Option<u64>,
}

/// Reads the column copy of a file: every checksum, that keys are in order, that
/// all is within the range and seqs that the manifest says, and the counts.
/// Memory is about one row group.
///
/// # Errors
/// `Corrupt`, saying what and where; `BadRequest` if the file has no column
/// copy, or one of a newer form; `Unavailable` if it cannot be read.
pub async fn verify(meta: &SstMeta, source: Arc<dyn BlockSource>) -> Result<Verified> {
    let Some(column) = &meta.column else {
        let why = format!("{:?} has no column copy", meta.id);
        return Err(Error::new(ErrorKind::BadRequest, why));
    };
    let file = ColumnFile::open(source, meta.id, column.bytes).await?;
    let is_table = file.schema().column_with_name(ROW_KEY_COLUMN).is_some();
    let digest = (!is_table).then(VersionsDigest::default);
    let one_version = file.has_one_version();
    let mut check = Check { meta, walk: Walk::default(), digest, one_version };
    let run = async {
        check.counts(file.rows(), column.rows)?;
        if file.space().is_some_and(|space| space != meta.space) {
            return Err(bad("it is of another space"));
        }
        for index in 0..file.row_groups() {
            let group = file.row_group(index).await?;
            check.walk.verified.bytes += group.stored_bytes();
            for batch in group {
                check.batch(&batch?)?;
            }
            check.walk.verified.row_groups += 1;
        }
        check.counts(check.walk.verified.rows, column.rows)?;
        check.deletes()
    };
    run.await.context(|| format!("columns of {:?}", meta.id))?;
    let Check { walk, digest, .. } = check;
    let bytes = walk.verified.bytes + file.tail_bytes();
    Ok(Verified { bytes, digest: digest.map(|digest| digest.finish()), ..walk.verified })
}

/// Where a walk over the rows is.
#[derive(Default)]
struct Walk {
    verified: Verified,
    last: Option<(KeyBuf, Seq)>,
}

struct Check<'a> {
    meta: &'a SstMeta,
    walk: Walk,
    /// None of a table's: what is left out of the columns is not in it.
    digest: Option<VersionsDigest>,
    /// The copy says that no two rows have the same key.
    one_version: bool,
}

impl Check<'_> {
    fn counts(&self, rows: u64, said: u64) -> Result<()> {
        let entries = self.meta.entries;
        let complete = self.digest.is_none() && rows < entries || rows == entries;
        if rows == said && complete {
            return Ok(());
        }
        Err(bad(&format!("it has {rows} rows; the manifest says {said}, of {entries} versions")))
    }

    fn deletes(&self) -> Result<()> {
        let (found, said) = (self.walk.verified.deletes, self.meta.deletes);
        if found == said || self.digest.is_none() && found < said {
            return Ok(());
        }
        Err(bad(&format!("it has {found} deletions, not {said}")))
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        let rows = Rows::of(batch).ok_or_else(|| bad("its columns are others"))?;
        for i in 0..batch.num_rows() {
            let (key, seq) = (user_key(self.meta.space, rows.keys.value(i)), rows.seqs.value(i));
            let value = rows.values.map_or(&[][..], |values| values.value(i));
            let deleted = rows.deleted.value(i);
            let kind = if deleted { ValueKind::Delete } else { ValueKind::Put };
            self.row(&key, Seq(seq), kind, value)?;
        }
        Ok(())
    }

    fn row(&mut self, key: &KeyBuf, seq: Seq, kind: ValueKind, value: &[u8]) -> Result<()> {
        if let Some((last_key, last_seq)) = &self.walk.last
            && key::compare((last_key, *last_seq), (key, seq)).is_ge()
        {
            return Err(bad("keys out of order"));
        }
        let again = self.walk.last.as_ref().is_some_and(|(last, _)| last == key);
        if self.one_version && again {
            return Err(bad("two rows of a key, though it says that there are none"));
        }
        if !self.meta.range.contains(key) || seq < self.meta.seq_min || seq > self.meta.seq_max {
            return Err(bad("a row outside of what the manifest says"));
        }
        if kind == ValueKind::Delete && !value.is_empty() {
            return Err(bad("a deletion with a value"));
        }
        if let Some(digest) = &mut self.digest {
            digest.add(key, seq, kind, value);
        }
        self.walk.verified.rows += 1;
        self.walk.verified.deletes += u64::from(kind == ValueKind::Delete);
        let last = self.walk.last.get_or_insert_default();
        last.0.clone_from(key);
        last.1 = seq;
        Ok(())
    }
}

/// The columns of a batch that say what it is of.
struct Rows<'a> {
    keys: &'a BinaryArray,
    /// Of plain key-value data.
    values: Option<&'a BinaryArray>,
    seqs: &'a UInt64Array,
    deleted: &'a BooleanArray,
}

impl<'a> Rows<'a> {
    fn of(batch: &'a RecordBatch) -> Option<Self> {
        let column = |name: &str| batch.column_by_name(name).filter(|c| c.null_count() == 0);
        let (keys, values) = match column(ROW_KEY_COLUMN) {
            Some(keys) => (keys.as_binary_opt()?, None),
            None => {
                let values = column(VALUE_COLUMN)?.as_binary_opt()?;
                (column(KEY_COLUMN)?.as_binary_opt()?, Some(values))
            }
        };
        Some(Self {
            keys,
            values,
            seqs: column(SEQ_COLUMN)?.as_primitive_opt::<UInt64Type>()?,
            deleted: column(DELETED_COLUMN)?.as_boolean_opt()?,
        })
    }
}

fn bad(why: &str) -> Error {
    Error::new(ErrorKind::Corrupt, why)
}
