//! FROM by chance: tables, joins of all kinds, derived tables, lateral ones.

use super::blocks;
use super::expressions::{Scope, condition, pair};
use super::tables::{Column, FOLDS, Family, Table};
use crate::differential::Random;

/// A table of FROM: its text, and its columns under its alias.
struct Factor {
    text: String,
    columns: Vec<Column>,
    /// What its rows are told apart by.
    order: Option<String>,
}

fn prefixed(columns: &[Column], alias: &str) -> Vec<Column> {
    let one = |column: &Column| Column {
        name: format!("{alias}.{}", column.name),
        family: column.family,
    };
    columns.iter().map(one).collect()
}

fn base(random: &mut Random, tables: &[Table], alias: &str) -> Factor {
    let table = random.of(tables);
    let written = random.word(&[" AS ", " "]);
    Factor {
        text: format!("{}{written}{alias}", table.name),
        columns: prefixed(&table.columns, alias),
        order: Some(format!("{alias}.id")),
    }
}

/// A query in FROM, which sees `left` if it is lateral.
fn derived(random: &mut Random, scope: &Scope, alias: &str, left: &[Column]) -> Factor {
    let lateral = !left.is_empty() && random.percent(35);
    let outer = if lateral { left.to_vec() } else { Vec::new() };
    let around = Scope { outer, columns: Vec::new(), order: None, tables: scope.tables.clone() };
    let (text, columns) = blocks::named(random, &around);
    let lateral = if lateral { "LATERAL " } else { "" };
    if random.percent(20) {
        let names: Vec<String> = (0..columns.len()).map(|at| format!("y{at}")).collect();
        let renamed: Vec<Column> = columns
            .iter()
            .zip(&names)
            .map(|(column, name)| Column { name: name.clone(), family: column.family })
            .collect();
        return Factor {
            text: format!("{lateral}({text}) AS {alias} ({})", names.join(", ")),
            columns: prefixed(&renamed, alias),
            order: None,
        };
    }
    Factor {
        text: format!("{lateral}({text}) AS {alias}"),
        columns: prefixed(&columns, alias),
        order: None,
    }
}

fn values(random: &mut Random, alias: &str) -> Factor {
    let rows: Vec<String> = (0..random.between(1, 3))
        .map(|_| {
            let number = random.word(&["1", "2", "NULL", "3"]);
            format!("ROW({number}, {})", random.word(&["'a'", "'b'", "NULL", "'c'"]))
        })
        .collect();
    let number = Column { name: format!("{alias}.column_0"), family: Family::Number };
    let text = Column { name: format!("{alias}.column_1"), family: FOLDS };
    Factor {
        text: format!("(VALUES {}) AS {alias}", rows.join(", ")),
        columns: vec![number, text],
        order: None,
    }
}

fn factor(random: &mut Random, scope: &Scope, alias: &str, left: &[Column]) -> Factor {
    match random.below(20) {
        0..=2 => derived(random, scope, alias, left),
        3 => values(random, alias),
        _ => base(random, &scope.tables, alias),
    }
}

/// A condition of ON between what is joined.
fn on(random: &mut Random, left: &[Column], right: &[Column]) -> String {
    let Some(mut on) = pair(random, left, right) else {
        return random.word(&["TRUE", "1 = 1", "1 = 0"]).to_owned();
    };
    if random.percent(25) {
        let columns = [left, right].concat();
        let scope = Scope { columns, ..Scope::default() };
        let more = condition(random, &scope);
        on = format!("{on} {} {more}", random.word(&["AND", "AND", "OR"]));
    }
    on
}

/// A FROM of one table to three, and what a query over it sees.
pub(crate) fn from(random: &mut Random, scope: &Scope, many: bool) -> (String, Scope) {
    let count = match random.below(100) {
        _ if !many => 1,
        0..=44 => 1,
        45..=82 => 2,
        _ => 3,
    };
    let first = factor(random, scope, "a", &[]);
    let (mut text, mut columns, mut order) = (first.text, first.columns, first.order);
    for alias in ["b", "c"].iter().take(count - 1) {
        let kind = random.below(12);
        // The left side of a RIGHT JOIN is not there for a lateral table.
        let left: &[Column] = if kind == 5 { &[] } else { &columns };
        let next = factor(random, scope, alias, left);
        let joined = match kind {
            0 => format!("{text}, {}", next.text),
            1 => format!("{text} CROSS JOIN {}", next.text),
            2 | 3 => {
                format!("{text} LEFT JOIN {} ON {}", next.text, on(random, &columns, &next.columns))
            }
            4 => format!(
                "{text} LEFT OUTER JOIN {} ON {}",
                next.text,
                on(random, &columns, &next.columns)
            ),
            5 => format!(
                "{text} RIGHT JOIN {} ON {}",
                next.text,
                on(random, &columns, &next.columns)
            ),
            6 => format!(
                "{text} STRAIGHT_JOIN {} ON {}",
                next.text,
                on(random, &columns, &next.columns)
            ),
            7 if order.is_some() && next.order.is_some() && count == 2 => {
                let word =
                    random.word(&["NATURAL JOIN", "NATURAL LEFT JOIN", "NATURAL RIGHT JOIN"]);
                format!("{text} {word} {}", next.text)
            }
            8 if order.is_some() && next.order.is_some() && count == 2 => {
                let word = random.word(&["JOIN", "LEFT JOIN", "RIGHT JOIN"]);
                format!("{text} {word} {} USING (id)", next.text)
            }
            _ => format!("{text} JOIN {} ON {}", next.text, on(random, &columns, &next.columns)),
        };
        text = joined;
        columns.extend(next.columns);
        order = order.zip(next.order).map(|(one, other)| format!("{one}, {other}"));
    }
    let inner = Scope { columns, order, outer: scope.outer.clone(), tables: scope.tables.clone() };
    (text, inner)
}
