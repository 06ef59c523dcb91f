//! The gate on statements that a real server has judged.
//!
//! The statements come from test suites whose licences do not go with this
//! repository, so they stay outside of it: `MYSQL_STATEMENTS` names the file, gzip of
//! one JSON object a line with `category`, `errno` (what PREPARE of a MySQL 9.7 said;
//! 1064 is a refusal) and `sql`; what the other tests here hold is our own.
//!
//! `MYSQL_STATEMENTS=FILE cargo test --release -p firn-mysql-parser -- --ignored judged`

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

use firn_mysql_parser::{Options, Parser, SqlMode, print};

/// Of the accepted ones, at least; per category.
const ACCEPTED_PERCENT: f64 = 99.0;
/// Of the refused ones, less than; of all together.
const REFUSED_PERCENT: f64 = 2.0;

#[derive(Default)]
struct Tally {
    good: usize,
    good_refused: usize,
    bad: usize,
    bad_accepted: usize,
    newer: usize,
}

/// What MySQL 9.x took up after 8.4, by the words that only these statements have.
/// They are refused here, as 8.4 refuses them.
fn newer_than_8_4(sql: &str) -> bool {
    let upper = sql.to_ascii_uppercase();
    let words: Vec<&str> = upper
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|w| !w.is_empty())
        .collect();
    let has = |phrase: &[&str]| words.windows(phrase.len()).any(|window| window == phrase);
    has(&["LIBRARY"])
        || has(&["DUALITY", "VIEW"])
        || has(&["MASKING", "POLICY"])
        || has(&["EXTERNAL", "TABLE"])
        || has(&["GROUPING", "SETS"])
        || has(&["BY", "CUBE"])
        || has(&["VECTOR"])
        || has(&["LANGUAGE", "JAVASCRIPT"])
        || (has(&["FUNCTION"]) && has(&["USING"]))
        // Reserved in 8.4, free again later.
        || has(&["TABLE", "MANUAL"])
        || has(&["TABLE", "PARALLEL"])
        || has(&["URI"])
}

#[test]
#[ignore = "needs a file of statements, named by MYSQL_STATEMENTS"]
#[allow(clippy::print_stdout)]
fn statements_judged_by_a_server() {
    let path = std::env::var_os("MYSQL_STATEMENTS").expect("MYSQL_STATEMENTS names the file");
    let file = std::fs::File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    let mut parser = Parser::new(Options::default());
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut wrong_prints = Vec::new();
    for line in lines {
        let line: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let sql = line["sql"].as_str().unwrap();
        let refused_there = line["errno"].as_u64().unwrap() == 1064;
        let parsed = parser.parse(sql.as_bytes());
        // What is refused with another number is understood.
        let accepted = parsed.as_ref().err().is_none_or(|e| e.code() != 1064);
        let tally = tallies.entry(line["category"].as_str().unwrap().to_owned()).or_default();
        match (refused_there, accepted) {
            (false, false) if newer_than_8_4(sql) => tally.newer += 1,
            (false, _) => {
                tally.good += 1;
                tally.good_refused += usize::from(!accepted);
            }
            (true, _) => {
                tally.bad += 1;
                tally.bad_accepted += usize::from(accepted);
            }
        }
        if let Ok(statement) = parsed {
            let text = print(&statement, SqlMode::DEFAULT);
            if parser.parse(&text).as_ref() != Ok(&statement) {
                wrong_prints.push(sql.to_owned());
            }
        }
    }
    let mut failures = Vec::new();
    let (mut bad, mut bad_accepted) = (0, 0);
    for (category, tally) in &tallies {
        let accepted = tally.good - tally.good_refused;
        let percent = 100.0 * accepted as f64 / tally.good.max(1) as f64;
        println!(
            "{category:40} {accepted:6} of {:6} accepted, {percent:6.2} %; {:4} of {:4} refused \
             ones accepted; {} newer than 8.4",
            tally.good, tally.bad_accepted, tally.bad, tally.newer
        );
        if percent < ACCEPTED_PERCENT {
            failures.push(format!("{category}: {percent:.2} % accepted"));
        }
        bad += tally.bad;
        bad_accepted += tally.bad_accepted;
    }
    let percent = 100.0 * bad_accepted as f64 / bad.max(1) as f64;
    println!("{bad_accepted} of {bad} refused ones accepted, {percent:.2} %");
    if percent >= REFUSED_PERCENT {
        failures.push(format!("{percent:.2} % of the refused ones accepted"));
    }
    if let Some(first) = wrong_prints.first() {
        failures.push(format!("{} do not print back, the first: {first}", wrong_prints.len()));
    }
    assert!(tallies.values().map(|tally| tally.good).sum::<usize>() > 100_000, "the whole file");
    assert!(failures.is_empty(), "{failures:#?}");
}
