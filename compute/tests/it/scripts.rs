//! Scripts of statements, here and on a MySQL server: `tests/data/scripts` has what such a
//! server answered, told and wrote.
//!
//! `> ` is a statement, `= NAME ` makes a file with what is behind it, `< NAME` shows a
//! file. `$D` is the folder that they are in.

use std::fmt::Write as _;
use std::path::Path;

use firn_compute::server::Site;
use firn_mysql_protocol::Error;
use firn_mysql_protocol::client::Client;

use crate::support::{TestClient, World, config, lines_of, names_of, rows_of};

const SCRIPTS: &[&str] = &[
    "files",
    "temporary_as",
    "grouping",
    "restored",
    "keys",
    "years",
    "numbers",
    "no_defaults",
    "json_table",
    "names",
    "frameworks",
];

fn path(script: &str) -> String {
    format!("{}/tests/data/scripts/{script}.txt", env!("CARGO_MANIFEST_DIR"))
}

fn read(script: &str) -> String {
    let path = path(script);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// `\n`, `\xHH` and such.
fn unescaped(text: &str) -> Vec<u8> {
    let (mut out, mut chars) = (Vec::new(), text.chars());
    while let Some(one) = chars.next() {
        match (one, one == '\\') {
            (_, false) => out.extend_from_slice(one.to_string().as_bytes()),
            _ => match chars.next() {
                Some('n') => out.push(b'\n'),
                Some('t') => out.push(b'\t'),
                Some('x') => {
                    let digits: String = chars.by_ref().take(2).collect();
                    out.push(u8::from_str_radix(&digits, 16).expect("two digits"));
                }
                other => out.extend_from_slice(other.expect("an escape").to_string().as_bytes()),
            },
        }
    }
    out
}

/// What a statement gives: rows below their names, or what the client is told.
async fn answer(client: &mut TestClient, sql: &str) -> Vec<String> {
    match client.0.query_all(sql.as_bytes()).await {
        Ok(mut results) => {
            let result = results.pop().unwrap_or_default();
            if result.columns.is_empty() {
                let summary = client.0.summary();
                let told = format!(
                    "{} rows, {} warnings. {}",
                    summary.affected_rows, summary.warnings, summary.info
                );
                return vec![told.trim_end().to_owned()];
            }
            let mut lines = vec![names_of(&result).join(",")];
            lines.extend(lines_of(&rows_of(&result)));
            lines
        }
        Err(Error::Sql(error)) => vec![format!("error {} {}", error.number, error.message)],
        Err(error) => panic!("{sql}: {error}"),
    }
}

/// A script with its answers anew.
async fn run(client: &mut TestClient, script: &str, folder: &Path) -> String {
    let at = folder.to_str().expect("a name");
    let mut out = String::new();
    for line in read(script).lines() {
        let answers = if let Some(sql) = line.strip_prefix("> ") {
            let answers = answer(client, &sql.replace("$D", at)).await;
            answers.into_iter().map(|line| line.replace(at, "$D")).collect()
        } else if let Some(name) = line.strip_prefix("< ") {
            let bytes = std::fs::read(folder.join(name));
            let bytes = bytes.unwrap_or_else(|error| panic!("{name}: {error}"));
            vec![bytes.escape_ascii().to_string()]
        } else if let Some(file) = line.strip_prefix("= ") {
            let (name, text) = file.split_once(' ').expect("a name and a text");
            std::fs::write(folder.join(name), unescaped(text)).expect("a file");
            Vec::new()
        } else if line.starts_with("  ") {
            continue;
        } else {
            Vec::new()
        };
        writeln!(out, "{line}").expect("a string");
        for answer in answers {
            writeln!(out, "  {}", answer.replace('\n', "\\n")).expect("a string");
        }
    }
    out
}

fn differences(recorded: &str, given: &str) -> String {
    let mut out = String::new();
    let blocks = |text: &str| -> Vec<String> {
        text.replace("\n  ", "\u{0}  ").lines().map(|one| one.replace('\u{0}', "\n")).collect()
    };
    for (recorded, given) in blocks(recorded).into_iter().zip(blocks(given)) {
        if recorded != given {
            writeln!(out, "recorded: {recorded}\ngiven: {given}").expect("a string");
        }
    }
    out
}

async fn is_as_recorded(script: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let site = Site {
        data_dir: folder.path().join("data").display().to_string(),
        secure_file_priv: Some(String::new()),
        ..Site::default()
    };
    let server = World::new().start_at(&site).await;
    let mut client = server.client().await;
    let given = run(&mut client, script, folder.path()).await;
    let found = differences(&read(script), &given);
    assert!(found.is_empty(), "{script}:\n{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_read_and_written_as_by_a_server() {
    is_as_recorded("files").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_tables_are_made_of_queries_as_by_a_server() {
    is_as_recorded("temporary_as").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grouping_tells_sums_as_a_server_does() {
    is_as_recorded("grouping").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_wrong_are_refused_as_by_a_server() {
    is_as_recorded("keys").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn constants_beside_years_are_years_as_on_a_server() {
    is_as_recorded("years").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_numbers_are_given_as_by_a_server() {
    is_as_recorded("numbers").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_lost_their_default_are_to_be_given_as_on_a_server() {
    is_as_recorded("no_defaults").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_several_items_mean_what_they_do_on_a_server() {
    is_as_recorded("names").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_tables_as_on_a_server() {
    is_as_recorded("json_table").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_suites_of_frameworks_need_is_as_on_a_server() {
    is_as_recorded("frameworks").await;
}

/// Bytes received and sent, of a session or of all.
async fn bytes(scope: &str, client: &mut TestClient) -> Vec<u64> {
    let shown = client.result(&format!("SHOW {scope} STATUS LIKE 'Bytes%'")).await;
    let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
    rows_of(&shown).iter().map(|row| number(&row[1]).expect("a number")).collect()
}

#[tokio::test]
async fn bytes_of_clients_are_counted() {
    let server = World::new().start().await;
    let (mut one, mut two) = (server.client().await, server.client().await);
    let before = bytes("SESSION", &mut one).await;
    assert!(before.len() == 2 && before.iter().all(|bytes| *bytes > 0), "{before:?}");
    let text = "x".repeat(10_000);
    assert_eq!(one.value(&format!("SELECT '{text}'")).await.as_deref(), Some(text.as_str()));
    let (after, all) = (bytes("SESSION", &mut one).await, bytes("GLOBAL", &mut two).await);
    for at in 0..2 {
        let (before, after, all) = (before[at], after[at], all[at]);
        assert!((before + 10_000..before + 12_000).contains(&after), "{before} {after}");
        assert!(all >= after, "{all} of all, {after} of one");
    }
    // Those of another session are its own.
    assert!(bytes("SESSION", &mut two).await.iter().all(|bytes| *bytes < 10_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_dumps_and_programs_need_is_as_on_a_server() {
    is_as_recorded("restored").await;
}

#[tokio::test]
async fn a_statement_may_end_in_a_nul() {
    let server = World::new().start().await;
    let mut client = server.client().await;
    // As mysqlslap sends them.
    assert_eq!(client.value("SELECT 1\0").await.as_deref(), Some("1"));
    assert_eq!(client.value("SELECT 'a\0b'\0").await.as_deref(), Some("a\0b"));
    assert_eq!(client.error("SELECT\0 1").await.0, 1064);
}

#[tokio::test]
async fn names_are_told_in_the_clients_character_set() {
    let server = World::new().start().await;
    let mut client = server.client().await;
    client.run("SET character_set_results = latin1").await;
    let result = client.result("SELECT 1 AS `é`").await;
    assert_eq!(result.columns[0].name, b"\xe9");
    client.run("SET character_set_results = utf8mb4").await;
    let result = client.result("SELECT 1 AS `é`").await;
    assert_eq!(result.columns[0].name, "é".as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_outside_of_the_folder_are_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = folder.path().join("open");
    std::fs::create_dir(&open).expect("a folder");
    std::fs::write(folder.path().join("secret"), "1\n").expect("a file");
    std::fs::write(open.join("in"), "1\n").expect("a file");
    std::os::unix::fs::symlink(folder.path().join("secret"), open.join("link")).expect("a link");
    std::os::unix::fs::symlink(folder.path(), open.join("up")).expect("a link");
    let site = Site {
        data_dir: folder.path().display().to_string(),
        secure_file_priv: Some(open.display().to_string()),
        ..Site::default()
    };
    let server = World::new().start_at(&site).await;
    let mut client = server.client().await;
    client.run("CREATE DATABASE d; USE d; CREATE TABLE t (a INT)").await;
    let shown = client.value("SELECT @@secure_file_priv").await;
    assert_eq!(shown, Some(format!("{}/", open.display())));
    let (inside, outside) = (open.display(), folder.path().display());
    for name in [
        format!("{outside}/secret"),
        format!("{inside}/../secret"),
        format!("{inside}/link"),
        format!("{inside}/up/secret"),
        "./secret".to_owned(),
        "/etc/passwd".to_owned(),
    ] {
        let (number, text) = client.error(&format!("LOAD DATA INFILE '{name}' INTO TABLE t")).await;
        assert_eq!(number, 1290, "{name}: {text}");
        assert_eq!(client.value(&format!("SELECT LOAD_FILE('{name}')")).await, None, "{name}");
    }
    for name in [
        format!("{outside}/new"),
        format!("{inside}/../new"),
        format!("{inside}/up/new"),
        format!("{inside}/nowhere/new"),
        "new".to_owned(),
    ] {
        for kind in ["OUTFILE", "DUMPFILE"] {
            let (number, text) = client.error(&format!("SELECT 1 INTO {kind} '{name}'")).await;
            assert_eq!(number, 1290, "{name}: {text}");
        }
    }
    // A link that leads nowhere is no new file.
    let nowhere = folder.path().join("made");
    std::os::unix::fs::symlink(&nowhere, open.join("dangling")).expect("a link");
    let (number, _) = client.error(&format!("SELECT 1 INTO OUTFILE '{inside}/dangling'")).await;
    assert_eq!(number, 1086);
    assert!(!nowhere.exists());
    client.run(&format!("LOAD DATA INFILE '{inside}/in' INTO TABLE t")).await;
    client.run(&format!("SELECT a + 1 FROM t INTO OUTFILE '{inside}/out'")).await;
    assert_eq!(std::fs::read(open.join("out")).expect("a file"), b"2\n");
    let loaded = client.value(&format!("SELECT LOAD_FILE('{inside}/in')")).await;
    assert_eq!(loaded.as_deref(), Some("1\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_for_who_has_the_privilege() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().display();
    let site = Site { secure_file_priv: Some(String::new()), ..Site::default() };
    let server = World::new().start_at(&site).await;
    let mut root = server.client().await;
    root.run("CREATE DATABASE d; CREATE TABLE d.t (a INT)").await;
    root.run("CREATE USER u IDENTIFIED BY 'p'; GRANT ALL ON d.* TO u").await;
    std::fs::write(folder.path().join("in"), "1\n").expect("a file");
    let mut user = server.try_user("u", "p").await.map_err(|_| ()).expect("u gets in");
    let (number, _) = user.error(&format!("LOAD DATA INFILE '{at}/in' INTO TABLE d.t")).await;
    assert_eq!(number, 1045);
    let (number, _) = user.error(&format!("SELECT 1 INTO OUTFILE '{at}/out'")).await;
    assert_eq!(number, 1227);
    let load = format!("SELECT LOAD_FILE('{at}/in')");
    assert_eq!(user.value(&load).await, None);
    root.run("GRANT FILE ON *.* TO u").await;
    assert_eq!(user.value(&load).await.as_deref(), Some("1\n"));
    user.run(&format!("LOAD DATA INFILE '{at}/in' INTO TABLE d.t")).await;
    user.run(&format!("SELECT * FROM d.t INTO OUTFILE '{at}/out'")).await;
}

/// `MYSQL_ORACLE=127.0.0.1:13306 cargo test -p firn-compute --test it -- --ignored
/// a_server_answers_scripts`; with `RECORD=1` it writes the answers instead of comparing
/// them. The server must be on this machine, with an empty `secure_file_priv`.
#[tokio::test]
#[ignore = "needs a MySQL server at MYSQL_ORACLE, on this machine and with secure_file_priv empty"]
async fn a_server_answers_scripts_as_recorded() {
    let address = std::env::var("MYSQL_ORACLE").expect("MYSQL_ORACLE is host:port");
    for script in SCRIPTS {
        let folder = tempfile::tempdir().expect("a folder");
        let stream = tokio::net::TcpStream::connect(&address).await.expect("the server is there");
        let client = Client::connect(stream, &config()).await.expect("root gets in");
        let given = run(&mut TestClient(client), script, folder.path()).await;
        if std::env::var("RECORD").is_ok() {
            std::fs::write(path(script), given).expect("the file can be written");
            continue;
        }
        let found = differences(&read(script), &given);
        assert!(found.is_empty(), "{script}:\n{found}");
    }
}
