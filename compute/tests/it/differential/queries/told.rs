//! What clients are told of columns, in queries that were told of wrongly: `told.txt` has them
//! with a server's answers, in scripts by number.

use super::super::file::{self, Recorded};
use super::super::oracle;
use super::{print, run};
use crate::support::World;

const FILE: &str = "told.txt";

fn recorded() -> Vec<Recorded> {
    file::read(&std::fs::read_to_string(file::path(FILE)).expect("the file is there"))
}

async fn as_recorded(number: u64) {
    let one = recorded().into_iter().find(|one| one.seed == number).expect("it is recorded");
    assert!(one.script.steps.len() > 5, "{} statements", one.script.steps.len());
    let server = World::new().start().await;
    let given = run(server.address(), &one.script, number, true).await;
    let mut out = String::new();
    for (step, (theirs, ours)) in one.shown.iter().zip(&given).enumerate() {
        if theirs != ours {
            print(&mut out, number, step, &one.script.steps[step].sql, theirs, ours);
        }
    }
    assert!(out.is_empty(), "{out}");
}

#[tokio::test]
async fn sets_in_parentheses_come_to_their_types_with_those_around() {
    as_recorded(1).await;
}

#[tokio::test]
async fn columns_of_nulls_are_strings_where_rows_are_kept() {
    as_recorded(2).await;
}

#[tokio::test]
async fn floats_before_bigints_and_doubles_with_decimals_keep_them() {
    as_recorded(3).await;
}

#[tokio::test]
async fn tables_of_subqueries_that_gather_may_be_null() {
    as_recorded(4).await;
}

/// `MYSQL_ORACLE=127.0.0.1:13306 cargo test -p firn-compute --test it -- --ignored
/// what_is_told_is_recorded` asks a server anew.
#[tokio::test]
#[ignore = "needs a MySQL server at MYSQL_ORACLE"]
async fn what_is_told_is_recorded() {
    let mut out = String::new();
    for one in recorded() {
        let shown = run(oracle(), &one.script, one.seed, false).await;
        file::write(&mut out, &Recorded { shown, ..one });
    }
    std::fs::write(file::path(FILE), out).expect("the file can be written");
}
