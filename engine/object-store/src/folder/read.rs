//! Reading an object: its file is opened once, so that all of a body is of one
//! version, whatever happens to the name meanwhile.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use firn_engine::object::{Cause, StoreError};
use futures::{StreamExt, stream};
use object_store::path::Path;
use object_store::{GetOptions, GetResult, GetResultPayload, Result};

use super::{Folder, FolderStore, STORE, attributes, failed, is_absent, object_meta};

/// Bodies up to this size are read in one go; longer ones in pieces of it.
const READ_BYTES: u64 = 1 << 20;

impl Folder {
    pub(super) fn get(&self, store: FolderStore, path: &Path, o: &GetOptions) -> Result<GetResult> {
        let failed = |doing, e: &io::Error| failed(path, doing, e);
        let absent = || StoreError::new(Cause::NotFound, "").at(STORE, path);
        if o.version.is_some() {
            return Err(StoreError::new(Cause::NotSupported, "no versions").at(STORE, path));
        }
        let file = match File::open(self.names.file(path)?) {
            Ok(file) => file,
            Err(e) if is_absent(&e) => return Err(absent()),
            Err(e) => return Err(failed("opening", &e)),
        };
        let stat = file.metadata().map_err(|e| failed("looking", &e))?;
        if !stat.is_file() {
            return Err(absent());
        }
        let meta = object_meta(path.clone(), &stat);
        o.check_preconditions(&meta)?;
        let attributes = attributes::get(&file).map_err(|e| failed("reading attributes", &e))?;
        let range = match &o.range {
            _ if o.head => 0..0,
            None => 0..meta.size,
            Some(range) => range
                .as_range(meta.size)
                .map_err(|e| StoreError::new(Cause::BadRequest, e.to_string()).at(STORE, path))?,
        };
        let stream = if range.end - range.start <= READ_BYTES {
            let read = read_at(&file, range.start, range.end - range.start);
            stream::iter([Ok(read.map_err(|e| failed("reading", &e))?)]).boxed()
        } else {
            pieces(store, path.clone(), Arc::new(file), range.start, range.end)
        };
        Ok(GetResult { payload: GetResultPayload::Stream(stream), meta, range, attributes })
    }
}

fn read_at(file: &File, offset: u64, bytes: u64) -> io::Result<Bytes> {
    let mut read = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut read, offset)?;
    Ok(read.into())
}

/// The body of a long read.
fn pieces(
    store: FolderStore,
    path: Path,
    file: Arc<File>,
    start: u64,
    end: u64,
) -> stream::BoxStream<'static, Result<Bytes>> {
    stream::try_unfold(start, move |at| {
        let (store, path, file) = (store.clone(), path.clone(), Arc::clone(&file));
        async move {
            let bytes = READ_BYTES.min(end - at);
            if bytes == 0 {
                return Ok(None);
            }
            let at_path = path.clone();
            let read = store.blocking(bytes, &path, move |_| {
                read_at(&file, at, bytes).map_err(|e| failed(&at_path, "reading", &e))
            });
            Ok(Some((read.await?, at + bytes)))
        }
    })
    .boxed()
}
