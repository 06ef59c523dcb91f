//! One suite of what an object store has to do, run on every store there is,
//! bare, behind retries, and behind retries over a wire that breaks.
//!
//! `FIRN_TEST_S3_ENDPOINT`, `FIRN_TEST_S3_KEY`, `FIRN_TEST_S3_SECRET` and
//! `FIRN_TEST_S3_BUCKET` name another server to run it on:
//! `cargo test -p firn-object-store -- --ignored s3_elsewhere`.

#![expect(clippy::print_stdout, reason = "seeds are printed")]
#![expect(clippy::disallowed_methods, reason = "real tasks on a real wire")]

mod conditions;
mod disk;
mod http;
mod objects;
mod places;
mod races;

use firn_engine::object::{FaultPlan, FaultStore};

use crate::places::{Place, Stores};

/// Runs the suite on one place, three ways.
async fn conforms(place: Place) {
    let bare = place.stores(|backend, _| backend).await;
    // A server that is not ours may fail now and then.
    if !matches!(place, Place::Elsewhere { .. }) {
        println!("bare");
        suite(&bare).await;
    }
    println!("with retries");
    let patient = bare.patient();
    suite(&patient).await;
    let seed: u64 = rand::random();
    println!("with faults, seed {seed}");
    let faulty = place
        .stores(|backend, n| {
            let env = places::env_seeded(seed.wrapping_add(n));
            std::sync::Arc::new(FaultStore::new(backend, env, FaultPlan::everything(30)))
        })
        .await;
    suite(&faulty.patient()).await;
}

async fn suite(stores: &Stores) {
    objects::put_read_and_delete(stores).await;
    objects::what_is_not_there(stores).await;
    objects::ranges(stores).await;
    objects::attributes_come_back(stores).await;
    objects::lists_of_many_pages(stores).await;
    objects::folders(stores).await;
    objects::deletes_in_batches(stores).await;
    objects::uploads_in_parts(stores).await;
    objects::uploads_given_up(stores).await;
    objects::copies(stores).await;
    conditions::creates(stores).await;
    conditions::updates(stores).await;
    conditions::reads(stores).await;
    races::creates_have_one_winner(stores).await;
    races::updates_are_never_lost(stores).await;
    races::reads_are_never_torn(stores).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory() {
    conforms(Place::Memory).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn folder() {
    conforms(Place::Folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_over_http() {
    conforms(Place::Server).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a server, named by FIRN_TEST_S3_ENDPOINT"]
async fn s3_elsewhere() {
    let place = Place::elsewhere().expect("FIRN_TEST_S3_ENDPOINT names a server");
    conforms(place).await;
}
