//! A disk that is full. `FIRN_TEST_SMALL_DISK` names a folder on a file system of
//! its own with less than 1 GiB free, which is then filled:
//!
//! `FIRN_TEST_SMALL_DISK=FOLDER cargo test -p firn-object-store -- --ignored full_disk`

use std::sync::Arc;

use firn_engine::ErrorKind;
use firn_engine::object::{Cause, RetryingStore, cause_of, from_store};
use firn_object_store::FolderStore;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutOptions, PutPayload};

use crate::conditions::create;
use crate::places::{env_seeded, patient};

/// Stores objects until that fails; the names of those stored, and the error.
async fn fill(
    store: &RetryingStore,
    bytes: usize,
    options: PutOptions,
) -> (Vec<Path>, object_store::Error) {
    let body = PutPayload::from(vec![7; bytes]);
    let mut stored = Vec::new();
    loop {
        assert!(stored.len() * bytes < 1 << 30, "the disk is not small");
        let path = Path::from(format!("full/{bytes}-{}", stored.len()));
        match store.put_opts(&path, body.clone(), options.clone()).await {
            Ok(_) => stored.push(path),
            Err(e) => return (stored, e),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a small disk, named by FIRN_TEST_SMALL_DISK"]
async fn a_full_disk_is_a_clear_error_and_nothing_is_lost() {
    let disk = std::env::var("FIRN_TEST_SMALL_DISK").expect("FIRN_TEST_SMALL_DISK names a disk");
    let folder = tempfile::TempDir::new_in(disk).unwrap();
    let env = env_seeded(1);
    let backend = FolderStore::open(folder.path(), env.clone()).unwrap();
    let store = RetryingStore::new(Arc::new(backend), env, patient());
    let mut all = Vec::new();
    for bytes in [16 << 20, 300 << 10, 100 << 10, 5_000] {
        let (stored, e) = fill(&store, bytes, create()).await;
        assert_eq!(cause_of(&e), Cause::NoSpace, "{e}");
        let e = from_store("PUT", &Path::from("x"), e);
        assert_eq!((e.kind(), e.is_retryable()), (ErrorKind::Unavailable, true));
        println!("{} of {bytes} bytes, then: {e}", stored.len());
        all.extend(stored.into_iter().map(|path| (path, bytes)));
    }
    let mut upload = store.put_multipart(&Path::from("full/upload")).await.unwrap();
    let e = upload.put_part(vec![1; 8 << 20].into()).await.unwrap_err();
    assert_eq!(cause_of(&e), Cause::NoSpace, "{e}");
    upload.abort().await.unwrap();
    for (path, bytes) in &all {
        let read = store.get(path).await.unwrap().bytes().await.unwrap();
        assert!(read.len() == *bytes && read.iter().all(|b| *b == 7));
    }
    let left = std::fs::read_dir(folder.path().join(".firn/tmp")).unwrap().count();
    assert_eq!(left, 0, "temporary files");
    store.delete(&all[0].0).await.unwrap();
    store.put(&all[0].0, vec![8; all[0].1 / 2].into()).await.unwrap();
}
