use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use firn_engine::object::{RetryOptions, RetryingStore, cause_of};
use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, UpdateVersion};
use tempfile::TempDir;
use tokio::runtime::Handle;

use bytes::Bytes;

use super::*;

fn env() -> Env {
    Env::tokio(Handle::current(), Handle::current())
}

fn open(dir: &TempDir) -> FolderStore {
    FolderStore::open(dir.path(), env()).unwrap()
}

fn temporary_files(dir: &TempDir) -> usize {
    fs::read_dir(dir.path().join(".firn/tmp")).unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_removes_what_crashes_left_and_nothing_else() {
    let dir = TempDir::new().unwrap();
    let first = open(&dir);
    let path = Path::from("x");
    let upload = first.create_upload(&path, PutMultipartOptions::default()).await.unwrap();
    let part = Part { index: 0, offset: 0, payload: "living".into() };
    let part = first.put_part(&path, &upload, part).await.unwrap();
    fs::write(dir.path().join(".firn/tmp/dead"), "left behind").unwrap();
    assert_eq!(temporary_files(&dir), 2);
    let _second = open(&dir);
    assert_eq!(temporary_files(&dir), 1, "the one with a living writer stays");
    first.complete_upload(&path, &upload, vec![part]).await.unwrap();
    let read = first.get(&path, GetOptions::default()).await.unwrap().bytes().await.unwrap();
    assert_eq!(read, "living");
    assert_eq!(temporary_files(&dir), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_puts_leave_no_temporary_file() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    let path = Path::from("x");
    let create = PutOptions::from(PutMode::Create);
    store.put(&path, "1".into(), create.clone()).await.unwrap();
    let lost = store.put(&path, "2".into(), create).await.unwrap_err();
    assert_eq!(cause_of(&lost), Cause::Exists);
    let wrong = UpdateVersion { e_tag: Some("?".into()), version: None };
    let lost = store.put(&path, "2".into(), PutMode::Update(wrong).into()).await.unwrap_err();
    assert_eq!(cause_of(&lost), Cause::Precondition);
    let below = store.put(&Path::from("x/y"), "2".into(), PutOptions::default()).await;
    assert_eq!(cause_of(&below.unwrap_err()), Cause::BadRequest);
    store.put(&Path::from("a/b"), "2".into(), PutOptions::default()).await.unwrap();
    let above = store.put(&Path::from("a"), "2".into(), PutOptions::default()).await;
    assert_eq!(cause_of(&above.unwrap_err()), Cause::BadRequest);
    assert_eq!(temporary_files(&dir), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_around_direct_pieces_read_back() {
    let dir = TempDir::new().unwrap();
    let store = RetryingStore::new(Arc::new(open(&dir)), env(), RetryOptions::default());
    let piece = 256 << 10;
    for size in [0, 1, 4095, 4096, piece - 1, piece, piece + 1, 3 * piece + 4097, (2 << 20) + 5] {
        let body: Vec<u8> = (0..size).map(|n| (n * 31 / 7) as u8).collect();
        let chunks = body.chunks(100_001).map(Bytes::copy_from_slice);
        let path = Path::from(format!("whole/{size}"));
        store.put(&path, chunks.collect()).await.unwrap();
        assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), body);
        // Parts of any size, so that not all begin where direct writing may.
        let path = Path::from(format!("parts/{size}"));
        let mut upload = store.put_multipart(&path).await.unwrap();
        let parts: Vec<_> =
            body.chunks(piece + 100).map(|c| upload.put_part(c.to_vec().into())).collect();
        futures::future::try_join_all(parts).await.unwrap();
        upload.complete().await.unwrap();
        assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), body);
    }
}

/// The file system's clock ticks every few milliseconds; versions must differ within a tick.
#[tokio::test(flavor = "multi_thread")]
async fn versions_replaced_in_the_same_tick_differ() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    let path = Path::from("x");
    let mut seen = BTreeSet::new();
    for n in 0..300_u32 {
        let put = store.put(&path, n.to_le_bytes().to_vec().into(), PutOptions::default()).await;
        assert!(seen.insert(put.unwrap().e_tag.unwrap()), "version {n}");
        let head = GetOptions { head: true, ..GetOptions::default() };
        let now = store.get(&path, head).await.unwrap().meta.e_tag.unwrap();
        assert!(seen.contains(&now), "what is read is what was put");
    }
    // Some file systems tick finely enough to pass so far by themselves.
    let meta = fs::metadata(dir.path().join("x")).unwrap();
    let nanos = meta.mtime() * 1_000_000_000 + meta.mtime_nsec();
    let given = store.folder.last_nanos.load(Ordering::Relaxed);
    assert_eq!(u64::try_from(nanos).unwrap(), given, "the time is the one we gave");
    let times: BTreeSet<_> = (0..1000).map(|_| store.folder.next_time(&store.env)).collect();
    assert_eq!(times.len(), 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_have_many_pages_and_no_empty_folders() {
    let dir = TempDir::new().unwrap();
    let store = RetryingStore::new(Arc::new(open(&dir)), env(), RetryOptions::default());
    // `-` and `.` sort before `/`, `0` after it.
    let names = ["a-b", "a.b", "a/b", "a/c/d", "a0", "b/x", "b/y", "c"];
    for name in names {
        store.put(&Path::from(name), "".into()).await.unwrap();
    }
    let listed: Vec<_> =
        store.list(None).map_ok(|o| o.location.to_string()).try_collect().await.unwrap();
    assert_eq!(listed, names);
    for (index, name) in names.iter().enumerate() {
        let after: Vec<_> = store
            .list_with_offset(None, &Path::from(*name))
            .map_ok(|o| o.location.to_string())
            .try_collect()
            .await
            .unwrap();
        assert_eq!(after, names[index + 1..], "after {name}");
    }
    for name in ["b/x", "b/y"] {
        store.delete(&Path::from(name)).await.unwrap();
    }
    let folders = store.list_with_delimiter(None).await.unwrap().common_prefixes;
    assert_eq!(folders, [Path::from("a")], "b is a folder, but no object is in it");
    // Pages, made small by asking for what comes after each.
    let many = dir.path().join("many");
    fs::create_dir(&many).unwrap();
    for n in 0..10_050 {
        fs::write(many.join(format!("{n:06}")), "").unwrap();
    }
    let listed: Vec<_> =
        store.list(Some(&Path::from("many"))).map_ok(|o| o.location).try_collect().await.unwrap();
    assert_eq!(listed.len(), 10_050);
    assert!(listed.is_sorted());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_folder_is_a_clear_error() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let e = FolderStore::open(&file, env()).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::BadRequest);
    let text = e.to_string();
    assert!(text.contains(&*file.to_string_lossy()) && !text.contains('\n'), "{text}");
    let gone = TempDir::new().unwrap();
    let store = open(&gone);
    fs::remove_dir_all(gone.path()).unwrap();
    let e = store.list(None, false, PageStart::First).await.unwrap_err();
    assert_eq!(cause_of(&e), Cause::NoBucket);
    let e = store.put(&Path::from("x"), "".into(), PutOptions::default()).await.unwrap_err();
    assert_eq!(cause_of(&e), Cause::NoBucket, "{e}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_be_read_is_denied() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    let path = Path::from("x");
    store.put(&path, "1".into(), PutOptions::default()).await.unwrap();
    fs::set_permissions(dir.path().join("x"), fs::Permissions::from_mode(0o000)).unwrap();
    match store.get(&path, GetOptions::default()).await {
        Err(e) => assert_eq!(cause_of(&e), Cause::Denied),
        // Root may read it all the same.
        Ok(_) => assert!(fs::read(dir.path().join("x")).is_ok()),
    }
}
