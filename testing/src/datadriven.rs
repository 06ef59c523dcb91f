//! Tests as text: a command, its input, and what it must print.
//!
//! ```text
//! # a comment
//! command with arguments
//! lines of input
//! ----
//! what is expected
//!
//! next command ...
//! ```
//!
//! Cases end at a blank line. With `FIRN_REWRITE=1` in the environment the
//! files are rewritten with what was printed; read the difference before you
//! commit it. After CockroachDB's and Pebble's `datadriven`.

use std::fmt::Write as _;
use std::path::Path;

/// One command of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The first word.
    pub command: String,
    /// The words after it.
    pub args: Vec<String>,
    /// The lines up to `----`.
    pub input: String,
    expected: String,
    comment: String,
    line: usize,
}

/// Runs every case of a file, in order.
///
/// # Panics
/// If the file cannot be read or is malformed, or if what a case printed
/// differs from what is expected.
pub fn run_file(path: &Path, run: impl FnMut(&Case) -> String) {
    run_or_rewrite(path, std::env::var_os("FIRN_REWRITE").is_some(), run);
}

fn run_or_rewrite(path: &Path, rewrite: bool, mut run: impl FnMut(&Case) -> String) {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let cases = parse(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut rewritten = String::new();
    for case in &cases {
        let mut printed = run(case);
        if !printed.is_empty() && !printed.ends_with('\n') {
            printed.push('\n');
        }
        assert!(
            !printed.lines().any(str::is_empty),
            "{}:{}: a blank line would end the case",
            path.display(),
            case.line
        );
        if !rewrite && printed != case.expected {
            panic!(
                "{}:{}: {} {}\n--- expected\n{}--- printed\n{printed}",
                path.display(),
                case.line,
                case.command,
                case.args.join(" "),
                case.expected
            );
        }
        rewritten.push_str(&case.comment);
        let words = std::iter::once(&case.command).chain(&case.args);
        let words: Vec<_> = words.map(String::as_str).collect();
        let _ = writeln!(rewritten, "{}\n{}----\n{printed}", words.join(" "), case.input);
    }
    if rewrite {
        let text = format!("{}\n", rewritten.trim_end());
        std::fs::write(path, text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
}

/// Runs every file of a folder, in the order of their names.
///
/// # Panics
/// If the folder cannot be read or has no files; otherwise as [`run_file`].
pub fn run_folder(folder: &Path, mut run: impl FnMut(&Path)) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = entries.map(|e| e.expect("a readable entry").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds no files", folder.display());
    for file in files {
        run(&file);
    }
}

fn parse(text: &str) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    loop {
        let mut comment = String::new();
        while let Some((_, line)) = lines.next_if(|(_, l)| l.is_empty() || l.starts_with('#')) {
            comment.push_str(line);
            comment.push('\n');
        }
        let Some((number, first)) = lines.next() else { return Ok(cases) };
        let mut words = first.split_whitespace().map(str::to_owned);
        let command = words.next().ok_or_else(|| format!("line {}: no command", number + 1))?;
        let mut input = String::new();
        loop {
            match lines.next() {
                Some((_, "----")) => break,
                Some((_, line)) => {
                    input.push_str(line);
                    input.push('\n');
                }
                None => return Err(format!("line {}: no ----", number + 1)),
            }
        }
        let mut expected = String::new();
        while let Some((_, line)) = lines.next_if(|(_, l)| !l.is_empty()) {
            expected.push_str(line);
            expected.push('\n');
        }
        let comment = comment.trim_start_matches('\n').to_owned();
        cases.push(Case {
            command,
            args: words.collect(),
            input,
            expected,
            comment,
            line: number + 1,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_told_apart() {
        let cases = parse("# why\nadd 1 2\nx\ny\n----\n3\n\nnone\n----\n").unwrap();
        assert_eq!(cases.len(), 2);
        assert_eq!(
            (cases[0].command.as_str(), &cases[0].args[..]),
            ("add", &["1".to_owned(), "2".to_owned()][..])
        );
        assert_eq!((cases[0].input.as_str(), cases[0].expected.as_str()), ("x\ny\n", "3\n"));
        assert_eq!(cases[1].expected, "");
        assert!(parse("add\n").unwrap_err().contains("no ----"));
    }

    #[test]
    #[should_panic(expected = "--- printed")]
    fn a_difference_fails() {
        let dir = std::env::temp_dir().join(format!("firn-datadriven-{}", std::process::id()));
        std::fs::write(&dir, "add 1 2\n----\n4\n").unwrap();
        let path = dir.clone();
        let outcome =
            std::panic::catch_unwind(move || run_or_rewrite(&path, false, |_| "3".into()));
        std::fs::remove_file(&dir).unwrap();
        if let Err(e) = outcome {
            std::panic::resume_unwind(e);
        }
    }
}
