//! What is stored, and every decision about it, under one lock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{Checksum, ETag, ETagCondition, Metadata};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use crate::body::{Body, hex};

/// Limits that real servers have, and tests may lower.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Names in a page of a list at most.
    pub page_keys: usize,
    /// Bytes in a part of an upload at least, but for the last.
    pub part_bytes_min: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { page_keys: 1000, part_bytes_min: 5 << 20 }
    }
}

/// Headers that are kept with an object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers {
    pub(crate) cache_control: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) metadata: Option<Metadata>,
}

#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) bytes: Bytes,
    pub(crate) e_tag: String,
    pub(crate) checksum: Checksum,
    pub(crate) headers: Headers,
    pub(crate) modified: SystemTime,
}

#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) key: String,
    pub(crate) headers: Headers,
    pub(crate) parts: BTreeMap<i32, Body>,
}

#[derive(Debug, Default)]
struct Bucket {
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, Upload>,
}

#[derive(Debug, Default)]
pub(crate) struct Buckets {
    buckets: Mutex<BTreeMap<String, Bucket>>,
    last_upload: Mutex<u64>,
    pub(crate) limits: Limits,
}

/// Conditions of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
}

impl Conditions {
    fn matches(condition: &ETagCondition, e_tag: &str) -> bool {
        match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(asked) => asked.value() == e_tag,
        }
    }

    /// Whether a write may replace what is there.
    fn check_write(&self, there: Option<&Object>) -> S3Result<()> {
        let failed = || {
            let what = "at least one of the conditions you gave does not hold";
            S3Error::with_message(S3ErrorCode::PreconditionFailed, what)
        };
        match (&self.if_match, there) {
            (Some(_), None) => return Err(s3_error!(NoSuchKey)),
            (Some(asked), Some(there)) if !Self::matches(asked, &there.e_tag) => {
                return Err(failed());
            }
            _ => {}
        }
        match (&self.if_none_match, there) {
            (Some(asked), Some(there)) if Self::matches(asked, &there.e_tag) => Err(failed()),
            _ => Ok(()),
        }
    }

    /// Whether a read is answered.
    pub(crate) fn check_read(&self, there: &Object) -> S3Result<()> {
        if self.if_match.as_ref().is_some_and(|asked| !Self::matches(asked, &there.e_tag)) {
            return Err(s3_error!(PreconditionFailed));
        }
        if self.if_none_match.as_ref().is_some_and(|asked| Self::matches(asked, &there.e_tag)) {
            return Err(s3_error!(NotModified));
        }
        Ok(())
    }
}

/// One page of a list.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) objects: Vec<(String, Object)>,
    pub(crate) prefixes: Vec<String>,
    /// The last name or prefix in it, if there is more.
    pub(crate) last: Option<String>,
}

impl Buckets {
    pub(crate) fn with_limits(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    fn with<T>(&self, bucket: &str, run: impl FnOnce(&mut Bucket) -> S3Result<T>) -> S3Result<T> {
        let mut buckets = self.buckets.lock();
        run(buckets.get_mut(bucket).ok_or_else(|| s3_error!(NoSuchBucket))?)
    }

    pub(crate) fn create(&self, bucket: &str) -> S3Result<()> {
        let mut buckets = self.buckets.lock();
        if buckets.contains_key(bucket) {
            return Err(s3_error!(BucketAlreadyOwnedByYou));
        }
        buckets.insert(bucket.to_owned(), Bucket::default());
        Ok(())
    }

    pub(crate) fn check(&self, bucket: &str) -> S3Result<()> {
        self.with(bucket, |_| Ok(()))
    }

    pub(crate) fn put(
        &self,
        bucket: &str,
        key: &str,
        body: Body,
        headers: Headers,
        conditions: &Conditions,
    ) -> S3Result<Object> {
        let object = Object {
            bytes: body.bytes,
            e_tag: hex(&body.md5),
            checksum: body.checksum,
            headers,
            modified: SystemTime::now(),
        };
        self.with(bucket, |bucket| {
            conditions.check_write(bucket.objects.get(key))?;
            bucket.objects.insert(key.to_owned(), object.clone());
            Ok(object)
        })
    }

    pub(crate) fn get(&self, bucket: &str, key: &str) -> S3Result<Object> {
        self.with(bucket, |bucket| {
            bucket.objects.get(key).cloned().ok_or_else(|| s3_error!(NoSuchKey))
        })
    }

    pub(crate) fn delete(&self, bucket: &str, key: &str, conditions: &Conditions) -> S3Result<()> {
        self.with(bucket, |bucket| {
            if let Some(there) = bucket.objects.get(key) {
                conditions.check_write(Some(there))?;
            }
            bucket.objects.remove(key);
            Ok(())
        })
    }

    pub(crate) fn list(
        &self,
        bucket: &str,
        prefix: &str,
        delimiter: Option<&str>,
        after: &str,
        max: usize,
    ) -> S3Result<Page> {
        let max = max.min(self.limits.page_keys);
        self.with(bucket, |bucket| {
            let mut page = Page::default();
            let mut prefixes = BTreeSet::new();
            let mut last = String::new();
            for (key, object) in bucket.objects.range(prefix.to_owned()..) {
                let Some(rest) = key.strip_prefix(prefix) else { break };
                let folder = delimiter
                    .filter(|d| !d.is_empty())
                    .and_then(|d| Some(&key[..prefix.len() + rest.find(d)? + d.len()]));
                let name = folder.unwrap_or(key);
                if name <= after || prefixes.contains(name) {
                    continue;
                }
                if page.objects.len() + prefixes.len() >= max {
                    page.last = Some(last);
                    break;
                }
                last = name.to_owned();
                match folder {
                    Some(folder) => drop(prefixes.insert(folder.to_owned())),
                    None => page.objects.push((key.clone(), object.clone())),
                }
            }
            page.prefixes = prefixes.into_iter().collect();
            Ok(page)
        })
    }

    pub(crate) fn create_upload(
        &self,
        bucket: &str,
        key: &str,
        headers: Headers,
    ) -> S3Result<String> {
        let id = {
            let mut last = self.last_upload.lock();
            *last += 1;
            format!("upload-{last}")
        };
        self.with(bucket, |bucket| {
            let upload = Upload { key: key.to_owned(), headers, parts: BTreeMap::new() };
            bucket.uploads.insert(id.clone(), upload);
            Ok(id)
        })
    }

    /// Runs `run` on an upload.
    pub(crate) fn with_upload<T>(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        run: impl FnOnce(&mut Upload) -> S3Result<T>,
    ) -> S3Result<T> {
        self.with(bucket, |bucket| {
            let found = bucket.uploads.get_mut(id).filter(|upload| upload.key == key);
            run(found.ok_or_else(|| s3_error!(NoSuchUpload))?)
        })
    }

    pub(crate) fn complete_upload(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        parts: &[(i32, ETag)],
        conditions: &Conditions,
    ) -> S3Result<Object> {
        let part_bytes_min = self.limits.part_bytes_min;
        self.with(bucket, |bucket| {
            let found = bucket.uploads.get(id).filter(|upload| upload.key == key);
            let upload = found.ok_or_else(|| s3_error!(NoSuchUpload))?;
            if parts.is_empty() || !parts.is_sorted_by(|a, b| a.0 < b.0) {
                return Err(s3_error!(InvalidPartOrder));
            }
            let (mut bytes, mut digests) = (BytesMut::new(), Vec::new());
            for (index, (number, e_tag)) in parts.iter().enumerate() {
                let part = upload.parts.get(number);
                let part = part.filter(|part| hex(&part.md5) == e_tag.value());
                let part = part.ok_or_else(|| s3_error!(InvalidPart))?;
                if part.bytes.len() < part_bytes_min && index + 1 < parts.len() {
                    return Err(s3_error!(EntityTooSmall));
                }
                bytes.extend_from_slice(&part.bytes);
                digests.extend_from_slice(&part.md5);
            }
            conditions.check_write(bucket.objects.get(key))?;
            let digest: [u8; 16] = Md5::checksum(&digests);
            let object = Object {
                bytes: bytes.freeze(),
                e_tag: format!("{}-{}", hex(&digest), parts.len()),
                checksum: Checksum::default(),
                headers: upload.headers.clone(),
                modified: SystemTime::now(),
            };
            bucket.objects.insert(key.to_owned(), object.clone());
            bucket.uploads.remove(id);
            Ok(object)
        })
    }

    pub(crate) fn abort_upload(&self, bucket: &str, key: &str, id: &str) -> S3Result<()> {
        self.with_upload(bucket, key, id, |_| Ok(()))?;
        self.with(bucket, |bucket| {
            bucket.uploads.remove(id);
            Ok(())
        })
    }

    /// Names and ids of open uploads.
    pub(crate) fn uploads(&self, bucket: &str) -> S3Result<Vec<(String, String)>> {
        self.with(bucket, |bucket| {
            Ok(bucket.uploads.iter().map(|(id, upload)| (upload.key.clone(), id.clone())).collect())
        })
    }
}
