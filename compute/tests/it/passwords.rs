//! Passwords that are retained, remembered, or wrong too often. What is expected are
//! MySQL's answers to the same statements.

use crate::support::{refused, start};

#[tokio::test]
async fn a_retained_password_is_as_good_until_it_is_discarded() {
    let (server, mut root) = start().await;
    for plugin in ["caching_sha2_password", "mysql_native_password"] {
        root.run(&format!("CREATE USER u IDENTIFIED WITH {plugin} BY 'one'")).await;
        root.run("ALTER USER u IDENTIFIED BY 'two' RETAIN CURRENT PASSWORD").await;
        // The second time passwords are remembered.
        for password in ["one", "two", "one", "two"] {
            server.try_user("u", password).await.expect(password);
        }
        assert_eq!(refused(server.try_user("u", "three").await).0, 1045);
        let kept = root.lines("SELECT user_attributes FROM mysql.user WHERE user = 'u'").await;
        assert!(kept[0].contains("additional_password"), "{kept:?}");
        root.run("SET PASSWORD FOR u = 'three' RETAIN CURRENT PASSWORD").await;
        assert_eq!(refused(server.try_user("u", "one").await).0, 1045);
        server.try_user("u", "two").await.expect("it was retained");
        // Without RETAIN the second one stays as it is.
        root.run("ALTER USER u IDENTIFIED BY 'four'").await;
        server.try_user("u", "two").await.expect("it stays");
        assert_eq!(refused(server.try_user("u", "three").await).0, 1045);
        root.run("ALTER USER u DISCARD OLD PASSWORD").await;
        assert_eq!(refused(server.try_user("u", "two").await).0, 1045);
        server.try_user("u", "four").await.expect("it is the password");
        assert_eq!(
            root.error("ALTER USER u IDENTIFIED BY '' RETAIN CURRENT PASSWORD").await,
            (
                3895,
                "Current password can not be retained for user 'u'@'%' because new password is empty."
                    .into()
            )
        );
        root.run("DROP USER u").await;
    }
    root.run("CREATE USER u IDENTIFIED BY 'one'").await;
    let sql = "ALTER USER u IDENTIFIED WITH mysql_native_password BY 'x' RETAIN CURRENT PASSWORD";
    assert_eq!(root.error(sql).await.0, 3894);
    // Who has nothing may not retain: it would be two ways in.
    let mut own = server.try_user("u", "one").await.expect("u gets in");
    let sql = "ALTER USER USER() IDENTIFIED BY 'two' RETAIN CURRENT PASSWORD";
    assert_eq!(own.error(sql).await.0, 1227);
    root.run("GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO u").await;
    own.run(sql).await;
    server.try_user("u", "one").await.expect("it was retained");
}

#[tokio::test]
async fn used_passwords_are_refused() {
    let (_server, mut root) = start().await;
    root.run("CREATE USER u@localhost IDENTIFIED BY 'a3'").await;
    root.run("ALTER USER u@localhost PASSWORD HISTORY 2").await;
    let used = (
        3638,
        "Cannot use these credentials for 'u@localhost' because they contradict the password \
         history policy"
            .to_owned(),
    );
    root.run("ALTER USER u@localhost IDENTIFIED BY 'h1'").await;
    root.run("ALTER USER u@localhost IDENTIFIED BY 'h2'").await;
    assert_eq!(root.error("ALTER USER u@localhost IDENTIFIED BY 'h1'").await, used);
    root.run("ALTER USER u@localhost IDENTIFIED BY 'h3'").await;
    root.run("ALTER USER u@localhost IDENTIFIED BY 'h1'").await;
    assert_eq!(root.error("ALTER USER u@localhost IDENTIFIED BY 'h3'").await, used);
    assert_eq!(root.error("SET PASSWORD FOR u@localhost = 'h3'").await, used);
    // No password may come again.
    root.run("ALTER USER u@localhost IDENTIFIED BY ''; ALTER USER u@localhost IDENTIFIED BY ''")
        .await;
    root.run("ALTER USER u@localhost PASSWORD HISTORY DEFAULT PASSWORD REUSE INTERVAL 3 DAY").await;
    root.run("ALTER USER u@localhost IDENTIFIED BY 'r1'").await;
    root.run("ALTER USER u@localhost IDENTIFIED BY 'r2'").await;
    assert_eq!(root.error("ALTER USER u@localhost IDENTIFIED BY 'r1'").await, used);
    // Another name, the same account.
    root.run("RENAME USER u@localhost TO v@localhost").await;
    assert_eq!(root.error("ALTER USER v@localhost IDENTIFIED BY 'r1'").await.0, 3638);
    root.run("ALTER USER v@localhost PASSWORD REUSE INTERVAL DEFAULT").await;
    root.run("ALTER USER v@localhost IDENTIFIED BY 'r1'").await;
}

#[tokio::test]
async fn too_many_wrong_passwords_block_an_account() {
    let (server, mut root) = start().await;
    root.run("CREATE USER u IDENTIFIED BY 'p' FAILED_LOGIN_ATTEMPTS 2 PASSWORD_LOCK_TIME 1").await;
    let denied = "Access denied for user 'u'@'localhost' (using password: YES)".to_owned();
    let blocked = |days: &str| {
        let text = format!(
            "Access denied for user 'u'@'localhost'. Account is blocked for {days} day(s) \
             ({days} day(s) remaining) due to 2 consecutive failed logins."
        );
        (3955, text)
    };
    assert_eq!(refused(server.try_user("u", "bad").await), (1045, denied.clone()));
    assert_eq!(refused(server.try_user("u", "bad").await), blocked("1"));
    assert_eq!(refused(server.try_user("u", "p").await), blocked("1"));
    root.run("ALTER USER u ACCOUNT UNLOCK").await;
    server.try_user("u", "p").await.expect("it is unblocked");
    // They count one after the other alone.
    for _ in 0..3 {
        assert_eq!(refused(server.try_user("u", "bad").await), (1045, denied.clone()));
        server.try_user("u", "p").await.expect("not blocked");
    }
    root.run("ALTER USER u PASSWORD_LOCK_TIME UNBOUNDED").await;
    assert_eq!(refused(server.try_user("u", "bad").await), (1045, denied.clone()));
    assert_eq!(refused(server.try_user("u", "bad").await), blocked("unlimited"));
    root.run("FLUSH PRIVILEGES").await;
    server.try_user("u", "p").await.expect("all begin anew");
    root.run("ALTER USER u FAILED_LOGIN_ATTEMPTS 0").await;
    for _ in 0..3 {
        assert_eq!(refused(server.try_user("u", "bad").await), (1045, denied.clone()));
    }
    server.try_user("u", "p").await.expect("nothing is counted");
}
