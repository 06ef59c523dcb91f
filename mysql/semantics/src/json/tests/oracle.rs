//! Generated calls, answered by us and by a MySQL server.
//!
//! `MYSQL_CLI` is a shell command that runs statements from its input with the `mysql`
//! client and takes more of the client's options at its end. `JSON_ORACLE_CALLS` and
//! `JSON_ORACLE_SEED` set how many calls and the first seed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use super::call::{Answer, Call};
use super::generate::call;

/// An answer on one line, for files.
pub(super) fn one_line(answer: &str) -> String {
    answer.replace('\n', "␤").replace('\r', "␍")
}

/// What the server answers.
pub(super) fn ask(calls: &[Call]) -> Vec<Answer> {
    let command = std::env::var("MYSQL_CLI").expect("MYSQL_CLI is the mysql client's command");
    let mut script = String::from("set names utf8mb4;");
    for (i, call) in calls.iter().enumerate() {
        let sql = call.sql();
        assert!(!sql.contains('\n'), "{sql:?}");
        let _ = write!(script, "\nselect {i}, hex(concat({sql}));");
    }
    script.push('\n');
    let mut client = Command::new("sh")
        .arg("-c")
        .arg(format!("{command} --force --batch --skip-column-names --raw --binary-mode"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the client starts");
    let mut input = client.stdin.take().expect("input is a pipe");
    let mut errors = client.stderr.take().expect("errors are a pipe");
    let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        errors.read_to_end(&mut text).map(|_| String::from_utf8_lossy(&text).into_owned())
    });
    let output = client.wait_with_output().expect("the client ends");
    writer.join().expect("the writer ends").expect("the client reads everything");
    let errors = reader.join().expect("the reader ends").expect("the client's errors are read");
    let mut answers = vec![Answer::new(); calls.len()];
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Some((number, hex)) = line.split_once('\t') else { continue };
        let number: usize = number.parse().expect("the number of a call");
        answers[number] = match hex {
            "NULL" => "NULL".into(),
            hex => {
                let digits = hex.as_bytes().chunks(2).map(|pair| {
                    let pair = std::str::from_utf8(pair).expect("ASCII");
                    u8::from_str_radix(pair, 16).expect("hex digits")
                });
                format!("= {}", String::from_utf8_lossy(&digits.collect::<Vec<_>>()))
            }
        };
    }
    // `ERROR 3141 (22032) at line 7: Invalid …`; the first call is on line 2.
    for line in errors.lines() {
        let Some((head, message)) = line.split_once(": ") else { continue };
        let words: Vec<_> = head.split(' ').collect();
        if let ["ERROR", number, _, "at", "line", at] = words[..] {
            let at: usize = at.parse().expect("a line");
            answers[at - 2] = format!("! {number} {message}");
        }
    }
    answers
}

/// `MYSQL_CLI='…/mysql -uroot' cargo test -p firn-mysql-semantics --lib -- --ignored
/// --nocapture calls_answered_as_the_server`
#[test]
#[ignore = "needs a MySQL server"]
#[allow(clippy::print_stdout)]
fn calls_answered_as_the_server() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("JSON_ORACLE_SEED").unwrap_or(1);
    let count = number("JSON_ORACLE_CALLS").unwrap_or(100_000);
    println!("{count} calls from seed {seed}");
    let (mut asked, mut failed) = (BTreeMap::new(), 0);
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for first in (seed..seed + count).step_by(5_000) {
        let calls: Vec<_> = (first..(first + 5_000).min(seed + count)).map(call).collect();
        for (i, (call, theirs)) in calls.iter().zip(ask(&calls)).enumerate() {
            let ours = call.answer();
            *asked.entry(call.function.clone()).or_insert(0) += 1;
            failed += usize::from(theirs.starts_with('!'));
            assert!(!theirs.is_empty(), "no answer to seed {}: {}", first + i as u64, call.sql());
            if ours != theirs {
                wrong.entry(call.function.clone()).or_default().push(format!(
                    "seed {}: {}\n  ours   {ours}\n  theirs {theirs}",
                    first + i as u64,
                    call.sql()
                ));
            }
        }
    }
    println!("{asked:?}, {failed} errors");
    let all: usize = wrong.values().map(Vec::len).sum();
    for (function, list) in &wrong {
        println!("{function}: {} differ", list.len());
        list.iter().take(6).for_each(|one| println!("{one}"));
    }
    assert_eq!(all, 0, "of {count} calls");
}

/// As above, `identifiers_are_the_servers`: which characters a name in a path may have
/// without quotes.
#[test]
#[ignore = "needs a MySQL server"]
#[allow(clippy::print_stdout)]
fn identifiers_are_the_servers() {
    let chars: Vec<char> = ('\u{80}'..='\u{ffff}').chain('\u{1f000}'..='\u{1ffff}').collect();
    let (mut first, mut inside) = (Vec::new(), Vec::new());
    for part in chars.chunks(10_000) {
        let calls: Vec<_> = part
            .iter()
            .flat_map(|c| [format!("$.{c}"), format!("$.a{c}")])
            .map(|path| Call::new("contains_path", &["{}", "one", &path]))
            .collect();
        for ((c, calls), theirs) in part.iter().zip(calls.chunks(2)).zip(ask(&calls).chunks(2)) {
            for (i, differ) in [&mut first, &mut inside].into_iter().enumerate() {
                let (ours, theirs) = (calls[i].answer() == "= 0", theirs[i] == "= 0");
                if ours != theirs {
                    differ.push((*c as u32, theirs));
                }
            }
        }
    }
    for (what, differ) in [("first", &first), ("inside", &inside)] {
        let shown: Vec<_> =
            differ.iter().take(400).map(|(c, yes)| format!("{c:x}:{yes}")).collect();
        println!("{what}: {} differ: {}", differ.len(), shown.join(" "));
    }
    assert_eq!((first.len(), inside.len()), (0, 0));
}
