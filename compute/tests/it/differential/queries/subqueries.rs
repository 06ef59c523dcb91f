//! Queries within expressions: scalar, IN, EXISTS, ANY and ALL, of rows, correlated.

use super::blocks;
use super::expressions::{self, Scope, fill, pair};
use super::tables::{Column, Family};
use crate::differential::Random;

/// One table under a name of its own, as the inner query sees it.
fn inner(random: &mut Random, scope: &Scope) -> (String, Scope) {
    let table = random.of(&scope.tables);
    let serial = random.below(100);
    let alias = format!("s{serial}");
    let columns: Vec<Column> = table
        .columns
        .iter()
        .map(|column| Column { name: format!("{alias}.{}", column.name), family: column.family })
        .collect();
    let mut outer = scope.columns.clone();
    outer.extend(scope.outer.iter().cloned());
    let order = Some(format!("{alias}.id"));
    // A subquery has one of its own now and then.
    let tables = if random.percent(15) { scope.tables.clone() } else { Vec::new() };
    let from = format!("{} AS {alias}", table.name);
    (from, Scope { columns, outer, order, tables })
}

/// ` WHERE …`, mostly with a column of the query around it.
fn filter(random: &mut Random, scope: &Scope) -> String {
    let mut parts = Vec::new();
    if random.percent(55)
        && !scope.outer.is_empty()
        && let Some(both) = pair(random, &scope.columns, &scope.outer)
    {
        parts.push(both);
    }
    if random.percent(40) {
        parts.push(expressions::condition(random, scope));
    }
    if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(" AND ")) }
}

fn aggregate(random: &mut Random, scope: &Scope) -> String {
    let shape = blocks::one(random, scope);
    // An aggregate of columns of the query around would be that query's.
    let own = Scope { outer: Vec::new(), ..scope.clone() };
    fill(random, &own, shape, 1)
}

/// A subquery that gives one value.
pub(crate) fn value(random: &mut Random, scope: &Scope) -> String {
    let (from, inner) = inner(random, scope);
    let filter = filter(random, &inner);
    let order = inner.order.clone().unwrap_or_default();
    match random.below(10) {
        0..=4 => format!("(SELECT {} FROM {from}{filter})", aggregate(random, &inner)),
        5 => {
            let item = expressions::expression(random, &inner, 1);
            format!("(SELECT {item} FROM {from}{filter} ORDER BY {order} LIMIT 1)")
        }
        6 => format!("(SELECT {} FROM {from}{filter})", inner.column(random)),
        7 => format!("EXISTS (SELECT {} FROM {from}{filter})", random.word(&["1", "*", "NULL"])),
        8 => format!("(SELECT {})", expressions::expression(random, scope, 1)),
        _ => condition(random, scope),
    }
}

/// A condition with a subquery.
pub(crate) fn condition(random: &mut Random, scope: &Scope) -> String {
    let (from, inner) = inner(random, scope);
    let filter = filter(random, &inner);
    if scope.columns.is_empty() {
        return format!("EXISTS (SELECT 1 FROM {from}{filter})");
    }
    let both = pair(random, &scope.columns, &inner.columns);
    let Some((left, right)) = both.as_deref().and_then(split) else {
        return format!("NOT EXISTS (SELECT 1 FROM {from}{filter})");
    };
    match random.below(9) {
        0 | 1 => format!("{left} IN (SELECT {right} FROM {from}{filter})"),
        2 => format!("{left} NOT IN (SELECT {right} FROM {from}{filter})"),
        3 => {
            let compared = random.word(&["=", "<", ">=", "<>"]);
            let which = random.word(&["ANY", "ALL", "SOME"]);
            format!("{left} {compared} {which} (SELECT {right} FROM {from}{filter})")
        }
        4 => format!("EXISTS (SELECT * FROM {from}{filter})"),
        5 => format!("NOT EXISTS (SELECT * FROM {from}{filter})"),
        6 => {
            let other = pair(random, &scope.columns, &inner.columns);
            let Some((more, beside)) = other.as_deref().and_then(split) else {
                return format!("{left} IN (SELECT {right} FROM {from}{filter})");
            };
            format!("({left}, {more}) IN (SELECT {right}, {beside} FROM {from}{filter})")
        }
        7 => {
            let group = inner.columns.iter().find(|one| one.name == right);
            if group.is_some_and(|one| one.family == Family::Number) {
                return format!(
                    "{left} IN (SELECT {right} FROM {from}{filter} GROUP BY {right} \
                     HAVING COUNT(*) >= 1)"
                );
            }
            format!("{left} IN (SELECT DISTINCT {right} FROM {from}{filter})")
        }
        _ => format!("{left} = (SELECT MAX({right}) FROM {from}{filter})"),
    }
}

/// The sides of a comparison.
fn split(comparison: &str) -> Option<(&str, &str)> {
    let mut words = comparison.split(' ');
    let left = words.next()?;
    let right = words.nth(1)?;
    Some((left, right))
}
