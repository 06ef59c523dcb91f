//! Uploads in parts, each part repeated for itself.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{
    MultipartUpload, PutMultipartOptions, PutPayload, PutResult, Result, UploadPart,
};
use parking_lot::Mutex;

use super::attempts::Attempts;
use super::conditional::{PutId, There, look};
use super::{Cause, Core, RequestKind, StoreError, cause_of, with_remark};
use crate::object::backend::Part;

pub(super) struct RetryingUpload {
    core: Arc<Core>,
    path: Path,
    /// The store's name for the upload.
    upload: String,
    /// Ours, in the attributes of the object.
    id: PutId,
    /// Parts handed out, and the bytes in them.
    parts: usize,
    bytes: u64,
    stored: Arc<Mutex<BTreeMap<usize, PartId>>>,
}

impl fmt::Debug for RetryingUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RetryingUpload({}, {} parts)", self.path, self.parts)
    }
}

impl RetryingUpload {
    /// A try whose reply was lost leaves an upload that nobody knows: the store
    /// gives it up in its own time.
    pub(super) async fn begin(
        core: &Arc<Core>,
        path: &Path,
        mut options: PutMultipartOptions,
    ) -> Result<Self> {
        let id = PutId::of_upload(&core.env);
        if core.backend.keeps_attributes() {
            id.write_to(&mut options.attributes);
        }
        let mut tries = Attempts::new(core, RequestKind::Multipart, path);
        let upload = loop {
            match tries.once(core.backend.create_upload(path, options.clone())).await {
                Ok(upload) => break upload,
                Err(e) => tries.again(e).await?,
            }
        };
        Ok(Self {
            core: Arc::clone(core),
            path: path.clone(),
            upload,
            id,
            parts: 0,
            bytes: 0,
            stored: Arc::default(),
        })
    }
}

#[async_trait]
impl MultipartUpload for RetryingUpload {
    fn put_part(&mut self, payload: PutPayload) -> UploadPart {
        let (core, path, upload) = (Arc::clone(&self.core), self.path.clone(), self.upload.clone());
        let stored = Arc::clone(&self.stored);
        let bytes = payload.content_length() as u64;
        let part = Part { index: self.parts, offset: self.bytes, payload };
        self.parts += 1;
        self.bytes += bytes;
        Box::pin(async move {
            let mut tries = Attempts::new(&core, RequestKind::PutPart, &path).sending(bytes);
            loop {
                match tries.once(core.backend.put_part(&path, &upload, part.clone())).await {
                    Ok(id) => {
                        stored.lock().insert(part.index, id);
                        return Ok(());
                    }
                    Err(e) => tries.again(gone(e, &path)).await?,
                }
            }
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let parts: Vec<_> = self.stored.lock().values().cloned().collect();
        if parts.len() != self.parts {
            let what = format!("{} of {} parts are stored", parts.len(), self.parts);
            return Err(StoreError::new(Cause::BadRequest, what).at("retried", &self.path));
        }
        let (core, path) = (&self.core, &self.path);
        let mut tries = Attempts::new(core, RequestKind::Multipart, path);
        loop {
            let complete = core.backend.complete_upload(path, &self.upload, parts.clone());
            let e = match tries.once(complete).await {
                Ok(stored) => return Ok(stored),
                Err(e) => e,
            };
            let missing = cause_of(&e) == Cause::NotFound;
            if (missing || cause_of(&e).is_ambiguous())
                && core.backend.keeps_attributes()
                && let There::Ours(stored) = look(core, path, &self.id).await?
            {
                return Ok(stored);
            }
            tries.again(gone(e, path)).await?;
        }
    }

    async fn abort(&mut self) -> Result<()> {
        let mut tries = Attempts::new(&self.core, RequestKind::Delete, &self.path);
        loop {
            match tries.once(self.core.backend.abort_upload(&self.path, &self.upload)).await {
                Ok(()) => return Ok(()),
                Err(e) => tries.again(e).await?,
            }
        }
    }
}

/// An upload that is not there is no missing object. Making the same one again
/// is of no use; beginning another is.
fn gone(e: object_store::Error, path: &Path) -> object_store::Error {
    if cause_of(&e) != Cause::NotFound {
        return e;
    }
    with_remark(&e, path, Cause::UploadGone, "")
}
