//! Ways to log in, between our client and our server.

mod support;

use firn_mysql_protocol::Error;
use firn_mysql_protocol::auth::AuthPlugin;
use firn_mysql_protocol::client::ClientConfig;
use firn_mysql_protocol::command::{Parameter, ParameterValue};
use firn_mysql_protocol::server::ServerConfig;
use firn_mysql_protocol::tls::ClientTls;
use support::client::{as_user, connect, number, text, with_tls};
use support::start;

#[tokio::test]
async fn every_way_to_log_in() {
    let (address, _) = start(with_tls()).await;
    // Twice: the second time from the cache.
    for round in 0..2 {
        for tls in [ClientTls::Disabled, ClientTls::Preferred, ClientTls::Required] {
            for first in
                [None, Some(AuthPlugin::NativePassword), Some(AuthPlugin::CachingSha2Password)]
            {
                for user in ["sha", "native", "empty", "native_empty"] {
                    let right = if user.contains("empty") { "" } else { "secret" };
                    for password in [right, "wrong", ""] {
                        let encrypted = !matches!(tls, ClientTls::Disabled);
                        let config = ClientConfig {
                            plugin: first,
                            tls: tls.clone(),
                            ..as_user(user, password)
                        };
                        let case = format!("{round} {tls:?} {first:?} {user} {password:?}");
                        match connect(address, &config).await {
                            Ok(mut client) if password == right => {
                                let who = text(&client.query_all(b"who").await.unwrap());
                                assert!(who.starts_with(&format!("{user}|tls={encrypted}")));
                                client.quit().await.unwrap();
                            }
                            Err(error) if password != right => {
                                let using = if password.is_empty() { "NO" } else { "YES" };
                                assert_eq!(
                                    error.to_string(),
                                    format!(
                                        "ERROR 1045 (28000): Access denied for user \
                                         '{user}'@'127.0.0.1' (using password: {using})"
                                    ),
                                    "{case}"
                                );
                            }
                            other => panic!("{case}: {:?}", other.map(|_| ())),
                        }
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn unknown_users_are_told_what_wrong_passwords_are_told() {
    let (address, _) = start(with_tls()).await;
    for (user, password) in [("nobody", ""), ("nobody", "x"), ("", "")] {
        let error = connect(address, &as_user(user, password)).await.err().unwrap();
        assert_eq!(number(&error), 1045);
    }
}

#[tokio::test]
async fn a_password_is_not_sent_without_tls_or_key() {
    let (address, _) = start(ServerConfig::default()).await;
    let config = ClientConfig { allow_public_key_retrieval: false, ..as_user("sha", "secret") };
    assert_eq!(number(&connect(address, &config).await.err().unwrap()), 2061);
    let config = ClientConfig { tls: ClientTls::Required, ..as_user("sha", "secret") };
    assert_eq!(number(&connect(address, &config).await.err().unwrap()), 2026);
}

#[tokio::test]
async fn insecure_transport_can_be_refused() {
    let config = ServerConfig { require_secure_transport: true, ..with_tls() };
    let (address, _) = start(config).await;
    assert_eq!(number(&connect(address, &as_user("sha", "secret")).await.err().unwrap()), 3159);
    let config = ClientConfig { tls: ClientTls::Required, ..as_user("sha", "secret") };
    connect(address, &config).await.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn certificates_are_checked_if_asked_for() {
    let (address, _) = start(with_tls()).await;
    let roots = std::sync::Arc::new(rustls::RootCertStore::empty());
    for tls in [ClientTls::VerifyCa(roots.clone()), ClientTls::VerifyIdentity(roots)] {
        let config = ClientConfig { tls, host: "localhost".into(), ..as_user("sha", "secret") };
        assert!(matches!(connect(address, &config).await, Err(Error::Io(_))));
    }
}

#[tokio::test]
async fn a_missing_schema_ends_the_login() {
    let (address, _) = start(ServerConfig::default()).await;
    let config = ClientConfig { schema: Some("missing".into()), ..as_user("native", "secret") };
    assert_eq!(number(&connect(address, &config).await.err().unwrap()), 1049);
    let config = ClientConfig { schema: Some("test".into()), ..as_user("native", "secret") };
    let mut client = connect(address, &config).await.unwrap();
    assert_eq!(text(&client.query_all(b"schema").await.unwrap()), "test");
}

#[tokio::test]
async fn resets_and_other_users() {
    let (address, _) = start(with_tls()).await;
    for tls in [ClientTls::Disabled, ClientTls::Required] {
        let config = ClientConfig { tls, schema: Some("a".into()), ..as_user("sha", "secret") };
        let mut client = connect(address, &config).await.unwrap();
        let statement = client.prepare(b"params ?").await.unwrap();
        client.reset_connection().await.unwrap();
        assert_eq!(text(&client.query_all(b"schema").await.unwrap()), "");
        let parameter = [Parameter::new(ParameterValue::Null)];
        let gone = client.execute(&statement, &parameter, false, |_| false).await;
        assert_eq!(number(&gone.unwrap_err()), 1243);

        for (user, password) in
            [("other", "other"), ("native", "secret"), ("empty", ""), ("sha", "secret")]
        {
            client.change_user(user, password.as_bytes(), Some("b")).await.unwrap();
            let who = text(&client.query_all(b"who").await.unwrap());
            assert!(who.starts_with(&format!("{user}|")), "{who}");
            assert_eq!(text(&client.query_all(b"schema").await.unwrap()), "b");
        }
        for _ in 0..3 {
            let error = client.change_user("other", b"wrong", None).await.unwrap_err();
            assert_eq!(number(&error), 1045);
        }
        assert!(client.ping().await.is_err(), "three wrong passwords end the connection");
        let mut client = connect(address, &config).await.unwrap();
        let error = client.change_user("other", b"other", Some("missing")).await.unwrap_err();
        assert_eq!(number(&error), 1049);
    }
}
