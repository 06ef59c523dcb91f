//! Opening a store by its URL.
//!
//! | URL | store |
//! |---|---|
//! | `s3://bucket`, `s3://bucket/prefix` | S3; every name is under the prefix |
//! | `file:///folder`, `/folder`, `folder` | a folder, made if it is not there |
//! | `memory:` | memory: gone with the process |

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use firn_engine::object::{Backend, Limits, MemoryStore, RetryOptions, RetryingStore, store_error};
use firn_engine::{Env, Error, ErrorKind, Result};
use object_store::path::Path;
use url::Url;

use crate::{FolderStore, S3Settings, S3Store};

/// What a URL stands for.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Memory,
    Folder(PathBuf),
    S3 { bucket: String, prefix: Path },
}

/// Opens a store with the usual limits for retries, and asks it once whether
/// it is there and lets us in.
///
/// # Errors
/// One line that names the store and what is wrong. `BadRequest`: the URL or a
/// setting; `Unavailable`: no such bucket, access denied, no answer.
pub async fn open(url: &str, settings: &S3Settings, env: Env) -> Result<Arc<RetryingStore>> {
    open_with(url, settings, env, RetryOptions::default()).await
}

/// As [`open`], with other limits.
///
/// # Errors
/// As [`open`].
pub async fn open_with(
    url: &str,
    settings: &S3Settings,
    env: Env,
    options: RetryOptions,
) -> Result<Arc<RetryingStore>> {
    let backend: Arc<dyn Backend> = match parse(url)? {
        Place::Memory => Arc::new(MemoryStore::new()),
        Place::Folder(folder) => Arc::new(FolderStore::open(&folder, env.clone())?),
        Place::S3 { bucket, prefix } => {
            Arc::new(S3Store::connect(&bucket, &prefix, settings).await?)
        }
    };
    // Whoever starts a process waits for this; a store that is down may take
    // minutes of retries in normal work.
    let list = Limits { tries: 3, time: Duration::from_secs(10), try_time: Duration::from_secs(5) };
    let patience =
        RetryOptions { list, throttled_time: Duration::from_secs(10), ..options.clone() };
    let probe = RetryingStore::new(Arc::clone(&backend), env.clone(), patience).probe().await;
    probe.map_err(|e| store_error(format_args!("object store {backend}"), &e))?;
    Ok(Arc::new(RetryingStore::new(backend, env, options)))
}

fn parse(text: &str) -> Result<Place> {
    let bad = |shown: &str, what: &str| {
        Err(Error::new(ErrorKind::BadRequest, format!("object store {shown:?}: {what}")))
    };
    if text.trim().is_empty() {
        return bad(text, "is empty; give a folder, s3://bucket/prefix or memory:");
    }
    if text == "memory:" {
        return Ok(Place::Memory);
    }
    let Some((scheme, _)) = text.split_once("://") else {
        return match text.strip_prefix("s3:").or(text.strip_prefix("file:")) {
            Some(_) => bad(text, "wants // after its scheme"),
            None => Ok(Place::Folder(text.into())),
        };
    };
    // What cannot be parsed may have credentials in it, too.
    let Ok(url) = Url::parse(text) else { return bad(&format!("{scheme}://…"), "is not a URL") };
    let host = url.host_str().unwrap_or_default();
    let shown = format!("{scheme}://{host}{}", url.path());
    if !url.username().is_empty() || url.password().is_some() {
        return bad(&shown, "may not have credentials in it; see access_key_id");
    }
    if url.query().is_some() || url.fragment().is_some() || url.port().is_some() {
        return bad(&shown, "may only have a bucket and a prefix");
    }
    match scheme {
        "memory" => Ok(Place::Memory),
        "file" => match url.to_file_path() {
            Ok(folder) => Ok(Place::Folder(folder)),
            Err(()) => bad(&shown, "wants an absolute path: file:///folder"),
        },
        "s3" if host.is_empty() => bad(&shown, "wants a bucket: s3://bucket/prefix"),
        "s3" => match Path::from_url_path(url.path()) {
            Ok(prefix) => Ok(Place::S3 { bucket: host.to_owned(), prefix }),
            Err(e) => bad(&shown, &format!("its prefix cannot be used: {e}")),
        },
        _ => bad(&shown, "its scheme is none of s3, file, memory"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3(bucket: &str, prefix: &str) -> Place {
        Place::S3 { bucket: bucket.into(), prefix: Path::from(prefix) }
    }

    #[test]
    fn urls_stand_for_places() {
        for (url, place) in [
            ("memory:", Place::Memory),
            ("memory://", Place::Memory),
            ("/var/lib/firn", Place::Folder("/var/lib/firn".into())),
            ("data", Place::Folder("data".into())),
            ("file:///var/lib/firn", Place::Folder("/var/lib/firn".into())),
            ("file:///with%20space", Place::Folder("/with space".into())),
            ("s3://data", s3("data", "")),
            ("s3://my.Data_1/", s3("my.Data_1", "")),
            ("s3://data/a/b/", s3("data", "a/b")),
        ] {
            assert_eq!(parse(url).unwrap(), place, "{url}");
        }
    }

    #[test]
    fn bad_urls_are_one_line_without_credentials() {
        for url in [
            "",
            "gs://data",
            "s3://",
            "s3:///prefix",
            "s3:data",
            "file://host/path",
            "s3://key:hunter2@data",
            "s3://key:hunter2@da ta",
            "s3://data?secret=hunter2",
            "s3://data:99/x",
            "http://[hunter2",
        ] {
            let e = parse(url).unwrap_err();
            let text = e.to_string();
            assert_eq!(e.kind(), ErrorKind::BadRequest, "{url}");
            assert!(text.starts_with("object store") && !text.contains('\n'), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
