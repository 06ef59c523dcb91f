//! Window functions by chance, over one table.

use super::query::condition;
use super::random::Random;
use super::schema::{Column, Kind, Table};

/// Columns that rows can be put in order by, and told apart by.
fn sortable(table: &Table) -> Vec<&Column> {
    let plain = |column: &&Column| column.kind != Kind::Json && !column.kind.is_text();
    table.columns.iter().filter(plain).collect()
}

fn frame_by_rows(random: &mut Random) -> String {
    let number = random.below(4);
    match random.below(8) {
        0 => "ROWS UNBOUNDED PRECEDING".to_owned(),
        1 => format!("ROWS {number} PRECEDING"),
        2 => format!("ROWS BETWEEN {number} PRECEDING AND {} FOLLOWING", random.below(4)),
        3 => format!("ROWS BETWEEN {number} PRECEDING AND {} PRECEDING", random.below(4)),
        4 => format!("ROWS BETWEEN {number} FOLLOWING AND {} FOLLOWING", random.below(4)),
        5 => format!("ROWS BETWEEN CURRENT ROW AND {number} FOLLOWING"),
        6 => "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING".to_owned(),
        _ => format!("ROWS BETWEEN UNBOUNDED PRECEDING AND {number} FOLLOWING"),
    }
}

fn frame_by_value(random: &mut Random, kind: &Kind) -> String {
    let distance = |random: &mut Random| {
        if kind.is_number() || *kind == Kind::Year {
            random.word(&["0", "1", "2", "1.5", "10", "1000"]).to_owned()
        } else {
            random
                .word(&[
                    "INTERVAL 1 DAY",
                    "INTERVAL 2 MONTH",
                    "INTERVAL 36 HOUR",
                    "INTERVAL '1-6' YEAR_MONTH",
                    "INTERVAL 90 SECOND",
                ])
                .to_owned()
        }
    };
    let (one, other) = (distance(random), distance(random));
    match random.below(6) {
        0 => format!("RANGE {one} PRECEDING"),
        1 => format!("RANGE BETWEEN {one} PRECEDING AND {other} FOLLOWING"),
        2 => format!("RANGE BETWEEN {one} FOLLOWING AND {other} FOLLOWING"),
        3 => format!("RANGE BETWEEN {one} PRECEDING AND {other} PRECEDING"),
        4 => format!("RANGE BETWEEN CURRENT ROW AND {one} FOLLOWING"),
        _ => format!("RANGE BETWEEN UNBOUNDED PRECEDING AND {one} PRECEDING"),
    }
}

/// One that gives the same whatever the order of rows is that are equal in the window's.
fn for_any_order(random: &mut Random, table: &Table) -> String {
    let column = random.of(&table.columns);
    let name = &column.name;
    let plain = column.kind != Kind::Json && !column.kind.is_text();
    let exact = matches!(column.kind, Kind::Int { .. } | Kind::Decimal { .. });
    match random.below(10) {
        0 => "RANK()".to_owned(),
        1 => "DENSE_RANK()".to_owned(),
        2 => "PERCENT_RANK()".to_owned(),
        3 => "CUME_DIST()".to_owned(),
        4 => format!("COUNT({name})"),
        5 if exact => format!("SUM({name})"),
        6 if exact => format!("AVG({name})"),
        7 if exact => format!("BIT_XOR({name})"),
        8 if plain => format!("MIN({name})"),
        9 if plain => format!("MAX({name})"),
        _ => "COUNT(*)".to_owned(),
    }
}

/// One that goes by the order of the rows.
fn for_certain_order(random: &mut Random, table: &Table) -> String {
    let column = random.of(&table.columns);
    let name = &column.name;
    let number = random.below(4);
    match random.below(14) {
        0 | 1 => "ROW_NUMBER()".to_owned(),
        2 => format!("NTILE({})", number + 1),
        3 => format!("LAG({name})"),
        4 => format!("LEAD({name}, {number})"),
        5 => format!("LAG({name}, {number}, {name})"),
        6 => format!("FIRST_VALUE({name})"),
        7 => format!("LAST_VALUE({name})"),
        8 => format!("NTH_VALUE({name}, {})", number + 1),
        9 => format!("JSON_ARRAYAGG({name})"),
        10 if column.kind.is_number() => format!("SUM({name})"),
        11 if column.kind.is_number() => format!("AVG({name})"),
        12 if column.kind != Kind::Json => format!("MIN({name})"),
        13 if column.kind != Kind::Json => format!("MAX({name})"),
        _ => format!("COUNT({name})"),
    }
}

fn item(random: &mut Random, table: &Table) -> String {
    let sortable = sortable(table);
    let mut window: Vec<String> = Vec::new();
    if !sortable.is_empty() && random.percent(50) {
        window.push(format!("PARTITION BY {}", random.of(&sortable).name));
    }
    let down = random.word(&["", " DESC"]);
    let function = match table.total_order() {
        Some(certain) if random.percent(55) => {
            let first = match sortable.is_empty() || random.percent(50) {
                true => String::new(),
                false => format!("{}{}, ", random.of(&sortable).name, random.word(&["", " DESC"])),
            };
            window.push(format!("ORDER BY {first}{certain}{down}"));
            if random.percent(60) {
                window.push(frame_by_rows(random));
            }
            for_certain_order(random, table)
        }
        _ => {
            if !sortable.is_empty() && random.percent(80) {
                let key = *random.of(&sortable);
                window.push(format!("ORDER BY {}{down}", key.name));
                let by_value = key.kind.is_number()
                    || key.kind.is_date()
                    || matches!(key.kind, Kind::Year | Kind::Time(_));
                if by_value && random.percent(50) {
                    window.push(frame_by_value(random, &key.kind));
                }
            }
            for_any_order(random, table)
        }
    };
    format!("{function} OVER ({})", window.join(" "))
}

/// A SELECT with window functions.
pub(crate) fn select(random: &mut Random, table: &Table, narrow: bool) -> String {
    let name = &table.name;
    let filter = condition(random, table, "", narrow);
    let sortable = sortable(table);
    if !sortable.is_empty() && random.percent(20) {
        let by = &random.of(&sortable).name;
        let over = random.word(&[
            "RANK() OVER (ORDER BY COUNT(*) DESC)",
            "SUM(COUNT(*)) OVER ()",
            "CUME_DIST() OVER (ORDER BY COUNT(*))",
        ]);
        let sums = format!("SUM(COUNT(*)) OVER (ORDER BY {by} ROWS 1 PRECEDING)");
        let over = if random.percent(30) { &sums } else { over };
        return format!("SELECT {by}, COUNT(*), {over} FROM {name}{filter} GROUP BY {by}");
    }
    let items: Vec<String> = (0..random.between(1, 3)).map(|_| item(random, table)).collect();
    let beside = match table.total_order() {
        Some(certain) => format!("{certain}, "),
        None => String::new(),
    };
    let items = items.join(", ");
    match table.total_order() {
        Some(certain) if random.percent(40) => {
            let limit = random.word(&["", " LIMIT 3", " LIMIT 2, 4"]);
            format!("SELECT {beside}{items} FROM {name}{filter} ORDER BY {certain}{limit}")
        }
        _ => format!("SELECT {beside}{items} FROM {name}{filter}"),
    }
}
