//! Expressions by chance, over the columns that a query sees.

use super::functions::{self, CALLS, OPERATORS};
use super::subqueries;
use super::tables::{Column, Family, Table};
use crate::differential::Random;

/// What a query sees.
#[derive(Clone, Default)]
pub(crate) struct Scope {
    pub(crate) columns: Vec<Column>,
    /// Columns of the queries around it.
    pub(crate) outer: Vec<Column>,
    /// What tells each row from all others, if something does.
    pub(crate) order: Option<String>,
    /// Tables that subqueries may read.
    pub(crate) tables: Vec<Table>,
}

const SMALL: &[&str] = &["0", "1", "2", "3", "5", "-1", "'2'", "NULL"];
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "-1",
    "127",
    "2147483648",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "TRUE",
    "0.0",
    "1.5",
    "-2.50",
    "99999999999999999999.99",
    "1e0",
    "-2.25e-3",
    "1e308",
    "0x41",
    "b'101'",
];
const TEXTS: &[&str] = &[
    "''",
    "'a'",
    "'A'",
    "'abc'",
    "'ABC '",
    "'1'",
    "'12abc'",
    "' 42 '",
    "'-3.7'",
    "'é'",
    "'Straße'",
    "'日本語'",
    "'😀'",
    "'a,b,c'",
    "'%b_'",
    "'abc' COLLATE utf8mb4_bin",
    "'ABC' COLLATE utf8mb4_general_ci",
    "_latin1'abc'",
    "_latin1 x'e9'",
    "_binary'abc'",
    "x'ff00'",
];
const WORDS: &[&str] = &["'abc'", "'ABC'", "''", "'é'", "'a,b,c'", "NULL"];
const TIMES: &[&str] = &[
    "DATE'2024-02-29'",
    "DATE'1999-12-31'",
    "TIME'12:34:56'",
    "TIME'-838:59:59'",
    "TIME'00:00:01.5'",
    "TIMESTAMP'2024-02-29 23:59:59'",
    "TIMESTAMP'2000-01-01 00:00:00.123456'",
    "TIMESTAMP'9999-12-31 23:59:59'",
    "'2024-02-29'",
    "'2024-02-29 12:34:56.789'",
    "'12:34:56'",
    "20240229",
    "NOW()",
    "CURDATE()",
    "CURTIME(2)",
];
const DOCUMENTS: &[&str] = &[
    "CAST('[1, \"a\", null, 2.5, true]' AS JSON)",
    "CAST('{\"a\": {\"b\": [1, 2]}, \"c\": \"x\"}' AS JSON)",
    "'{\"a\": 1}'",
    "'[1, 2]'",
    "JSON_ARRAY(1, 'x')",
];
const PATHS: &[&str] = &["'$'", "'$.a'", "'$[0]'", "'$.a.b'", "'$.b[1]'", "'$[last]'", "'$.*'"];
const FORMATS: &[&str] =
    &["'%Y-%m-%d'", "'%W %M %e %y %j'", "'%H:%i:%s.%f'", "'%a %b %D %r %T'", "'%U %u %V %v %X %x'"];

impl Scope {
    fn some(&self, random: &mut Random, wanted: impl Fn(Family) -> bool) -> Option<&Column> {
        let outer = !self.outer.is_empty() && random.percent(35);
        let list = if outer { &self.outer } else { &self.columns };
        let fitting: Vec<&Column> = list.iter().filter(|one| wanted(one.family)).collect();
        if fitting.is_empty() { None } else { Some(*random.of(&fitting)) }
    }

    /// Any column, or NULL.
    pub(crate) fn column(&self, random: &mut Random) -> String {
        self.some(random, |_| true).map_or("NULL".into(), |column| column.name.clone())
    }

    /// Something that rows are told apart by: where it is equal, it is the same bytes.
    pub(crate) fn key(&self, random: &mut Random) -> String {
        self.some(random, |_| true).map_or("1".into(), key)
    }
}

/// A column, such that what is equal is the same.
pub(crate) fn key(column: &Column) -> String {
    let name = &column.name;
    match column.family {
        Family::Text { folds: true, .. } => format!("UPPER({name})"),
        _ => name.clone(),
    }
}

fn is_exact(column: &Column) -> bool {
    !matches!(column.family, Family::Text { folds: true, .. })
}

/// An expression at most `depth` calls deep.
pub(crate) fn expression(random: &mut Random, scope: &Scope, depth: usize) -> String {
    if random.percent(12) && !scope.tables.is_empty() {
        return subqueries::value(random, scope);
    }
    if random.percent(20) {
        let list = functions::called();
        let function = *random.of(&list);
        let (least, most) = functions::operands(function);
        let operands: Vec<String> =
            (0..random.between(least, most)).map(|_| operand(random, scope, depth)).collect();
        return format!("{}({})", function.name.to_ascii_uppercase(), operands.join(", "));
    }
    let list = if random.percent(40) { OPERATORS } else { CALLS };
    let shape = random.word(list);
    fill(random, scope, shape, depth)
}

/// A shape with its operands.
pub(crate) fn fill(random: &mut Random, scope: &Scope, shape: &str, depth: usize) -> String {
    let mut out = String::new();
    let mut rest = shape;
    while let Some((before, behind)) = rest.split_once('$') {
        out.push_str(before);
        let letter = behind.chars().next();
        let one = letter.and_then(|letter| typed(random, scope, letter, depth));
        match one {
            Some(one) => {
                out.push_str(&one);
                rest = &behind[1..];
            }
            None => {
                out.push('$');
                rest = behind;
            }
        }
    }
    out + rest
}

fn operand(random: &mut Random, scope: &Scope, depth: usize) -> String {
    if depth > 1 && random.percent(45) {
        return format!("({})", expression(random, scope, depth - 1));
    }
    if random.percent(55) {
        return scope.column(random);
    }
    let list = match random.below(8) {
        0 | 1 => NUMBERS,
        2 => SMALL,
        3 | 4 => TEXTS,
        5 => TIMES,
        6 => return "NULL".to_owned(),
        _ => return scope.column(random),
    };
    random.word(list).to_owned()
}

/// An operand of a letter; none if the letter means nothing.
fn typed(random: &mut Random, scope: &Scope, letter: char, depth: usize) -> Option<String> {
    let from = |random: &mut Random, list: &[&'static str], wanted: fn(Family) -> bool| {
        let column = if random.percent(60) { scope.some(random, wanted) } else { None };
        column.map_or_else(|| random.word(list).to_owned(), |column| column.name.clone())
    };
    let is_number = |family: Family| matches!(family, Family::Number | Family::Bits);
    let is_text =
        |family: Family| matches!(family, Family::Text { .. } | Family::Bytes | Family::Member);
    let is_time = |family: Family| matches!(family, Family::Date | Family::Time | Family::Moment);
    let deeper = depth > 1 && matches!(letter, 'n' | 's' | 'd' | 'j') && random.percent(20);
    if deeper {
        return Some(operand(random, scope, depth));
    }
    Some(match letter {
        'e' => operand(random, scope, depth),
        'n' => from(random, NUMBERS, is_number),
        'i' => from(random, SMALL, |_| false),
        's' => from(random, TEXTS, is_text),
        'w' => from(random, WORDS, |family| matches!(family, Family::Text { .. })),
        'd' => from(random, TIMES, is_time),
        'j' => from(random, DOCUMENTS, |family| family == Family::Json),
        'p' => random.word(PATHS).to_owned(),
        'f' => random.word(FORMATS).to_owned(),
        'c' => scope.column(random),
        'k' => scope.key(random),
        // A number whose sums do not hang on the order of rows.
        'm' => from(random, SMALL, |family| family == Family::Number),
        // Variances of others hang on the order of rows in their last digits.
        'v' => random.word(SMALL).to_owned(),
        't' => match scope.some(random, |family| family == Family::Member) {
            Some(column) => format!("CONCAT('k', {})", column.name),
            None => "'k'".to_owned(),
        },
        'o' => scope.order.clone().unwrap_or_else(|| "1".to_owned()),
        _ => return None,
    })
}

/// What `=` and `<` have on their sides: values of one kind.
pub(crate) fn pair(random: &mut Random, left: &[Column], right: &[Column]) -> Option<String> {
    for _ in 0..6 {
        let one = random.of(left);
        let fitting: Vec<&Column> =
            right.iter().filter(|other| same(one.family, other.family)).collect();
        if !fitting.is_empty() {
            let other = *random.of(&fitting);
            let compared = random.word(&["=", "=", "=", "=", "<=>", "<", ">=", "<>"]);
            return Some(format!("{} {compared} {}", one.name, other.name));
        }
    }
    None
}

fn same(one: Family, other: Family) -> bool {
    if let (Family::Text { collation, .. }, Family::Text { collation: own, .. }) = (one, other) {
        return collation == own;
    }
    let kind = |family: Family| match family {
        Family::Number | Family::Bits => 0,
        Family::Text { .. } => 1,
        Family::Member => 6,
        Family::Bytes => 2,
        Family::Date | Family::Moment => 3,
        Family::Time => 4,
        Family::Json => 5,
    };
    kind(one) == kind(other)
}

/// A literal that fits a column.
pub(crate) fn literal(random: &mut Random, column: &Column) -> String {
    let list: &[&'static str] = match column.family {
        Family::Number => &["0", "1", "2", "3", "-1", "1.5", "'3'", "255", "1e1"],
        Family::Bits => &["0", "1", "3", "b'101'"],
        Family::Text { .. } | Family::Bytes => &["'a'", "'A'", "'b'", "''", "'abc'", "'é'"],
        Family::Member => &["'x'", "'p,r'", "'q'", "''", "'Z'"],
        Family::Date | Family::Moment => {
            &["'2024-02-29'", "DATE'2001-01-01'", "TIMESTAMP'1999-12-31 23:59:59'"]
        }
        Family::Time => &["'12:34:56'", "TIME'00:00:01.5'", "'-01:00:00'"],
        Family::Json => &["CAST('12' AS JSON)", "CAST('[1]' AS JSON)", "'text'"],
    };
    random.word(list).to_owned()
}

/// A condition that seldom fails or warns.
pub(crate) fn condition(random: &mut Random, scope: &Scope) -> String {
    let Some(column) = scope.some(random, |_| true) else {
        return random.word(&["TRUE", "1 = 0", "NULL", "2 > 1"]).to_owned();
    };
    let column = column.clone();
    let name = &column.name;
    match random.below(16) {
        0..=3 => {
            let compared = random.word(&["=", "=", "<>", "<", ">=", "<=>"]);
            format!("{name} {compared} {}", literal(random, &column))
        }
        4 => format!("{name} IS{} NULL", random.word(&["", " NOT"])),
        5 => {
            let (low, high) = (literal(random, &column), literal(random, &column));
            format!("{name}{} BETWEEN {low} AND {high}", random.word(&["", " NOT"]))
        }
        6 => {
            let list: Vec<String> =
                (0..random.between(1, 4)).map(|_| literal(random, &column)).collect();
            format!("{name}{} IN ({})", random.word(&["", " NOT"]), list.join(", "))
        }
        7 if matches!(column.family, Family::Text { .. }) => {
            format!("{name} LIKE {}", random.word(&["'a%'", "'%b%'", "'_'", "'A%'"]))
        }
        8 | 9 => pair(random, &scope.columns, &scope.columns).unwrap_or_else(|| "1".into()),
        10 => format!("NOT ({})", condition(random, scope)),
        11 => {
            let (one, other) = (condition(random, scope), condition(random, scope));
            format!("({one} {} {other})", random.word(&["AND", "OR", "XOR", "AND", "OR"]))
        }
        12 | 13 if !scope.tables.is_empty() => subqueries::condition(random, scope),
        14 => format!(
            "({}) IS {}",
            condition(random, scope),
            random.word(&["TRUE", "NOT FALSE", "UNKNOWN"])
        ),
        _ => {
            format!("{name} = {}", literal(random, &column))
        }
    }
}

/// Items that are the same wherever rows are equal, with names `x0`, `x1`.
pub(crate) fn keys(random: &mut Random, scope: &Scope, count: usize) -> Vec<String> {
    (0..count)
        .map(|_| {
            let exact: Vec<&Column> = scope.columns.iter().filter(|one| is_exact(one)).collect();
            if exact.is_empty() || random.percent(30) {
                scope.key(random)
            } else {
                random.of(&exact).name.clone()
            }
        })
        .collect()
}
