//! CREATE TABLE and ALTER TABLE by chance, here and on a MySQL server: errors, SHOW CREATE
//! TABLE and SHOW INDEX are the same.
#![expect(clippy::print_stderr, reason = "seeds and counts are printed")]

use std::fmt::Write as _;

use firn_mysql_protocol::Error;
use firn_mysql_protocol::client::{Client, ClientConfig};
use firn_mysql_protocol::tls::ClientTls;

use crate::support::{TestClient, lines_of, rows_of, start};

/// Chance, the same for the same seed on every machine: SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % limit as u64).expect("below a usize")
    }

    fn percent(&mut self, of_100: usize) -> bool {
        self.below(100) < of_100
    }

    fn word<'w>(&mut self, list: &[&'w str]) -> &'w str {
        list[self.below(list.len())]
    }
}

const NAMES: [&str; 8] = ["a", "b", "c", "d", "F", "g h", "select", "`x"];
const NUMBERS: [&str; 12] = [
    "int",
    "tinyint",
    "smallint unsigned",
    "mediumint",
    "bigint(20)",
    "int zerofill",
    "decimal(10,2)",
    "numeric(20,10)",
    "float",
    "double(10,2)",
    "bit(7)",
    "year",
];
const TIMES: [&str; 6] = ["date", "datetime", "timestamp", "time", "datetime(3)", "time(2)"];
const BYTES: [&str; 6] = ["binary(10)", "varbinary(50)", "blob", "tinyblob", "longblob", "json"];
const TEXTS: [&str; 8] = [
    "char(20)",
    "varchar(255)",
    "varchar(20)",
    "text",
    "tinytext",
    "text(300)",
    "enum('a','b''c','x y')",
    "set('a','b')",
];
const SETS: [&str; 7] = [
    "",
    "",
    " CHARACTER SET latin1",
    " CHARACTER SET utf8mb4",
    " COLLATE utf8mb4_bin",
    " CHARACTER SET ascii",
    " COLLATE utf8mb4_general_ci",
];

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A type, and what kind of default it takes.
fn data_type(random: &mut Random) -> (String, &'static [&'static str]) {
    match random.below(10) {
        0..4 => {
            let ty = random.word(&NUMBERS);
            let defaults: &[&str] = match ty {
                "bit(7)" => &["b'101'", "1", "NULL"],
                "year" => &["2020", "'1999'", "NULL"],
                _ => &["0", "5", "'7'", "1.5", "NULL", "(1 + 2)", "(abs(-3))"],
            };
            (ty.to_owned(), defaults)
        }
        4..6 => {
            let ty = random.word(&TIMES);
            let defaults: &[&str] = match ty {
                "date" => &["'2020-01-01'", "NULL", "(curdate())"],
                "datetime" | "timestamp" => &[
                    "'2020-01-01 10:00:00'",
                    "CURRENT_TIMESTAMP",
                    "CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP",
                    "NULL",
                ],
                "datetime(3)" => &["now(3)", "'2020-01-01'", "CURRENT_TIMESTAMP"],
                _ => &["'10:11:12'", "101112", "'-5:00'", "NULL"],
            };
            (ty.to_owned(), defaults)
        }
        6 => (random.word(&BYTES).to_owned(), &["NULL", "('x')", "'x'"]),
        _ => {
            let ty = format!("{}{}", random.word(&TEXTS), random.word(&SETS));
            (ty, &["'a'", "NULL", "''", "(upper('q'))", "'it''s'", "5"])
        }
    }
}

fn column(random: &mut Random, name: &str, others: &[&str]) -> String {
    let (ty, defaults) = data_type(random);
    let mut out = format!("{} {ty}", quoted(name));
    if random.percent(12) && !others.is_empty() {
        let other = quoted(random.word(others));
        let expr = random.word(&["length(@)", "@ is null", "concat(@, 'x')", "coalesce(@, 1)"]);
        let kind = random.word(&["", " STORED", " VIRTUAL", " NOT NULL"]);
        write!(out, " AS ({}){kind}", expr.replace('@', &other)).expect("a string");
    } else {
        out.push_str(random.word(&["", "", " NOT NULL", " NULL"]));
        if random.percent(45) {
            write!(out, " DEFAULT {}", random.word(defaults)).expect("a string");
        }
    }
    if random.percent(10) {
        out.push_str(random.word(&[" COMMENT 'hi'", " COMMENT 'it''s'", " COMMENT 'a\\nb'"]));
    }
    if random.percent(5) {
        out.push_str(random.word(&[" INVISIBLE", " UNIQUE", " CHECK (1 = 1)", " KEY"]));
    }
    out
}

fn parts(random: &mut Random, names: &[&str]) -> String {
    let count = 1 + random.below(2);
    let one = |random: &mut Random| {
        let name = quoted(random.word(names));
        let length = random.word(&["", "", "(5)"]);
        format!("{name}{length}{}", random.word(&["", "", " DESC"]))
    };
    (0..count).map(|_| one(random)).collect::<Vec<_>>().join(", ")
}

fn index(random: &mut Random, names: &[&str]) -> String {
    let kind = random.word(&["KEY", "UNIQUE", "UNIQUE KEY", "INDEX", "KEY", "PRIMARY KEY"]);
    let name = if kind == "PRIMARY KEY" { "" } else { random.word(&["", "i1", "i2", "`a b`"]) };
    let options = ["", "", "", " USING BTREE", " COMMENT 'k'", " INVISIBLE", " USING HASH"];
    format!("{kind} {name} ({}){}", parts(random, names), random.word(&options))
}

fn options(random: &mut Random) -> String {
    let all = [
        "AUTO_INCREMENT=5",
        "COMMENT='t''c'",
        "DEFAULT CHARSET=latin1",
        "COLLATE=utf8mb4_bin",
        "ROW_FORMAT=COMPACT",
        "STATS_PERSISTENT=1",
        "STATS_SAMPLE_PAGES=5",
        "CHECKSUM=1",
        "MAX_ROWS=100",
        "AVG_ROW_LENGTH=7",
        "KEY_BLOCK_SIZE=0",
        "CONNECTION='it''s'",
    ];
    let some = all.into_iter().filter(|_| random.percent(6));
    some.collect::<Vec<_>>().join(" ")
}

fn create(random: &mut Random) -> (String, Vec<&'static str>) {
    let mut names: Vec<&str> = Vec::new();
    let mut elements = Vec::new();
    for name in NAMES {
        if random.percent(40) || (names.is_empty() && name == "`x") {
            elements.push(column(random, name, &names));
            names.push(name);
        }
    }
    for _ in 0..random.below(3) {
        elements.push(index(random, &names));
    }
    if random.percent(10) {
        let check = quoted(random.word(&names));
        elements.push(format!("CONSTRAINT c1 CHECK ({check} is not null)"));
    }
    let sql = format!("CREATE TABLE t ({}) {}", elements.join(", "), options(random));
    (sql, names)
}

fn alter(random: &mut Random, names: &[&str]) -> String {
    let name = quoted(random.word(names));
    let place = random.word(&["", "", " FIRST"]);
    let new = random.word(&["n1", "n2", "a", "select"]);
    let action = match random.below(12) {
        0 | 1 => format!("ADD COLUMN {}{place}", column(random, new, names)),
        2 | 3 => {
            let same = random.word(names);
            format!("MODIFY {}{place}", column(random, same, &[]))
        }
        4 => format!("CHANGE {name} {}", column(random, new, &[])),
        5 => format!("DROP COLUMN {name}"),
        6 => format!("RENAME COLUMN {name} TO {}", quoted(new)),
        7 => format!("ADD {}", index(random, names)),
        8 => format!("DROP INDEX {}", random.word(&["i1", "i2", &name, "PRIMARY"])),
        9 => format!("ALTER {name} {}", random.word(&["DROP DEFAULT", "SET DEFAULT NULL"])),
        10 => random
            .word(&[
                "CONVERT TO CHARACTER SET latin1",
                "DEFAULT CHARACTER SET utf8mb4",
                "ALTER INDEX i1 INVISIBLE",
                "DROP CHECK c1",
                "RENAME INDEX i1 TO i9",
            ])
            .to_owned(),
        _ => "FORCE".to_owned(),
    };
    format!("ALTER TABLE t {action}")
}

/// What is left of a table, or why it was refused.
async fn told(client: &mut TestClient, sql: &str) -> Result<Vec<String>, (u16, String)> {
    if let Err(error) = client.0.query_all(sql.as_bytes()).await {
        return match error {
            Error::Sql(error) => Err((error.number, error.message.into_owned())),
            other => panic!("{sql}: {other}"),
        };
    }
    let mut out = Vec::new();
    for (sql, estimate) in [("SHOW CREATE TABLE t", None), ("SHOW INDEX FROM t", Some(6))] {
        for result in client.0.query_all(sql.as_bytes()).await.expect(sql) {
            let mut rows = rows_of(&result);
            if let Some(at) = estimate {
                rows.iter_mut().for_each(|row| drop(row.remove(at)));
            }
            out.extend(lines_of(&rows));
        }
    }
    Ok(out)
}

/// `MYSQL_ORACLE=127.0.0.1:13306 cargo test -p firn-compute --test it -- --ignored definitions`;
/// `SEED` and `TABLES` say with which tables and how many.
#[tokio::test]
#[ignore = "needs a MySQL server at MYSQL_ORACLE"]
async fn definitions_by_chance_are_shown_as_on_a_server() {
    let number = |name: &str, usual: u64| {
        std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
    };
    let (seed, tables) = (number("SEED", 1), number("TABLES", 200));
    eprintln!("SEED={seed} TABLES={tables}");
    let address = std::env::var("MYSQL_ORACLE").expect("MYSQL_ORACLE is host:port");
    let stream = tokio::net::TcpStream::connect(address).await.expect("the server is there");
    let config =
        ClientConfig { user: "root".into(), tls: ClientTls::Disabled, ..ClientConfig::default() };
    let mut theirs = TestClient(Client::connect(stream, &config).await.expect("root gets in"));
    theirs.run("CREATE DATABASE IF NOT EXISTS firn_definitions").await;
    theirs.run("USE firn_definitions").await;
    let (_server, mut ours) = start().await;
    let (mut statements, mut taken, mut differences) = (0, 0, String::new());
    for table in 0..tables {
        let mut random = Random(seed.wrapping_mul(1_000_003).wrapping_add(table));
        for client in [&mut theirs, &mut ours] {
            client.run("DROP TABLE IF EXISTS t").await;
        }
        let (mut sql, names) = create(&mut random);
        let mut before = String::new();
        for _ in 0..=random.below(4) {
            let (expected, got) = (told(&mut theirs, &sql).await, told(&mut ours, &sql).await);
            statements += 1;
            if expected != got {
                writeln!(differences, "{before}{sql}\n  MySQL {expected:#?}\n  Firn {got:#?}")
                    .expect("a string");
                break;
            }
            taken += usize::from(expected.is_ok());
            if expected.is_err() && before.is_empty() {
                break;
            }
            if expected.is_ok() {
                writeln!(before, "{sql};").expect("a string");
            }
            sql = alter(&mut random, &names);
        }
    }
    theirs.run("DROP DATABASE firn_definitions").await;
    eprintln!("{statements} statements, {taken} taken");
    assert!(taken > 0 && differences.is_empty(), "{differences}");
}
