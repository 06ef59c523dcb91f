//! A real server to compare with.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Runs statements with the client that `MYSQL_CLI` names (a shell command that takes
/// more of the client's options at its end) and gives the lines of the answer.
pub(crate) fn ask(statements: &str) -> Vec<String> {
    let command = std::env::var("MYSQL_CLI").expect("MYSQL_CLI names a mysql client");
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(format!("{command} --batch --raw --skip-column-names --default-character-set=utf8mb4"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut stdin = child.stdin.take().expect("a pipe");
    let statements = statements.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(statements.as_bytes()));
    let output = child.wait_with_output().expect("the client's answer");
    writer.join().expect("no panic").expect("the client reads");
    assert!(
        output.status.success(),
        "the client failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

/// As [`ask`], one statement a line, going on after errors; also the line (from 1) and the
/// number of each error.
pub(crate) fn ask_all(statements: &[String]) -> (Vec<String>, Vec<(usize, u16)>) {
    let command = std::env::var("MYSQL_CLI").expect("MYSQL_CLI names a mysql client");
    let file = std::env::temp_dir().join(format!("firn-regexp-{}.sql", std::process::id()));
    std::fs::write(&file, statements.join("\n")).expect("a file");
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!(
            "{command} --force --batch --raw --skip-column-names --default-character-set=utf8mb4 <{}",
            file.display()
        ))
        .output()
        .expect("a shell");
    let _ = std::fs::remove_file(&file);
    let lines =
        String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect();
    let mut errors = Vec::new();
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        // ERROR 3688 (HY000) at line 5: …
        let words: Vec<&str> = line.split(' ').collect();
        if let ["ERROR", number, _, "at", "line", at, ..] = words[..] {
            let at = at.trim_end_matches(':').parse().expect("a line");
            errors.push((at, number.parse().expect("a number")));
        }
    }
    (lines, errors)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// A number from the environment.
pub(crate) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
