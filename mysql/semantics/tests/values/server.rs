//! Asking the server.

use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// What the server said to one statement of one row.
#[derive(Debug, Default, Clone)]
pub(crate) struct Answer {
    /// The row's columns; `None` is NULL.
    pub(crate) row: Vec<Option<String>>,
    /// Numbers and texts.
    pub(crate) warnings: Vec<(u16, String)>,
    /// The number and the text that ended the statement.
    pub(crate) error: Option<(u16, String)>,
}

/// A generator whose seed is printed.
pub(crate) fn generator() -> SmallRng {
    let seed = std::env::var("FIRN_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| RandomState::new().hash_one(0_u8));
    println!("FIRN_TEST_SEED={seed}");
    SmallRng::seed_from_u64(seed)
}

fn number_and_text(line: &str, open: &str) -> Option<(u16, String)> {
    let (number, text) = line.strip_prefix(open)?.split_once("): ")?;
    Some((number.parse().ok()?, text.to_owned()))
}

/// Runs `setup` (one line), then each statement (one line each).
pub(crate) fn ask(setup: &str, statements: &[String]) -> Vec<Answer> {
    let command = std::env::var("MYSQL_CLI").expect("MYSQL_CLI names no client");
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(format!("{command} -N -B -f --show-warnings --default-character-set=utf8mb4"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the client starts");
    let mut input = format!("{setup}\n");
    for (at, statement) in statements.iter().enumerate() {
        assert!(!statement.contains('\n'));
        input += &format!("SELECT '@{at}';\n{statement};\n");
    }
    let mut stdin = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("the client ends");
    writer.join().expect("no panic").expect("the client reads its input");
    let mut answers = vec![Answer::default(); statements.len()];
    let mut errors = HashMap::new();
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        // ERROR 1690 (22003) at line 4: text
        let Some(rest) = line.strip_prefix("ERROR ") else { panic!("client: {line}") };
        let number: u16 = rest.split(' ').next().unwrap().parse().unwrap();
        let (place, text) = rest.split_once(" at line ").unwrap().1.split_once(": ").unwrap();
        errors.insert(place.parse::<usize>().unwrap(), (number, text.to_owned()));
    }
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut current: Option<usize> = None;
    for line in stdout.lines() {
        if let Some(at) = line.strip_prefix('@').and_then(|at| at.parse().ok()) {
            current = Some(at);
            continue;
        }
        let Some(at) = current else { continue };
        let answer = &mut answers[at];
        if let Some(warning) = number_and_text(line, "Warning (Code ")
            .or_else(|| number_and_text(line, "Note (Code "))
            .or_else(|| number_and_text(line, "Error (Code "))
        {
            answer.warnings.push(warning);
        } else {
            answer.row = line.split('\t').map(|c| (c != "NULL").then(|| c.to_owned())).collect();
        }
    }
    for (at, answer) in answers.iter_mut().enumerate() {
        answer.error = errors.remove(&(2 * at + 3));
    }
    assert!(errors.is_empty(), "setup failed: {errors:?}");
    answers
}
