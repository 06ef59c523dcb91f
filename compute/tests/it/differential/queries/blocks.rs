//! Whole queries by chance: plain, grouped, with windows, put together, WITH.

use super::expressions::{Scope, condition, expression, fill, keys};
use super::functions::AGGREGATES;
use super::joins::from;
use super::tables::{Column, Family, Table};
use crate::differential::Random;

/// Before a query whose rows are in no order that is certain.
pub(crate) const UNORDERED: &str = "/* rows in any order */ ";

fn filter(random: &mut Random, scope: &Scope) -> String {
    match random.below(10) {
        0..=3 => String::new(),
        4 => {
            let (one, other) = (condition(random, scope), condition(random, scope));
            format!(" WHERE {one} {} {other}", random.word(&["AND", "OR"]))
        }
        _ => format!(" WHERE {}", condition(random, scope)),
    }
}

fn limit(random: &mut Random) -> &'static str {
    random.word(&["", "", "", " LIMIT 2", " LIMIT 1, 3", " LIMIT 3 OFFSET 1", " LIMIT 0"])
}

fn item(random: &mut Random, scope: &Scope) -> String {
    let text = match random.below(10) {
        0 | 1 => scope.column(random),
        2..=6 => expression(random, scope, 1),
        7 | 8 => expression(random, scope, 2),
        _ => expression(random, scope, 3),
    };
    if random.percent(12) { format!("{text} AS x") } else { text }
}

/// Rows as they come, with expressions.
fn plain(random: &mut Random, scope: &Scope) -> String {
    if random.percent(6) {
        return format!("{UNORDERED}SELECT {}", item(random, scope));
    }
    let (from, inner) = from(random, scope, true);
    let items: Vec<String> = match random.below(12) {
        0 => vec!["*".to_owned()],
        1 => vec!["a.*".to_owned(), item(random, &inner)],
        _ => (0..random.between(1, 3)).map(|_| item(random, &inner)).collect(),
    };
    let filter = filter(random, &inner);
    let body = format!("SELECT {} FROM {from}{filter}", items.join(", "));
    match inner.order {
        Some(order) if random.percent(45) => {
            let down = random.word(&["", " DESC"]);
            let by = if random.percent(50) {
                // What is equal in this order may be of different bytes, but not its place.
                let column = &random.of(&inner.columns).name;
                format!("{column}{}, {order}{down}", random.word(&["", " DESC"]))
            } else {
                format!("{order}{down}")
            };
            format!("{body} ORDER BY {by}{}", limit(random))
        }
        _ => format!("{UNORDERED}{body}"),
    }
}

/// An aggregate whose value does not hang on the order of rows.
pub(super) fn one(random: &mut Random, scope: &Scope) -> &'static str {
    loop {
        let shape = random.word(AGGREGATES);
        if scope.order.is_some() || !shape.contains("$o") {
            return shape;
        }
    }
}

fn aggregate(random: &mut Random, scope: &Scope) -> String {
    let plain = Scope { outer: Vec::new(), tables: Vec::new(), ..scope.clone() };
    let shape = one(random, scope);
    let text = fill(random, &plain, shape, 1);
    match random.below(12) {
        0 if !shape.starts_with("M") => format!("{text} + 1"),
        1 => format!("IFNULL({text}, 'none')"),
        2 => format!("CONCAT({text}, '!')"),
        3 => format!("{text} AS n"),
        _ => text,
    }
}

/// Groups, or one group of all rows.
fn grouped(random: &mut Random, scope: &Scope) -> String {
    let (from, inner) = from(random, scope, true);
    let filter = filter(random, &inner);
    let aggregates: Vec<String> =
        (0..random.between(1, 3)).map(|_| aggregate(random, &inner)).collect();
    if random.percent(30) {
        let having = random.word(&["", "", "", " HAVING COUNT(*) > 1", " HAVING NULL"]);
        return format!("{UNORDERED}SELECT {} FROM {from}{filter}{having}", aggregates.join(", "));
    }
    let count = random.between(1, 2);
    let groups = keys(random, &inner, count);
    let rollup = random.percent(25);
    let mut items = groups.clone();
    items.extend(aggregates);
    // Of no rows it is 0 or 1 by how a server has found out that there are none.
    if rollup && filter.is_empty() && random.percent(50) {
        items.push(format!("GROUPING({})", groups[0]));
    }
    if random.percent(4) {
        // One that the groups do not decide.
        items.push(inner.column(random));
    }
    let having = match random.below(8) {
        0 => " HAVING COUNT(*) > 1".to_owned(),
        1 if !groups[0].contains('(') => format!(" HAVING {} IS NOT NULL", groups[0]),
        2 => " HAVING MAX(1) = 1".to_owned(),
        _ => String::new(),
    };
    let by = if rollup { format!("{} WITH ROLLUP", groups.join(", ")) } else { groups.join(", ") };
    let body = format!("SELECT {} FROM {from}{filter} GROUP BY {by}{having}", items.join(", "));
    if !rollup && random.percent(40) {
        return format!("{body} ORDER BY {}{}", groups.join(", "), limit(random));
    }
    format!("{UNORDERED}{body}")
}

fn distinct(random: &mut Random, scope: &Scope) -> String {
    let (from, inner) = from(random, scope, true);
    let filter = filter(random, &inner);
    let count = random.between(1, 3);
    let items = keys(random, &inner, count).join(", ");
    if random.percent(40) {
        let places: Vec<String> = (1..=count).map(|at| at.to_string()).collect();
        let (order, limit) = (places.join(", "), limit(random));
        return format!("SELECT DISTINCT {items} FROM {from}{filter} ORDER BY {order}{limit}");
    }
    format!("{UNORDERED}SELECT DISTINCT {items} FROM {from}{filter}")
}

/// Windows over rows in an order that is certain.
fn windows(random: &mut Random, scope: &Scope) -> String {
    let (from, inner) = {
        let many = random.percent(30);
        from(random, scope, many)
    };
    let Some(order) = inner.order.clone() else { return plain(random, scope) };
    let filter = filter(random, &inner);
    let items: Vec<String> = (0..random.between(1, 2))
        .map(|_| {
            let function = match random.below(14) {
                0 => "ROW_NUMBER()".to_owned(),
                1 => "RANK()".to_owned(),
                2 => "DENSE_RANK()".to_owned(),
                3 => format!("LAG({}, {})", inner.column(random), random.word(&["0", "1", "2"])),
                4 => {
                    let column = inner.column(random);
                    format!("LEAD({column}, 1, {column})")
                }
                5 => format!("FIRST_VALUE({})", inner.column(random)),
                6 => format!("LAST_VALUE({})", inner.column(random)),
                7 => format!("NTH_VALUE({}, 2)", inner.column(random)),
                8 => format!("NTILE({})", random.word(&["1", "2", "3"])),
                9 => "CUME_DIST()".to_owned(),
                10 => "PERCENT_RANK()".to_owned(),
                _ => {
                    let shape = random.word(&[
                        "COUNT(*)",
                        "COUNT($c)",
                        "SUM($m)",
                        "AVG($m)",
                        "MIN($k)",
                        "MAX($k)",
                        "BIT_OR($i)",
                    ]);
                    let plain = Scope { outer: Vec::new(), ..inner.clone() };
                    fill(random, &plain, shape, 1)
                }
            };
            let partition = if random.percent(45) {
                format!("PARTITION BY {} ", inner.column(random))
            } else {
                String::new()
            };
            let frame = random.word(&[
                "",
                "",
                "",
                " ROWS UNBOUNDED PRECEDING",
                " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
                " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
                " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
            ]);
            format!("{function} OVER ({partition}ORDER BY {order}{frame})")
        })
        .collect();
    format!("{UNORDERED}SELECT {order}, {} FROM {from}{filter}", items.join(", "))
}

/// A query whose columns have names of their own and of which equal rows are the same.
pub(crate) fn named(random: &mut Random, scope: &Scope) -> (String, Vec<Column>) {
    let table: &Table = random.of(&scope.tables);
    let own =
        |column: &Column| Column { name: format!("i.{}", column.name), family: column.family };
    let columns: Vec<Column> = table.columns.iter().map(own).collect();
    let inner = Scope {
        columns,
        outer: scope.outer.clone(),
        order: Some("i.id".into()),
        tables: Vec::new(),
    };
    let from = format!("{} AS i", table.name);
    let filter = match inner.outer.is_empty() {
        false if random.percent(70) => {
            let both = super::expressions::pair(random, &inner.columns, &inner.outer);
            both.map_or_else(String::new, |both| format!(" WHERE {both}"))
        }
        _ => filter(random, &inner),
    };
    let number = Family::Number;
    let taken: Vec<Column> =
        (0..random.between(1, 3)).map(|_| random.of(&inner.columns).clone()).collect();
    let mut items: Vec<String> = Vec::new();
    let mut out: Vec<Column> = Vec::new();
    for (at, column) in taken.iter().enumerate() {
        items.push(format!("{} AS x{at}", column.name));
        out.push(Column { name: format!("x{at}"), family: column.family });
    }
    match random.below(8) {
        0 => {
            let count = fill(random, &inner, "COUNT($c)", 1);
            let keyed: Vec<String> = taken
                .iter()
                .enumerate()
                .map(|(at, one)| format!("{} AS x{at}", super::expressions::key(one)))
                .collect();
            let by: Vec<String> = taken.iter().map(super::expressions::key).collect();
            out.push(Column { name: "n".into(), family: number });
            let text = format!(
                "SELECT {}, {count} AS n FROM {from}{filter} GROUP BY {}",
                keyed.join(", "),
                by.join(", ")
            );
            (text, out)
        }
        1 => {
            let shape = random.word(&["COUNT(*)", "SUM($m)", "MAX($m)", "AVG($m)"]);
            let sum = fill(random, &Scope { outer: Vec::new(), ..inner.clone() }, shape, 1);
            (
                format!("SELECT {sum} AS x0 FROM {from}{filter}"),
                vec![Column { name: "x0".into(), family: number }],
            )
        }
        2 => {
            let count = random.between(1, 3);
            (
                format!(
                    "SELECT {} FROM {from}{filter} ORDER BY i.id LIMIT {count}",
                    items.join(", ")
                ),
                out,
            )
        }
        3 => {
            let other = fill(random, &inner, "$i + $m", 1);
            out.push(Column { name: "e".into(), family: number });
            (format!("SELECT {}, {other} AS e FROM {from}{filter}", items.join(", ")), out)
        }
        _ => (format!("SELECT {} FROM {from}{filter}", items.join(", ")), out),
    }
}

/// UNION, INTERSECT and EXCEPT.
fn together(random: &mut Random, scope: &Scope) -> String {
    let count = random.between(1, 3);
    let block = |random: &mut Random| {
        let many = random.percent(25);
        let (from, inner) = from(random, scope, many);
        let filter = filter(random, &inner);
        let count = if random.percent(3) { count + 1 } else { count };
        format!("SELECT {} FROM {from}{filter}", keys(random, &inner, count).join(", "))
    };
    let word = |random: &mut Random| {
        random.word(&[
            "UNION",
            "UNION ALL",
            "UNION DISTINCT",
            "INTERSECT",
            "EXCEPT",
            "INTERSECT ALL",
            "EXCEPT ALL",
        ])
    };
    let mut text = block(random);
    for _ in 0..random.between(1, 2) {
        let (word, next) = (word(random), block(random));
        text = if random.percent(30) {
            format!("({text}) {word} ({next})")
        } else {
            format!("{text} {word} {next}")
        };
    }
    format!("{UNORDERED}{text}")
}

/// WITH, and recursive ones that count.
fn with(random: &mut Random, scope: &Scope) -> String {
    if random.percent(35) {
        let most = random.between(0, 6);
        return match random.below(5) {
            0 => format!(
                "{UNORDERED}WITH RECURSIVE r (n, s) AS (SELECT 1, CAST('a' AS CHAR(20)) UNION ALL \
                 SELECT n + 1, CONCAT(s, 'b') FROM r WHERE n < {most}) SELECT * FROM r"
            ),
            1 => format!(
                "{UNORDERED}WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT (n * 3) % 7 FROM r) \
                 SELECT n, COUNT(*) OVER () FROM r WHERE n <= {most}"
            ),
            2 => {
                let (text, columns) = named(random, &Scope { outer: Vec::new(), ..scope.clone() });
                let name = &columns[0].name;
                format!(
                    "{UNORDERED}WITH RECURSIVE d AS ({text}), r (n) AS (SELECT 0 UNION ALL SELECT \
                     n + 1 FROM r WHERE n < {most}) SELECT r.n, d.{name} FROM r LEFT JOIN d ON d.{name} = r.n"
                )
            }
            3 => format!(
                "{UNORDERED}WITH RECURSIVE r (n, f, g) AS (SELECT 1, 0, 1 UNION ALL SELECT n + 1, g, \
                 f + g FROM r WHERE n < {most}) SELECT MAX(n), SUM(f), MAX(g) FROM r"
            ),
            _ => format!(
                "{UNORDERED}WITH RECURSIVE r (d) AS (SELECT DATE'2024-02-27' UNION ALL SELECT \
                 d + INTERVAL 1 DAY FROM r WHERE d < '2024-03-0{}') SELECT d, DAYNAME(d) FROM r",
                most + 1
            ),
        };
    }
    let alone = Scope { outer: Vec::new(), ..scope.clone() };
    let (text, columns) = named(random, &alone);
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let called: Vec<Column> = columns
        .iter()
        .map(|one| Column { name: format!("w.{}", one.name), family: one.family })
        .collect();
    let inner =
        Scope { columns: called, order: None, outer: Vec::new(), tables: scope.tables.clone() };
    let body = match random.below(4) {
        0 => format!("SELECT {} FROM w", item(random, &inner)),
        1 => format!("SELECT COUNT(*), COUNT(w.{0}) FROM w JOIN w AS v ON w.{0} = v.{0}", names[0]),
        2 => format!("SELECT w.*, {} FROM w{}", item(random, &inner), filter(random, &inner)),
        _ => format!("SELECT (SELECT COUNT(*) FROM w), a.id FROM {} AS a", scope.tables[0].name),
    };
    format!("{UNORDERED}WITH w AS ({text}) {body}")
}

/// What is wrong in one place.
fn wrong(random: &mut Random, scope: &Scope) -> String {
    let table = &random.of(&scope.tables).name;
    let text = random.word(&[
        "SELECT nothing FROM §",
        "SELECT §.nothing FROM §",
        "SELECT x.id FROM §",
        "SELECT * FROM nowhere",
        "SELECT nosuch(id) FROM §",
        "SELECT LENGTH(id, 1) FROM §",
        "SELECT CONCAT() FROM §",
        "SELECT ROUND(1, 2, 3)",
        "SELECT id FROM § AS a JOIN § AS b ON a.id = b.id",
        "SELECT a.id FROM § AS a JOIN § AS a ON 1",
        "SELECT COUNT(*), id FROM §",
        "SELECT id FROM § GROUP BY nothing",
        "SELECT id FROM § ORDER BY 7",
        "SELECT id FROM § GROUP BY 7",
        "SELECT SUM(COUNT(*)) FROM §",
        "SELECT id FROM § WHERE COUNT(*) > 1",
        "SELECT (SELECT 1, 2)",
        "SELECT 1 IN (SELECT 1, 2)",
        "SELECT (1, 2) = 1",
        "SELECT id FROM § HAVING nothing > 1",
        "SELECT id, id FROM § UNION SELECT id FROM §",
        "SELECT * FROM (SELECT id, id FROM §) x",
        "SELECT * FROM (SELECT id FROM §)",
        "SELECT ROW_NUMBER() FROM §",
        "SELECT id FROM § WHERE ROW_NUMBER() OVER () = 1",
        "SELECT id FROM § LIMIT -1",
        "SELECT id FROM § WHERE",
        "SELECT FROM §",
        "SELECT id id id FROM §",
        "SELECT 'a' COLLATE latin1_swedish_ci",
        "SELECT 'a' COLLATE nothing_ci",
        "SELECT CONVERT('a' USING nothing)",
        "SELECT CAST(1 AS DECIMAL(66, 2))",
        "SELECT CAST(1 AS DECIMAL(5, 31))",
        "SELECT CAST(1 AS TIME(7))",
        "SELECT DATE'2024-02-30'",
        "SELECT x'abc'",
        "SELECT 9223372036854775807 + 1",
        "SELECT EXP(1000)",
        "SELECT JSON_EXTRACT('{', '$')",
        "SELECT JSON_EXTRACT('{}', 'a')",
        "SELECT * FROM § NATURAL JOIN nowhere",
        "SELECT * FROM § JOIN § AS b USING (nothing)",
        "WITH w AS (SELECT 1) SELECT * FROM v",
        "WITH w (a, b) AS (SELECT 1) SELECT * FROM w",
        "WITH RECURSIVE r AS (SELECT n FROM r) SELECT * FROM r",
        "VALUES ROW(1), ROW(1, 2)",
        "SELECT @@nothing",
        "SELECT * FROM § FORCE INDEX (nothing)",
        "SELECT GROUPING(id) FROM §",
        "SELECT id FROM § ORDER BY id LIMIT 1 UNION SELECT 1",
        "SELECT (SELECT id FROM § WHERE a.id = 1) FROM § AS b",
        "SELECT INTERVAL 1 DAY",
        "SELECT GROUP_CONCAT(DISTINCT id ORDER BY nothing) FROM §",
        "SELECT NTILE(0) OVER () FROM §",
        "SELECT SUM(id) OVER w FROM §",
        "SELECT SUM(id) OVER (ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) FROM §",
        "SELECT (((1)",
        "SELECT 1 FROM § AS",
        "SELECT \"a",
        "SELEC 1",
        "SELECT 1; SELECT",
        "SELECT 1 2",
        "SELECT * FROM § WHERE id IN ()",
        "SELECT CASE END",
        "SELECT 1 /*",
    ]);
    format!("{UNORDERED}{}", text.replace('§', table))
}

/// A query over some tables.
pub(crate) fn query(random: &mut Random, tables: &[Table]) -> String {
    let scope = Scope { tables: tables.to_vec(), ..Scope::default() };
    match random.below(100) {
        0..=39 => plain(random, &scope),
        40..=59 => grouped(random, &scope),
        60..=67 => distinct(random, &scope),
        68..=76 => windows(random, &scope),
        77..=86 => together(random, &scope),
        87..=95 => with(random, &scope),
        96 => format!("{UNORDERED}TABLE {}", random.of(tables).name),
        _ => wrong(random, &scope),
    }
}
