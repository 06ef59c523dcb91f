//! The list of functions in `docs/COMPATIBILITY.md` is that of the registry.
//!
//! `FIRN_WRITE_DOCS=1 cargo test -p firn-mysql-semantics --test it docs` writes it anew.

use std::fmt::Write as _;
use std::path::PathBuf;

use firn_mysql_semantics::functions::{self, MANY};

const BEGIN: &str = "<!-- functions: written by mysql/semantics/tests/it/docs.rs -->\n";
const END: &str = "<!-- end of functions -->\n";

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/COMPATIBILITY.md")
}

/// A row for each function: name, number of arguments, whether the same arguments give
/// the same value within a statement, what it gives.
fn list() -> String {
    let mut all: Vec<_> = functions::all().collect();
    all.sort_by_key(|function| function.name);
    let mut out = String::from(
        "| function | arguments | same value within a statement | gives |\n|---|---|---|---|\n",
    );
    for function in all {
        let (least, most) = (function.min_args, function.max_args);
        let arguments = match most {
            MANY => format!("{least} or more"),
            most if most == least => least.to_string(),
            most => format!("{least} to {most}"),
        };
        let same = if function.deterministic { "yes" } else { "no" };
        let name = function.name.to_ascii_uppercase();
        let _ = writeln!(out, "| {name} | {arguments} | {same} | {} |", function.doc);
    }
    out
}

#[test]
fn the_list_of_functions_is_the_registrys() {
    let text = std::fs::read_to_string(file()).expect("the document can be read");
    let (before, rest) = text.split_once(BEGIN).expect("the list begins with its mark");
    let (written, after) = rest.split_once(END).expect("the list ends with its mark");
    let list = list();
    if std::env::var_os("FIRN_WRITE_DOCS").is_some() {
        let whole = format!("{before}{BEGIN}{list}{END}{after}");
        std::fs::write(file(), whole).expect("the document can be written");
        return;
    }
    assert!(written == list, "docs/COMPATIBILITY.md is not up to date: see this test's head");
}
