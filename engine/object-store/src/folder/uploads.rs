//! Uploads in parts: one temporary file each, every part written where it
//! belongs. They end with the process, as does whoever wanted them.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_engine::object::{Cause, Part, StoreError};
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{Attributes, PutResult, Result};
use parking_lot::{Mutex, RwLock};

use super::temp::Temp;
use super::{STORE, failed, write};

#[derive(Debug, Default)]
pub(super) struct Uploads(Mutex<Open>);

fn no_upload(path: &Path, upload: &str) -> object_store::Error {
    StoreError::new(Cause::NotFound, format!("no upload {upload}")).at(STORE, path)
}

#[derive(Debug, Default)]
struct Open {
    last: u64,
    uploads: BTreeMap<String, Arc<Upload>>,
}

#[derive(Debug)]
struct Upload {
    temp: Temp,
    attributes: Attributes,
    /// Where each part begins and how long it is.
    parts: Mutex<BTreeMap<usize, (u64, u64)>>,
    /// Whether the object is there. Read-locked while a part is written, so
    /// that a try that its caller gave up does not touch the file afterwards,
    /// which would change its time.
    published: RwLock<bool>,
}

impl Uploads {
    pub(super) fn begin(&self, temp: Temp, attributes: Attributes) -> String {
        let mut open = self.0.lock();
        open.last += 1;
        let id = open.last.to_string();
        let upload =
            Upload { temp, attributes, parts: Mutex::default(), published: RwLock::new(false) };
        open.uploads.insert(id.clone(), Arc::new(upload));
        id
    }

    fn find(&self, path: &Path, upload: &str) -> Result<Arc<Upload>> {
        self.0.lock().uploads.get(upload).cloned().ok_or_else(|| no_upload(path, upload))
    }

    pub(super) fn put_part(&self, path: &Path, upload: &str, part: &Part) -> Result<PartId> {
        let found = self.find(path, upload)?;
        let published = found.published.read();
        if *published {
            return Err(no_upload(path, upload));
        }
        write::at(&found.temp, part.offset, &part.payload)
            .map_err(|e| failed(path, "writing a part", &e))?;
        let bytes = part.payload.content_length() as u64;
        found.parts.lock().insert(part.index, (part.offset, bytes));
        Ok(PartId { content_id: part.index.to_string() })
    }

    /// The upload stays until it was published, so that this can be tried again.
    pub(super) fn complete(
        &self,
        path: &Path,
        upload: &str,
        parts: &[PartId],
        publish: impl FnOnce(&Temp, &Attributes) -> Result<PutResult>,
    ) -> Result<PutResult> {
        let found = self.find(path, upload)?;
        let mut done = found.published.write();
        if *done {
            return Err(no_upload(path, upload));
        }
        let mut end = 0;
        let stored = found.parts.lock();
        for (due, (index, (offset, bytes))) in stored.iter().enumerate() {
            if *index != due || *offset != end {
                let what = format!("part {index} at byte {offset}, where {due} at {end} is due");
                return Err(StoreError::new(Cause::BadRequest, what).at(STORE, path));
            }
            end += bytes;
        }
        if stored.len() != parts.len() {
            let what = format!("{} of {} parts are there", stored.len(), parts.len());
            return Err(StoreError::new(Cause::BadRequest, what).at(STORE, path));
        }
        drop(stored);
        found.temp.file.set_len(end).map_err(|e| failed(path, "ending", &e))?;
        let published = publish(&found.temp, &found.attributes)?;
        *done = true;
        self.abort(upload);
        Ok(published)
    }

    /// Forgets an upload; its file goes when nobody writes to it any more.
    pub(super) fn abort(&self, upload: &str) {
        self.0.lock().uploads.remove(upload);
    }
}
