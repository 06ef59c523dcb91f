//! Storing, reading, listing and deleting.

use bytes::Bytes;
use firn_engine::object::{Cause, cause_of, is_not_found};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMultipartOptions,
    PutOptions,
};

use crate::places::Stores;

fn bytes(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|n| (((n + seed) * 2_654_435_761) >> 7) as u8).collect()
}

async fn read(store: &dyn ObjectStore, path: &Path) -> Bytes {
    store.get(path).await.unwrap().bytes().await.unwrap()
}

async fn names(store: &dyn ObjectStore, folder: &Path) -> Vec<Path> {
    store.list(Some(folder)).map_ok(|o| o.location).try_collect().await.unwrap()
}

pub(crate) async fn put_read_and_delete(stores: &Stores) {
    let (store, folder) = (stores.one(), stores.fresh("put"));
    for size in [0, 1, 100, 70_000, 3_000_000] {
        let path = folder.clone().join(format!("{size} bytes +%ü"));
        let body = bytes(size, 1);
        let put = store.put(&path, body.clone().into()).await.unwrap();
        // By the other client.
        let found = stores.stores[1].get(&path).await.unwrap();
        assert_eq!(found.meta.size, size as u64);
        assert_eq!(found.meta.location, path);
        assert_eq!(found.meta.e_tag, put.e_tag);
        assert_eq!(found.bytes().await.unwrap(), body);
        let head = store.head(&path).await.unwrap();
        assert_eq!((head.size, head.e_tag), (size as u64, put.e_tag));
        let changed = bytes(size + 1, 2);
        store.put(&path, changed.clone().into()).await.unwrap();
        assert_eq!(read(store, &path).await, changed);
        // In pieces.
        let pieces = changed.chunks(50_000).map(Bytes::copy_from_slice);
        store.put(&path, pieces.collect()).await.unwrap();
        assert_eq!(read(store, &path).await, changed);
        store.delete(&path).await.unwrap();
        assert!(is_not_found(&store.get(&path).await.unwrap_err()));
    }
}

pub(crate) async fn what_is_not_there(stores: &Stores) {
    let (store, folder) = (stores.one(), stores.fresh("missing"));
    let path = folder.clone().join("x");
    assert!(is_not_found(&store.get(&path).await.unwrap_err()));
    assert!(is_not_found(&store.head(&path).await.unwrap_err()));
    assert!(is_not_found(&store.get_range(&path, 0..10).await.unwrap_err()));
    store.delete(&path).await.unwrap();
    assert_eq!(names(store, &folder).await, []);
    let listed = store.list_with_delimiter(Some(&folder)).await.unwrap();
    assert!(listed.objects.is_empty() && listed.common_prefixes.is_empty());
    // A name that others begin with is none.
    store.put(&path.clone().join("y"), "1".into()).await.unwrap();
    assert!(is_not_found(&store.get(&path).await.unwrap_err()));
}

pub(crate) async fn ranges(stores: &Stores) {
    let (store, path) = (stores.one(), stores.fresh("ranges").join("x"));
    let body = bytes(300_000, 3);
    store.put(&path, body.clone().into()).await.unwrap();
    for range in [0..1, 0..300_000, 100..200, 299_999..300_000, 70_000..250_000] {
        let read = store.get_range(&path, range.clone()).await.unwrap();
        assert_eq!(read, body[range.start as usize..range.end as usize], "{range:?}");
    }
    let many = [0..10, 5..20, 40_000..40_001, 200_000..299_999, 1..2];
    let read = store.get_ranges(&path, &many).await.unwrap();
    for (range, read) in many.iter().zip(read) {
        assert_eq!(read, body[range.start as usize..range.end as usize], "{range:?}");
    }
    let get = async |range: GetRange| {
        let options = GetOptions { range: Some(range), ..GetOptions::default() };
        let found = store.get_opts(&path, options).await?;
        assert_eq!(found.meta.size, 300_000);
        Ok::<_, object_store::Error>((found.range.clone(), found.bytes().await?))
    };
    let (range, tail) = get(GetRange::Suffix(50)).await.unwrap();
    assert_eq!((range, tail), (299_950..300_000, Bytes::copy_from_slice(&body[299_950..])));
    let (range, rest) = get(GetRange::Offset(299_000)).await.unwrap();
    assert_eq!((range, rest), (299_000..300_000, Bytes::copy_from_slice(&body[299_000..])));
    let (range, cut) = get(GetRange::Bounded(299_990..400_000)).await.unwrap();
    assert_eq!((range, cut.len()), (299_990..300_000, 10));
    let beyond = get(GetRange::Bounded(300_000..300_001)).await.unwrap_err();
    assert_eq!(cause_of(&beyond), Cause::BadRequest, "{beyond}");
}

pub(crate) async fn attributes_come_back(stores: &Stores) {
    let (store, folder) = (stores.one(), stores.fresh("attributes"));
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::Metadata("epoch".into()), "7".into());
    attributes.insert(Attribute::Metadata("who".into()), "someone else".into());
    attributes.insert(Attribute::ContentType, "application/x-firn".into());
    let metadata = |attributes: &Attributes| {
        let keys = [Attribute::Metadata("epoch".into()), Attribute::Metadata("who".into())];
        keys.map(|key| attributes.get(&key).map(|value| value.to_string()))
    };
    let expected = [Some("7".to_owned()), Some("someone else".to_owned())];
    let path = folder.clone().join("put");
    let options = PutOptions { attributes: attributes.clone(), ..PutOptions::default() };
    store.put_opts(&path, "1".into(), options).await.unwrap();
    let head = GetOptions { head: true, ..GetOptions::default() };
    for options in [head, GetOptions::default()] {
        let found = store.get_opts(&path, options).await.unwrap().attributes;
        assert_eq!(metadata(&found), expected);
        let kind = found.get(&Attribute::ContentType).map(|v| v.to_string());
        assert_eq!(kind.as_deref(), Some("application/x-firn"));
    }
    let path = folder.join("upload");
    let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
    let mut upload = store.put_multipart_opts(&path, options).await.unwrap();
    upload.put_part("1".into()).await.unwrap();
    upload.complete().await.unwrap();
    assert_eq!(metadata(&store.get(&path).await.unwrap().attributes), expected);
}

pub(crate) async fn lists_of_many_pages(stores: &Stores) {
    let (store, folder) = (stores.one(), stores.fresh("list"));
    let mut expected: Vec<_> = (0..250).map(|n| folder.clone().join(format!("{n:04}"))).collect();
    // Sorted as bytes, wherever the slashes are.
    expected.extend(["0100-x", "0100.x", "a b+c", "ü", "%41"].map(|n| folder.clone().join(n)));
    expected.extend([0, 1].map(|n| folder.clone().join("0100").join(format!("{n}"))));
    // In a folder, a name is an object or a prefix of others.
    expected.retain(|path| *path != folder.clone().join("0100"));
    let put = futures::stream::iter(&expected).map(async |path| {
        store.put(path, path.to_string().into()).await.unwrap();
    });
    put.buffer_unordered(16).collect::<()>().await;
    expected.sort_unstable_by(|a, b| a.as_ref().cmp(b.as_ref()));
    assert_eq!(names(store, &folder).await, expected);
    let listed: Vec<_> = store.list(Some(&folder)).try_collect().await.unwrap();
    for object in listed {
        assert_eq!(object.size, object.location.as_ref().len() as u64);
    }
    for offset in [0, 99, 100, 101, 180, expected.len() - 1] {
        let after: Vec<_> = store
            .list_with_offset(Some(&folder), &expected[offset])
            .map_ok(|o| o.location)
            .try_collect()
            .await
            .unwrap();
        assert_eq!(after, expected[offset + 1..], "after {offset}");
    }
}

pub(crate) async fn folders(stores: &Stores) {
    let (store, folder) = (stores.one(), stores.fresh("folders"));
    for name in ["a/1", "a/2", "ab/1", "b/c/d/1", "top"] {
        let path = Path::from(format!("{folder}/{name}"));
        store.put(&path, "1".into()).await.unwrap();
    }
    let inside = |names: &[&str]| -> Vec<Path> {
        names.iter().map(|name| folder.clone().join(*name)).collect()
    };
    let listed = store.list_with_delimiter(Some(&folder)).await.unwrap();
    assert_eq!(listed.common_prefixes, inside(&["a", "ab", "b"]));
    let objects: Vec<_> = listed.objects.into_iter().map(|o| o.location).collect();
    assert_eq!(objects, inside(&["top"]));
    // A prefix is a folder, not the beginning of a name.
    assert_eq!(names(store, &folder.clone().join("a")).await.len(), 2);
    store.delete(&Path::from(format!("{folder}/b/c/d/1"))).await.unwrap();
    let listed = store.list_with_delimiter(Some(&folder)).await.unwrap();
    assert_eq!(listed.common_prefixes, inside(&["a", "ab"]), "b has nothing in it any more");
}

pub(crate) async fn deletes_in_batches(stores: &Stores) {
    let (store, folder) = (stores.one(), stores.fresh("delete"));
    let all: Vec<_> = (0..120).map(|n| folder.clone().join(format!("{n:04}"))).collect();
    let put = futures::stream::iter(&all).map(async |path| {
        store.put(path, "1".into()).await.unwrap();
    });
    put.buffer_unordered(16).collect::<()>().await;
    // More than one batch, most of it not there.
    let mut doomed: Vec<_> = all.iter().step_by(2).cloned().collect();
    doomed.extend((0..1100).map(|n| folder.clone().join(format!("not there {n}"))));
    let asked = futures::stream::iter(doomed.clone()).map(Ok).boxed();
    let deleted: Vec<_> = store.delete_stream(asked).try_collect().await.unwrap();
    assert_eq!(deleted, doomed);
    let left: Vec<_> = all.into_iter().skip(1).step_by(2).collect();
    assert_eq!(names(store, &folder).await, left);
}

pub(crate) async fn uploads_in_parts(stores: &Stores) {
    let (store, folder) = (stores.one(), stores.fresh("parts"));
    let sizes = if stores.small_parts { vec![1_000, 5 << 20] } else { vec![5 << 20] };
    for size in sizes {
        let path = folder.clone().join(format!("{size}"));
        let body = bytes(2 * size + 77, 5);
        let mut upload = store.put_multipart(&path).await.unwrap();
        // Under way together; the last one first.
        let mut parts: Vec<_> =
            body.chunks(size).map(|part| upload.put_part(part.to_vec().into())).collect();
        parts.reverse();
        futures::future::try_join_all(parts).await.unwrap();
        assert!(is_not_found(&store.get(&path).await.unwrap_err()), "not yet");
        let put = upload.complete().await.unwrap();
        let found = stores.stores[1].get(&path).await.unwrap();
        assert_eq!(found.meta.e_tag, put.e_tag);
        assert_eq!(found.bytes().await.unwrap(), body);
        let range = store.get_range(&path, size as u64 - 5..size as u64 + 5).await.unwrap();
        assert_eq!(range, body[size - 5..size + 5]);
    }
}

pub(crate) async fn uploads_given_up(stores: &Stores) {
    let (store, path) = (stores.one(), stores.fresh("abort").join("x"));
    let mut upload = store.put_multipart(&path).await.unwrap();
    upload.put_part(vec![1; 1000].into()).await.unwrap();
    upload.abort().await.unwrap();
    assert!(is_not_found(&store.get(&path).await.unwrap_err()));
    let mut upload = store.put_multipart(&path).await.unwrap();
    let unsent = upload.put_part(vec![1; 1000].into());
    let e = upload.complete().await.unwrap_err();
    assert_eq!(cause_of(&e), Cause::BadRequest, "a part was not sent");
    drop(unsent);
    upload.abort().await.unwrap();
}

pub(crate) async fn copies(stores: &Stores) {
    let (store, folder) = (stores.one(), stores.fresh("copy"));
    let (from, to) = (folder.clone().join("from +ü"), folder.clone().join("to"));
    store.put(&from, "1".into()).await.unwrap();
    store.put(&to, "2".into()).await.unwrap();
    store.copy(&from, &to).await.unwrap();
    assert_eq!(read(store, &to).await, "1");
    store.put(&from, "3".into()).await.unwrap();
    assert_eq!(read(store, &to).await, "1", "a copy is on its own");
    let gone = store.copy(&folder.join("gone"), &to).await.unwrap_err();
    assert!(is_not_found(&gone), "{gone}");
}
