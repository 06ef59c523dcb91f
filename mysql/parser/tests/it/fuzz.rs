//! Texts at random, by bytes and by grammar. Nothing may panic or overflow, and
//! whatever is accepted prints back to the same tree.
//!
//! Bounded by default; `PARSER_FUZZ_SECONDS` makes each test run longer and
//! `PARSER_FUZZ_SEED` repeats a run. Failures print the seed of the text.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use firn_mysql_parser::{Options, Parser, SqlMode, print};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::generate::Generator;

/// Texts per test, if no time is given.
const TEXTS: u64 = 20_000;

/// Calls `one` with seed after seed.
#[allow(clippy::print_stdout)]
fn run(name: &str, mut one: impl FnMut(u64)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("PARSER_FUZZ_SEED") {
        return one(seed);
    }
    let seconds = number("PARSER_FUZZ_SECONDS");
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |d| d.as_nanos() as u64);
    let first = if seconds.is_some() { now() } else { 1 };
    println!("{name}: from seed {first}");
    let start = Instant::now();
    for i in 0.. {
        let over = match seconds {
            Some(seconds) => start.elapsed() > Duration::from_secs(seconds),
            None => i >= TEXTS,
        };
        if over {
            break;
        }
        one(first.wrapping_add(i));
    }
}

fn mode(rng: &mut SmallRng) -> SqlMode {
    let modes = [
        SqlMode::ANSI_QUOTES,
        SqlMode::NO_BACKSLASH_ESCAPES,
        SqlMode::PIPES_AS_CONCAT,
        SqlMode::IGNORE_SPACE,
        SqlMode::HIGH_NOT_PRECEDENCE,
        SqlMode::REAL_AS_FLOAT,
    ];
    modes.into_iter().filter(|_| rng.random_bool(0.2)).fold(SqlMode::DEFAULT, |all, one| all | one)
}

/// Parses, and prints back what is accepted. Says whether it was.
fn check(seed: u64, sql: &[u8], mode: SqlMode) -> bool {
    let mut parser = Parser::new(Options::in_mode(mode));
    let shown = || String::from_utf8_lossy(sql).into_owned();
    let statement = match parser.parse(sql) {
        Ok(statement) => statement,
        Err(e) => {
            assert!(e.offset() <= sql.len() && e.line() >= 1, "seed {seed}: {}", shown());
            assert!(!e.to_string().is_empty());
            return false;
        }
    };
    let text = print(&statement, mode);
    let printed = String::from_utf8_lossy(&text).into_owned();
    match parser.parse(&text) {
        Ok(again) => {
            assert_eq!(again, statement, "seed {seed}, {mode:?}\n{}\nprinted\n{printed}", shown())
        }
        Err(e) => panic!("seed {seed}, {mode:?}\n{}\nprinted\n{printed}\n{e}", shown()),
    }
    true
}

#[test]
fn bytes() {
    run("bytes", |seed| {
        let mut rng = SmallRng::seed_from_u64(seed);
        let length = rng.random_range(0..60);
        // Half of them of bytes that mean something.
        let telling = b"'\"`\\/*!+-#;.,()@:=<>|&{}?0x1be5 \n\0\xff_nN";
        let sql: Vec<u8> = (0..length)
            .map(|_| {
                if rng.random_bool(0.7) {
                    telling[rng.random_range(0..telling.len())]
                } else {
                    rng.random()
                }
            })
            .collect();
        let mode = mode(&mut rng);
        check(seed, &sql, mode);
        let mut behind = b"select ".to_vec();
        behind.extend(sql);
        check(seed, &behind, mode);
    });
}

#[test]
fn grammar() {
    let (mut accepted, mut all) = (0u64, 0u64);
    run("grammar", |seed| {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mode = mode(&mut rng);
        let sql = Generator::new(&mut rng).statement();
        all += 1;
        accepted += u64::from(check(seed, sql.as_bytes(), mode));
    });
    // Most of what the generator makes is meant to be SQL.
    assert!(accepted * 10 >= all * 8, "{accepted} of {all} accepted");
}

#[test]
fn mutations() {
    let mut accepted = 0u64;
    run("mutations", |seed| {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut sql = Generator::new(&mut rng).statement().into_bytes();
        let other = Generator::new(&mut rng).statement().into_bytes();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..=sql.len());
            match rng.random_range(0..4) {
                0 if at < sql.len() => sql[at] = rng.random(),
                1 => sql.truncate(at),
                2 => {
                    let from = rng.random_range(0..=other.len());
                    let to = rng.random_range(from..=other.len());
                    sql.splice(at..at, other[from..to].iter().copied());
                }
                _ => {
                    let to = rng.random_range(at..=sql.len().min(at + 10));
                    sql.drain(at..to);
                }
            }
        }
        let mode = mode(&mut rng);
        accepted += u64::from(check(seed, &sql, mode));
    });
    assert!(accepted > 0);
}
