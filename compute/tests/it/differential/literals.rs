//! Values for columns: good ones, those at the edge, and bad ones.

use super::random::Random;
use super::schema::Kind;

const TEXTS: &[&str] =
    &["'a'", "'A'", "'b'", "'B'", "''", "'a '", "'1'", "'x'", "'ab'", "'é'", "'E'", "'ss'", "'2 '"];
const LONG_TEXTS: &[&str] = &[
    "'hello world'",
    "REPEAT('ab', 150)",
    "'日本語'",
    "'Straße'",
    "'😀'",
    "'a''b\\\\c'",
    "'tab\\tnew\\nline'",
    "'12abc'",
    "'zzzzzzzzzzzzzzzzzzzzzzzzz'",
    "'ÄÖÜ'",
    "REPEAT('é', 30)",
];
const DATES: &[&str] =
    &["'2024-02-29'", "'1999-12-31'", "'2001-01-01'", "'2024-06-15'", "20240102", "'2010-10-10'"];
const TIMES: &[&str] =
    &["'12:34:56'", "'-01:00:00'", "'00:00:01.5'", "'23:59:59.999999'", "'100:00:00'", "102030"];
const MOMENTS: &[&str] = &[
    "'2024-02-29 12:34:56'",
    "'2001-01-01 00:00:00'",
    "'1999-12-31 23:59:59.999999'",
    "'2024-06-15 10:20:30.456'",
    "20240102030405",
    "'2010-10-10'",
];
const DOCUMENTS: &[&str] = &[
    "'{\"a\": 1, \"b\": [1, 2]}'",
    "'[1, \"x\", null]'",
    "'\"text\"'",
    "'12.50'",
    "'{\"b\": 1, \"aa\": 2, \"a\": \"q\"}'",
    "'null'",
    "JSON_OBJECT('a', 5)",
    "'true'",
];
/// What fits no type, or few.
const WRONG: &[&str] = &[
    "'abc'",
    "'12abc'",
    "''",
    "'-1'",
    "1.5",
    "'1.9'",
    "-5",
    "1e30",
    "'1e2'",
    "x'ff'",
    "x'c3a9'",
    "b'101'",
    "TRUE",
    "'2024-02-30'",
    "'0000-00-00'",
    "'2024-00-10'",
    "'99:99:99'",
    "'{\"a\":'",
    "DATE'2024-02-29'",
    "TIME'12:34:56.7'",
    "TIMESTAMP'2024-02-29 23:59:59.5'",
    "99999999999999999999",
    "'  7  '",
    "'a,b'",
    "'a,zz'",
    "_latin1 x'e9'",
    "REPEAT('x', 300)",
    "3",
    "0",
    "CAST('{}' AS JSON)",
    "'2024-1-2 3:4:5'",
    "'20240229'",
    "1901",
    "'69'",
    "70",
    "2156",
];

/// A value that the type takes.
pub(crate) fn valid(random: &mut Random, kind: &Kind, narrow: bool) -> String {
    let small = random.between(0, 6).to_string();
    match kind {
        Kind::Int { unsigned, .. } => {
            let large = random.between(0, 120);
            match random.below(5) {
                0 if !unsigned && !narrow => format!("-{large}"),
                1 if !narrow => large.to_string(),
                2 if !narrow => format!("'{large}'"),
                _ => small,
            }
        }
        Kind::Decimal { scale, .. } => match random.below(3) {
            0 => small,
            1 if *scale > 0 => format!("{small}.{}", random.between(0, 9)),
            _ => format!("'{small}'"),
        },
        Kind::Float | Kind::Double => {
            random.word(&["0", "1.5", "2.25e0", "-0.125", "3", "1e3", "'4.5'", "100000"]).to_owned()
        }
        Kind::Bit(bits) if *bits > 3 => {
            random.word(&["b'101'", "1", "7", "b'0'", "x'0f'"]).to_owned()
        }
        Kind::Bit(_) => random.word(&["b'1'", "0", "1"]).to_owned(),
        Kind::Char(length) | Kind::Varchar(length) => match random.below(3) {
            0 if *length >= 20 && !narrow => {
                random.word(&["'hello world'", "'12abc'", "'a''b\\\\c'", "'zz top'"]).to_owned()
            }
            _ if *length == 1 => random.word(&["'a'", "'A'", "'b'", "''", "'1'"]).to_owned(),
            _ => random.word(TEXTS).to_owned(),
        },
        Kind::Text(_) => {
            if random.percent(50) { random.word(TEXTS) } else { random.word(LONG_TEXTS) }.to_owned()
        }
        Kind::Binary(1) => random.word(&["'a'", "x'00'", "x'ff'", "'1'"]).to_owned(),
        Kind::Binary(_) | Kind::Varbinary(_) | Kind::Blob(_) => {
            random.word(&["'a'", "x'00ff'", "x'ff'", "''", "'ab'", "'A'", "5"]).to_owned()
        }
        Kind::Enum => random.word(&["'a'", "'b'", "'Cc'", "'d e'", "2", "'A'"]).to_owned(),
        Kind::Set => random.word(&["'a'", "'b,a'", "''", "'Cc,d e'", "5", "'A'"]).to_owned(),
        Kind::Date => random.word(DATES).to_owned(),
        Kind::Time(_) => random.word(TIMES).to_owned(),
        Kind::Datetime(_) | Kind::Timestamp(_) => random.word(MOMENTS).to_owned(),
        Kind::Year => random.word(&["2024", "1999", "'2001'", "70", "'69'", "0"]).to_owned(),
        Kind::Json => random.word(DOCUMENTS).to_owned(),
    }
}

/// A value at or beyond the edge of the type.
pub(crate) fn edge(random: &mut Random, kind: &Kind) -> String {
    match kind {
        Kind::Int { bits, unsigned, .. } => {
            let (low, high) = if *unsigned {
                (0, (1_i128 << bits) - 1)
            } else {
                (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
            };
            let beyond = random.below(2) as i128;
            let value = if random.percent(50) { low - beyond } else { high + beyond };
            if random.percent(25) { format!("'{value}'") } else { value.to_string() }
        }
        Kind::Decimal { precision, scale, .. } => {
            let whole = if precision == scale { "0".into() } else { "9".repeat(precision - scale) };
            let parts = ["", "9", "99", "994", "995", "9999"];
            let sign = if random.percent(25) { "-" } else { "" };
            format!("{sign}{whole}.{}", random.of(&parts))
        }
        Kind::Float => {
            random.word(&["3.4e38", "3.5e38", "-1e39", "1e-46", "16777217", "0.1"]).to_owned()
        }
        Kind::Double => random
            .word(&["1.7e308", "-1e308", "1e-320", "'1e400'", "0.1", "1234567890123456789"])
            .to_owned(),
        Kind::Bit(bits) => format!("{}", (1_u128 << bits) - random.below(2) as u128),
        Kind::Char(n) | Kind::Varchar(n) | Kind::Binary(n) | Kind::Varbinary(n) => {
            let more = random.below(3);
            if random.percent(30) {
                format!("'{}{}'", "y".repeat(*n), " ".repeat(more))
            } else {
                format!("'{}'", "é".repeat(*n + more))
            }
        }
        Kind::Text(_) | Kind::Blob(_) => {
            random.word(&["REPEAT('a', 255)", "REPEAT('a', 256)", "REPEAT('é', 128)"]).to_owned()
        }
        Kind::Enum => random.word(&["0", "4", "5", "'4'", "''", "'zz'", "'a '"]).to_owned(),
        Kind::Set => random.word(&["0", "15", "16", "'a,a'", "','", "'zz'", "'16'"]).to_owned(),
        Kind::Date => random
            .word(&[
                "'9999-12-31'",
                "'1000-01-01'",
                "'0000-00-00'",
                "'2024-02-30'",
                "'10000-01-01'",
                "0",
            ])
            .to_owned(),
        Kind::Time(_) => random
            .word(&[
                "'838:59:59'",
                "'839:00:00'",
                "'-838:59:59.9'",
                "'11:60:00'",
                "8385960",
                "'1 1:1:1'",
            ])
            .to_owned(),
        Kind::Datetime(_) | Kind::Timestamp(_) => random
            .word(&[
                "'1970-01-01 00:00:01'",
                "'1970-01-01 00:00:00'",
                "'2038-01-19 03:14:07.9'",
                "'2038-01-19 03:14:08'",
                "'9999-12-31 23:59:59.9'",
                "'0000-00-00 00:00:00'",
                "'2024-02-30 10:00:00'",
                "'2024-02-29 24:00:00'",
                "'2024-02-29T10:00:00+02:00'",
            ])
            .to_owned(),
        Kind::Year => {
            random.word(&["1901", "1900", "2155", "2156", "'0'", "'00'", "100"]).to_owned()
        }
        Kind::Json => random
            .word(&["''", "'{'", "'[1,]'", "x'31'", "1.5", "'{\"a\": 1, \"a\": 2}'", "'  [ ]  '"])
            .to_owned(),
    }
}

/// Any value, mostly a good one.
pub(crate) fn any(random: &mut Random, kind: &Kind, narrow: bool) -> String {
    match random.below(if narrow { 160 } else { 100 }) {
        0..=5 => "NULL".to_owned(),
        6..=15 => edge(random, kind),
        16..=21 => random.word(WRONG).to_owned(),
        _ => valid(random, kind, narrow),
    }
}
