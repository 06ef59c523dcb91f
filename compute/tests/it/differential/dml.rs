//! Statements that change rows, by chance.

use super::literals;
use super::query::condition;
use super::random::Random;
use super::schema::{Column, Kind, Table};

/// What a column may be set to in an UPDATE.
fn new_value(random: &mut Random, column: &Column, table: &Table, narrow: bool) -> String {
    let name = &column.name;
    match random.below(10) {
        0 => "DEFAULT".to_owned(),
        1 if !narrow => random.of(&table.columns).name.clone(),
        2..=4 => match &column.kind {
            kind if kind.is_number() => {
                format!("{name} {}", random.word(&["+ 1", "- 1", "* 2", "/ 2", "+ 10"]))
            }
            kind if kind.is_text() => match random.below(3) {
                0 => format!("CONCAT({name}, 'z')"),
                1 => format!("LOWER({name})"),
                _ => format!("LEFT({name}, 1)"),
            },
            kind if kind.is_date() => format!("{name} + INTERVAL 1 DAY"),
            Kind::Json => format!("JSON_SET({name}, '$.a', {})", random.between(0, 9)),
            kind => literals::any(random, kind, narrow),
        },
        _ => literals::any(random, &column.kind, narrow),
    }
}

fn ignore(random: &mut Random) -> &'static str {
    if random.percent(15) { " IGNORE" } else { "" }
}

/// Columns to give values, in the table's order.
fn chosen<'a>(random: &mut Random, table: &'a Table) -> Vec<&'a Column> {
    let all = table.plain();
    let keep = |random: &mut Random, column: &Column| {
        let needed = table.primary.contains(&column.name) && !column.auto_increment;
        let percent = if needed {
            97
        } else if column.auto_increment {
            45
        } else {
            85
        };
        random.percent(percent)
    };
    let some: Vec<&Column> = all.iter().copied().filter(|one| keep(random, one)).collect();
    if some.is_empty() { all } else { some }
}

fn insert_value(random: &mut Random, column: &Column, narrow: bool) -> String {
    match random.below(100) {
        0..=4 => "DEFAULT".to_owned(),
        5..=7 if column.auto_increment => random.word(&["NULL", "0", "NULL"]).to_owned(),
        _ if column.auto_increment => random.between(1, 12).to_string(),
        8 if column.kind.is_number() => random.word(&["1 + 1", "ABS(-3)", "7 DIV 2"]).to_owned(),
        8 if column.kind.is_text() => random.word(&["CONCAT('a', 1)", "UPPER('b')"]).to_owned(),
        8 if column.kind.is_date() => random.word(&["CURDATE()", "NOW(3)"]).to_owned(),
        _ => literals::any(random, &column.kind, narrow),
    }
}

fn on_duplicate(random: &mut Random, table: &Table, alias: Option<&str>, narrow: bool) -> String {
    let plain = table.plain();
    let mut sets = Vec::new();
    for _ in 0..random.between(1, 2) {
        let column = *random.of(&plain);
        let name = &column.name;
        let value = match (random.below(4), alias) {
            (0, Some(alias)) => format!("{alias}.{name}"),
            (1, Some(alias)) => format!("{alias}.{}", random.of(&plain).name),
            (_, Some(_)) => literals::any(random, &column.kind, narrow),
            (0 | 1, None) => format!("VALUES({name})"),
            (2, None) if column.auto_increment => format!("LAST_INSERT_ID({name})"),
            (_, None) => new_value(random, column, table, narrow),
        };
        sets.push(format!("{name} = {value}"));
    }
    format!(" ON DUPLICATE KEY UPDATE {}", sets.join(", "))
}

/// An INSERT or REPLACE.
pub(crate) fn insert(random: &mut Random, tables: &[Table], narrow: bool) -> String {
    let table = random.of(tables);
    let columns = chosen(random, table);
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let name = &table.name;
    if random.percent(3) {
        return format!("INSERT{} INTO {name} () VALUES ()", ignore(random));
    }
    let replace = random.percent(12);
    let verb = if replace { "REPLACE".to_owned() } else { format!("INSERT{}", ignore(random)) };
    let duplicate = !replace && random.percent(18);
    match random.below(12) {
        0 => {
            let sets: Vec<String> = columns
                .iter()
                .map(|column| format!("{} = {}", column.name, insert_value(random, column, narrow)))
                .collect();
            let tail =
                if duplicate { on_duplicate(random, table, None, narrow) } else { String::new() };
            format!("{verb} INTO {name} SET {}{tail}", sets.join(", "))
        }
        1 | 2 => {
            let source = random.of(tables);
            let items: Vec<String> = columns
                .iter()
                .map(|column| {
                    let same = source.column(&column.name).is_some();
                    if same && random.percent(if column.auto_increment { 30 } else { 70 }) {
                        if table.primary.contains(&column.name) && column.kind.is_number() {
                            return format!("{} + {}", column.name, random.between(0, 20));
                        }
                        return column.name.clone();
                    }
                    literals::any(random, &column.kind, narrow)
                })
                .collect();
            let list = names.join(", ");
            let order =
                source.total_order().map_or(String::new(), |order| format!(" ORDER BY {order}"));
            let limit =
                if order.is_empty() { "" } else { random.word(&["", " LIMIT 2", " LIMIT 5"]) };
            let tail = if duplicate && random.percent(50) {
                on_duplicate(random, table, None, narrow)
            } else {
                String::new()
            };
            format!(
                "{verb} INTO {name} ({list}) SELECT {} FROM {}{order}{limit}{tail}",
                items.join(", "),
                source.name
            )
        }
        _ => {
            let rows: Vec<String> = (0..random.between(1, 4))
                .map(|_| {
                    let values: Vec<String> =
                        columns.iter().map(|column| insert_value(random, column, narrow)).collect();
                    format!("({})", values.join(", "))
                })
                .collect();
            let row = random.word(&["", "", "", "", "ROW"]);
            let rows: Vec<String> = rows.iter().map(|values| format!("{row}{values}")).collect();
            let mut text =
                format!("{verb} INTO {name} ({}) VALUES {}", names.join(", "), rows.join(", "));
            if duplicate {
                let alias = random.percent(40).then_some("n");
                if let Some(alias) = alias {
                    text.push_str(&format!(" AS {alias}"));
                }
                text.push_str(&on_duplicate(random, table, alias, narrow));
            }
            text
        }
    }
}

fn tail(random: &mut Random, table: &Table) -> String {
    let Some(order) = table.total_order().filter(|_| random.percent(25)) else {
        return String::new();
    };
    let down = random.word(&["", " DESC"]);
    format!(" ORDER BY {order}{down} LIMIT {}", random.between(1, 3))
}

/// Columns of two tables that can be compared without surprises.
pub(crate) fn joined(random: &mut Random, left: &Table, right: &Table) -> Option<String> {
    let mut pairs = Vec::new();
    for one in &left.columns {
        for other in &right.columns {
            if one.kind == other.kind && one.kind != Kind::Json {
                pairs.push(format!("{}.{} = {}.{}", left.name, one.name, right.name, other.name));
            }
        }
    }
    (!pairs.is_empty()).then(|| random.of(&pairs).clone())
}

/// A column's value of another row, by a subquery.
fn subquery(random: &mut Random, tables: &[Table], column: &Column) -> Option<String> {
    let other = random.of(tables);
    let source = other.columns.iter().find(|one| one.kind == column.kind)?;
    let order = other.total_order()?;
    let kind = random.word(&["MAX", "MIN", "COUNT", ""]);
    let (name, from) = (&source.name, &other.name);
    Some(match kind {
        "COUNT" if column.kind.is_number() => format!("(SELECT COUNT(*) FROM {from})"),
        "MAX" | "MIN" if column.kind.is_number() => format!("(SELECT {kind}({name}) FROM {from})"),
        _ => format!("(SELECT {name} FROM {from} ORDER BY {order} LIMIT 1)"),
    })
}

/// An UPDATE.
pub(crate) fn update(random: &mut Random, tables: &[Table], narrow: bool) -> String {
    let table = random.of(tables);
    let plain = table.plain();
    let ignore = ignore(random);
    if tables.len() > 1 && random.percent(18) {
        let other = random.of(tables);
        if other.name != table.name
            && let Some(on) = joined(random, table, other)
        {
            let mut sets = Vec::new();
            let column = *random.of(&plain);
            let value = literals::any(random, &column.kind, narrow);
            sets.push(format!("{}.{} = {value}", table.name, column.name));
            if random.percent(40) {
                let column = *random.of(&other.plain());
                let value = literals::any(random, &column.kind, narrow);
                sets.push(format!("{}.{} = {value}", other.name, column.name));
            }
            let (left, right, sets) = (&table.name, &other.name, sets.join(", "));
            return match random.below(3) {
                0 => format!("UPDATE{ignore} {left}, {right} SET {sets} WHERE {on}"),
                1 => format!("UPDATE{ignore} {left} LEFT JOIN {right} ON {on} SET {sets}"),
                _ => format!("UPDATE{ignore} {left} JOIN {right} ON {on} SET {sets}"),
            };
        }
    }
    let mut sets: Vec<String> = Vec::new();
    for _ in 0..random.between(1, 3) {
        let column = *random.of(&plain);
        if sets.iter().any(|set| set.starts_with(&format!("{} =", column.name))) {
            continue;
        }
        let value = match random.below(20) {
            0 => subquery(random, tables, column),
            _ => None,
        };
        let value = value.unwrap_or_else(|| new_value(random, column, table, narrow));
        sets.push(format!("{} = {value}", column.name));
    }
    let filter = condition(random, table, "", narrow);
    if random.percent(8) {
        let (name, first) = (&table.name, sets[0].clone());
        return format!("UPDATE{ignore} {name} AS x SET x.{first}{filter}");
    }
    format!("UPDATE{ignore} {} SET {}{filter}{}", table.name, sets.join(", "), tail(random, table))
}

/// A DELETE.
pub(crate) fn delete(random: &mut Random, tables: &[Table], narrow: bool) -> String {
    let table = random.of(tables);
    let ignore = ignore(random);
    if tables.len() > 1 && random.percent(20) {
        let other = random.of(tables);
        if other.name != table.name
            && let Some(on) = joined(random, table, other)
        {
            let (left, right) = (&table.name, &other.name);
            let both = if random.percent(40) { format!("{left}, {right}") } else { left.clone() };
            return match random.below(4) {
                0 => format!("DELETE{ignore} {both} FROM {left} JOIN {right} ON {on}"),
                1 => format!("DELETE{ignore} {both} FROM {left}, {right} WHERE {on}"),
                2 => format!("DELETE{ignore} {both} FROM {left} LEFT JOIN {right} ON {on}"),
                _ => format!("DELETE{ignore} FROM {both} USING {left} JOIN {right} ON {on}"),
            };
        }
    }
    let filter = condition(random, table, "", narrow);
    let filter = if filter.is_empty() && random.percent(80) {
        let Some(order) = table.total_order() else {
            return format!("DELETE FROM {} LIMIT 0", table.name);
        };
        return format!("DELETE{ignore} FROM {} ORDER BY {order} LIMIT 1", table.name);
    } else {
        filter
    };
    format!("DELETE{ignore} FROM {}{filter}{}", table.name, tail(random, table))
}
