//! SELECTs by chance, over one table or two.

use super::dml::joined;
use super::literals;
use super::random::Random;
use super::schema::{Column, Kind, Table};

/// A test of one column.
fn predicate(random: &mut Random, column: &Column, prefix: &str, narrow: bool) -> String {
    let name = format!("{prefix}{}", column.name);
    let value = |random: &mut Random| {
        if random.percent(92) {
            literals::valid(random, &column.kind, narrow)
        } else {
            literals::any(random, &column.kind, narrow)
        }
    };
    if column.kind == Kind::Json {
        return match random.below(3) {
            0 => format!("{name}->'$.a' = {}", random.between(0, 5)),
            1 => format!("JSON_EXTRACT({name}, '$[0]') IS NOT NULL"),
            _ => format!("{name} IS NULL"),
        };
    }
    match random.below(12) {
        0..=3 => format!("{name} = {}", value(random)),
        4 => format!("{name} <> {}", value(random)),
        5 => format!("{name} {} {}", random.word(&["<", "<=", ">", ">="]), value(random)),
        6 => {
            let (low, high) = (value(random), value(random));
            format!("{name} BETWEEN {low} AND {high}")
        }
        7 | 8 => {
            let list: Vec<String> = (0..random.between(1, 4)).map(|_| value(random)).collect();
            let not = if random.percent(20) { " NOT" } else { "" };
            format!("{name}{not} IN ({})", list.join(", "))
        }
        9 => format!("{name} IS{} NULL", random.word(&["", " NOT"])),
        10 if column.kind.is_text() => {
            format!("{name} LIKE {}", random.word(&["'a%'", "'%b%'", "'_'", "'%'", "'A%'"]))
        }
        _ => format!("{name} <=> {}", value(random)),
    }
}

/// ` WHERE …` over a table's columns, or nothing.
pub(crate) fn condition(random: &mut Random, table: &Table, prefix: &str, narrow: bool) -> String {
    if random.percent(12) {
        return String::new();
    }
    let indexed: Vec<&Column> =
        table.indexed.iter().filter_map(|name| table.column(name)).collect();
    let one = |random: &mut Random| {
        let column = if !indexed.is_empty() && random.percent(60) {
            *random.of(&indexed)
        } else {
            random.of(&table.columns)
        };
        predicate(random, column, prefix, narrow)
    };
    let first = one(random);
    match random.below(6) {
        0 => format!(" WHERE {first} AND {}", one(random)),
        1 => format!(" WHERE {first} OR {}", one(random)),
        2 if random.percent(40) => format!(" WHERE NOT ({first})"),
        _ => format!(" WHERE {first}"),
    }
}

fn computed_item(random: &mut Random, column: &Column) -> String {
    let name = &column.name;
    match &column.kind {
        kind if kind.is_number() => match random.below(4) {
            0 => format!("{name} + 1"),
            1 => format!("-{name}"),
            2 => format!("ROUND({name}, 1)"),
            _ => format!("{name} * 1.5 AS x"),
        },
        kind if kind.is_text() => match random.below(4) {
            0 => format!("UPPER({name})"),
            1 => format!("CONCAT({name}, '-', {name})"),
            2 => format!("LENGTH({name})"),
            _ => format!("{name} = 'a' AS same"),
        },
        kind if kind.is_date() => match random.below(3) {
            0 => format!("YEAR({name})"),
            1 => format!("{name} + INTERVAL 1 MONTH"),
            _ => format!("DATE_FORMAT({name}, '%Y/%m')"),
        },
        Kind::Json => match random.below(3) {
            0 => format!("{name}->>'$.a'"),
            1 => format!("JSON_TYPE({name})"),
            _ => format!("JSON_LENGTH({name})"),
        },
        Kind::Binary(_) | Kind::Varbinary(_) | Kind::Blob(_) | Kind::Bit(_) => {
            format!("HEX({name})")
        }
        _ => match random.below(3) {
            0 => format!("{name} + 0"),
            1 => format!("CONCAT({name})"),
            _ => format!("IFNULL({name}, 'none')"),
        },
    }
}

fn aggregate(random: &mut Random, table: &Table) -> String {
    let column = random.of(&table.columns);
    let name = &column.name;
    match random.below(8) {
        0 => "COUNT(*)".to_owned(),
        1 => format!("COUNT({name})"),
        2 if column.kind != Kind::Json => format!("COUNT(DISTINCT {name})"),
        3 if column.kind.is_number() => format!("SUM({name})"),
        4 if column.kind.is_number() => format!("AVG({name})"),
        5 if column.kind.is_number() => format!("BIT_OR({name})"),
        6 if column.kind != Kind::Json && !column.kind.is_text() => format!("MAX({name})"),
        7 if column.kind != Kind::Json && !column.kind.is_text() => format!("MIN({name})"),
        _ => format!("COUNT({name})"),
    }
}

/// A SELECT. Its rows have an order that is certain, or none is asked for.
pub(crate) fn select(random: &mut Random, tables: &[Table], narrow: bool) -> String {
    let table = random.of(tables);
    let name = &table.name;
    let filter = condition(random, table, "", narrow);
    let certain = table.total_order();
    if random.percent(12) {
        return super::windows::select(random, table, narrow);
    }
    if random.percent(15) && tables.len() > 1 {
        let other = random.of(tables);
        if other.name != *name
            && let Some(on) = joined(random, table, other)
        {
            let kind = random.word(&["JOIN", "LEFT JOIN", "JOIN"]);
            let filter = condition(random, table, &format!("{name}."), narrow);
            let column = random.of(&other.columns);
            let items = match random.below(3) {
                0 => "*".to_owned(),
                1 => format!("{name}.*, {}.{}", other.name, column.name),
                _ => format!("COUNT(*), COUNT({}.{})", other.name, column.name),
            };
            return format!("SELECT {items} FROM {name} {kind} {} ON {on}{filter}", other.name);
        }
    }
    match random.below(10) {
        0 | 1 => {
            let items: Vec<String> =
                (0..random.between(1, 3)).map(|_| aggregate(random, table)).collect();
            format!("SELECT {} FROM {name}{filter}", items.join(", "))
        }
        2 => {
            let grouped = random.of(&table.columns);
            if grouped.kind.is_text() || grouped.kind == Kind::Json {
                return format!("SELECT COUNT(*) FROM {name}{filter}");
            }
            let by = &grouped.name;
            let item = aggregate(random, table);
            let having = random.word(&["", " HAVING COUNT(*) > 1", ""]);
            format!("SELECT {by}, {item} FROM {name}{filter} GROUP BY {by}{having} ORDER BY {by}")
        }
        3 | 4 => {
            let items: Vec<String> = (0..random.between(1, 3))
                .map(|_| {
                    let column = random.of(&table.columns);
                    computed_item(random, column)
                })
                .collect();
            format!("SELECT {} FROM {name}{filter}", items.join(", "))
        }
        5 => {
            let column = random.of(&table.columns);
            if column.kind.is_text() || column.kind == Kind::Json {
                return format!("SELECT * FROM {name}{filter}");
            }
            format!("SELECT DISTINCT {} FROM {name}{filter}", column.name)
        }
        _ => {
            let items = if random.percent(60) {
                "*".to_owned()
            } else {
                let column = random.of(&table.columns);
                let other = random.of(&table.columns);
                format!("{}, {} AS y", column.name, other.name)
            };
            let order = match certain {
                Some(certain) if random.percent(60) => {
                    let first = random.of(&table.columns);
                    let down = random.word(&["", " DESC"]);
                    let by = if first.kind == Kind::Json || random.percent(40) {
                        format!("{certain}{down}")
                    } else {
                        format!("{}{down}, {certain}", first.name)
                    };
                    let limit =
                        random.word(&["", "", " LIMIT 2", " LIMIT 1, 3", " LIMIT 3 OFFSET 1"]);
                    format!(" ORDER BY {by}{limit}")
                }
                _ => String::new(),
            };
            format!("SELECT {items} FROM {name}{filter}{order}")
        }
    }
}
