//! S3, and what speaks like it.
//!
//! One request each, as the SDK makes it: signed, with checksums of what is
//! sent and checked ones of what comes back whole. Conditions are the
//! server's: `If-None-Match: *` for a create, `If-Match` for an update.

mod attributes;
mod connect;
mod errors;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::primitives::{ByteStream, DateTime as SdkDateTime};
use aws_sdk_s3::types::{
    CompletedMultipartUpload, CompletedPart, Delete, MetadataDirective, ObjectIdentifier,
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use firn_engine::Result as FirnResult;
use firn_engine::object::{Backend, Cause, Page, PageStart, Part, StoreError};
use futures::{StreamExt, stream};
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetRange, GetResult, GetResultPayload, ObjectMeta, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use self::attributes::apply;
use self::connect::Clients;
use self::errors::{classify, of_answer};
use crate::S3Settings;

const STORE: &str = "S3";

/// Objects under a prefix of a bucket. Clones share connections.
#[derive(Debug, Clone)]
pub struct S3Store {
    clients: Arc<Clients>,
    bucket: String,
    /// Empty, or with a slash at its end.
    prefix: String,
}

impl S3Store {
    /// A client for a bucket. Nothing is sent to it yet.
    ///
    /// # Errors
    /// `BadRequest` for settings that cannot be.
    pub async fn connect(bucket: &str, prefix: &Path, settings: &S3Settings) -> FirnResult<Self> {
        let prefix = match prefix.as_ref() {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        let clients = Arc::new(Clients::new(settings).await?);
        Ok(Self { clients, bucket: bucket.to_owned(), prefix })
    }

    fn key(&self, path: &Path) -> String {
        format!("{}{path}", self.prefix)
    }

    /// The path of a key; `None` for keys that nobody here can have made.
    fn path(&self, key: &str) -> Option<Path> {
        let path = key.strip_prefix(&self.prefix)?;
        let parsed = Path::parse(path).ok()?;
        (parsed.as_ref() == path).then_some(parsed)
    }
}

impl std::fmt::Display for S3Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

fn time(time: Option<&SdkDateTime>) -> DateTime<Utc> {
    let time = time.and_then(|t| DateTime::from_timestamp(t.secs(), t.subsec_nanos()));
    time.unwrap_or_default()
}

/// `Range` as HTTP has it.
fn http_range(range: &GetRange) -> Option<String> {
    match range {
        GetRange::Bounded(range) if range.end <= range.start => None,
        GetRange::Bounded(range) => Some(format!("bytes={}-{}", range.start, range.end - 1)),
        GetRange::Offset(start) => Some(format!("bytes={start}-")),
        GetRange::Suffix(bytes) => Some(format!("bytes=-{bytes}")),
    }
}

/// First byte, end and size out of `bytes 0-99/1000`.
fn parse_content_range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    Some((first, last.checked_add(1)?, size.parse().ok()?))
}

/// In one piece, copied together if it has several: signing reads it before
/// sending does.
fn body(payload: &PutPayload) -> ByteStream {
    ByteStream::from(Bytes::from(payload.clone()))
}

/// A body as a stream; the SDK checks its checksum if the server sent one.
fn stream_of(body: ByteStream, path: &Path) -> stream::BoxStream<'static, Result<Bytes>> {
    let path = path.clone();
    stream::try_unfold(body, move |mut body| {
        let path = path.clone();
        async move {
            match body.try_next().await {
                Ok(chunk) => Ok(chunk.map(|chunk| (chunk, body))),
                Err(e) => {
                    let what =
                        std::error::Error::source(&e).map_or(e.to_string(), |s| s.to_string());
                    let damaged = what.to_lowercase().contains("checksum");
                    let cause = if damaged { Cause::Damaged } else { Cause::Failed };
                    Err(StoreError::new(cause, what).at(STORE, &path))
                }
            }
        }
    })
    .boxed()
}

/// A part's name and checksum, which must be given again at the end.
fn part_id(e_tag: Option<String>, crc32: Option<String>) -> PartId {
    let mut content_id = e_tag.unwrap_or_default();
    if let Some(crc32) = crc32 {
        content_id.push('\n');
        content_id.push_str(&crc32);
    }
    PartId { content_id }
}

#[async_trait]
impl Backend for S3Store {
    async fn put(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let mut put = self.clients.get().put_object().bucket(&self.bucket).key(self.key(path));
        put = apply!(put, &options.attributes, path);
        if !options.tags.encoded().is_empty() {
            put = put.tagging(options.tags.encoded());
        }
        put = match &options.mode {
            PutMode::Overwrite => put,
            PutMode::Create => put.if_none_match("*"),
            PutMode::Update(version) => put.set_if_match(version.e_tag.clone()),
        };
        match put.body(body(&payload)).send().await {
            Ok(stored) => Ok(PutResult { e_tag: stored.e_tag, version: stored.version_id }),
            Err(e) => {
                let e = classify(&e);
                let cause = match (e.cause(), &options.mode) {
                    (Cause::Precondition, PutMode::Create) => Cause::Exists,
                    // There is nothing to be updated any more.
                    (Cause::NotFound, PutMode::Update(_)) => Cause::Precondition,
                    (cause, _) => cause,
                };
                Err(e.because(cause).at(STORE, path))
            }
        }
    }

    async fn get(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        if options.head {
            return self.head(path, options).await;
        }
        let range = match &options.range {
            None => None,
            Some(range) => Some(http_range(range).ok_or_else(|| {
                StoreError::new(Cause::BadRequest, "an empty range").at(STORE, path)
            })?),
        };
        let sdk_time = |time: DateTime<Utc>| SdkDateTime::from_secs(time.timestamp());
        let get = self
            .clients
            .get()
            .get_object()
            .bucket(&self.bucket)
            .key(self.key(path))
            .set_range(range.clone())
            .set_if_match(options.if_match)
            .set_if_none_match(options.if_none_match)
            .set_if_modified_since(options.if_modified_since.map(sdk_time))
            .set_if_unmodified_since(options.if_unmodified_since.map(sdk_time))
            .set_version_id(options.version);
        let found = get.send().await.map_err(|e| classify(&e).at(STORE, path))?;
        let length = found.content_length().and_then(|n| u64::try_from(n).ok());
        let odd = |what: String| StoreError::new(Cause::Damaged, what).at(STORE, path);
        let (range, size) = match (&range, found.content_range()) {
            (Some(_), Some(text)) => {
                let parsed = parse_content_range(text);
                let (start, end, size) =
                    parsed.ok_or_else(|| odd(format!("Content-Range: {text}")))?;
                (start..end, size)
            }
            (Some(asked), None) => {
                return Err(odd(format!("asked for {asked}, the whole object came")));
            }
            (None, _) => {
                let size = length.ok_or_else(|| odd("no Content-Length".into()))?;
                (0..size, size)
            }
        };
        let meta = ObjectMeta {
            location: path.clone(),
            last_modified: time(found.last_modified()),
            size,
            e_tag: found.e_tag().map(str::to_owned),
            version: found.version_id().map(str::to_owned),
        };
        let attributes = attributes::read!(found);
        let payload = GetResultPayload::Stream(stream_of(found.body, path));
        Ok(GetResult { payload, meta, range, attributes })
    }

    async fn list(&self, prefix: Option<&Path>, delimiter: bool, start: PageStart) -> Result<Page> {
        let root = Path::default();
        let at = prefix.unwrap_or(&root);
        let under = match at.as_ref() {
            "" => self.prefix.clone(),
            prefix => format!("{}{prefix}/", self.prefix),
        };
        let mut list = self.clients.get().list_objects_v2().bucket(&self.bucket);
        if !under.is_empty() {
            list = list.prefix(&under);
        }
        if delimiter {
            list = list.delimiter("/");
        }
        list = match start {
            PageStart::First => list,
            PageStart::After(path) => list.start_after(self.key(&path)),
            PageStart::Continue(token) => list.continuation_token(token),
        };
        let listed = list.send().await.map_err(|e| match classify(&e) {
            // A list has no other thing that could be missing.
            e if e.cause() == Cause::NotFound => e.because(Cause::NoBucket).at(STORE, at),
            e => e.at(STORE, at),
        })?;
        let next = match (listed.is_truncated(), listed.next_continuation_token()) {
            (Some(true), Some(next)) => Some(next.to_owned()),
            (Some(true), None) => {
                let what = "a list that goes on does not say where";
                return Err(StoreError::new(Cause::Damaged, what).at(STORE, at));
            }
            _ => None,
        };
        let mut page = Page { next, ..Page::default() };
        for object in listed.contents() {
            let key = object.key().unwrap_or_default();
            let Some(location) = self.path(key) else {
                tracing::debug!(key, "not an object of ours");
                continue;
            };
            page.objects.push(ObjectMeta {
                location,
                last_modified: time(object.last_modified()),
                size: object.size().and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
                e_tag: object.e_tag().map(str::to_owned),
                version: None,
            });
        }
        for folder in listed.common_prefixes() {
            let folder = folder.prefix().unwrap_or_default();
            page.prefixes.extend(self.path(folder.trim_end_matches('/')));
        }
        Ok(page)
    }

    async fn delete(&self, paths: &[Path]) -> Result<Vec<Result<()>>> {
        if let [path] = paths {
            let delete =
                self.clients.get().delete_object().bucket(&self.bucket).key(self.key(path));
            return match delete.send().await.map_err(|e| classify(&e)) {
                Ok(_) => Ok(vec![Ok(())]),
                Err(e) if e.cause() == Cause::NotFound => Ok(vec![Ok(())]),
                Err(e) => Err(e.at(STORE, path)),
            };
        }
        let Some(first) = paths.first() else { return Ok(Vec::new()) };
        let failed = |e: StoreError| e.at(STORE, first);
        let mut batch = Delete::builder().quiet(true);
        for path in paths {
            let object = ObjectIdentifier::builder().key(self.key(path)).build();
            batch = batch.objects(object.map_err(|e| failed(unbuilt(e)))?);
        }
        let batch = batch.build().map_err(|e| failed(unbuilt(e)))?;
        let delete = self.clients.get().delete_objects().bucket(&self.bucket).delete(batch);
        let deleted = delete.send().await.map_err(|e| failed(classify(&e)))?;
        let errors: std::collections::BTreeMap<_, _> =
            deleted.errors().iter().map(|e| (e.key().unwrap_or_default(), e)).collect();
        let result = |path: &Path| match errors.get(self.key(path).as_str()) {
            None => Ok(()),
            Some(e) => match of_answer(500, e.code(), e.message()) {
                e if e.cause() == Cause::NotFound => Ok(()),
                e => Err(e.at(STORE, path)),
            },
        };
        Ok(paths.iter().map(result).collect())
    }

    async fn copy(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        if options.mode == CopyMode::Create {
            let what = "a copy that must not replace anything";
            return Err(StoreError::new(Cause::NotSupported, what).at(STORE, to));
        }
        let source = format!("{}/{}", self.bucket, self.key(from));
        let source: String = url::form_urlencoded::byte_serialize(source.as_bytes()).collect();
        let copy = self
            .clients
            .get()
            .copy_object()
            .bucket(&self.bucket)
            .key(self.key(to))
            // In a header, a plus is a plus.
            .copy_source(source.replace('+', "%20"))
            .metadata_directive(MetadataDirective::Copy);
        copy.send().await.map(drop).map_err(|e| classify(&e).at(STORE, from))
    }

    async fn create_upload(&self, path: &Path, options: PutMultipartOptions) -> Result<String> {
        let mut create =
            self.clients.get().create_multipart_upload().bucket(&self.bucket).key(self.key(path));
        create = apply!(create, &options.attributes, path);
        if !options.tags.encoded().is_empty() {
            create = create.tagging(options.tags.encoded());
        }
        let created = create.send().await.map_err(|e| classify(&e).at(STORE, path))?;
        created.upload_id.ok_or_else(|| {
            StoreError::new(Cause::Damaged, "an upload without an id").at(STORE, path)
        })
    }

    async fn put_part(&self, path: &Path, upload: &str, part: Part) -> Result<PartId> {
        let number = i32::try_from(part.index + 1).unwrap_or(i32::MAX);
        let put = self
            .clients
            .get()
            .upload_part()
            .bucket(&self.bucket)
            .key(self.key(path))
            .upload_id(upload)
            .part_number(number)
            .body(body(&part.payload));
        let stored = put.send().await.map_err(|e| classify(&e).at(STORE, path))?;
        Ok(part_id(stored.e_tag, stored.checksum_crc32))
    }

    async fn complete_upload(
        &self,
        path: &Path,
        upload: &str,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        let parts = parts.iter().zip(1..).map(|(part, number)| {
            let (e_tag, crc32) = match part.content_id.split_once('\n') {
                Some((e_tag, crc32)) => (e_tag, Some(crc32.to_owned())),
                None => (part.content_id.as_str(), None),
            };
            let part = CompletedPart::builder().part_number(number).e_tag(e_tag);
            part.set_checksum_crc32(crc32).build()
        });
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let complete = self
            .clients
            .get()
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(self.key(path))
            .upload_id(upload)
            .multipart_upload(parts);
        let stored = complete.send().await.map_err(|e| classify(&e).at(STORE, path))?;
        Ok(PutResult { e_tag: stored.e_tag, version: stored.version_id })
    }

    async fn abort_upload(&self, path: &Path, upload: &str) -> Result<()> {
        let abort = self
            .clients
            .get()
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(self.key(path))
            .upload_id(upload);
        match abort.send().await.map_err(|e| classify(&e)) {
            Ok(_) => Ok(()),
            Err(e) if e.cause() == Cause::NotFound => Ok(()),
            Err(e) => Err(e.at(STORE, path)),
        }
    }
}

fn unbuilt(e: impl std::fmt::Display) -> StoreError {
    StoreError::new(Cause::BadRequest, e.to_string())
}

impl S3Store {
    async fn head(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let head = self
            .clients
            .get()
            .head_object()
            .bucket(&self.bucket)
            .key(self.key(path))
            .set_if_match(options.if_match)
            .set_if_none_match(options.if_none_match)
            .set_version_id(options.version);
        let found = head.send().await.map_err(|e| classify(&e).at(STORE, path))?;
        let size = found.content_length().and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        let meta = ObjectMeta {
            location: path.clone(),
            last_modified: time(found.last_modified()),
            size,
            e_tag: found.e_tag().map(str::to_owned),
            version: found.version_id().map(str::to_owned),
        };
        let attributes = attributes::read!(found);
        let payload = GetResultPayload::Stream(stream::empty().boxed());
        Ok(GetResult { payload, meta, range: 0..0, attributes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_http_has_them() {
        assert_eq!(http_range(&GetRange::Bounded(0..100)).unwrap(), "bytes=0-99");
        assert_eq!(http_range(&GetRange::Bounded(7..7)), None);
        assert_eq!(http_range(&GetRange::Suffix(5)).unwrap(), "bytes=-5");
        assert_eq!(parse_content_range("bytes 10-19/100"), Some((10, 20, 100)));
        assert_eq!(parse_content_range("bytes */100"), None);
        assert_eq!(parse_content_range("bytes 0-18446744073709551615/1"), None);
    }
}
