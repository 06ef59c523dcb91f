//! How many may be connected.

use crate::support::{TestClient, World, refused};

async fn status(client: &mut TestClient, name: &str) -> u64 {
    let sql = format!(
        "SELECT variable_value FROM performance_schema.global_status \
         WHERE variable_name = '{name}'"
    );
    client.value(&sql).await.expect(name).parse().expect("a number")
}

/// Until those who have left are gone.
async fn wait_for(client: &mut TestClient, connected: u64) {
    while status(client, "Threads_connected").await != connected {}
}

#[tokio::test]
async fn past_max_connections_there_is_one_place_for_an_administrator() {
    let world = World::new();
    let server = world.start().await;
    let mut root = server.client().await;
    root.run("CREATE USER u; SET GLOBAL max_connections = 3").await;
    let mut first = server.try_user("u", "").await.expect("the second of three");
    let second = server.try_user("u", "").await.expect("the third of three");
    let too_many = (1040, "Too many connections".to_owned());
    // Behind its password, since it may be an administrator.
    assert_eq!(refused(server.try_user("u", "").await), too_many);
    wait_for(&mut root, 3).await;
    assert_eq!(status(&mut root, "Connection_errors_max_connections").await, 1);
    let mut admin = server.client().await;
    assert_eq!(admin.value("SELECT 1").await.as_deref(), Some("1"));
    assert_eq!(status(&mut root, "Threads_connected").await, 4);
    // Nobody else, not even an administrator: without a greeting.
    assert_eq!(refused(server.try_user("root", "").await), too_many);
    assert_eq!(refused(server.try_user("u", "").await), too_many);
    assert_eq!(status(&mut root, "Connection_errors_max_connections").await, 3);
    assert_eq!(status(&mut root, "Max_used_connections").await, 4);
    // Who is in stays in.
    assert_eq!(first.value("SELECT 1").await.as_deref(), Some("1"));
    drop((second, admin));
    wait_for(&mut root, 2).await;
    let third = server.try_user("u", "").await.expect("there is a place again");
    wait_for(&mut root, 3).await;
    root.run("GRANT CONNECTION_ADMIN ON *.* TO u").await;
    let fourth = server.try_user("u", "").await.expect("an administrator of connections");
    drop((third, fourth));
    wait_for(&mut root, 2).await;
    // It can be raised while there are too many.
    root.run("SET GLOBAL max_connections = 1").await;
    assert_eq!(refused(server.try_user("u", "").await), too_many);
    root.run("SET GLOBAL max_connections = 10; REVOKE CONNECTION_ADMIN ON *.* FROM u").await;
    server.try_user("u", "").await.expect("there are places");
}

#[tokio::test]
async fn max_user_connections_counts_those_of_each_account() {
    let world = World::new();
    let server = world.start().await;
    let mut root = server.client().await;
    root.run("CREATE USER u; CREATE USER v; CREATE USER w WITH MAX_USER_CONNECTIONS 1").await;
    root.run("SET GLOBAL max_user_connections = 2").await;
    let one = server.try_user("u", "").await.expect("one");
    let _two = server.try_user("u", "").await.expect("two");
    let text = "User u already has more than 'max_user_connections' active connections";
    assert_eq!(refused(server.try_user("u", "").await), (1203, text.to_owned()));
    let _other = server.try_user("v", "").await.expect("another account");
    // An account's own limit comes first.
    let _only = server.try_user("w", "").await.expect("its only one");
    assert_eq!(refused(server.try_user("w", "").await).0, 1226);
    drop(one);
    wait_for(&mut root, 4).await;
    let _three = server.try_user("u", "").await.expect("there is a place again");
    root.run("SET GLOBAL max_user_connections = 0").await;
    let _four = server.try_user("u", "").await.expect("as many as it likes");
}
