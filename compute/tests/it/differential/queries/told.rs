//! What clients are told of columns, values and warnings, in queries that were answered
//! wrongly: `told.txt` has them with a server's answers, in scripts by number.

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

#[tokio::test]
async fn members_beside_dates_are_their_texts() {
    as_recorded(5).await;
}

#[tokio::test]
async fn subqueries_that_are_truths_are_so_in_documents() {
    as_recorded(6).await;
}

#[tokio::test]
async fn documents_among_others_are_compared_as_a_server_finds_them() {
    as_recorded(7).await;
}

#[tokio::test]
async fn bits_of_strings_of_bytes_are_gathered_byte_by_byte() {
    as_recorded(8).await;
}

#[tokio::test]
async fn groups_that_nobody_asks_for_are_not_computed() {
    as_recorded(9).await;
}

#[tokio::test]
async fn optional_sides_determine_nothing_of_others() {
    as_recorded(10).await;
}

#[tokio::test]
async fn constants_under_distinct_are_of_no_table() {
    as_recorded(11).await;
}

#[tokio::test]
async fn times_warn_of_spaces_and_intervals_as_a_server_does() {
    as_recorded(12).await;
}

#[tokio::test]
async fn precisions_years_and_collations_are_as_a_server_takes_them() {
    as_recorded(13).await;
}

#[tokio::test]
async fn dates_of_numbers_and_shortest_doubles_are_as_a_server_makes_them() {
    as_recorded(14).await;
}

#[tokio::test]
async fn bits_as_texts_are_bytes() {
    as_recorded(15).await;
}

#[tokio::test]
async fn texts_of_subqueries_as_numbers_say_nothing() {
    as_recorded(16).await;
}

#[tokio::test]
async fn columns_are_told_of_by_whether_rows_are_kept() {
    as_recorded(17).await;
}

#[tokio::test]
async fn decimals_beside_nulls_have_digits_of_a_server() {
    as_recorded(18).await;
}

#[tokio::test]
async fn groups_determine_what_a_server_finds_that_they_do() {
    as_recorded(19).await;
}

#[tokio::test]
async fn constants_and_clauses_are_read_in_a_servers_order() {
    as_recorded(20).await;
}

#[tokio::test]
async fn columns_of_nulls_are_strings_of_bytes() {
    as_recorded(21).await;
}

#[tokio::test]
async fn constants_are_computed_before_there_is_a_row() {
    as_recorded(22).await;
}

#[tokio::test]
async fn errors_of_conditions_name_what_is_computed_once() {
    as_recorded(23).await;
}

#[tokio::test]
async fn values_of_constants_keys_and_groups_are_as_a_server_makes_them() {
    as_recorded(24).await;
}

#[tokio::test]
async fn hints_of_statements_are_carried_out_and_warned_of() {
    as_recorded(25).await;
}

#[tokio::test]
async fn hints_of_blocks_are_resolved_and_warned_of() {
    as_recorded(26).await;
}

#[tokio::test]
async fn aggregates_belong_to_the_query_whose_columns_they_have() {
    as_recorded(27).await;
}

#[tokio::test]
async fn having_names_what_is_listed_or_grouped_by_alone() {
    as_recorded(28).await;
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
