//! Stores an object that is made piece by piece.
//!
//! Small objects are one PUT. Longer ones are sent in parts while the rest is
//! still being made, a few at a time, so that memory stays bounded whatever
//! the size.

use std::collections::VecDeque;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, PutMode, PutOptions, PutPayload};

use super::from_store;
use crate::env::{Env, Task, TaskClass};
use crate::error::{Error, Result};

/// Parts have this many bytes, but for the last.
const PART_BYTES: usize = 8 << 20;

/// Parts on their way at most.
const PARTS_IN_FLIGHT: usize = 3;

/// An object being stored. Dropped before [`Self::finish`], it stays unstored;
/// what was sent is given up by the store in its own time, or at once by [`Self::abort`].
pub struct Upload {
    store: Arc<dyn ObjectStore>,
    env: Env,
    path: Path,
    buffer: Vec<u8>,
    multipart: Option<Box<dyn MultipartUpload>>,
    in_flight: VecDeque<Task<object_store::Result<()>>>,
    bytes: u64,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Upload({}, {} bytes)", self.path, self.bytes)
    }
}

impl Upload {
    /// Begins an object that does not exist yet.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, env: Env, path: Path) -> Self {
        Self {
            store,
            env,
            path,
            buffer: Vec::new(),
            multipart: None,
            in_flight: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// When the store does not take a part.
    pub async fn write(&mut self, bytes: Vec<u8>) -> Result<()> {
        self.bytes += bytes.len() as u64;
        if self.buffer.is_empty() {
            self.buffer = bytes;
        } else {
            self.buffer.extend_from_slice(&bytes);
        }
        while self.buffer.len() > PART_BYTES {
            let rest = self.buffer.split_off(PART_BYTES);
            let part = std::mem::replace(&mut self.buffer, rest);
            self.send(part).await?;
        }
        Ok(())
    }

    async fn send(&mut self, part: Vec<u8>) -> Result<()> {
        let failed = |e| from_store("PUT", &self.path, e);
        while self.in_flight.len() >= PARTS_IN_FLIGHT {
            wait_for(&mut self.in_flight, &self.path).await?;
        }
        if self.multipart.is_none() {
            self.multipart = Some(
                self.store
                    .put_multipart_opts(&self.path, Default::default())
                    .await
                    .map_err(failed)?,
            );
        }
        if let Some(multipart) = &mut self.multipart {
            let sent = multipart.put_part(PutPayload::from(part));
            self.in_flight.push_back(self.env.spawn(TaskClass::Background, "put-part", sent));
        }
        Ok(())
    }

    /// Sends the rest and makes the object appear, whole.
    ///
    /// # Errors
    /// When the store does not take it; `Internal` if an object of this name exists.
    pub async fn finish(mut self) -> Result<u64> {
        let rest = std::mem::take(&mut self.buffer);
        if self.multipart.is_none() {
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            let put = self.store.put_opts(&self.path, PutPayload::from(rest), options);
            put.await.map_err(|e| from_store("PUT", &self.path, e))?;
            return Ok(self.bytes);
        }
        self.send(rest).await?;
        while !self.in_flight.is_empty() {
            wait_for(&mut self.in_flight, &self.path).await?;
        }
        if let Some(mut multipart) = self.multipart.take() {
            multipart.complete().await.map_err(|e| from_store("PUT", &self.path, e))?;
        }
        Ok(self.bytes)
    }

    /// Gives the object up and frees what the store holds of it.
    pub async fn abort(mut self) {
        for part in self.in_flight.drain(..) {
            part.abort();
        }
        if let Some(mut multipart) = self.multipart.take()
            && let Err(error) = multipart.abort().await
        {
            // The store's own clean-up is the second line.
            tracing::debug!(path = %self.path, %error, "giving up an upload failed");
        }
    }
}

async fn wait_for(
    in_flight: &mut VecDeque<Task<object_store::Result<()>>>,
    path: &Path,
) -> Result<()> {
    match in_flight.pop_front() {
        Some(part) => match part.await {
            Some(sent) => sent.map_err(|e| from_store("PUT", path, e)),
            None => Err(Error::internal(format!("PUT {path}: sending a part was stopped"))),
        },
        None => Ok(()),
    }
}
