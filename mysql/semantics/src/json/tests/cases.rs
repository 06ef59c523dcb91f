//! Calls whose answers a MySQL server gave.

use std::path::PathBuf;

use firn_testing::datadriven::{self, Case};

use super::call::Call;
use super::oracle;
use crate::json::{Builder, JsonBuf, JsonError, Path, TableCell, TableColumn, TablePlan};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/json/tests/cases")
}

/// Each line of the input is an argument behind `> `.
fn call_of(case: &Case) -> Call {
    let args = case.input.lines().map(|line| line.strip_prefix("> ").unwrap_or(""));
    Call::new(&case.command, &args.collect::<Vec<_>>())
}

#[test]
fn answers_are_the_servers() {
    datadriven::run_folder(&folder(), |file| {
        datadriven::run_file(file, |case| oracle::one_line(&call_of(case).answer()));
    });
}

/// `MYSQL_CLI='…/mysql -uroot' cargo test -p firn-mysql-semantics -- --ignored
/// recorded_answers`; with `FIRN_REWRITE=1` the files are written anew.
#[test]
#[ignore = "needs a MySQL server"]
fn recorded_answers_come_from_the_server() {
    datadriven::run_folder(&folder(), |file| {
        datadriven::run_file(file, |case| oracle::one_line(&oracle::ask(&[call_of(case)])[0]));
    });
}

/// The rows of a JSON_TABLE with a number, a value, an existence and nested rows, as one
/// array of arrays.
pub(super) fn table_rows(
    document: &JsonBuf,
    paths: &[String],
) -> Result<Option<String>, JsonError> {
    let all = paths.iter().map(|path| Path::parse(path)).collect::<Result<Vec<_>, _>>()?;
    let path = |i: usize| all[i].clone();
    let nested = TablePlan {
        path: path(3),
        columns: vec![TableColumn::Ordinality, TableColumn::Value(Path::parse("$")?)],
    };
    let plan = TablePlan {
        path: path(0),
        columns: vec![
            TableColumn::Ordinality,
            TableColumn::Value(path(1)),
            TableColumn::Exists(path(2)),
            TableColumn::Nested(nested),
        ],
    };
    let mut builder = Builder::new();
    builder.begin_array()?;
    let mut any = false;
    for row in plan.rows(document.root()?, 10_000)? {
        any = true;
        builder.begin_array()?;
        for cell in row? {
            match cell {
                TableCell::Ordinality(number) => builder.int(number.into()),
                TableCell::Value(value) => builder.value(value)?,
                TableCell::Exists(exists) => builder.int(exists.into()),
                TableCell::Several(values) => {
                    builder.begin_array()?;
                    values.into_iter().try_for_each(|value| builder.value(value))?;
                    builder.end()?;
                }
                TableCell::Empty | TableCell::Null => builder.null(),
            }
        }
        builder.end()?;
    }
    builder.end()?;
    if any { builder.finish()?.root()?.print().map(Some) } else { Ok(None) }
}
