//! What only happens on a wire: refused credentials, missing buckets, servers
//! that say no, fail after doing, never answer, or are not there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use firn_engine::object::{Cause, RequestKind, RetryOptions, RetryingStore, cause_of, from_store};
use firn_engine::{ErrorKind, Result};
use firn_object_store::{S3Settings, S3Store, open, open_with};
use firn_testing_s3::{Fault, Server};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::conditions::{create, update};
use crate::places::{env_seeded, patient, settings_of};

async fn opened(url: &str, settings: &S3Settings) -> Result<Arc<RetryingStore>> {
    open_with(url, settings, env_seeded(7), patient()).await
}

/// The line that a refused opening says; checked for credentials.
async fn refused(url: &str, settings: &S3Settings) -> (ErrorKind, String) {
    let e = opened(url, settings).await.unwrap_err();
    let text = e.to_string();
    for secret in [&settings.access_key_id, &settings.secret_access_key].into_iter().flatten() {
        assert!(!text.contains(secret.as_str()), "{text}");
    }
    assert!(!text.contains('\n') && text.contains("object store"), "{text}");
    (e.kind(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_does_not_let_us_in_says_why() {
    let server = Server::start("data").await.unwrap();
    let good = settings_of(&server);
    assert!(opened("s3://data/some/prefix", &good).await.is_ok());

    let (kind, text) = refused("s3://nodata", &good).await;
    assert_eq!(kind, ErrorKind::Unavailable);
    assert!(text.starts_with("object store s3://nodata/: no such bucket"), "{text}");

    let wrong = S3Settings { secret_access_key: Some("hunter2hunter2".into()), ..good.clone() };
    let (kind, text) = refused("s3://data", &wrong).await;
    assert_eq!(kind, ErrorKind::Unavailable);
    assert!(text.contains("access denied (SignatureDoesNotMatch"), "{text}");

    let wrong = S3Settings { access_key_id: Some("NOSUCHKEY".into()), ..good.clone() };
    let (_, text) = refused("s3://data", &wrong).await;
    assert!(text.contains("access denied"), "{text}");

    let endpoint = server.endpoint();
    drop(server);
    let gone = S3Settings { endpoint: Some(endpoint), ..good };
    let started = Instant::now();
    let (kind, text) = refused("s3://data", &gone).await;
    assert_eq!(kind, ErrorKind::Unavailable);
    assert!(text.contains("cannot be reached"), "{text}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_open_by_url() {
    let folder = tempfile::TempDir::new().unwrap();
    let settings = S3Settings::default();
    let plain = folder.path().join("a b");
    let url = format!("file://{}/a%20b", folder.path().display());
    let path = Path::from("x");
    let first = open(plain.to_str().unwrap(), &settings, env_seeded(1)).await.unwrap();
    first.put(&path, "1".into()).await.unwrap();
    let again = open(&url, &settings, env_seeded(1)).await.unwrap();
    assert_eq!(again.get(&path).await.unwrap().bytes().await.unwrap(), "1");
    let memory = open("memory:", &settings, env_seeded(1)).await.unwrap();
    memory.put(&path, "1".into()).await.unwrap();
    let e = open("gs://data", &settings, env_seeded(1)).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::BadRequest);
}

#[tokio::test(flavor = "multi_thread")]
async fn prefixes_of_a_bucket_are_apart() {
    let server = Server::start("data").await.unwrap();
    let settings = settings_of(&server);
    let one = opened("s3://data/one", &settings).await.unwrap();
    let two = opened("s3://data/one-more", &settings).await.unwrap();
    let all = opened("s3://data", &settings).await.unwrap();
    one.put(&Path::from("x"), "1".into()).await.unwrap();
    two.put(&Path::from("x"), "2".into()).await.unwrap();
    assert_eq!(one.get(&Path::from("x")).await.unwrap().bytes().await.unwrap(), "1");
    assert_eq!(one.list_with_delimiter(None).await.unwrap().objects.len(), 1);
    let mut folders = all.list_with_delimiter(None).await.unwrap().common_prefixes;
    folders.sort_unstable();
    assert_eq!(folders, [Path::from("one"), Path::from("one-more")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_vanishes_is_not_a_missing_object() {
    let server = Server::start("data").await.unwrap();
    let settings = settings_of(&server);
    let backend = S3Store::connect("nodata", &Path::default(), &settings).await.unwrap();
    let store = RetryingStore::new(Arc::new(backend), env_seeded(1), RetryOptions::once());
    let e = store.get(&Path::from("x")).await.unwrap_err();
    assert_eq!(cause_of(&e), Cause::NoBucket, "{e}");
    let e = store.put(&Path::from("x"), "1".into()).await.unwrap_err();
    assert_eq!(cause_of(&e), Cause::NoBucket, "{e}");
}

#[tokio::test(flavor = "multi_thread")]
async fn conditional_puts_survive_what_a_server_does() {
    let server = Server::start("data").await.unwrap();
    let store = opened("s3://data", &settings_of(&server)).await.unwrap();
    for (n, fault) in [
        Fault::SlowDown,
        Fault::ErrorBefore,
        Fault::ErrorAfter,
        Fault::ConflictBefore,
        Fault::ConflictAfter,
    ]
    .into_iter()
    .enumerate()
    {
        println!("{fault:?}");
        let path = Path::from(format!("x{n}"));
        server.fault("PutObject", fault);
        let first = store.put_opts(&path, "1".into(), create()).await.unwrap();
        let e = store.put_opts(&path, "no".into(), create()).await.unwrap_err();
        assert_eq!(cause_of(&e), Cause::Exists);
        server.fault("PutObject", fault);
        let second = store.put_opts(&path, "2".into(), update(&first)).await.unwrap();
        server.fault("PutObject", fault);
        let e = store.put_opts(&path, "no".into(), update(&first)).await.unwrap_err();
        assert_eq!(cause_of(&e), Cause::Precondition, "after {fault:?}: {e}");
        let found = store.get(&path).await.unwrap();
        assert_eq!(found.meta.e_tag, second.e_tag);
        assert_eq!(found.bytes().await.unwrap(), "2");
    }
    assert!(store.stats().snapshot().resolved >= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_survive_what_a_server_does() {
    let server = Server::start("data").await.unwrap();
    let store = opened("s3://data", &settings_of(&server)).await.unwrap();
    let part = vec![7; 5 << 20];
    for operation in ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"] {
        for fault in [Fault::SlowDown, Fault::ErrorBefore, Fault::ErrorAfter] {
            println!("{operation} {fault:?}");
            let path = Path::from(format!("{operation}-{fault:?}"));
            server.fault(operation, fault);
            let mut upload = store.put_multipart(&path).await.unwrap();
            let parts = [upload.put_part(part.clone().into()), upload.put_part("end".into())];
            futures::future::try_join_all(parts).await.unwrap();
            let put = upload.complete().await.unwrap();
            let head = store.head(&path).await.unwrap();
            assert_eq!((head.size, head.e_tag), (part.len() as u64 + 3, put.e_tag));
        }
    }
    assert_eq!(server.open_uploads("data"), 1, "the one whose beginning was not heard of");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_asked_again() {
    let server = Server::start("data").await.unwrap();
    let mut options = patient();
    options.write.try_time = Duration::from_millis(300);
    options.read.try_time = Duration::from_millis(300);
    let settings = settings_of(&server);
    let store = open_with("s3://data", &settings, env_seeded(3), options).await.unwrap();
    let path = Path::from("x");
    server.fault("PutObject", Fault::Hang);
    store.put_opts(&path, "1".into(), create()).await.unwrap();
    server.fault("GetObject", Fault::Hang);
    assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "1");
    server.fault("ListObjectsV2", Fault::SlowDown);
    assert_eq!(store.list_with_delimiter(None).await.unwrap().objects.len(), 1);
    let stats = store.stats().snapshot();
    assert_eq!(stats.of(RequestKind::Put).retries, 1);
    assert_eq!(stats.of(RequestKind::List).throttled, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_keeps_failing_is_a_clear_error_and_recovers() {
    let server = Server::start("data").await.unwrap();
    let mut options = patient();
    options.write.tries = 3;
    let settings = settings_of(&server);
    let store = open_with("s3://data", &settings, env_seeded(3), options).await.unwrap();
    let path = Path::from("x");
    for _ in 0..3 {
        server.fault("PutObject", Fault::ErrorBefore);
    }
    let e = store.put(&path, "1".into()).await.unwrap_err();
    let e = from_store("PUT", &path, e);
    assert!(e.is_retryable());
    let text = e.to_string();
    assert!(text.starts_with("PUT x: the store failed (InternalError: made to; gave up"), "{text}");
    store.put(&path, "1".into()).await.unwrap();
}

/// Connections of a runtime end with it; a store that outlives it goes on in another.
#[test]
fn a_store_works_in_any_runtime_of_the_process() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let (servers, first) = (runtime(), runtime());
    let server = servers.block_on(Server::start("data")).unwrap();
    let store = first.block_on(opened("s3://data", &settings_of(&server))).unwrap();
    first.block_on(store.put(&Path::from("x"), "1".into())).unwrap();
    drop(first);
    let path = Path::from("x");
    for _ in 0..6 {
        let next = runtime();
        let found = next.block_on(async {
            // What ended with the first runtime are its timers, so this is bare.
            let get = store.backend().get(&path, object_store::GetOptions::default());
            get.await?.bytes().await
        });
        assert_eq!(found.unwrap(), "1");
    }
    drop(servers);
}
