//! Reads of one table run two ways: from row to packet, and over values, as all that has a
//! HAVING does. Both have to send the same bytes.

use firn_mysql_protocol::ColumnType;
use firn_mysql_protocol::client::ResultSet;
use firn_mysql_protocol::command::{Parameter, ParameterValue};

use crate::support::{TestClient, TestServer, start};

const TABLE: &str = "CREATE TABLE r (
    id INT PRIMARY KEY, u BIGINT UNSIGNED, ti TINYINT NOT NULL, de DECIMAL(12,3), db DOUBLE,
    fl FLOAT, d DATE, dt DATETIME(3), ts TIMESTAMP(6) NULL, tm TIME(2), y YEAR,
    vc VARCHAR(40), ci VARCHAR(40) COLLATE utf8mb4_general_ci,
    bi VARCHAR(40) COLLATE utf8mb4_bin, cs VARCHAR(40) COLLATE utf8mb4_0900_as_cs NOT NULL,
    la VARCHAR(40) CHARACTER SET latin1, vb VARBINARY(20), tx TEXT, en ENUM('b','a','c'),
    st SET('x','y','z'), js JSON, zf INT(6) ZEROFILL, bt BIT(9), ve INT AS (ti * 2) VIRTUAL,
    KEY u (u), KEY vc (vc), KEY ci (ci, u), KEY dt (dt), KEY de (de), KEY tx (tx(3)),
    KEY la (la DESC, ti), KEY cs (cs), KEY ts (ts))";

const COLUMNS: &[&str] = &[
    "id", "u", "ti", "de", "db", "fl", "d", "dt", "ts", "tm", "y", "vc", "ci", "bi", "cs", "la",
    "vb", "tx", "en", "st", "js", "zf", "bt",
];

/// Numbers that look as if they were random.
struct Dice(u64);

impl Dice {
    #[allow(clippy::print_stderr, reason = "a test that fails says its seed")]
    fn thrown(seed: u64) -> Self {
        eprintln!("seed {seed:#x}");
        Self(seed)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len() as u64) as usize]
    }

    fn text(&mut self) -> String {
        let parts = ["a", "B", "ä", "b ", "", "Z", "ss", "ß", "0", "é", "A\\0", "aa"];
        format!("{}{}{}", self.one(&parts), self.one(&parts), self.one(&parts))
    }

    /// A literal for a column.
    fn literal(&mut self, column: &str) -> String {
        let n = self.below(40) as i64;
        match column {
            "id" => n.to_string(),
            "u" => (n * 3).to_string(),
            "ti" => (n - 20).to_string(),
            "de" => format!("{}.{:03}", n - 10, self.below(1000)),
            "db" | "fl" => format!("{}.{}", n - 15, self.below(4) * 25),
            "d" => format!("'2024-02-{:02}'", 1 + n % 29),
            "dt" => format!("'2024-02-{:02} 10:00:00.{:03}'", 1 + n % 29, self.below(9)),
            "ts" => format!("'2024-10-27 0{}:{:02}:00.5'", n % 5, n),
            "tm" => format!("'{}:{:02}:00.25'", n - 20, n),
            "y" => (2000 + n).to_string(),
            "en" => format!("'{}'", self.one(&["a", "b", "c"])),
            "st" => format!("'{}'", self.one(&["", "x", "x,z", "y"])),
            "js" => self.one(&["'{\"a\": 1}'", "'[1, 2]'", "'\"text\"'", "'null'"]).to_owned(),
            "zf" => n.to_string(),
            "bt" => format!("b'{n:b}'"),
            "la" => format!("'{}'", self.one(&["a", "A", "é", "z ", "", "b"])),
            _ => format!("'{}'", self.text()),
        }
    }

    fn row(&mut self, id: u64) -> String {
        let mut values = vec![id.to_string()];
        for column in &COLUMNS[1..] {
            let null = !matches!(*column, "ti" | "cs") && self.below(7) == 0;
            values.push(if null { "NULL".into() } else { self.literal(column) });
        }
        format!("({})", values.join(","))
    }

    fn condition(&mut self) -> String {
        let columns = ["id", "id", "id", "u", "vc", "ci", "dt", "de", "tx", "la", "cs", "ti", "ts"];
        let column = self.one(&columns);
        let value = |dice: &mut Self| match dice.below(12) {
            0 => "NULL".into(),
            // What is no time is an error beside one.
            1 if !matches!(column, "dt" | "ts") => "'7'".to_owned(),
            2 if !matches!(column, "dt" | "ts") => "7.5".into(),
            _ => dice.literal(column),
        };
        let (a, b, c) = (value(self), value(self), value(self));
        match self.below(9) {
            0 | 1 => format!("{column} BETWEEN {a} AND {b}"),
            2 => format!("{column} IN ({a}, {b}, {c})"),
            3 => format!("{column} {} {a}", self.one(&["<", "<=", ">", ">=", "="])),
            4 => format!("{column} >= {a} AND {column} < {b}"),
            5 => format!("({column} < {a} OR {column} BETWEEN {b} AND {c})"),
            6 => format!("{column} = {a} AND {}", self.condition()),
            7 => format!("{column} IS {}NULL", self.one(&["", "NOT "])),
            _ => format!("{} AND ti <> 3", self.condition()),
        }
    }

    /// A statement in its parts before and behind where HAVING stands.
    fn statement(&mut self) -> (String, String) {
        let condition = match self.below(12) {
            0 => String::new(),
            _ => format!(" WHERE {}", self.condition()),
        };
        let from = format!(" FROM r{condition}");
        if self.below(5) == 0 {
            let mut items = Vec::new();
            for _ in 0..1 + self.below(4) {
                let column = self.one(COLUMNS);
                let function = self.one(&["SUM", "AVG", "MIN", "MAX", "COUNT"]);
                items.push(format!("{function}({column})"));
            }
            items.push("COUNT(*)".into());
            items.push("SUM(ti) / 3 + MAX(u)".into());
            return (format!("SELECT {}{from}", items.join(", ")), String::new());
        }
        let count = 1 + self.below(3);
        let items: Vec<&str> = (0..count).map(|_| self.one(COLUMNS)).collect();
        let limit = match self.below(4) {
            0 => format!(" LIMIT {}", self.below(12)),
            1 => format!(" LIMIT {}, {}", self.below(5), self.below(12)),
            _ => String::new(),
        };
        let direction = self.one(&["", " DESC"]);
        let shape = self.below(6);
        let distinct = if shape < 2 { "DISTINCT " } else { "" };
        let order = match shape {
            0 | 2 => items.iter().map(|item| format!("{item}{direction}")).collect(),
            3 => vec![format!("{}{direction}", self.one(COLUMNS))],
            4 => vec![
                format!("{}{direction}", self.one(COLUMNS)),
                format!("{} DESC", self.one(COLUMNS)),
            ],
            _ => Vec::new(),
        };
        let order = match order.is_empty() {
            true => String::new(),
            false => format!(" ORDER BY {}", order.join(", ")),
        };
        (format!("SELECT {distinct}{}{from}", items.join(", ")), format!("{order}{limit}"))
    }
}

/// All that an answer is, in bytes.
fn answer(result: &ResultSet) -> String {
    let rows: Vec<_> = result.rows.iter().map(|row| (&row.payload, row.binary)).collect();
    format!("{:?} {rows:?} {:?}", result.columns, result.summary)
}

async fn text(client: &mut TestClient, sql: &str) -> String {
    match client.0.query_all(sql.as_bytes()).await {
        Ok(results) => answer(&results[0]),
        Err(error) => format!("{error}"),
    }
}

async fn prepared(client: &mut TestClient, sql: &str, values: &[ParameterValue<'_>]) -> String {
    let statement = client.0.prepare(sql.as_bytes()).await.expect("it is right");
    let kind = |value: &ParameterValue<'_>| match value {
        ParameterValue::Int(_) => ColumnType::LongLong,
        ParameterValue::Double(_) => ColumnType::Double,
        _ => ColumnType::VarString,
    };
    let parameters: Vec<Parameter<'_>> = values
        .iter()
        .map(|value| Parameter { name: Vec::new(), kind: kind(value), value: *value })
        .collect();
    let mut answers = Vec::new();
    // The second time what was compiled is found again.
    for _ in 0..2 {
        let outcome = client.0.execute(&statement, &parameters, false, |_| false).await;
        let results = match outcome {
            Ok(outcome) => client.0.read_all(outcome).await,
            Err(error) => Err(error),
        };
        answers.push(match results {
            Ok(results) => answer(&results[0]),
            Err(error) => format!("{error}"),
        });
    }
    client.0.close_statement(statement.id).await.expect("it is closed");
    answers.dedup();
    answers.join("\nthe second time: ")
}

async fn filled(dice: &mut Dice, rows: u64) -> (TestServer, TestClient) {
    let (server, mut client) = start().await;
    client.run(TABLE).await;
    client.run("SET time_zone = 'Europe/Berlin'").await;
    let columns = COLUMNS.join(",");
    let values: Vec<String> = (0..rows).map(|id| dice.row(id)).collect();
    client.run(&format!("INSERT INTO r ({columns}) VALUES {}", values.join(","))).await;
    // Old versions and gaps.
    client.run("UPDATE r SET ti = ti + 1 WHERE id % 5 = 0; DELETE FROM r WHERE id % 11 = 3").await;
    (server, client)
}

async fn both_ways(client: &mut TestClient, dice: &mut Dice, statements: usize) {
    for _ in 0..statements {
        let (head, tail) = dice.statement();
        let (direct, general) = (format!("{head}{tail}"), format!("{head} HAVING TRUE{tail}"));
        let expected = text(client, &general).await;
        assert_eq!(text(client, &direct).await, expected, "{direct}");
        // By the plan cache, which has it by now.
        assert_eq!(text(client, &direct).await, expected, "{direct}");
        let expected = prepared(client, &general, &[]).await;
        assert_eq!(prepared(client, &direct, &[]).await, expected, "{direct}");
    }
}

#[tokio::test]
async fn rows_are_the_same_from_their_bytes_as_over_values() {
    let mut dice = Dice::thrown(0x5eed_0001);
    let (_server, mut client) = filled(&mut dice, 60).await;
    both_ways(&mut client, &mut dice, 250).await;
}

#[tokio::test]
async fn own_writes_are_among_the_rows_of_both_ways() {
    let mut dice = Dice::thrown(0x5eed_0002);
    let (server, mut client) = filled(&mut dice, 60).await;
    let mut other = server.try_client(Some("t")).await.expect("root gets in");
    let columns = COLUMNS.join(",");
    for level in ["REPEATABLE READ", "READ COMMITTED", "SERIALIZABLE"] {
        client.run(&format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}")).await;
        client.run("BEGIN; SELECT COUNT(*) FROM r").await;
        if level != "SERIALIZABLE" {
            other.run("UPDATE r SET db = db + 1, vc = 'other' WHERE id BETWEEN 10 AND 14").await;
        }
        for id in 60..70 {
            let row = dice.row(id);
            client.run(&format!("INSERT INTO r ({columns}) VALUES {row}")).await;
        }
        client.run("DELETE FROM r WHERE id BETWEEN 20 AND 25").await;
        client.run("UPDATE r SET vc = 'own', u = u + 1, ti = 0 WHERE id % 4 = 1").await;
        both_ways(&mut client, &mut dice, 60).await;
        client.run("ROLLBACK").await;
    }
}

#[tokio::test]
async fn an_old_entry_of_an_own_row_is_not_taken_for_the_row() {
    let (server, mut client) = start().await;
    client.run("CREATE TABLE e (id INT PRIMARY KEY, k INT, c INT, KEY (k))").await;
    client.run("INSERT INTO e VALUES (1, 10, 1), (2, 20, 2)").await;
    let mut other = server.try_client(Some("t")).await.expect("root gets in");
    client.run("BEGIN; SELECT COUNT(*) FROM e").await;
    other.run("UPDATE e SET k = 11 WHERE id = 1").await;
    client.run("UPDATE e SET k = 30 WHERE id = 1").await;
    // The snapshot has the entry of 10 still; the row is the transaction's own.
    for having in ["", " HAVING TRUE"] {
        let sql = format!("SELECT id, k, c FROM e WHERE k BETWEEN 10 AND 15{having}");
        assert_eq!(client.lines(&sql).await, [""; 0], "{sql}");
        let sql = format!("SELECT id, k, c FROM e WHERE k >= 20{having}");
        assert_eq!(client.lines(&sql).await, ["2|20|2", "1|30|1"], "{sql}");
    }
}

#[tokio::test]
async fn a_limit_of_nothing_reads_nothing() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE n (id INT PRIMARY KEY, s VARCHAR(9))").await;
    client.run("INSERT INTO n VALUES (1, 'x'), (2, 'y')").await;
    for having in ["", " HAVING TRUE"] {
        let sql = format!("SELECT id FROM n WHERE s < 7{having} ORDER BY s LIMIT 1, 0");
        assert_eq!(client.lines(&sql).await, [""; 0]);
        assert_eq!(client.lines("SHOW WARNINGS").await, [""; 0], "{sql}");
    }
}

#[tokio::test]
async fn parameters_of_any_type_find_the_same_rows_both_ways() {
    use ParameterValue::{Bytes, Double, Int, Null};
    let mut dice = Dice::thrown(0x5eed_0003);
    let (_server, mut client) = filled(&mut dice, 60).await;
    let values = [
        Int(3),
        Int(-4),
        Int(i64::MAX),
        Double(7.5),
        Double(1e30),
        Null,
        Bytes(b"12"),
        Bytes(b"a"),
        Bytes("\u{e9}".as_bytes()),
        Bytes(b"2024-02-11"),
        Bytes(b""),
    ];
    for (number, column) in ["id", "u", "vc", "ci", "la", "de", "dt", "tx"].iter().enumerate() {
        for (at, from) in values.iter().enumerate() {
            let to = values[(at * 7 + 3 + number) % values.len()];
            for (condition, values) in [
                (format!("{column} BETWEEN ? AND ?"), vec![*from, to]),
                (format!("{column} IN (?, ?, 5)"), vec![*from, to]),
                (format!("{column} > ?"), vec![*from]),
                (format!("{column} = ? AND u >= ?"), vec![*from, to]),
            ] {
                let (items, order) = match (at + number) % 3 {
                    0 => ("id, vc", ""),
                    1 => ("*", " ORDER BY id DESC LIMIT 5"),
                    _ => ("SUM(u), MAX(vc)", ""),
                };
                let head = format!("SELECT {items} FROM r WHERE {condition}");
                let (direct, general) =
                    (format!("{head}{order}"), format!("{head} HAVING TRUE{order}"));
                assert_eq!(
                    prepared(&mut client, &direct, &values).await,
                    prepared(&mut client, &general, &values).await,
                    "{direct} {values:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn large_results_are_sent_and_sorted_both_ways() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE big (id INT PRIMARY KEY, k INT, c VARCHAR(200), KEY (k))").await;
    for from in (0..9000).step_by(1000) {
        let row = |id: u64| {
            let mixed = (id * 7919) % 3000;
            format!("({id}, {}, REPEAT('{mixed}x', 1 + {id} % 30))", mixed % 50)
        };
        let rows: Vec<String> = (from..from + 1000).map(row).collect();
        client.run(&format!("INSERT INTO big VALUES {}", rows.join(","))).await;
    }
    for (head, tail) in [
        ("SELECT * FROM big", ""),
        ("SELECT c, id FROM big", " ORDER BY c DESC"),
        ("SELECT DISTINCT c FROM big", " ORDER BY c"),
        ("SELECT DISTINCT k FROM big", " ORDER BY k DESC LIMIT 7"),
        ("SELECT DISTINCT k FROM big WHERE id > 100", ""),
        ("SELECT c FROM big", " ORDER BY c, id LIMIT 30"),
        ("SELECT c, k FROM big WHERE k BETWEEN 5 AND 30", " ORDER BY c LIMIT 2000, 40"),
        ("SELECT SUM(id), AVG(k), MIN(c), COUNT(c) FROM big WHERE k > 3", ""),
    ] {
        let (direct, general) = (format!("{head}{tail}"), format!("{head} HAVING TRUE{tail}"));
        let expected = text(&mut client, &general).await;
        assert!(text(&mut client, &direct).await == expected, "{direct}");
    }
}

/// Such a list is no keys to look for; what is read instead once came in another order.
#[tokio::test]
async fn a_list_of_more_keys_than_one_read_takes_leaves_the_order_that_was_asked_for() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE t (id INT PRIMARY KEY, k INT, c INT, KEY (k))").await;
    let row = |id: u64| format!("({id}, {}, {id})", (id * 7919) % 401);
    let rows: Vec<String> = (0..400).map(row).collect();
    client.run(&format!("INSERT INTO t VALUES {}", rows.join(","))).await;
    let list = (100..20_200).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    for order in ["id LIMIT 5", "id DESC LIMIT 5", "k LIMIT 7", "k DESC LIMIT 7", "c, id", "id"] {
        let asked = |condition: &str| {
            format!("SELECT id, k FROM t WHERE {condition} HAVING TRUE ORDER BY {order}")
        };
        let expected = text(&mut client, &asked("id >= 100")).await;
        let given = asked(&format!("id IN ({list})"));
        assert!(text(&mut client, &given).await == expected, "ORDER BY {order}");
        let direct = given.replace(" HAVING TRUE", "");
        assert!(text(&mut client, &direct).await == expected, "ORDER BY {order}, to the client");
    }
}
