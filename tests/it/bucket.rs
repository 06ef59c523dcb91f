//! A database on a bucket, over HTTP, through the `firn` command.

use std::process::Output;

use firn_testing_s3::{ACCESS_KEY, SECRET_KEY, Server};

use crate::command::{Home, SPACE, WAIT_MAX, line_of, stdout};

/// Runs the command away from the runtime that the server runs on.
async fn firn(home: &Home, args: &[&str], server: &Server, bucket: &str, secret: &str) -> Output {
    let mut command = home.command(args);
    command
        .env("FIRN_OBJECT_STORE__URL", format!("s3://{bucket}/some/prefix"))
        .env("FIRN_OBJECT_STORE__ENDPOINT", server.endpoint())
        .env("FIRN_OBJECT_STORE__PATH_STYLE", "true")
        .env("FIRN_OBJECT_STORE__ALLOW_HTTP", "true")
        .env("FIRN_OBJECT_STORE__ACCESS_KEY_ID", ACCESS_KEY)
        .env("FIRN_OBJECT_STORE__SECRET_ACCESS_KEY", secret);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_lives_in_a_bucket() {
    let server = Server::start("data").await.unwrap();
    let home = Home::new();
    let mut config = home.config();
    config.object_store.url = "s3://data/some/prefix".into();
    config.object_store.endpoint = Some(server.endpoint());
    config.object_store.path_style = true;
    config.object_store.allow_http = true;
    config.object_store.access_key_id = Some(firn_services::config::Secret::new(ACCESS_KEY));
    config.object_store.secret_access_key = Some(firn_services::config::Secret::new(SECRET_KEY));
    for life in 0..3u8 {
        let local = home.open_as(&config).await;
        for i in 0..500u32 {
            if life > 0 {
                let row = local.db().get(SPACE, &i.to_be_bytes()).await.unwrap();
                assert_eq!(row.as_deref(), Some(&[life - 1; 100][..]));
            }
            local.db().put(SPACE, &i.to_be_bytes(), &[life; 100]).await.unwrap();
        }
        if life == 1 {
            // As after a crash: the rest is in the journal.
            drop(local);
        } else {
            local.close(WAIT_MAX).await.unwrap();
        }
    }
    let out = firn(&home, &["scrub"], &server, "data", SECRET_KEY).await;
    assert!(out.status.success(), "{out:?}");
    assert!(stdout(&out).contains("0 missing, 0 corrupt"), "{}", stdout(&out));
    let out = firn(&home, &["ctl", "levels"], &server, "data", SECRET_KEY).await;
    assert!(out.status.success() && stdout(&out).contains("L0"), "{out:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_bucket_and_a_wrong_secret_are_one_line_each() {
    let server = Server::start("data").await.unwrap();
    let home = Home::new();
    let line = line_of(&firn(&home, &["up"], &server, "nowhere", SECRET_KEY).await, 4);
    assert!(line.contains("s3://nowhere") && line.contains("no such bucket"), "{line}");
    let line = line_of(&firn(&home, &["up"], &server, "data", "hunter2").await, 4);
    assert!(line.contains("s3://data") && line.contains("denied"), "{line}");
    assert!(!line.contains("hunter2"), "{line}");
}

/// Two machines on one bucket: the second takes the branch from the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_writer_fences_the_first_and_loses_nothing_of_it() {
    let (one, two) = (Home::new(), Home::new());
    let folder = tempfile::tempdir().unwrap();
    let config = |home: &Home| {
        let mut config = home.config();
        config.object_store.url = folder.path().display().to_string();
        config.journal.kind = firn_services::config::JournalKind::Object;
        config
    };
    let first = one.open_as(&config(&one)).await;
    for i in 0..100u32 {
        first.db().put(SPACE, &i.to_be_bytes(), b"first").await.unwrap();
    }
    let second = two.open_as(&config(&two)).await;
    let e = first.db().put(SPACE, b"late", b"first").await.unwrap_err();
    assert_eq!(e.kind(), firn_engine::ErrorKind::Fenced, "{e:?}");
    // The caller may hear of it a moment before the database has put it down.
    let stopped = async {
        while first.db().failure().is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(WAIT_MAX, stopped).await.expect("the first writer stops for good");
    for i in 0..100u32 {
        let row = second.db().get(SPACE, &i.to_be_bytes()).await.unwrap();
        assert_eq!(row.as_deref(), Some(&b"first"[..]));
    }
    assert_eq!(second.db().get(SPACE, b"late").await.unwrap(), None);
    second.db().put(SPACE, b"late", b"second").await.unwrap();
    first.close(WAIT_MAX).await.unwrap();
    second.close(WAIT_MAX).await.unwrap();
}
