//! Logins, passwords, roles. What is expected are MySQL's answers to the same.

use firn_compute::accounts::RootLogin;
use firn_mysql_protocol::Capabilities;
use firn_mysql_protocol::client::ClientConfig;
use firn_mysql_protocol::server::ServerConfig;
use firn_mysql_protocol::tls::{ClientTls, ServerTls};

use crate::support::{World, config, refused, start};

#[tokio::test]
async fn accounts_get_in_with_their_passwords() {
    let (server, mut root) = start().await;
    root.run("CREATE USER a IDENTIFIED BY 'secret', b").await;
    root.run("CREATE USER n IDENTIFIED WITH mysql_native_password BY 'old'").await;
    for (user, password) in [("a", "secret"), ("b", ""), ("n", "old")] {
        // The second time the password is remembered.
        for _ in 0..2 {
            let mut client = server.try_user(user, password).await.expect(user);
            let who = client.lines("SELECT USER(), CURRENT_USER(), CURRENT_ROLE()").await;
            assert_eq!(who, [format!("{user}@localhost|{user}@%|NONE")]);
        }
        for wrong in ["Secret", "x", ""] {
            if wrong == password {
                continue;
            }
            let using = if wrong.is_empty() { "NO" } else { "YES" };
            let text =
                format!("Access denied for user '{user}'@'localhost' (using password: {using})");
            assert_eq!(refused(server.try_user(user, wrong).await), (1045, text));
        }
    }
    assert_eq!(
        refused(server.try_user("nobody", "").await),
        (1045, "Access denied for user 'nobody'@'localhost' (using password: NO)".to_owned())
    );
    let unknown = ClientConfig { schema: Some("nope".into()), ..config() };
    let unknown = refused(server.try_config(unknown).await);
    assert_eq!(unknown, (1049, "Unknown database 'nope'".to_owned()));
}

#[tokio::test]
async fn changes_of_accounts_outlive_the_server() {
    let world = World::new();
    let server = world.start().await;
    let mut root = server.client().await;
    root.run("CREATE DATABASE t; CREATE TABLE t.a (x int PRIMARY KEY)").await;
    root.run("CREATE USER a IDENTIFIED BY 'one' COMMENT 'first'; CREATE ROLE r").await;
    root.run("GRANT SELECT ON t.* TO r; GRANT r TO a; SET DEFAULT ROLE ALL TO a").await;
    root.run("GRANT INSERT (x) ON t.a TO a; RENAME USER a TO b").await;
    root.run("ALTER USER b IDENTIFIED BY 'two'; CREATE USER gone; DROP USER gone").await;
    let shown = root.lines("SHOW CREATE USER b").await;
    drop(server);
    let server = world.start().await;
    let mut client = server.try_user("b", "two").await.expect("b gets in");
    assert_eq!(refused(server.try_user("b", "one").await).0, 1045);
    assert_eq!(client.lines("SHOW CREATE USER b").await, shown);
    assert_eq!(
        client.lines("SHOW GRANTS FOR b").await,
        [
            "GRANT USAGE ON *.* TO `b`@`%`",
            "GRANT INSERT (`x`) ON `t`.`a` TO `b`@`%`",
            "GRANT `r`@`%` TO `b`@`%`",
        ]
    );
    assert_eq!(client.value("SELECT CURRENT_ROLE()").await.as_deref(), Some("`r`@`%`"));
    assert_eq!(refused(server.try_user("gone", "").await).0, 1045);
}

#[tokio::test]
async fn accounts_refuse_logins() {
    let (server, mut root) = start().await;
    root.run("CREATE USER a ACCOUNT LOCK; CREATE USER b").await;
    assert_eq!(
        refused(server.try_user("a", "").await),
        (3118, "Access denied for user 'a'@'localhost'. Account is locked.".to_owned())
    );
    root.run("ALTER USER a ACCOUNT UNLOCK; ALTER USER b REQUIRE SSL").await;
    server.try_user("a", "").await.expect("it is unlocked");
    assert_eq!(
        refused(server.try_user("b", "").await),
        (1045, "Access denied for user 'b'@'localhost' (using password: NO)".to_owned())
    );
    root.run("CREATE USER c WITH MAX_USER_CONNECTIONS 1").await;
    let first = server.try_user("c", "").await.expect("one may come");
    assert_eq!(
        refused(server.try_user("c", "").await),
        (
            1226,
            "User 'c' has exceeded the 'max_user_connections' resource (current value: 1)".into()
        )
    );
    drop(first);
    root.run("CREATE USER q WITH MAX_QUERIES_PER_HOUR 2").await;
    let mut q = server.try_user("q", "").await.expect("q gets in");
    q.run("SELECT 1; SELECT 2").await;
    let third = q.error("SELECT 3").await;
    assert_eq!(
        third,
        (1226, "User 'q' has exceeded the 'max_questions' resource (current value: 2)".into())
    );
    root.run("FLUSH USER_RESOURCES").await;
    q.run("SELECT 4").await;
}

#[tokio::test]
async fn who_must_use_tls_gets_in_with_it() {
    let tls = ServerTls::generated(&["localhost"]).expect("a certificate");
    let settings = ServerConfig { tls: Some(tls), ..ServerConfig::default() };
    let server = World::new().start_as(&RootLogin::Developer, settings).await.expect("a server");
    let mut root = server.client().await;
    root.run("CREATE USER a IDENTIFIED BY 'p' REQUIRE SSL").await;
    assert_eq!(refused(server.try_user("a", "p").await).0, 1045);
    let over_tls = ClientConfig {
        user: "a".into(),
        password: b"p".to_vec(),
        tls: ClientTls::Required,
        ..config()
    };
    let mut client = server.try_config(over_tls).await.expect("a gets in");
    assert_eq!(client.value("SELECT CURRENT_USER()").await.as_deref(), Some("a@%"));
}

#[tokio::test]
async fn an_expired_password_is_changed_first() {
    let (server, mut root) = start().await;
    root.run("CREATE USER a IDENTIFIED BY 'p' PASSWORD EXPIRE").await;
    assert_eq!(
        refused(server.try_user("a", "p").await),
        (
            1862,
            "Your password has expired. To log in you must change it using a client that \
             supports expired passwords."
                .to_owned()
        )
    );
    let able = config().capabilities | Capabilities::CAN_HANDLE_EXPIRED_PASSWORDS;
    let able =
        ClientConfig { user: "a".into(), password: b"p".to_vec(), capabilities: able, ..config() };
    let mut client = server.try_config(able).await.expect("it may change its password");
    let text = "You must reset your password using ALTER USER statement before executing this \
                statement.";
    for sql in ["SELECT 1", "SET @a = 1", "SHOW WARNINGS", "USE information_schema", "BEGIN"] {
        assert_eq!(client.error(sql).await, (1820, text.to_owned()), "{sql}");
    }
    assert_eq!(client.error("ALTER USER root@localhost PASSWORD EXPIRE").await.0, 1227);
    client.run("ALTER USER USER() IDENTIFIED BY 'q'").await;
    assert_eq!(client.value("SELECT 1").await.as_deref(), Some("1"));
    server.try_user("a", "q").await.expect("the new password is good");
}

#[tokio::test]
async fn another_user_takes_over_a_connection() {
    let (_server, mut client) = start().await;
    client.run("CREATE USER a IDENTIFIED BY 'p'; CREATE ROLE r; GRANT r TO a").await;
    client.run("GRANT SELECT ON t.* TO a; SET @x = 1").await;
    client.0.change_user("a", b"p", Some("t")).await.expect("a gets in");
    let who = client.lines("SELECT CURRENT_USER(), DATABASE(), @x").await;
    assert_eq!(who, ["a@%|t|NULL"]);
    assert_eq!(client.error("CREATE USER z").await.0, 1227);
    client.run("SET ROLE r").await;
    assert!(client.0.change_user("a", b"wrong", None).await.is_err());
}

#[tokio::test]
async fn random_passwords_are_shown_once_and_good() {
    let (server, mut root) = start().await;
    let rows = root.rows("CREATE USER a IDENTIFIED BY RANDOM PASSWORD, b IDENTIFIED BY 'x'").await;
    let [row] = &rows[..] else { panic!("{rows:?}") };
    let (user, host) = (row[0].as_deref(), row[1].as_deref());
    assert_eq!((user, host, row[3].as_deref()), (Some("a"), Some("%"), Some("1")));
    let password = row[2].as_deref().unwrap();
    assert_eq!(password.len(), 20);
    server.try_user("a", password).await.expect("the password is good");
}

#[tokio::test]
async fn passwords_are_set_in_every_way() {
    let (server, mut root) = start().await;
    root.run("CREATE USER a; SET PASSWORD FOR a = '1'").await;
    let mut a = server.try_user("a", "1").await.expect("the first");
    a.run("SET PASSWORD = '2'").await;
    let mut a = server.try_user("a", "2").await.expect("the second");
    a.run("SET @y = 5, PASSWORD = '3'").await;
    assert_eq!(a.value("SELECT @y").await.as_deref(), Some("5"));
    let mut a = server.try_user("a", "3").await.expect("the third");
    a.run("ALTER USER a IDENTIFIED BY '4' REPLACE '3'").await;
    server.try_user("a", "4").await.expect("the fourth");
    assert_eq!(a.error("SET PASSWORD FOR root@localhost = 'x'").await.0, 1044);
}

#[tokio::test]
async fn root_has_the_password_that_the_server_is_given() {
    let world = World::new();
    let password = RootLogin::Password("pw".into());
    let start = async |root: &RootLogin| world.start_as(root, ServerConfig::default()).await;
    let Err(error) = start(&RootLogin::MustHavePassword).await else { panic!("it started") };
    assert!(error.to_string().contains("root has no password"), "{error}");
    // Begun by a developer, and put on a network later.
    drop(start(&RootLogin::Developer).await.expect("a developer's"));
    assert!(start(&RootLogin::MustHavePassword).await.is_err());
    let server = start(&password).await.expect("with a password");
    assert_eq!(refused(server.try_user("root", "").await).0, 1045);
    let mut root = server.try_user("root", "pw").await.expect("root gets in");
    assert_eq!(root.lines("SHOW GRANTS FOR root@'%'").await.len(), 3);
    root.run("ALTER USER root@localhost IDENTIFIED BY 'new'").await;
    drop(server);
    // It is of the first start alone.
    let server = start(&password).await.expect("again");
    server.try_user("root", "new").await.expect("root's own password");
    drop(server);
    start(&RootLogin::MustHavePassword).await.expect("it has one");
}
