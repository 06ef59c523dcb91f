//! Writes the files that a flush or a merge makes.

use std::sync::Arc;

use object_store::ObjectStore;

use crate::column::{ColumnWriter, RowSchema};
use crate::env::Env;
use crate::error::Result;
use crate::key::ValueKind;
use crate::manifest::{ColumnCopy, SpaceOptions, SstMeta};
use crate::object::{Layout, ObjectKind, Upload};
use crate::range_delete::RangeDeletes;
use crate::sst::builder::SstBuilder;
use crate::sst::stored::Compression;
use crate::types::{ObjectId, Seq, SpaceId};

/// Finished bytes are handed to the upload in pieces of this size.
const PIECE_BYTES: usize = 256 << 10;

/// Where files go.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) env: Env,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) layout: Layout,
}

/// One file being written, with its column copy if the space has one.
pub(crate) struct FileWriter {
    id: ObjectId,
    rows: SstBuilder,
    rows_upload: Upload,
    columns: Option<Columns>,
}

struct Columns {
    writer: Box<dyn ColumnWriter>,
    upload: Upload,
    rows: u64,
}

impl FileWriter {
    pub(crate) fn new(
        target: &Target,
        id: ObjectId,
        space: SpaceId,
        options: &SpaceOptions,
        compression: Compression,
        schema: Option<&dyn RowSchema>,
    ) -> Result<Self> {
        let upload = |kind| {
            let path = target.layout.object(id, kind);
            Upload::new(Arc::clone(&target.store), target.env.clone(), path)
        };
        let columns = match schema {
            Some(schema) => Some(Columns {
                writer: schema.writer()?,
                upload: upload(ObjectKind::Column),
                rows: 0,
            }),
            None => None,
        };
        Ok(Self {
            id,
            rows: SstBuilder::new(space, options.filter_prefix_len, compression),
            rows_upload: upload(ObjectKind::Sst),
            columns,
        })
    }

    /// Adds a version, in order.
    #[inline]
    pub(crate) fn add(
        &mut self,
        key: &[u8],
        seq: Seq,
        kind: ValueKind,
        value: &[u8],
    ) -> Result<()> {
        self.rows.add(key, seq, kind, value);
        if let Some(columns) = &mut self.columns {
            columns.rows += u64::from(columns.writer.add(key, seq, kind, value)?);
        }
        Ok(())
    }

    /// Whether finished bytes wait for [`Self::send`].
    #[inline]
    pub(crate) fn wants_sending(&self) -> bool {
        self.rows.ready() >= PIECE_BYTES
    }

    /// Hands finished bytes to the uploads.
    pub(crate) async fn send(&mut self) -> Result<()> {
        let rows = self.rows.take();
        self.rows_upload.write(rows).await?;
        if let Some(columns) = &mut self.columns {
            let bytes = columns.writer.take();
            if !bytes.is_empty() {
                columns.upload.write(bytes).await?;
            }
        }
        Ok(())
    }

    /// Stored size so far.
    pub(crate) fn size(&self) -> u64 {
        self.rows.size()
    }

    /// Stores the rest. `range` is extended over the file's range deletions.
    pub(crate) async fn finish(mut self, range_deletes: RangeDeletes) -> Result<Arc<SstMeta>> {
        self.rows.set_range_deletes(range_deletes);
        self.send().await?;
        let finished = self.rows.finish(self.id);
        self.rows_upload.write(finished.rest).await?;
        let mut meta = finished.meta;
        // The columns first: a file that a manifest names is complete either way,
        // since it is named only after both.
        if let Some(mut columns) = self.columns {
            columns.upload.write(columns.writer.finish()?).await?;
            let bytes = columns.upload.finish().await?;
            meta.column = Some(ColumnCopy { bytes, rows: columns.rows });
        }
        let bytes = self.rows_upload.finish().await?;
        assert_eq!(bytes, meta.bytes, "the manifest names what was stored");
        Ok(Arc::new(meta))
    }

    /// Gives the file up.
    pub(crate) async fn abort(self) {
        self.rows_upload.abort().await;
        if let Some(columns) = self.columns {
            columns.upload.abort().await;
        }
    }
}
