//! Changes of tables, by chance. The model follows as if each of them worked.

use super::literals;
use super::random::Random;
use super::schema::{self, Kind, Style, Table};

/// One ALTER TABLE, CREATE INDEX or such.
pub(crate) fn alter(
    random: &mut Random,
    tables: &mut [Table],
    style: Style,
    serial: usize,
) -> String {
    let at = random.below(tables.len());
    let table = &mut tables[at];
    let name = table.name.clone();
    let free: Vec<usize> = (0..table.columns.len())
        .filter(|at| {
            let column = &table.columns[*at];
            !table.primary.contains(&column.name) && column.name != "ref"
        })
        .collect();
    match random.below(13) {
        0..=2 => {
            let new = schema::column(random, format!("n{serial}"), style, &table.columns);
            let (place, at) = match random.below(3) {
                0 => (" FIRST".to_owned(), 0),
                1 => {
                    let at = random.below(table.columns.len());
                    (format!(" AFTER {}", table.columns[at].name), at + 1)
                }
                _ => (String::new(), table.columns.len()),
            };
            let text = format!("ALTER TABLE {name} ADD COLUMN {}{place}", new.ddl());
            table.columns.insert(at, new);
            text
        }
        3 if free.len() > 1 => {
            let column = table.columns.remove(*random.of(&free));
            table.indexed.retain(|name| *name != column.name);
            format!("ALTER TABLE {name} DROP COLUMN {}", column.name)
        }
        4 | 5 if !free.is_empty() => {
            let at = *random.of(&free);
            let old = table.columns[at].name.clone();
            let mut new = schema::column(random, old.clone(), style, &[]);
            if random.percent(30) {
                new.name = format!("n{serial}");
                let text = format!("ALTER TABLE {name} CHANGE {old} {}", new.ddl());
                table.columns[at] = new;
                return text;
            }
            let text = format!("ALTER TABLE {name} MODIFY {}", new.ddl());
            table.columns[at] = new;
            text
        }
        6 | 7 => {
            let called = format!("k{serial}");
            let Some((line, first)) = schema::index(random, &called, &table.columns) else {
                return format!("ALTER TABLE {name} COMMENT = 'changed {serial}'");
            };
            table.indexed.push(first);
            table.indexes.push(called);
            format!("ALTER TABLE {name} ADD {line}")
        }
        8 if !table.indexes.is_empty() => {
            let index = table.indexes.remove(random.below(table.indexes.len()));
            match random.below(3) {
                0 => format!("DROP INDEX {index} ON {name}"),
                1 => {
                    let new = format!("k{serial}");
                    table.indexes.push(new.clone());
                    format!("ALTER TABLE {name} RENAME INDEX {index} TO {new}")
                }
                _ => format!("ALTER TABLE {name} DROP INDEX {index}"),
            }
        }
        9 if !free.is_empty() => {
            let at = *random.of(&free);
            let column = &table.columns[at];
            if random.percent(25) {
                return format!("ALTER TABLE {name} ALTER {} DROP DEFAULT", column.name);
            }
            let value = match column.kind {
                Kind::Json | Kind::Text(_) | Kind::Blob(_) => "('x')".to_owned(),
                _ => literals::valid(random, &column.kind, style.narrow),
            };
            format!("ALTER TABLE {name} ALTER {} SET DEFAULT {value}", column.name)
        }
        10 => {
            let called = format!("{name}_chk{serial}");
            let Some(text) = schema::check(random, &table.columns) else {
                return format!("ALTER TABLE {name} AUTO_INCREMENT = 50");
            };
            table.checks.push(called.clone());
            format!("ALTER TABLE {name} ADD CONSTRAINT {called} CHECK ({text})")
        }
        11 if !table.foreign.is_empty() || !table.checks.is_empty() => {
            let list =
                if table.foreign.is_empty() { &mut table.checks } else { &mut table.foreign };
            let gone = list.remove(random.below(list.len()));
            format!("ALTER TABLE {name} DROP CONSTRAINT {gone}")
        }
        11 => format!("ALTER TABLE {name} AUTO_INCREMENT = {}", random.between(1, 60)),
        12 if !free.is_empty() && random.percent(60) => {
            let at = *random.of(&free);
            let new = format!("n{serial}");
            let old = std::mem::replace(&mut table.columns[at].name, new.clone());
            format!("ALTER TABLE {name} RENAME COLUMN {old} TO {new}")
        }
        _ => {
            let charset = random.word(&["latin1", "utf8mb4", "utf8mb4 COLLATE utf8mb4_bin"]);
            format!("ALTER TABLE {name} CONVERT TO CHARACTER SET {charset}")
        }
    }
}
