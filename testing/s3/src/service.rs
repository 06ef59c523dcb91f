//! The operations of S3 that tests need, on [`Buckets`].

use std::sync::Arc;

use bytes::Bytes;
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

use crate::body::{self, Body, Claims, hex};
use crate::buckets::{Buckets, Conditions, Headers, Object as Stored};
use crate::faults::Faults;

pub(crate) struct Service {
    pub(crate) buckets: Arc<Buckets>,
    pub(crate) faults: Arc<Faults>,
}

type Reply<T> = S3Result<S3Response<T>>;

fn reply<T>(output: T) -> Reply<T> {
    Ok(S3Response::new(output))
}

fn e_tag(object: &Stored) -> Option<ETag> {
    Some(ETag::Strong(object.e_tag.clone()))
}

fn len(bytes: usize) -> Option<i64> {
    i64::try_from(bytes).ok()
}

fn blob(bytes: Bytes) -> StreamingBlob {
    StreamingBlob::wrap(futures::stream::iter([Ok::<_, std::io::Error>(bytes)]))
}

/// The name of the operation is what [`crate::Server::fault`] knows it by.
#[async_trait::async_trait]
impl S3 for Service {
    async fn create_bucket(&self, r: S3Request<CreateBucketInput>) -> Reply<CreateBucketOutput> {
        self.faults
            .around("CreateBucket", async {
                self.buckets.create(&r.input.bucket)?;
                reply(CreateBucketOutput::default())
            })
            .await
    }

    async fn head_bucket(&self, r: S3Request<HeadBucketInput>) -> Reply<HeadBucketOutput> {
        self.faults
            .around("HeadBucket", async {
                self.buckets.check(&r.input.bucket)?;
                reply(HeadBucketOutput::default())
            })
            .await
    }

    async fn put_object(&self, r: S3Request<PutObjectInput>) -> Reply<PutObjectOutput> {
        self.faults
            .around("PutObject", async {
                let i = r.input;
                let claims = Claims {
                    content_md5: i.content_md5,
                    checksum: Checksum {
                        checksum_crc32: i.checksum_crc32,
                        checksum_crc32c: i.checksum_crc32c,
                        checksum_crc64nvme: i.checksum_crc64nvme,
                        checksum_sha1: i.checksum_sha1,
                        checksum_sha256: i.checksum_sha256,
                        ..Checksum::default()
                    },
                    algorithm: i.checksum_algorithm.map(|a| a.as_str().to_owned()),
                    trailers: r.trailing_headers,
                };
                let body = body::read(i.body, claims).await?;
                let headers = Headers {
                    cache_control: i.cache_control,
                    content_disposition: i.content_disposition,
                    content_encoding: i.content_encoding,
                    content_language: i.content_language,
                    content_type: i.content_type,
                    metadata: i.metadata,
                };
                let conditions =
                    Conditions { if_match: i.if_match, if_none_match: i.if_none_match };
                let stored = self.buckets.put(&i.bucket, &i.key, body, headers, &conditions)?;
                reply(PutObjectOutput {
                    e_tag: e_tag(&stored),
                    checksum_crc32: stored.checksum.checksum_crc32,
                    checksum_crc32c: stored.checksum.checksum_crc32c,
                    checksum_crc64nvme: stored.checksum.checksum_crc64nvme,
                    checksum_sha1: stored.checksum.checksum_sha1,
                    checksum_sha256: stored.checksum.checksum_sha256,
                    ..PutObjectOutput::default()
                })
            })
            .await
    }

    async fn get_object(&self, r: S3Request<GetObjectInput>) -> Reply<GetObjectOutput> {
        self.faults
            .around("GetObject", async {
                let i = r.input;
                let found = self.buckets.get(&i.bucket, &i.key)?;
                Conditions { if_match: i.if_match, if_none_match: i.if_none_match }
                    .check_read(&found)?;
                let whole = found.bytes.len();
                let (bytes, range) = match i.range {
                    None => (found.bytes.clone(), None),
                    Some(range) => {
                        let range = range.check(whole as u64)?;
                        let text = format!("bytes {}-{}/{whole}", range.start, range.end - 1);
                        // In memory, so it fits.
                        let range = range.start as usize..range.end as usize;
                        (found.bytes.slice(range), Some(text))
                    }
                };
                // A checksum is of the whole object.
                let checksum = match (i.checksum_mode, &range) {
                    (Some(_), None) => found.checksum.clone(),
                    _ => Checksum::default(),
                };
                reply(GetObjectOutput {
                    accept_ranges: Some("bytes".into()),
                    content_length: len(bytes.len()),
                    content_range: range,
                    e_tag: e_tag(&found),
                    last_modified: Some(found.modified.into()),
                    body: Some(blob(bytes)),
                    checksum_crc32: checksum.checksum_crc32,
                    checksum_crc32c: checksum.checksum_crc32c,
                    checksum_crc64nvme: checksum.checksum_crc64nvme,
                    checksum_sha1: checksum.checksum_sha1,
                    checksum_sha256: checksum.checksum_sha256,
                    cache_control: found.headers.cache_control,
                    content_disposition: found.headers.content_disposition,
                    content_encoding: found.headers.content_encoding,
                    content_language: found.headers.content_language,
                    content_type: found.headers.content_type,
                    metadata: found.headers.metadata,
                    ..GetObjectOutput::default()
                })
            })
            .await
    }

    async fn head_object(&self, r: S3Request<HeadObjectInput>) -> Reply<HeadObjectOutput> {
        self.faults
            .around("HeadObject", async {
                let i = r.input;
                let found = self.buckets.get(&i.bucket, &i.key)?;
                Conditions { if_match: i.if_match, if_none_match: i.if_none_match }
                    .check_read(&found)?;
                let checksum = i.checksum_mode.map(|_| found.checksum.clone()).unwrap_or_default();
                reply(HeadObjectOutput {
                    accept_ranges: Some("bytes".into()),
                    content_length: len(found.bytes.len()),
                    e_tag: e_tag(&found),
                    last_modified: Some(found.modified.into()),
                    checksum_crc32: checksum.checksum_crc32,
                    checksum_crc32c: checksum.checksum_crc32c,
                    checksum_crc64nvme: checksum.checksum_crc64nvme,
                    checksum_sha1: checksum.checksum_sha1,
                    checksum_sha256: checksum.checksum_sha256,
                    cache_control: found.headers.cache_control,
                    content_disposition: found.headers.content_disposition,
                    content_encoding: found.headers.content_encoding,
                    content_language: found.headers.content_language,
                    content_type: found.headers.content_type,
                    metadata: found.headers.metadata,
                    ..HeadObjectOutput::default()
                })
            })
            .await
    }

    async fn delete_object(&self, r: S3Request<DeleteObjectInput>) -> Reply<DeleteObjectOutput> {
        self.faults
            .around("DeleteObject", async {
                let i = r.input;
                let conditions = Conditions { if_match: i.if_match, if_none_match: None };
                self.buckets.delete(&i.bucket, &i.key, &conditions)?;
                reply(DeleteObjectOutput::default())
            })
            .await
    }

    async fn delete_objects(&self, r: S3Request<DeleteObjectsInput>) -> Reply<DeleteObjectsOutput> {
        self.faults
            .around("DeleteObjects", async {
                let i = r.input;
                if i.delete.objects.len() > 1000 {
                    return Err(s3_error!(MalformedXML));
                }
                let mut deleted = Vec::new();
                for object in i.delete.objects {
                    self.buckets.delete(&i.bucket, &object.key, &Conditions::default())?;
                    deleted.push(DeletedObject { key: Some(object.key), ..Default::default() });
                }
                let quiet = i.delete.quiet == Some(true);
                let deleted = (!quiet).then_some(deleted);
                reply(DeleteObjectsOutput { deleted, ..DeleteObjectsOutput::default() })
            })
            .await
    }

    async fn copy_object(&self, r: S3Request<CopyObjectInput>) -> Reply<CopyObjectOutput> {
        self.faults
            .around("CopyObject", async {
                let i = r.input;
                let CopySource::Bucket { bucket, key, .. } = i.copy_source else {
                    return Err(s3_error!(NotImplemented));
                };
                let from = self.buckets.get(&bucket, &key)?;
                let claims = Claims::default();
                let body = body::read(Some(blob(from.bytes)), claims).await?;
                let body = Body { checksum: from.checksum, ..body };
                let none = Conditions::default();
                let stored = self.buckets.put(&i.bucket, &i.key, body, from.headers, &none)?;
                let result = CopyObjectResult {
                    e_tag: e_tag(&stored),
                    last_modified: Some(stored.modified.into()),
                    ..CopyObjectResult::default()
                };
                reply(CopyObjectOutput {
                    copy_object_result: Some(result),
                    ..CopyObjectOutput::default()
                })
            })
            .await
    }

    async fn list_objects_v2(
        &self,
        r: S3Request<ListObjectsV2Input>,
    ) -> Reply<ListObjectsV2Output> {
        self.faults
            .around("ListObjectsV2", async {
                let i = r.input;
                let prefix = i.prefix.clone().unwrap_or_default();
                let max = i.max_keys.map_or(1000, |max| usize::try_from(max).unwrap_or(0));
                let after = i.continuation_token.as_deref().or(i.start_after.as_deref());
                let after = after.unwrap_or_default();
                let page =
                    self.buckets.list(&i.bucket, &prefix, i.delimiter.as_deref(), after, max)?;
                let contents: Vec<_> = page
                    .objects
                    .iter()
                    .map(|(key, object)| Object {
                        key: Some(key.clone()),
                        e_tag: e_tag(object),
                        size: len(object.bytes.len()),
                        last_modified: Some(object.modified.into()),
                        ..Object::default()
                    })
                    .collect();
                let prefixes = page.prefixes.into_iter();
                let prefixes: Vec<_> =
                    prefixes.map(|prefix| CommonPrefix { prefix: Some(prefix) }).collect();
                let count = contents.len() + prefixes.len();
                reply(ListObjectsV2Output {
                    name: Some(i.bucket),
                    prefix: i.prefix,
                    max_keys: i.max_keys,
                    delimiter: i.delimiter,
                    start_after: i.start_after,
                    continuation_token: i.continuation_token,
                    key_count: i32::try_from(count).ok(),
                    is_truncated: Some(page.last.is_some()),
                    next_continuation_token: page.last,
                    contents: (!contents.is_empty()).then_some(contents),
                    common_prefixes: (!prefixes.is_empty()).then_some(prefixes),
                    ..ListObjectsV2Output::default()
                })
            })
            .await
    }

    async fn create_multipart_upload(
        &self,
        r: S3Request<CreateMultipartUploadInput>,
    ) -> Reply<CreateMultipartUploadOutput> {
        self.faults
            .around("CreateMultipartUpload", async {
                let i = r.input;
                let headers = Headers {
                    cache_control: i.cache_control,
                    content_disposition: i.content_disposition,
                    content_encoding: i.content_encoding,
                    content_language: i.content_language,
                    content_type: i.content_type,
                    metadata: i.metadata,
                };
                let id = self.buckets.create_upload(&i.bucket, &i.key, headers)?;
                reply(CreateMultipartUploadOutput {
                    bucket: Some(i.bucket),
                    key: Some(i.key),
                    upload_id: Some(id),
                    ..CreateMultipartUploadOutput::default()
                })
            })
            .await
    }

    async fn upload_part(&self, r: S3Request<UploadPartInput>) -> Reply<UploadPartOutput> {
        self.faults
            .around("UploadPart", async {
                let i = r.input;
                if !(1..=10_000).contains(&i.part_number) {
                    return Err(s3_error!(InvalidArgument));
                }
                let claims = Claims {
                    content_md5: i.content_md5,
                    checksum: Checksum {
                        checksum_crc32: i.checksum_crc32,
                        checksum_crc32c: i.checksum_crc32c,
                        checksum_crc64nvme: i.checksum_crc64nvme,
                        checksum_sha1: i.checksum_sha1,
                        checksum_sha256: i.checksum_sha256,
                        ..Checksum::default()
                    },
                    algorithm: i.checksum_algorithm.map(|a| a.as_str().to_owned()),
                    trailers: r.trailing_headers,
                };
                let body = body::read(i.body, claims).await?;
                let (e_tag, sums) = (ETag::Strong(hex(&body.md5)), body.checksum.clone());
                self.buckets.with_upload(&i.bucket, &i.key, &i.upload_id, |upload| {
                    upload.parts.insert(i.part_number, body);
                    Ok(())
                })?;
                reply(UploadPartOutput {
                    e_tag: Some(e_tag),
                    checksum_crc32: sums.checksum_crc32,
                    checksum_crc32c: sums.checksum_crc32c,
                    checksum_crc64nvme: sums.checksum_crc64nvme,
                    checksum_sha1: sums.checksum_sha1,
                    checksum_sha256: sums.checksum_sha256,
                    ..UploadPartOutput::default()
                })
            })
            .await
    }

    async fn complete_multipart_upload(
        &self,
        r: S3Request<CompleteMultipartUploadInput>,
    ) -> Reply<CompleteMultipartUploadOutput> {
        self.faults
            .around("CompleteMultipartUpload", async {
                let i = r.input;
                let asked = i.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
                let mut parts = Vec::new();
                for part in asked {
                    let number = part.part_number.ok_or_else(|| s3_error!(InvalidPart))?;
                    parts.push((number, part.e_tag.ok_or_else(|| s3_error!(InvalidPart))?));
                }
                let conditions =
                    Conditions { if_match: i.if_match, if_none_match: i.if_none_match };
                let stored = self.buckets.complete_upload(
                    &i.bucket,
                    &i.key,
                    &i.upload_id,
                    &parts,
                    &conditions,
                )?;
                reply(CompleteMultipartUploadOutput {
                    bucket: Some(i.bucket),
                    key: Some(i.key),
                    e_tag: e_tag(&stored),
                    ..CompleteMultipartUploadOutput::default()
                })
            })
            .await
    }

    async fn abort_multipart_upload(
        &self,
        r: S3Request<AbortMultipartUploadInput>,
    ) -> Reply<AbortMultipartUploadOutput> {
        self.faults
            .around("AbortMultipartUpload", async {
                let i = r.input;
                self.buckets.abort_upload(&i.bucket, &i.key, &i.upload_id)?;
                reply(AbortMultipartUploadOutput::default())
            })
            .await
    }

    async fn list_multipart_uploads(
        &self,
        r: S3Request<ListMultipartUploadsInput>,
    ) -> Reply<ListMultipartUploadsOutput> {
        self.faults
            .around("ListMultipartUploads", async {
                let uploads = self.buckets.uploads(&r.input.bucket)?.into_iter();
                let uploads = uploads.map(|(key, id)| MultipartUpload {
                    key: Some(key),
                    upload_id: Some(id),
                    ..MultipartUpload::default()
                });
                reply(ListMultipartUploadsOutput {
                    bucket: Some(r.input.bucket),
                    uploads: Some(uploads.collect()),
                    ..ListMultipartUploadsOutput::default()
                })
            })
            .await
    }

    async fn list_parts(&self, r: S3Request<ListPartsInput>) -> Reply<ListPartsOutput> {
        self.faults
            .around("ListParts", async {
                let i = r.input;
                let parts =
                    self.buckets.with_upload(&i.bucket, &i.key, &i.upload_id, |upload| {
                        let parts = upload.parts.iter().map(|(number, body)| Part {
                            part_number: Some(*number),
                            e_tag: Some(ETag::Strong(hex(&body.md5))),
                            size: len(body.bytes.len()),
                            ..Part::default()
                        });
                        Ok(parts.collect())
                    })?;
                reply(ListPartsOutput {
                    bucket: Some(i.bucket),
                    key: Some(i.key),
                    upload_id: Some(i.upload_id),
                    parts: Some(parts),
                    ..ListPartsOutput::default()
                })
            })
            .await
    }
}
