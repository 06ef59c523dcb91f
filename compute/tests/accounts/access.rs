//! What a session may do: the answers are a server's, noted by hand.

use firn_compute::accounts::{
    Access, AccountContext, AccountName, ClientHost, Directory, LoginFacts, LoginState, Objects,
    Privileges,
};
use firn_mysql_parser::ast::StatementKind;
use firn_mysql_parser::{Options, Parser};
use firn_mysql_protocol::tls::{ClientCertificate, Secured};
use firn_mysql_semantics::error::{SqlError, Warnings};

struct Anything;

impl Objects for Anything {
    fn has_table(&self, _: &str, _: &str) -> bool {
        true
    }

    fn has_column(&self, _: &str, _: &str, _: &str) -> bool {
        true
    }

    fn has_routine(&self, _: bool, _: &str, _: &str) -> bool {
        true
    }
}

fn run(all: &mut Directory, access: &Access, sql: &str) -> Result<(), SqlError> {
    let statement = Parser::new(Options::default()).parse(sql.as_bytes()).expect(sql);
    let mut warnings = Warnings::default();
    let mut cx = AccountContext {
        access,
        database: None,
        objects: &Anything,
        now_ms: 0,
        random: &|| Ok(7),
        random_password_chars: 20,
        require_current: false,
        password_history: 0,
        password_reuse_days: 0,
        warnings: &mut warnings,
    };
    match statement.kind {
        StatementKind::CreateUser(create) => all.create_user(&create, &mut cx).map(drop),
        StatementKind::AlterUser(alter) => all.alter_user(&alter, &mut cx).map(drop),
        StatementKind::CreateRole { if_not_exists, roles } => {
            all.create_roles(if_not_exists, &roles, &mut cx)
        }
        StatementKind::Grant(grant) => all.grant(&grant, &mut cx),
        StatementKind::Revoke(revoke) => all.revoke(&revoke, &mut cx),
        other => panic!("{other:?}"),
    }
}

fn text<T>(result: Result<T, SqlError>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => format!("{} {}", error.number(), error.message()),
    }
}

/// root, `low@%` with SELECT (a) and INSERT on `db5.t`, and what else `sqls` say.
fn with(sqls: &[&str]) -> (Directory, Access) {
    let mut all = Directory::developer();
    let root = Access::new(&all, AccountName::new("root", "localhost"), "localhost", false, false);
    for sql in [
        "CREATE USER low",
        "GRANT SELECT (a) ON db5.t TO low",
        "GRANT INSERT ON db5.t TO low WITH GRANT OPTION",
    ]
    .iter()
    .chain(sqls)
    {
        run(&mut all, &root, sql).expect(sql);
    }
    let low = Access::new(&all, AccountName::new("low", "%"), "localhost", false, false);
    (all, low)
}

#[test]
fn what_was_not_granted_is_denied_in_mysqls_words() {
    let (all, low) = with(&[]);
    let mut copy = all.clone();
    let mut try_it = |sql: &str| text(run(&mut copy, &low, sql));
    let need = |name: &str| {
        format!(
            "1227 Access denied; you need (at least one of) the {name} privilege(s) for this operation"
        )
    };
    assert_eq!(try_it("CREATE USER z"), need("CREATE USER"));
    assert_eq!(try_it("CREATE ROLE z"), need("CREATE USER, CREATE ROLE"));
    assert_eq!(try_it("GRANT backup_admin ON *.* TO low"), need("GRANT OPTION"));
    assert_eq!(try_it("GRANT low TO low"), need("WITH ADMIN, ROLE_ADMIN, SUPER"));
    let denied = "Access denied for user 'low'@'%'";
    assert_eq!(try_it("GRANT SELECT ON *.* TO low"), format!("1045 {denied} (using password: NO)"));
    assert_eq!(try_it("GRANT SELECT ON db6.* TO low"), format!("1044 {denied} to database 'db6'"));
    let denied = "command denied to user 'low'@'localhost' for table 't'";
    assert_eq!(try_it("GRANT SELECT ON db6.t TO low"), format!("1142 SELECT, GRANT {denied}"));
    assert_eq!(try_it("GRANT SELECT ON db5.t TO low"), format!("1142 SELECT {denied}"));
    assert_eq!(try_it("GRANT INSERT ON db5.t TO low"), "ok");
    assert_eq!(try_it("GRANT INSERT (a) ON db5.t TO low"), "ok");
    assert_eq!(try_it("GRANT SELECT (a) ON db5.t TO low"), "ok");
    assert_eq!(try_it("REVOKE SELECT ON db6.* FROM low").split_once(' ').unwrap().0, "1044");
    assert_eq!(
        try_it("GRANT PROXY ON root TO low"),
        "1698 Access denied for user 'low'@'localhost'"
    );
    assert_eq!(try_it("ALTER USER low IDENTIFIED BY 'y'"), "ok");
}

#[test]
fn tables_and_columns_are_checked() {
    let (_, low) = with(&[]);
    let select = Privileges::SELECT;
    assert_eq!(text(low.check_use("db5")), "ok");
    assert_eq!(
        text(low.check_use("db6")),
        "1044 Access denied for user 'low'@'%' to database 'db6'"
    );
    assert_eq!(text(low.check_columns(select, "db5", "t", ["a"])), "ok");
    assert_eq!(text(low.check_columns(select, "db5", "t", [])), "ok");
    assert_eq!(
        text(low.check_columns(select, "db5", "t", ["a", "b"])),
        "1143 SELECT command denied to user 'low'@'localhost' for column 'b' in table 't'"
    );
    assert_eq!(
        text(low.check_columns(select, "db5", "s", ["a"])),
        "1142 SELECT command denied to user 'low'@'localhost' for table 's'"
    );
    assert_eq!(
        text(low.check_table(Privileges::INSERT.with(Privileges::DELETE), "db6", "t")),
        "1142 INSERT, DELETE command denied to user 'low'@'localhost' for table 't'"
    );
    assert_eq!(text(low.check_table(Privileges::INSERT, "db5", "t")), "ok");
    assert_eq!(text(low.check_any_on_table(select, "db5", "t")), "ok");
    assert_eq!(text(low.check_any_on_table(select, "db5", "s")).split_once(' ').unwrap().0, "1142");
}

#[test]
fn roles_count_when_they_are_active() {
    let grants =
        ["CREATE ROLE r, s", "GRANT SELECT ON `d%`.* TO s", "GRANT s TO r", "GRANT r TO low"];
    let (mut all, mut low) = with(&grants);
    let select = |low: &Access| text(low.check_database(Privileges::SELECT, "db9"));
    assert_eq!(low.current_role(), "NONE");
    assert_ne!(select(&low), "ok");
    let StatementKind::SetRole(set) =
        Parser::new(Options::default()).parse(b"SET ROLE r").unwrap().kind
    else {
        panic!("SET ROLE")
    };
    low.set_role(&all, &set).unwrap();
    assert_eq!(low.current_role(), "`r`@`%`");
    assert_eq!(select(&low), "ok");
    let root = Access::new(&all, AccountName::new("root", "localhost"), "localhost", false, false);
    run(&mut all, &root, "REVOKE r FROM low").unwrap();
    assert_eq!(select(&low), "ok");
    low.refresh(&all);
    assert_ne!(select(&low), "ok");
    assert_eq!(low.current_role(), "NONE");
}

#[test]
fn the_most_specific_pattern_of_a_database_counts() {
    let (_, low) = with(&[
        "GRANT SELECT ON `d%`.* TO low",
        "GRANT INSERT ON `db\\_%`.* TO low",
        "GRANT UPDATE ON `db\\_x`.* TO low",
    ]);
    assert_eq!(low.on_database("dz"), Privileges::SELECT);
    assert_eq!(low.on_database("db_y"), Privileges::INSERT);
    assert_eq!(low.on_database("db_x"), Privileges::UPDATE);
    assert_eq!(low.on_database("DZ"), Privileges::NONE);
}

#[test]
fn root_of_a_developer_comes_from_this_machine_alone() {
    let all = Directory::developer();
    let from = |ip: &str| ClientHost::of_address(ip.parse().unwrap());
    assert!(all.lookup("root", &from("127.0.0.1")).is_some_and(|one| one.auth_string.is_empty()));
    assert!(all.lookup("root", &from("::1")).is_some());
    assert!(all.lookup("root", &ClientHost::local()).is_some());
    assert!(all.lookup("root", &from("10.0.0.1")).is_none());
    assert!(all.lookup("other", &from("127.0.0.1")).is_none());
}

#[test]
fn an_anonymous_account_of_the_host_comes_before_a_named_one_of_all() {
    let (all, _) = with(&["CREATE USER ''@localhost"]);
    let found = |ip: &str| {
        let from = ClientHost::of_address(ip.parse().unwrap());
        all.find("low", &from).map(|(name, _)| name.quoted())
    };
    assert_eq!(found("127.0.0.1").as_deref(), Some("''@'localhost'"));
    assert_eq!(found("10.1.1.1").as_deref(), Some("'low'@'%'"));
}

#[test]
fn logins_that_accounts_refuse() {
    let facts = LoginFacts {
        host: "localhost",
        tls: false,
        secured: None,
        using_password: true,
        can_handle_expired: false,
        disconnect_on_expired: true,
        lifetime_days: 0,
        now_ms: 100 * 86_400_000,
    };
    let check = |option: &str, facts: &LoginFacts<'_>| {
        let (all, _) = with(&[&format!("CREATE USER u {option}")]);
        let name = AccountName::new("u", "%");
        all.get(&name).unwrap().check_login(&name, facts)
    };
    assert_eq!(
        text(check("ACCOUNT LOCK", &facts)),
        "3118 Access denied for user 'u'@'localhost'. Account is locked."
    );
    assert_eq!(check("PASSWORD EXPIRE", &facts).unwrap_err().number(), 1862);
    let can = LoginFacts { can_handle_expired: true, ..facts };
    assert_eq!(check("PASSWORD EXPIRE", &can), Ok(LoginState::MustChangePassword));
    let ninety = "PASSWORD EXPIRE INTERVAL 90 DAY";
    assert_eq!(check(ninety, &can), Ok(LoginState::MustChangePassword));
    assert_eq!(check("PASSWORD EXPIRE NEVER", &facts), Ok(LoginState::Open));
    assert_eq!(
        text(check("REQUIRE SSL", &facts)),
        "1045 Access denied for user 'u'@'localhost' (using password: YES)"
    );
    assert_eq!(check("REQUIRE SSL", &LoginFacts { tls: true, ..facts }), Ok(LoginState::Open));
    // Over TLS without a certificate, and with that of a client.
    let bare = Secured { cipher: "TLS_AES_256_GCM_SHA384".to_owned(), certificate: None };
    let names = ClientCertificate { subject: "/CN=me".into(), issuer: "/O=Firn/CN=ca".into() };
    let shown = Secured { certificate: Some(names), ..bare.clone() };
    for (option, without, with) in [
        ("REQUIRE SSL", true, true),
        ("REQUIRE X509", false, true),
        ("REQUIRE SUBJECT '/CN=me'", false, true),
        ("REQUIRE SUBJECT '/CN=you'", false, false),
        ("REQUIRE ISSUER '/O=Firn/CN=ca' AND SUBJECT '/CN=me'", false, true),
        ("REQUIRE ISSUER '/CN=ca'", false, false),
        ("REQUIRE CIPHER 'TLS_AES_256_GCM_SHA384'", false, true),
        ("REQUIRE CIPHER 'ECDHE-RSA-AES128-GCM-SHA256'", false, false),
    ] {
        for (secured, taken) in [(&bare, without), (&shown, with)] {
            let facts = LoginFacts { tls: true, secured: Some(secured), ..facts };
            assert_eq!(check(option, &facts).is_ok(), taken, "{option} {secured:?}");
        }
        assert_eq!(check(option, &facts).unwrap_err().number(), 1045, "{option}");
    }
}
