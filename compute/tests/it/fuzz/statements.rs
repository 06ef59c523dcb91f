//! Statements by a grammar, with nonsense in them: wrong counts, unknown names, deep nesting,
//! huge literals, odd bytes.

use crate::differential::generated_query::Tables;
use crate::differential::{Random, generated_script};

pub(super) struct Statements {
    tables: Tables,
    script: Vec<String>,
    at: usize,
}

/// Names that are none, and some that are.
const NAMES: &[&str] = &["nothing", "t.nothing", "`a b`", "``", "v.*", "*", "id", "t0.id", "@x"];

impl Statements {
    pub(super) fn new(random: &mut Random) -> Statements {
        Statements { tables: Tables::new(random), script: Vec::new(), at: 0 }
    }

    pub(super) fn setup(&self) -> Vec<String> {
        self.tables.setup.clone()
    }

    /// Changes of rows and tables, as other tests compare them.
    fn of_script(&mut self, random: &mut Random) -> String {
        if self.at >= self.script.len() {
            self.script = generated_script(random.below(1 << 30) as u64);
            self.at = 0;
        }
        self.at += 1;
        self.script[self.at - 1].clone()
    }

    pub(super) fn next(&mut self, random: &mut Random) -> Vec<u8> {
        let plain = match random.below(10) {
            0..=5 => self.tables.query(random),
            6 | 7 => self.of_script(random),
            8 => return nested(random).into_bytes(),
            _ => return huge(random),
        };
        match random.below(4) {
            0 => plain.into_bytes(),
            _ => spoiled(random, &plain),
        }
    }
}

/// A word, number or operand is another one.
fn spoiled(random: &mut Random, sql: &str) -> Vec<u8> {
    let mut words: Vec<&str> = sql.split(' ').collect();
    for _ in 0..random.between(1, 3) {
        let at = random.below(words.len());
        match random.below(6) {
            0 => words.insert(at, random.word(NAMES)),
            1 => drop(words.remove(at)),
            2 => {
                let other = random.below(words.len());
                words.swap(at, other);
            }
            3 => {
                let again = words[at];
                words.insert(at, again);
            }
            4 => {
                let name = random.word(NAMES);
                words[at] = name;
            }
            _ => {
                let literal = random.word(&[
                    "18446744073709551616",
                    "-1",
                    "'\u{0}'",
                    "1e400",
                    "x'f'",
                    "NULL",
                    "(SELECT 1, 2)",
                    "()",
                    "DEFAULT",
                    "INTERVAL 1 DAY",
                    "ROW(1)",
                ]);
                words[at] = literal;
            }
        }
        if words.is_empty() {
            words.push("SELECT");
        }
    }
    words.join(" ").into_bytes()
}

/// The same inside itself, many times.
fn nested(random: &mut Random) -> String {
    let times = *random.of(&[10, 60, 62, 64, 200, 1000, 5000]);
    let (open, middle, close) = *random.of(&[
        ("(", "1", ")"),
        ("(SELECT ", "1", ")"),
        ("NOT ", "1", ""),
        ("-", "1", ""),
        ("~", "1", ""),
        ("ABS(", "1", ")"),
        ("IF(1, ", "1", ", 2)"),
        ("CASE WHEN 1 THEN ", "1", " END"),
        ("1 IN (SELECT ", "1", ")"),
        ("EXISTS (SELECT ", "1", ")"),
        ("1 + (", "1", ")"),
        ("CONCAT('a', ", "'b'", ")"),
        ("JSON_ARRAY(", "1", ")"),
        ("CAST(", "1", " AS CHAR)"),
        ("1 AND (", "1", ")"),
        ("1 = ", "1", ""),
        ("1 + ", "1", ""),
        ("1 OR ", "1", ""),
    ]);
    let inner = format!("{}{middle}{}", open.repeat(times), close.repeat(times));
    match random.below(5) {
        0 => format!("SELECT * FROM t WHERE {inner}"),
        1 => {
            let (open, close) = ("SELECT * FROM (".repeat(times), ") x".repeat(times));
            format!("{open}SELECT 1{close}")
        }
        2 => format!("SELECT 1{}", " UNION SELECT 1".repeat(times)),
        3 => format!("SELECT {}'1'{}", "'[' || ".repeat(times), ""),
        _ => format!("SELECT {inner}"),
    }
}

/// Long names, numbers, lists and texts.
fn huge(random: &mut Random) -> Vec<u8> {
    let length = *random.of(&[63, 64, 65, 255, 256, 1000, 4095, 4096, 5000, 70_000]);
    match random.below(12) {
        0 => format!("SELECT {}", "9".repeat(length)),
        1 => format!("SELECT 0.{}1", "0".repeat(length)),
        2 => format!("SELECT '{}' + 1", "é".repeat(length)),
        3 => format!("SELECT x'{}'", "ab".repeat(length)),
        4 => format!("SELECT `{}` FROM t", "n".repeat(length)),
        5 => format!("SELECT 1 AS `{}`", "n".repeat(length)),
        6 => format!("SELECT {}1", "id, ".repeat(length.min(5000))) + " FROM t",
        7 => format!("SELECT 1 IN ({}2)", "1, ".repeat(length)),
        8 => format!("SELECT REPEAT('a', {length}000000)"),
        9 => format!("SELECT CONCAT({}'a')", "'b', ".repeat(length.min(5000))),
        10 => format!("SELECT JSON_DEPTH('{}{}')", "[".repeat(length), "]".repeat(length)),
        _ => format!("SELECT 'a' REGEXP '{}'", "(a*)*".repeat(length.min(300))),
    }
    .into_bytes()
}
