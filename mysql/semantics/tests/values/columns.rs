//! Values stored into columns of every type, with and without strict mode.

use crate::server::{Answer, ask, generator};
use firn_mysql_semantics::convert::{Column, StoreContext, store};
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::error::Warnings;
use firn_mysql_semantics::number::{write_double, write_double_fixed, write_float, write_set};
use firn_mysql_semantics::temporal::zone::TimeZone;
use firn_mysql_semantics::temporal::{Date, DateMode, TimeOrDateTime, parse_datetime, parse_time};
use firn_mysql_semantics::types::{CollationId, Derivation, NOT_FIXED_DECIMALS, SqlType, TypeKind};
use firn_mysql_semantics::value::Value;
use rand::RngExt as _;
use rand::rngs::SmallRng;

const TEXT: CollationId = CollationId::UTF8MB4_0900_AI_CI;

fn string(kind: TypeKind, length: u32, collation: CollationId) -> SqlType {
    SqlType { kind, ..SqlType::varchar(length, collation, Derivation::Implicit) }
}

/// Column definitions, and their types.
fn columns() -> Vec<(&'static str, SqlType)> {
    let plain = SqlType::plain;
    let integer = |kind| plain(kind, 20, 0);
    vec![
        ("TINYINT", integer(TypeKind::TinyInt)),
        ("TINYINT UNSIGNED", integer(TypeKind::TinyInt).with_unsigned(true)),
        ("SMALLINT", integer(TypeKind::SmallInt)),
        ("MEDIUMINT UNSIGNED", integer(TypeKind::MediumInt).with_unsigned(true)),
        ("INT", integer(TypeKind::Int)),
        ("BIGINT", integer(TypeKind::BigInt)),
        ("BIGINT UNSIGNED", integer(TypeKind::BigInt).with_unsigned(true)),
        ("DECIMAL(5,2)", SqlType::decimal(5, 2, false)),
        ("DECIMAL(5,2) UNSIGNED", SqlType::decimal(5, 2, true)),
        ("DECIMAL(65,30)", SqlType::decimal(65, 30, false)),
        ("DOUBLE", plain(TypeKind::Double, 22, NOT_FIXED_DECIMALS)),
        ("DOUBLE UNSIGNED", plain(TypeKind::Double, 22, NOT_FIXED_DECIMALS).with_unsigned(true)),
        ("DOUBLE(7,2)", plain(TypeKind::Double, 7, 2)),
        ("FLOAT", plain(TypeKind::Float, 12, NOT_FIXED_DECIMALS)),
        ("YEAR", plain(TypeKind::Year, 4, 0)),
        ("BIT(5)", plain(TypeKind::Bit, 5, 0)),
        ("BIT(64)", plain(TypeKind::Bit, 64, 0)),
        ("DATE", plain(TypeKind::Date, 10, 0)),
        ("TIME", plain(TypeKind::Time, 10, 0)),
        ("TIME(3)", plain(TypeKind::Time, 14, 3)),
        ("DATETIME", plain(TypeKind::DateTime, 19, 0)),
        ("DATETIME(6)", plain(TypeKind::DateTime, 26, 6)),
        ("TIMESTAMP NULL", plain(TypeKind::Timestamp, 19, 0)),
        ("TIMESTAMP(3) NULL", plain(TypeKind::Timestamp, 23, 3)),
        ("VARCHAR(3)", string(TypeKind::Varchar, 3, TEXT)),
        ("VARCHAR(50)", string(TypeKind::Varchar, 50, TEXT)),
        ("CHAR(3)", string(TypeKind::Char, 3, TEXT)),
        (
            "VARCHAR(5) CHARACTER SET latin1",
            string(TypeKind::Varchar, 5, CollationId::LATIN1_SWEDISH_CI),
        ),
        ("VARBINARY(3)", string(TypeKind::Varchar, 3, CollationId::BINARY)),
        ("BINARY(3)", string(TypeKind::Char, 3, CollationId::BINARY)),
        ("TINYTEXT", string(TypeKind::TinyText, 255, TEXT)),
        ("ENUM('a','b','5')", string(TypeKind::Enum, 1, TEXT)),
        ("SET('a','b','c')", string(TypeKind::Set, 5, TEXT)),
    ]
}

fn members(name: &str) -> Vec<Box<[u8]>> {
    let all = if name.starts_with("ENUM") { ["a", "b", "5"] } else { ["a", "b", "c"] };
    all.map(|member| member.as_bytes().into()).to_vec()
}

/// SQL, the value, and its type.
type Case = (String, Value, SqlType);

fn text_case(text: &str) -> Case {
    let ty = SqlType::varchar(text.chars().count() as u32, TEXT, Derivation::Coercible);
    (format!("'{text}'"), Value::from(text), ty)
}

fn pick<'s>(rng: &mut SmallRng, all: &[&'s str]) -> &'s str {
    all[rng.random_range(0..all.len())]
}

fn case(rng: &mut SmallRng) -> Case {
    match rng.random_range(0..10) {
        0 => {
            let number = match rng.random_range(0..4) {
                0 => rng.random_range(-300..300),
                1 => rng.random_range(-40_000..40_000),
                2 => 20_000_101 + rng.random_range(0..999_999),
                _ => rng.random(),
            };
            (number.to_string(), Value::Int(number), SqlType::bigint(20))
        }
        1 => {
            let text =
                pick(rng, &["18446744073709551615", "9223372036854775808", "10000000000000000000"]);
            (
                text.to_owned(),
                Value::UInt(text.parse().unwrap()),
                SqlType::bigint(20).with_unsigned(true),
            )
        }
        2 => {
            let whole = pick(
                rng,
                &[
                    "0",
                    "1",
                    "127",
                    "999",
                    "1999",
                    "20200101",
                    "-1",
                    "-999",
                    "99999999999999999999999",
                ],
            );
            let text = format!("{whole}.{}", pick(rng, &["0", "5", "4999", "995", "999999"]));
            let value = Decimal::parse(&text).unwrap();
            let ty = SqlType::decimal(value.precision(), value.scale(), false);
            (text, Value::Decimal(value), ty)
        }
        3 => {
            let text = pick(
                rng,
                &[
                    "1e0",
                    "1.5e0",
                    "2.5e0",
                    "-1.5e0",
                    "1e300",
                    "-1e300",
                    "1e10",
                    "1e19",
                    "0.001e0",
                    "20200101e0",
                    "101112.5e0",
                    "99.999e0",
                    "1e-10",
                    "0.1e0",
                    "123456.789e0",
                    "3.4e39",
                ],
            );
            (text.to_owned(), Value::Double(text.parse().unwrap()), SqlType::double())
        }
        4 => {
            let text = pick(rng, &["2010-01-02", "2038-02-01", "1969-01-01", "2021-12-31"]);
            let date = parse_datetime(text.as_bytes(), DateMode::REAL).value.unwrap().date();
            (format!("DATE'{text}'"), Value::Date(date), SqlType::plain(TypeKind::Date, 10, 0))
        }
        5 => {
            let text = pick(
                rng,
                &["2010-01-02 10:11:12.9", "2010-12-31 23:59:59.9", "2038-01-19 03:14:07.6"],
            );
            let value = parse_datetime(text.as_bytes(), DateMode::REAL).value.unwrap();
            (
                format!("TIMESTAMP'{text}'"),
                Value::DateTime(value),
                SqlType::plain(TypeKind::DateTime, 21, 1),
            )
        }
        6 => {
            let text = pick(rng, &["10:11:12.9", "-10:11:12.9", "838:59:59.0", "00:00:00.5"]);
            let Some(TimeOrDateTime::Time(value)) = parse_time(text.as_bytes()).value else {
                panic!()
            };
            (format!("TIME'{text}'"), Value::Time(value), SqlType::plain(TypeKind::Time, 12, 1))
        }
        7 => text_case(pick(
            rng,
            &[
                "2010-01-01",
                "2010-02-30",
                "2010-00-00",
                "0000-00-00",
                "2010-01-01 10:11:12.55",
                "2010-01-01x",
                "2010/01/01",
                "25:00:00",
                "900:00:00",
                "10:11:12.5678",
                "10:60:00",
                "20100101101112.5",
                "2010-01-01 10:11:12+05:00",
                "1e2",
                "10:11:12x",
                "2037-12-31 23:59:59.9",
                "2038-01-19 03:14:08",
                "1970-01-01 00:00:00",
                "9999-12-31 23:59:59.9999999",
                "2026-09-24 22:00:36.9999995+05:30",
                "2026-09-24 02:00:36.1234567+05:30",
                "2026-09-24 22:00:36-05:30",
                "1426-09-24 22:00:36+05:30",
                "2026-00-24 22:00:36.12+05:30",
                "9999-12-31 23:00:00-11:05",
            ],
        )),
        8 => text_case(pick(
            rng,
            &[
                "",
                " ",
                "abc",
                "abcd",
                "ab   ",
                "äöü",
                "日本語です",
                "A",
                "a,b",
                "a,x",
                "B ",
                "5",
                "a,a",
                ",",
                "é",
            ],
        )),
        _ => {
            let mut text = pick(rng, &["", "", "-", "+", " "]).to_owned();
            text += pick(
                rng,
                &[
                    "0",
                    "1",
                    "2",
                    "4",
                    "99",
                    "127",
                    "128",
                    "300",
                    "1999",
                    "999.994",
                    "999.995",
                    "1.5",
                    "65535",
                    "1e3",
                    "1e400",
                    "18446744073709551616",
                    "1.",
                    ".5",
                    "0000",
                ],
            );
            text += pick(rng, &["", "", "", "x", " ", " x", ".", "e"]);
            text_case(&text)
        }
    }
}

/// As SELECT shows the column's value.
fn shown(value: &Value, ty: &SqlType, members: &[Box<[u8]>]) -> Vec<u8> {
    let mut out = Vec::new();
    match value {
        Value::Null => out.extend_from_slice(b"NULL"),
        Value::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::UInt(number) => match ty.kind {
            TypeKind::Year => out.extend_from_slice(format!("{number:04}").as_bytes()),
            TypeKind::Enum => {
                let at = usize::try_from(*number).unwrap();
                out.extend_from_slice(at.checked_sub(1).map_or(b"", |at| &members[at]));
            }
            TypeKind::Set => write_set(*number, members.iter().map(|member| &**member), &mut out),
            _ => out.extend_from_slice(number.to_string().as_bytes()),
        },
        Value::Float(number) => write_float(*number, &mut out),
        Value::Double(number) if ty.decimals < NOT_FIXED_DECIMALS => {
            write_double_fixed(*number, ty.decimals, &mut out);
        }
        Value::Double(number) => write_double(*number, &mut out),
        Value::Decimal(number) => number.write_text(&mut out),
        Value::Date(date) => date.write_text(&mut out),
        Value::Time(time) => time.write_text(ty.decimals, &mut out),
        Value::DateTime(value) => value.write_text(ty.decimals, &mut out),
        Value::Bytes(bytes) => out.extend_from_slice(bytes),
    }
    out
}

#[test]
#[ignore = "needs a MySQL server: MYSQL_CLI"]
fn columns_hold_what_the_server_s_hold() {
    let mut rng = generator();
    let today = ask("SET time_zone='+00:00';", &["SELECT CURRENT_DATE".to_owned()]);
    let today = today[0].row[0].clone().unwrap();
    let today: Date = parse_datetime(today.as_bytes(), DateMode::REAL).value.unwrap().date();
    let rounds = std::env::var("FIRN_TEST_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(120);
    let (mut count, mut different) = (0, 0);
    for strict in [false, true] {
        let mode = if strict { "STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE" } else { "" };
        for (at, (definition, ty)) in columns().into_iter().enumerate() {
            let cases: Vec<Case> = (0..rounds).map(|_| case(&mut rng)).collect();
            let column_sql = match ty.kind {
                TypeKind::Bit => "c+0",
                _ if ty.is_binary_string() || ty.collation == CollationId::LATIN1_SWEDISH_CI => {
                    "HEX(c)"
                }
                _ => "c",
            };
            let statements: Vec<String> = cases
                .iter()
                .flat_map(|(sql, _, _)| {
                    [
                        format!("INSERT INTO s{at} VALUES ({sql})"),
                        format!("SELECT {column_sql} FROM s{at}"),
                        format!("DELETE FROM s{at}"),
                    ]
                })
                .collect();
            let setup = format!(
                "CREATE DATABASE IF NOT EXISTS firn_values_test; USE firn_values_test; \
                 SET sql_mode='', time_zone='+00:00'; DROP TABLE IF EXISTS s{at}; \
                 CREATE TABLE s{at} (c {definition}) CHARACTER SET utf8mb4; SET autocommit=0; SET sql_mode='{mode}';"
            );
            let answers = ask(&setup, &statements);
            let members = members(definition);
            let column = Column { name: "c", ty: &ty, members: &members };
            for ((sql, value, from), answer) in cases.iter().zip(answers.chunks(3)) {
                let mut warnings = Warnings::default();
                let mut cx = StoreContext {
                    strict,
                    dates: DateMode {
                        no_zero_in_date: strict,
                        no_zero_date: strict,
                        ..DateMode::default()
                    },
                    truncate_fractions: false,
                    zone: &TimeZone::UTC,
                    today,
                    row: 1,
                    warnings: &mut warnings,
                };
                let stored = store(value, from, &column, &mut cx);
                count += 1;
                if let Some(text) =
                    difference(&stored, &warnings, &ty, &members, column_sql, answer)
                {
                    different += 1;
                    if different <= 60 {
                        println!("strict {strict} {definition} <- {sql}: {text}");
                    }
                }
            }
        }
    }
    assert_eq!(different, 0, "of {count}");
}

fn difference(
    stored: &Result<Value, firn_mysql_semantics::error::SqlError>,
    warnings: &Warnings,
    ty: &SqlType,
    members: &[Box<[u8]>],
    column_sql: &str,
    answer: &[Answer],
) -> Option<String> {
    let theirs = &answer[0];
    let ours: Vec<(u16, String)> = warnings
        .kept()
        .iter()
        .map(|kept| (kept.error.number(), kept.error.message().to_owned()))
        .collect();
    match (stored, &theirs.error) {
        (Err(error), Some((number, text))) => (error.number() != *number
            || error.message() != text)
            .then(|| format!("{error} not {number} {text}")),
        (Err(error), None) => Some(format!("{error}; theirs {:?}", answer[1].row)),
        (Ok(value), Some(error)) => Some(format!("{value:?} not {error:?}")),
        (Ok(value), None) => {
            let bytes = shown(value, ty, members);
            let text = if column_sql == "HEX(c)" {
                bytes.iter().map(|byte| format!("{byte:02X}")).collect()
            } else {
                String::from_utf8_lossy(&bytes).into_owned()
            };
            let their_text = answer[1].row.first().cloned().flatten().unwrap_or_default();
            (text != their_text || ours != theirs.warnings)
                .then(|| format!("{text:?} {ours:?} not {their_text:?} {:?}", theirs.warnings))
        }
    }
}
