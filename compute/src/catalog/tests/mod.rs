//! Statements and what they answer. The answers in `tests/data/catalog` are a real
//! MySQL's: [`oracle`] checks and records them.

mod generate;
mod oracle;
mod session;
mod stored;
mod work;

use std::path::Path;

use session::Session;

/// Runs the statements of a case, each of which ends in a semicolon at the end of a line.
fn run_case(input: &str, mut run: impl FnMut(&str) -> String) -> String {
    let mut out = String::new();
    for statement in statements(input) {
        out.push_str(&run(&statement));
    }
    out
}

fn statements(input: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut current = String::new();
    for line in input.lines() {
        current.push_str(line);
        if line.ends_with(';') {
            current.pop();
            all.push(std::mem::take(&mut current));
        } else {
            current.push('\n');
        }
    }
    assert!(current.trim().is_empty(), "a statement without a semicolon: {current}");
    all
}

fn data() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/catalog"))
}

#[test]
fn statements_answer_as_recorded() {
    firn_testing::datadriven::run_folder(data(), |file| {
        firn_testing::datadriven::run_file(file, |case| {
            let mut session = Session::new();
            run_case(&case.input, |statement| session.run(statement))
        });
    });
}
