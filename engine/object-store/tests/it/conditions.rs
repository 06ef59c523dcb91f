//! Conditional requests, one at a time.

use firn_engine::object::{Cause, cause_of};
use object_store::{
    GetOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutResult, UpdateVersion,
};

use crate::places::Stores;

pub(crate) fn create() -> PutOptions {
    PutOptions { mode: PutMode::Create, ..PutOptions::default() }
}

pub(crate) fn update(put: &PutResult) -> PutOptions {
    let version = UpdateVersion { e_tag: put.e_tag.clone(), version: put.version.clone() };
    PutOptions { mode: PutMode::Update(version), ..PutOptions::default() }
}

pub(crate) async fn creates(stores: &Stores) {
    let (store, path) = (stores.one(), stores.fresh("create").join("x"));
    let put = store.put_opts(&path, "1".into(), create()).await.unwrap();
    for store in &stores.stores {
        let e = store.put_opts(&path, "2".into(), create()).await.unwrap_err();
        assert_eq!(cause_of(&e), Cause::Exists, "{e}");
    }
    let found = store.get(&path).await.unwrap();
    assert_eq!(found.meta.e_tag, put.e_tag);
    assert_eq!(found.bytes().await.unwrap(), "1");
    store.delete(&path).await.unwrap();
    store.put_opts(&path, "3".into(), create()).await.unwrap();
}

pub(crate) async fn updates(stores: &Stores) {
    let (store, path) = (stores.one(), stores.fresh("update").join("x"));
    let first = store.put(&path, "1".into()).await.unwrap();
    let second = store.put_opts(&path, "2".into(), update(&first)).await.unwrap();
    assert_ne!(first.e_tag, second.e_tag);
    let e = store.put_opts(&path, "no".into(), update(&first)).await.unwrap_err();
    assert_eq!(cause_of(&e), Cause::Precondition, "{e}");
    let third = stores.stores[1].put_opts(&path, "3".into(), update(&second)).await.unwrap();
    assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "3");
    store.delete(&path).await.unwrap();
    let e = store.put_opts(&path, "no".into(), update(&third)).await.unwrap_err();
    // Nothing is left that could tell whether a try whose reply was lost came first.
    let unknown = stores.breaks && cause_of(&e) == Cause::OutcomeUnknown;
    assert!(unknown || cause_of(&e) == Cause::Precondition, "{e}");
    let none = UpdateVersion { e_tag: None, version: None };
    let e = store.put_opts(&path, "no".into(), PutMode::Update(none).into()).await.unwrap_err();
    assert_eq!(cause_of(&e), Cause::BadRequest, "{e}");
}

pub(crate) async fn reads(stores: &Stores) {
    let (store, path) = (stores.one(), stores.fresh("read").join("x"));
    let old = store.put(&path, "1".into()).await.unwrap().e_tag;
    let new = store.put(&path, "22".into()).await.unwrap().e_tag;
    for head in [false, true] {
        let get = async |if_match: &Option<String>, if_none_match: &Option<String>| {
            let (if_match, if_none_match) = (if_match.clone(), if_none_match.clone());
            let options = GetOptions { if_match, if_none_match, head, ..GetOptions::default() };
            store.get_opts(&path, options).await.map_err(|e| cause_of(&e))
        };
        assert_eq!(get(&new, &None).await.unwrap().meta.size, 2);
        assert_eq!(get(&old, &None).await.unwrap_err(), Cause::Precondition);
        assert_eq!(get(&None, &old).await.unwrap().meta.size, 2);
        assert_eq!(get(&None, &new).await.unwrap_err(), Cause::NotModified);
    }
}
