//! Regular expressions against a real server: settings as in `oracle.rs`, and
//! `REGEXP_CASES`.

#![allow(clippy::print_stdout)]

use std::collections::HashMap;

use firn_mysql_semantics::regexp::{Mode, Regexp, RegexpError};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::server::{ask_all, hex, setting};

const PIECES: [&str; 78] = [
    "a",
    "b",
    "c",
    "a",
    "b",
    "ab",
    "abc",
    "A",
    "1",
    "é",
    "É",
    ".",
    ".",
    ".*",
    "a*",
    "b+",
    "c?",
    "(a|b)",
    "(",
    ")",
    "(ab)",
    "(?:ab)",
    "[abc]",
    "[^abc]",
    "[a-c]",
    "[",
    "]",
    "{",
    "}",
    "{2}",
    "{1,2}",
    "{0,}",
    "*",
    "+",
    "?",
    "*?",
    "++",
    "|",
    "^",
    "$",
    "^",
    "$",
    "\\",
    "\\d",
    "\\w",
    "\\s",
    "\\D",
    "\\W",
    "\\S",
    "\\b",
    "\\B",
    "\\A",
    "\\z",
    "\\Z",
    "\\1",
    "\\2",
    "\\n",
    "\\.",
    "\\\\",
    "(?i)",
    "(?-i)",
    "(?i:a)",
    "(?=a)",
    "(?!b)",
    "(?<=a)",
    "(?<!a)",
    "(?>a+)",
    "[[:alpha:]]",
    "[[:digit:]]",
    "[[:space:]]",
    "[^[:alpha:]]",
    "[a-c&&[^b]]",
    "\\p{L}",
    "\\x41",
    "\\R",
    "\\h",
    "-",
    " ",
];

const TEXTS: [&str; 24] = [
    "a", "b", "c", "A", "B", "1", "2", "é", "É", " ", "\n", "\r\n", "\t", "ab", "abc", "aa", "]",
    "{", ".", "😀", "-", "\\", "\u{85}", "_",
];

fn random(rng: &mut SmallRng, from: &[&str], most: usize) -> String {
    (0..rng.random_range(0..=most)).map(|_| from[rng.random_range(0..from.len())]).collect()
}

/// What the statement says, in the server's form.
fn mine(text: &str, pattern: &str, kind: &str) -> Result<String, RegexpError> {
    // The collation of the literals does not tell cases apart.
    let mode = Mode { ignore_case: true, ..Mode::default() };
    let regexp = Regexp::new(pattern, mode.with_match_type(kind)?)?;
    let chars = |at: usize| text[..at].chars().count() + 1;
    let first = regexp.find(text, 1, 1)?;
    let second = regexp.find(text, 1, 2)?;
    let mut replaced = String::new();
    regexp.replace(text, "<$0>", 1, 0, 1 << 20, &mut replaced)?;
    Ok(format!(
        "{} {} {} {} {}",
        u8::from(regexp.is_match(text)?),
        first.map_or(0, |found| chars(found.start)),
        first.map_or("-".to_owned(), |found| hex(&text.as_bytes()[found.start..found.end])),
        second.map_or(0, |found| chars(found.end)),
        hex(replaced.as_bytes()),
    ))
}

/// REGEXP_LIKE, _INSTR, _SUBSTR and _REPLACE of random patterns and texts.
#[test]
#[ignore = "needs a MySQL server: MYSQL_CLI"]
fn oracle_regexp() {
    let (seed, cases) = (setting("TEXT_SEED", 1), setting("REGEXP_CASES", 20_000));
    println!("seed {seed}, {cases} cases");
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut asked = Vec::new();
    let mut statements = Vec::new();
    for number in 0..cases {
        let text = random(&mut rng, &TEXTS, 6);
        let pattern = random(&mut rng, &PIECES, 5);
        let kind = ["c", "c", "i", "m", "n", "cmn", "iu", "mu"][rng.random_range(0..8)];
        let (t, p) = (hex(text.as_bytes()), hex(pattern.as_bytes()));
        let (t, p) = (format!("_utf8mb4 x'{t}'"), format!("_utf8mb4 x'{p}'"));
        statements.push(format!(
            "SELECT CONCAT_WS(' ', {number}, REGEXP_LIKE({t},{p},'{kind}'), \
             REGEXP_INSTR({t},{p},1,1,0,'{kind}'), \
             IFNULL(HEX(REGEXP_SUBSTR({t},{p},1,1,'{kind}')),'-'), \
             REGEXP_INSTR({t},{p},1,2,1,'{kind}'), \
             HEX(REGEXP_REPLACE({t},{p},'<$0>',1,0,'{kind}')));"
        ));
        asked.push((text, pattern, kind));
    }
    let (lines, errors) = ask_all(&statements);
    let mut answers: HashMap<usize, String> = HashMap::new();
    for line in lines {
        let (number, answer) = line.split_once(' ').expect("a number and an answer");
        answers.insert(number.parse().expect("a number"), answer.to_owned());
    }
    for (line, error) in errors {
        answers.insert(line - 1, format!("error {error}"));
    }
    let (mut wrong, mut unimplemented, mut refused) = (Vec::new(), 0, 0);
    for (number, (text, pattern, kind)) in asked.iter().enumerate() {
        let theirs = &answers[&number];
        let mine = match mine(text, pattern, kind) {
            Ok(answer) => answer,
            Err(RegexpError::Unimplemented) => {
                unimplemented += 1;
                continue;
            }
            Err(error) => format!("error {}", error.number()),
        };
        refused += usize::from(theirs.starts_with("error"));
        if mine != *theirs {
            wrong.push(format!("{text:?} {pattern} {kind}\n   we: {mine}\n   it: {theirs}"));
        }
    }
    println!("{cases}: {refused} refused, {unimplemented} unimplemented, {} differ", wrong.len());
    println!("{}", wrong[..wrong.len().min(60)].join("\n"));
    assert!(wrong.len() * 500 < asked.len(), "{} differ", wrong.len());
}
