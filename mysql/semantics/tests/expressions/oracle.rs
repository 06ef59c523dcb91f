//! Generated expressions against a live server.

use std::collections::BTreeMap;

use crate::answer::{Answer, NOW_MICROS, Outcome, columns, ours, theirs};
use crate::client::Client;
use crate::generate::Generator;

/// A connection to the server that `MYSQL_ORACLE` names, with the table `c`.
pub(crate) fn connect() -> Client {
    let address =
        std::env::var("MYSQL_ORACLE").expect("MYSQL_ORACLE is host:port of a MySQL server");
    let mut client = Client::connect(&address).expect("the server answers");
    let cells = columns();
    let table =
        cells.iter().map(|c| format!("{} {}", c.name, c.ddl)).collect::<Vec<_>>().join(", ");
    let row = cells.iter().map(|c| c.literal).collect::<Vec<_>>().join(", ");
    let setup = [
        "CREATE DATABASE IF NOT EXISTS firn_expr".to_owned(),
        "USE firn_expr".to_owned(),
        "SET NAMES utf8mb4".to_owned(),
        "SET time_zone = '+00:00'".to_owned(),
        format!("SET timestamp = {}.{:06}", NOW_MICROS / 1_000_000, NOW_MICROS % 1_000_000),
        format!("CREATE TEMPORARY TABLE c ({table})"),
        format!("INSERT INTO c VALUES ({row})"),
    ];
    for sql in setup {
        let (rows, _) = client.rows(&sql).expect("the server answers");
        assert!(rows.is_empty(), "{sql}: {rows:?}");
    }
    client
}

pub(crate) fn ask(client: &mut Client, expr: &str) -> Answer {
    let (reply, warnings) =
        client.value(&format!("SELECT {expr} FROM c")).expect("the server answers");
    theirs(reply, warnings)
}

/// What differs, as a word; `None` if nothing does.
pub(crate) fn difference(ours: &Answer, theirs: &Answer) -> Option<&'static str> {
    Some(match (&ours.outcome, &theirs.outcome) {
        (Outcome::Error { number: 1235, .. }, _) => "not built",
        (Outcome::Error { number: a, message: x }, Outcome::Error { number: b, message: y }) => {
            if a != b {
                "error number"
            } else if x != y {
                "error text"
            } else {
                return None;
            }
        }
        (Outcome::Error { .. }, Outcome::Value { .. }) => "error is ours alone",
        (Outcome::Value { .. }, Outcome::Error { .. }) => "error is theirs alone",
        (
            Outcome::Value { kind, unsigned, nullable, length, decimals, binary, text },
            Outcome::Value {
                kind: k,
                unsigned: u,
                nullable: n,
                length: l,
                decimals: d,
                binary: b,
                text: t,
            },
        ) => {
            if text != t {
                "value"
            } else if kind != k {
                "type"
            } else if unsigned != u {
                "unsigned"
            } else if binary != b {
                "charset"
            } else if decimals != d {
                "decimals"
            } else if length != l {
                "length"
            } else if nullable != n {
                "nullable"
            } else if ours.warnings != theirs.warnings {
                "warnings"
            } else {
                return None;
            }
        }
    })
}

pub(crate) fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// `MYSQL_ORACLE=127.0.0.1:3306 EXPRESSIONS=200000 SEED=1 DEPTH=2 cargo test -p
/// firn-mysql-semantics --test expressions -- --ignored generated --nocapture`
///
/// Prints how many differ by what differs, with examples, and fails beyond 1 in
/// 10,000. `RARE=30` makes 30 of 100 columns ENUM, SET, BIT, YEAR, FLOAT, TIME,
/// TIMESTAMP or TEXT; `JSON=50` makes 50 of 100 expressions ones of JSON.
#[test]
#[ignore = "needs a live MySQL"]
fn generated() {
    let (count, seed, depth) =
        (number("EXPRESSIONS", 20_000), number("SEED", 1), number("DEPTH", 2));
    let shown = number("SHOW", 3) as usize;
    let mut client = connect();
    let rare = number("RARE", 0) as u32;
    let json = number("JSON", 0) as u32;
    let mut generator = Generator::new(seed).with_rare_columns(rare).with_json(json);
    let mut classes: BTreeMap<(&str, String), (u64, Vec<String>)> = BTreeMap::new();
    let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
    for _ in 0..count {
        let expr = generator.expression(depth as u32);
        let mine = match std::panic::catch_unwind(|| ours(&expr)) {
            Ok(answer) => answer,
            Err(_) => panic!("a panic over {expr}"),
        };
        let real = ask(&mut client, &expr);
        let Some(what) = difference(&mine, &real) else { continue };
        *totals.entry(what).or_default() += 1;
        let class = classes.entry((what, root(&expr))).or_default();
        class.0 += 1;
        if class.1.len() < shown {
            class.1.push(format!(
                "{expr}\n      ours   {}\n      theirs {}",
                show(&mine),
                show(&real)
            ));
        }
    }
    let mut list: Vec<_> = classes.into_iter().collect();
    list.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    for ((what, root), (count, examples)) in list {
        println!("{count:6} {what}: {root}");
        for example in examples {
            println!("    {example}");
        }
    }
    let bad: u64 = totals.values().sum();
    println!("seed {seed}, depth {depth}: {bad} of {count} differ: {totals:?}");
    assert!(bad * 10_000 < count, "{bad} of {count} differ");
}

pub(crate) fn show(answer: &Answer) -> String {
    let warnings =
        if answer.warnings.is_empty() { String::new() } else { format!(" {:?}", answer.warnings) };
    match &answer.outcome {
        Outcome::Error { number, message } => format!("ERROR {number}: {message}"),
        Outcome::Value { kind, unsigned, nullable, length, decimals, binary, text } => format!(
            "{:?} type {kind}{}{} length {length} decimals {decimals}{}{warnings}",
            text.as_ref().map(|text| String::from_utf8_lossy(text).into_owned()),
            if *unsigned { " unsigned" } else { "" },
            if *nullable { "" } else { " not null" },
            if *binary { " binary" } else { "" },
        ),
    }
}

/// The function or operator at the top.
fn root(expr: &str) -> String {
    let head: String =
        expr.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    if expr[head.len()..].starts_with('(') && !head.is_empty() {
        return head;
    }
    // Operators: what stands outside of parentheses and quotes.
    let (mut level, mut quoted, mut out) = (0, false, String::new());
    for c in expr.chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => level += 1,
            ')' if !quoted => level -= 1,
            _ if level > 0 || quoted => {}
            c if "+-*/%&|^<>=~!".contains(c) || c.is_ascii_uppercase() => out.push(c),
            _ => {}
        }
    }
    out
}

/// The expressions in `EXPR`, or in the file `@name`, one a line.
pub(crate) fn asked() -> String {
    let given = std::env::var("EXPR").expect("EXPR is an expression, or @ and a file of them");
    match given.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file).expect("the file can be read"),
        None => given,
    }
}

/// `MYSQL_ORACLE=… EXPR='1 + 1' cargo test … -- --ignored one --nocapture`
#[test]
#[ignore = "needs a live MySQL, and an expression in EXPR"]
fn one() {
    let mut client = connect();
    for expr in asked().lines() {
        let (mine, real) = (ours(expr), ask(&mut client, expr));
        let what = difference(&mine, &real).unwrap_or("same");
        println!("{expr}: {what}\n      ours   {}\n      theirs {}", show(&mine), show(&real));
    }
}
