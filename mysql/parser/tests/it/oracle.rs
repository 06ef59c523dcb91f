//! Expressions at random, as a MySQL server understands them.
//!
//! The server is shown each expression as it was made and as our tree prints it with
//! all parentheses; EXPLAIN then says how it read them, and both readings must be
//! one. What the server refuses we must refuse, and the other way round.
//!
//! `MYSQL_CLI` is a shell command that runs statements from its input with the
//! `mysql` client and takes more of the client's options at its end.
//! `PARSER_FUZZ_SEED` and `PARSER_ORACLE_EXPRESSIONS` set the first seed and how many.
//!
//! `MYSQL_CLI=COMMAND cargo test --release -p firn-mysql-parser -- --ignored server`

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use firn_mysql_parser::{Options, Parser, SqlMode, print_explicit};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// Operators and operands in a row, with few parentheses.
struct Row<'r> {
    rng: &'r mut SmallRng,
    concat: bool,
}

impl Row<'_> {
    fn pick<'s>(&mut self, all: &[&'s str]) -> &'s str {
        all[self.rng.random_range(0..all.len())]
    }

    fn operand(&mut self) -> String {
        match self.rng.random_range(0..24) {
            0..=9 => self.pick(&["a", "b", "c", "d", "e", "t.a", "s"]).to_owned(),
            10..=15 => {
                self.pick(&["1", "2", "3.5", "'x'", "NULL", "TRUE", "1e1", "x'41'"]).to_owned()
            }
            16 => format!("({})", self.row(3)),
            17 => format!("f({}, {})", self.row(2), self.row(2)).replace("f(", "coalesce("),
            18 => format!("CASE {} WHEN {} THEN {} END", self.row(1), self.row(2), self.row(2)),
            19 => "j -> '$.x'".to_owned(),
            20 => "(SELECT 1)".to_owned(),
            21 => format!("INTERVAL {} DAY + {}", self.row(1), self.row(2)),
            22 => format!("CAST({} AS SIGNED)", self.row(2)),
            _ => format!("IF({}, 1, 2)", self.row(2)),
        }
    }

    fn prefixed(&mut self) -> String {
        let mut text = String::new();
        while self.rng.random_bool(0.25) {
            text += self.pick(&["NOT ", "! ", "- ", "~ ", "BINARY ", "+ "]);
        }
        text += &self.operand();
        if self.rng.random_bool(0.08) {
            text += " COLLATE utf8mb4_bin";
        }
        text
    }

    fn row(&mut self, most: u32) -> String {
        let mut text = self.prefixed();
        for _ in 0..self.rng.random_range(0..=most) {
            match self.rng.random_range(0..20) {
                0..=10 => {
                    let op = self.pick(&[
                        "OR", "XOR", "AND", "&&", "=", "<=>", "<>", "<", ">=", "|", "&", "<<",
                        ">>", "+", "-", "*", "/", "DIV", "MOD", "%", "^", "||", "=", "+", "-",
                        "AND", "OR",
                    ]);
                    let op = if op == "||" && !self.concat { "OR" } else { op };
                    let _ = write!(text, " {op} {}", self.prefixed());
                }
                11 => {
                    let what =
                        self.pick(&["NULL", "NOT NULL", "TRUE", "NOT TRUE", "FALSE", "UNKNOWN"]);
                    let _ = write!(text, " IS {what}");
                }
                12 | 13 => {
                    let not = self.pick(&["", "NOT "]);
                    let _ = write!(text, " {not}LIKE {}", self.prefixed());
                    if self.rng.random_bool(0.1) {
                        text += " ESCAPE '!'";
                    }
                }
                14 => {
                    let not = self.pick(&["", "NOT "]);
                    let _ = write!(text, " {not}REGEXP {}", self.prefixed());
                }
                15 => {
                    let not = self.pick(&["", "NOT "]);
                    let _ = write!(text, " {not}IN ({}, {})", self.row(1), self.row(1));
                }
                16 => {
                    let not = self.pick(&["", "NOT "]);
                    let (low, high) = (self.prefixed(), self.prefixed());
                    let _ = write!(text, " {not}BETWEEN {low} AND {high}");
                }
                17 => {
                    let sign = self.pick(&["+", "-"]);
                    let _ = write!(text, " {sign} INTERVAL {} HOUR", self.row(1));
                }
                18 => {
                    let _ = write!(text, " SOUNDS LIKE {}", self.prefixed());
                }
                _ => {
                    let op = self.pick(&["=", "<", "<>"]);
                    let any = self.pick(&["ANY", "ALL", "SOME"]);
                    let _ = write!(text, " {op} {any} (SELECT 2)");
                }
            }
        }
        text
    }
}

/// What the server said of each text: its reading, or the number of its error.
fn ask(command: &str, mode: &str, texts: &[String]) -> Vec<String> {
    let mut script = format!(
        "SET sql_mode = '{mode}';\nCREATE DATABASE IF NOT EXISTS firn_parser_oracle;\n\
         USE firn_parser_oracle;\nCREATE TABLE IF NOT EXISTS t (a INT, b INT, c INT, d DATETIME, \
         e VARCHAR(20), s VARCHAR(20), j JSON);\n"
    );
    for (i, text) in texts.iter().enumerate() {
        let _ = writeln!(
            script,
            "SELECT 'text', {i};\nEXPLAIN FORMAT=TRADITIONAL SELECT {text} AS x FROM t;\nSHOW WARNINGS;"
        );
    }
    let mut client = Command::new("sh")
        .arg("-c")
        .arg(format!("{command} --force --batch --skip-column-names --raw --comments"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the client starts");
    let mut input = client.stdin.take().expect("input is a pipe");
    let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = client.wait_with_output().expect("the client ends");
    writer.join().expect("the writer ends").expect("the client reads everything");
    let output = String::from_utf8_lossy(&output.stdout);
    let mut said = vec![String::new(); texts.len()];
    let mut current = None;
    for line in output.lines() {
        let mut fields = line.splitn(3, '\t');
        match (fields.next(), fields.next(), fields.next()) {
            (Some("text"), Some(number), None) => current = number.parse::<usize>().ok(),
            (Some("Note"), Some("1003"), Some(reading)) => {
                if let Some(slot) = current.and_then(|i| said.get_mut(i)) {
                    slot.clear();
                    slot.push_str(reading);
                }
            }
            (Some("Error"), Some(number), Some(_)) => {
                if let Some(slot) = current.and_then(|i| said.get_mut(i))
                    && slot.is_empty()
                {
                    *slot = format!("error {number}");
                }
            }
            _ => {}
        }
    }
    said
}

#[test]
#[ignore = "needs a live MySQL, whose client MYSQL_CLI starts"]
#[allow(clippy::print_stdout)]
fn expressions_read_as_the_server_reads_them() {
    let command = std::env::var("MYSQL_CLI").expect("MYSQL_CLI starts a client");
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("PARSER_FUZZ_SEED").unwrap_or(1);
    let count = number("PARSER_ORACLE_EXPRESSIONS").unwrap_or(5_000);
    println!("from seed {seed}, {count} expressions a mode");
    let modes = [
        ("", SqlMode::DEFAULT),
        ("PIPES_AS_CONCAT", SqlMode::PIPES_AS_CONCAT),
        ("HIGH_NOT_PRECEDENCE", SqlMode::HIGH_NOT_PRECEDENCE),
    ];
    let mut wrong = Vec::new();
    for (name, mode) in modes {
        let mut parser = Parser::new(Options::in_mode(mode));
        let mut texts = Vec::new();
        let mut ours = Vec::new();
        for seed in seed..seed + count {
            let mut rng = SmallRng::seed_from_u64(seed);
            let concat = mode.has(SqlMode::PIPES_AS_CONCAT);
            let text = Row { rng: &mut rng, concat }.row(5);
            let explicit = parser
                .parse_expr(text.as_bytes())
                .ok()
                .map(|expr| String::from_utf8_lossy(&print_explicit(&expr, mode)).into_owned());
            ours.push(explicit.clone());
            texts.push(text.clone());
            texts.push(explicit.unwrap_or(text));
        }
        let said = ask(&command, name, &texts);
        let (mut read, mut refused) = (0, 0);
        for (i, ours) in ours.iter().enumerate() {
            let (text, as_made, as_printed) = (&texts[2 * i], &said[2 * i], &said[2 * i + 1]);
            assert!(!as_made.is_empty() && !as_printed.is_empty(), "no answer to {text}");
            let syntax = as_made == "error 1064";
            read += usize::from(as_made.starts_with("/*"));
            refused += usize::from(syntax);
            let agreed = match ours {
                Some(_) => !syntax && as_made == as_printed,
                None => syntax,
            };
            if !agreed {
                let explicit = ours.as_deref().unwrap_or("refused");
                wrong.push(format!("{name}\n  {text}\n  {explicit}\n  {as_made}\n  {as_printed}"));
            }
        }
        println!("{name:20} {read} read, {refused} refused by both or one, of {count}");
        assert!(read as u64 * 4 > count, "most of them are meant to be expressions");
    }
    let shown = wrong.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} wrong:\n{shown}", wrong.len());
}
