//! Conditional requests by many at once.

use std::sync::atomic::{AtomicBool, Ordering};

use firn_engine::object::{Cause, cause_of};
use futures::future::join_all;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, UpdateVersion};

use crate::conditions::create;
use crate::places::Stores;

const RACERS: usize = 8;

pub(crate) async fn creates_have_one_winner(stores: &Stores) {
    let folder = stores.fresh("create-race");
    for round in 0..12 {
        let path = folder.clone().join(format!("{round}"));
        let racers = (0..RACERS).map(|racer| {
            let (store, path) = (stores.stores[racer % 2].clone(), path.clone());
            tokio::spawn(async move {
                // Of different lengths, so that a mix would show.
                let body = format!("{racer}").repeat(1000 + racer);
                match store.put_opts(&path, body.into(), create()).await {
                    Ok(put) => Some((racer, put.e_tag)),
                    Err(e) => {
                        assert_eq!(cause_of(&e), Cause::Exists, "{e}");
                        None
                    }
                }
            })
        });
        let won: Vec<_> = join_all(racers).await.into_iter().filter_map(Result::unwrap).collect();
        let [(winner, e_tag)] = &won[..] else { panic!("round {round}: {won:?} won") };
        let found = stores.one().get(&path).await.unwrap();
        assert_eq!(found.meta.e_tag, *e_tag);
        let expected = format!("{winner}").repeat(1000 + winner);
        assert_eq!(found.bytes().await.unwrap(), expected);
    }
}

pub(crate) async fn updates_are_never_lost(stores: &Stores) {
    let path = stores.fresh("update-race").join("counter");
    stores.one().put(&path, "0".into()).await.unwrap();
    let workers = (0..4).map(|worker| {
        let (store, path) = (stores.stores[worker % 2].clone(), path.clone());
        tokio::spawn(async move {
            let (mut sure, mut unsure) = (0, 0);
            while sure + unsure < 15 {
                let found = store.get(&path).await.unwrap();
                let version = UpdateVersion { e_tag: found.meta.e_tag.clone(), version: None };
                let text = found.bytes().await.unwrap();
                let value: u32 = str::from_utf8(&text).unwrap().parse().unwrap();
                let options = PutOptions::from(PutMode::Update(version));
                match store.put_opts(&path, (value + 1).to_string().into(), options).await {
                    Ok(_) => sure += 1,
                    Err(e) => match cause_of(&e) {
                        Cause::Precondition => {}
                        Cause::OutcomeUnknown => unsure += 1,
                        // Without retries, some servers say that there was a race.
                        Cause::Conflict => {}
                        _ => panic!("{e}"),
                    },
                }
            }
            (sure, unsure)
        })
    });
    let counts: Vec<(u32, u32)> = join_all(workers).await.into_iter().map(Result::unwrap).collect();
    let (sure, unsure) = counts.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let text = stores.one().get(&path).await.unwrap().bytes().await.unwrap();
    let value: u32 = str::from_utf8(&text).unwrap().parse().unwrap();
    assert!((sure..=sure + unsure).contains(&value), "{sure} sure, {unsure} unsure, {value} there");
    assert!(unsure == 0 || stores.breaks, "{unsure} unsure, although nothing broke");
}

pub(crate) async fn reads_are_never_torn(stores: &Stores) {
    let path = stores.fresh("torn").join("x");
    let body = |letter: u8| vec![letter; 400_000 + usize::from(letter)];
    stores.one().put(&path, body(b'a').into()).await.unwrap();
    let done = AtomicBool::new(false);
    let writers = (0..2).map(|writer| {
        let (store, path, done) = (&stores.stores[writer], &path, &done);
        async move {
            for round in 0..20 {
                let letter = b'a' + u8::try_from(round % 20).unwrap();
                store.put(path, body(letter).into()).await.unwrap();
            }
            done.store(true, Ordering::Relaxed);
        }
    });
    let reader = async {
        let mut reads = 0;
        while !done.load(Ordering::Relaxed) || reads == 0 {
            let found = stores.one().get(&path).await.unwrap();
            let size = found.meta.size;
            let read = found.bytes().await.unwrap();
            assert_eq!(read.len() as u64, size);
            assert!(read.iter().all(|b| *b == read[0]), "torn");
            assert_eq!(read.len(), body(read[0]).len());
            reads += 1;
        }
    };
    futures::join!(join_all(writers), reader);
}
