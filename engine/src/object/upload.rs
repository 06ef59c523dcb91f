//! Stores an object that is made piece by piece.
//!
//! Small objects are one PUT. Longer ones are sent in parts while the rest is
//! still being made, a few at a time, so that memory stays bounded whatever
//! the size. Bytes are handed on as they came, never copied together.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, PutMode, PutOptions, PutPayload};
use tracing::Instrument;

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
    /// What was not sent yet, and its length.
    pieces: VecDeque<Bytes>,
    pending: usize,
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
            pieces: VecDeque::new(),
            pending: 0,
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
        self.pending += bytes.len();
        self.pieces.push_back(bytes.into());
        // Not at the limit already: the last part must not be empty.
        while self.pending > PART_BYTES {
            let part = self.take_part(PART_BYTES);
            self.send(part).await?;
        }
        Ok(())
    }

    /// The first `len` bytes of those that were not sent yet.
    fn take_part(&mut self, len: usize) -> PutPayload {
        let mut part = Vec::new();
        let mut missing = len;
        while let Some(mut piece) = self.pieces.pop_front() {
            if piece.len() > missing {
                self.pieces.push_front(piece.split_off(missing));
            }
            missing -= piece.len();
            part.push(piece);
            if missing == 0 {
                break;
            }
        }
        assert_eq!(missing, 0, "there are as many bytes as were counted");
        self.pending -= len;
        part.into_iter().collect()
    }

    async fn send(&mut self, part: PutPayload) -> Result<()> {
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
            let sent = multipart.put_part(part).instrument(crate::trace::current());
            self.in_flight.push_back(self.env.spawn(TaskClass::Background, "put-part", sent));
        }
        Ok(())
    }

    /// Sends the rest and makes the object appear, whole.
    ///
    /// # Errors
    /// When the store does not take it; `Internal` if an object of this name exists.
    pub async fn finish(mut self) -> Result<u64> {
        let rest = self.take_part(self.pending);
        if self.multipart.is_none() {
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            let put = self.store.put_opts(&self.path, rest, options);
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

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;

    /// Stores `lens` pieces, each byte different from its neighbours.
    async fn round_trip(lens: &[usize]) {
        let store = Arc::new(InMemory::new());
        let (env, path) = (Env::simulated(1), Path::from("object"));
        let mut upload = Upload::new(Arc::clone(&store) as _, env, path.clone());
        let mut all = Vec::new();
        for len in lens {
            let from = all.len();
            all.extend((from..from + len).map(|i| (i % 251) as u8));
            upload.write(all[from..].to_vec()).await.unwrap();
            assert!(upload.pending <= PART_BYTES, "{} bytes wait", upload.pending);
        }
        assert_eq!(upload.finish().await.unwrap(), all.len() as u64);
        let stored = store.get(&path).await.unwrap().bytes().await.unwrap();
        assert!(stored == all, "{lens:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn pieces_of_all_lengths_become_the_object() {
        const P: usize = PART_BYTES;
        for lens in [
            &[][..],
            &[0],
            &[5, 0, 7],
            &[P],
            &[P, 0],
            &[P + 1],
            &[P - 1, 2, P],
            &[2 * P],
            &[3, 2 * P, 5],
            &[300_000; 70],
        ] {
            round_trip(lens).await;
        }
    }
}
