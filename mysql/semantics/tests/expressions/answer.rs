//! Our answer to `SELECT expr`, in the shape the server's has.

use firn_mysql_parser::{Options, Parser, ast};
use firn_mysql_semantics::error::Warnings;
use firn_mysql_semantics::expr::{
    Binder, Column, Cx, NoColumns, Request, Row, Scope, Session, Settings,
};
use firn_mysql_semantics::{Bytes, CollationId, Derivation, SqlType, TypeKind, Value};

/// What one expression gives. Lengths of strings count characters, of four bytes
/// each as the server announces them to a client of utf8mb4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    /// Sorted, each once.
    pub(crate) warnings: Vec<(u16, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Value {
        kind: u8,
        unsigned: bool,
        nullable: bool,
        length: u32,
        decimals: u8,
        binary: bool,
        text: Option<Vec<u8>>,
    },
    Error {
        number: u16,
        message: String,
    },
}

/// A session that stands still: 2023-11-14 22:13:20.123456 UTC.
pub(crate) struct Still;

pub(crate) const NOW_MICROS: i64 = 1_700_000_000_123_456;

impl Session for Still {
    fn user_variable(&self, _: &str) -> Option<(Value, SqlType)> {
        None
    }
    fn set_user_variable(&mut self, _: &str, _: Value, _: SqlType) {}
    fn system_variable(&self, _: &str) -> Option<(Value, SqlType)> {
        None
    }
    fn statement_time_micros(&self) -> i64 {
        NOW_MICROS
    }
    fn clock_micros(&self) -> i64 {
        NOW_MICROS
    }
    fn zone_offset_seconds(&self, _: i64) -> i32 {
        0
    }
    fn random_seeds(&mut self) -> (u32, u32) {
        (1, 2)
    }
    fn connection_id(&self) -> u64 {
        1
    }
    fn user(&self) -> Box<str> {
        "root@localhost".into()
    }
    fn current_user(&self) -> Box<str> {
        "root@%".into()
    }
    fn last_insert_id(&self) -> u64 {
        0
    }
    fn set_last_insert_id(&mut self, _: u64) {}
    fn row_count(&self) -> i64 {
        -1
    }
    fn found_rows(&self) -> u64 {
        0
    }
    fn version(&self) -> Box<str> {
        "8.4.7".into()
    }
    fn request(&mut self, request: Request<'_>) -> firn_mysql_semantics::expr::Result<Value> {
        Ok(match request {
            Request::CurrentRole => Value::from("NONE"),
            Request::RandomBytes { count } => Value::from(vec![0; usize::from(count)]),
            Request::Uuid => Value::from("6bbc3a1b-e5d3-11f1-ad03-02fc00000001"),
            Request::UuidShort => Value::UInt(1 << 56),
            Request::Sleep { .. } => Value::Int(0),
            Request::LoadFile { .. } | Request::IsUsedLock { .. } => Value::Null,
            Request::GetLock { .. } | Request::IsFreeLock { .. } => Value::Int(1),
            Request::ReleaseLock { .. } => Value::Null,
            Request::ReleaseAllLocks => Value::UInt(0),
        })
    }
}

fn text(message: &str) -> String {
    message.to_owned()
}

fn sorted(mut warnings: Vec<(u16, String)>) -> Vec<(u16, String)> {
    warnings.sort();
    warnings.dedup();
    warnings
}

/// Ours.
pub(crate) fn ours(expr: &str) -> Answer {
    ours_with(expr, Settings::default())
}

/// Ours in a session with these settings.
pub(crate) fn ours_with(expr: &str, settings: Settings) -> Answer {
    let settings = Settings { database: Some("firn_expr".into()), ..settings };
    let mut warnings = Warnings::default();
    let outcome = match evaluate(expr, &settings, &mut warnings) {
        Ok(outcome) => outcome,
        Err((number, message)) => Outcome::Error { number, message },
    };
    let list = match outcome {
        Outcome::Error { .. } => Vec::new(),
        Outcome::Value { .. } => warnings
            .kept()
            .iter()
            .map(|one| (one.error.number(), text(one.error.message())))
            .collect(),
    };
    Answer { outcome, warnings: sorted(list) }
}

fn evaluate(
    expr: &str,
    settings: &Settings,
    warnings: &mut Warnings,
) -> Result<Outcome, (u16, String)> {
    let mut parser = Parser::new(Options::default());
    let tree = parser
        .parse_expr(expr.as_bytes())
        .map_err(|error| (error.code(), text(&error.to_string())))?;
    let failed =
        |error: firn_mysql_semantics::error::SqlError| (error.number(), text(error.message()));
    let binder = Binder::new(settings, &Table, &[]).with_text(expr.as_bytes());
    let node = binder.bind(&tree).map_err(failed)?;
    for warning in binder.take_warnings() {
        warnings.warn(warning);
    }
    let columns = columns();
    let values: Vec<Value> = columns.into_iter().map(|column| column.value).collect();
    let mut session = Still;
    let mut cx = Cx::new(settings, &mut session, warnings);
    cx.item_name = Some(expr);
    let value = node.run(&mut cx, Row::new(&values)).map_err(failed)?;
    let ty = &node.ty;
    let shown = node.text(&value).map_err(failed)?;
    let is_text = ty.kind.is_string() || ty.kind == TypeKind::Json;
    let binary = !is_text || ty.collation.is_binary();
    Ok(Outcome::Value {
        kind: ty.kind.protocol_number(),
        unsigned: ty.unsigned,
        nullable: ty.nullable,
        length: ty.length,
        decimals: ty.decimals,
        binary,
        text: shown.map(|shown| if binary { shown } else { in_utf8mb4(&shown, ty.collation) }),
    })
}

fn in_utf8mb4(text: &[u8], from: CollationId) -> Vec<u8> {
    use firn_mysql_semantics::charset::{Charset, convert};
    use firn_mysql_semantics::collation::Collation;
    let mut out = Vec::new();
    let set = Collation::by_id(from.0).expect("a collation").charset();
    convert(text, set, Charset::utf8mb4(), &mut out).expect("a supported set");
    out
}

/// The server's.
pub(crate) fn theirs(reply: super::client::Reply, warnings: Vec<(u16, String)>) -> Answer {
    use super::client::Reply;
    let outcome = match reply {
        Reply::Error { number, message } => {
            return Answer { outcome: Outcome::Error { number, message }, warnings: Vec::new() };
        }
        Reply::Value { kind, flags, length, decimals, charset, value } => Outcome::Value {
            kind,
            unsigned: flags & 32 != 0,
            nullable: flags & 1 == 0,
            length: if charset == 63 || length == u32::MAX { length } else { length / 4 },
            decimals,
            binary: charset == 63,
            text: value,
        },
    };
    Answer { outcome, warnings: sorted(warnings) }
}

/// A column of the table that both sides have.
pub(crate) struct Cell {
    pub(crate) name: &'static str,
    pub(crate) ddl: &'static str,
    pub(crate) literal: &'static str,
    pub(crate) ty: SqlType,
    pub(crate) value: Value,
    /// Of ENUM and SET.
    pub(crate) members: &'static [&'static str],
}

/// The table's columns, with the one row's values.
pub(crate) fn columns() -> Vec<Cell> {
    let cell = |name, ddl, literal, ty, value| Cell { name, ddl, literal, ty, value, members: &[] };
    let number = |kind, length, unsigned| SqlType::plain(kind, length, 0).with_unsigned(unsigned);
    let string = |kind, length, collation: u16| {
        let mut ty = SqlType::varchar(length, CollationId(collation), Derivation::Implicit);
        ty.kind = kind;
        ty
    };
    vec![
        cell("c_tiny", "TINYINT", "-128", number(TypeKind::TinyInt, 4, false), Value::Int(-128)),
        cell(
            "c_tinyu",
            "TINYINT UNSIGNED NOT NULL",
            "255",
            number(TypeKind::TinyInt, 3, true).not_null(),
            Value::UInt(255),
        ),
        cell("c_small", "SMALLINT", "1234", number(TypeKind::SmallInt, 6, false), Value::Int(1234)),
        cell("c_int", "INT", "-7", number(TypeKind::Int, 11, false), Value::Int(-7)),
        cell(
            "c_intu",
            "INT UNSIGNED",
            "4294967295",
            number(TypeKind::Int, 10, true),
            Value::UInt(4_294_967_295),
        ),
        cell(
            "c_big",
            "BIGINT NOT NULL",
            "9223372036854775807",
            number(TypeKind::BigInt, 20, false).not_null(),
            Value::Int(i64::MAX),
        ),
        cell(
            "c_bigu",
            "BIGINT UNSIGNED",
            "18446744073709551615",
            number(TypeKind::BigInt, 20, true),
            Value::UInt(u64::MAX),
        ),
        cell("c_null", "INT", "NULL", number(TypeKind::Int, 11, false), Value::Null),
        cell(
            "c_double",
            "DOUBLE",
            "-1.5e10",
            SqlType::plain(TypeKind::Double, 22, 31),
            Value::Double(-1.5e10),
        ),
        cell(
            "c_vc",
            "VARCHAR(20)",
            "'Ärger 12'",
            string(TypeKind::Varchar, 20, 255),
            Value::from("Ärger 12"),
        ),
        cell(
            "c_bin",
            "VARCHAR(10) COLLATE utf8mb4_bin",
            "'aBc'",
            string(TypeKind::Varchar, 10, 46),
            Value::from("aBc"),
        ),
        cell(
            "c_gen",
            "VARCHAR(10) COLLATE utf8mb4_general_ci NOT NULL",
            "'abc '",
            string(TypeKind::Varchar, 10, 45).not_null(),
            Value::from("abc "),
        ),
        cell(
            "c_latin",
            "CHAR(5) CHARACTER SET latin1",
            "'caf\u{e9}'",
            string(TypeKind::Char, 5, 8),
            Value::bytes(b"caf\xe9"),
        ),
        cell(
            "c_vb",
            "VARBINARY(8)",
            "x'00ff41'",
            string(TypeKind::Varchar, 8, 63),
            Value::bytes(b"\x00\xff\x41"),
        ),
        cell(
            "c_date",
            "DATE",
            "'2024-02-29'",
            SqlType::plain(TypeKind::Date, 10, 0),
            date("2024-02-29"),
        ),
        cell(
            "c_dt",
            "DATETIME(3)",
            "'2019-12-31 23:59:59.987'",
            SqlType::plain(TypeKind::DateTime, 23, 3),
            datetime("2019-12-31 23:59:59.987"),
        ),
        cell(
            "c_dec",
            "DECIMAL(10,3)",
            "-1234.567",
            SqlType::decimal(10, 3, false),
            Value::Decimal(
                firn_mysql_semantics::decimal::Decimal::parse("-1234.567").expect("a number"),
            ),
        ),
        cell("c_json", "JSON", DOCUMENT, document_type(), document()),
        cell(
            "c_float",
            "FLOAT",
            "1.25",
            SqlType::plain(TypeKind::Float, 12, 31),
            Value::Float(1.25),
        ),
        cell("c_year", "YEAR", "2024", number(TypeKind::Year, 4, true), Value::UInt(2024)),
        cell(
            "c_time",
            "TIME(2)",
            "'-12:34:56.78'",
            SqlType::plain(TypeKind::Time, 13, 2),
            time("-12:34:56.78"),
        ),
        cell(
            "c_ts",
            "TIMESTAMP",
            "'2022-06-30 01:02:03'",
            SqlType::plain(TypeKind::Timestamp, 19, 0),
            datetime("2022-06-30 01:02:03"),
        ),
        cell(
            "c_text",
            "TEXT",
            "'some text'",
            string(TypeKind::Text, 65_535, 255),
            Value::from("some text"),
        ),
        cell("c_bit", "BIT(12)", "b'101000001111'", number(TypeKind::Bit, 12, true), {
            Value::UInt(0xA0F)
        }),
        Cell {
            members: &["a", "b c", "d"],
            ..cell(
                "c_enum",
                "ENUM('a', 'b c', 'd')",
                "'b c'",
                string(TypeKind::Enum, 3, 255),
                Value::UInt(2),
            )
        },
        Cell {
            members: &["x", "y", "z"],
            ..cell(
                "c_set",
                "SET('x', 'y', 'z')",
                "'x,z'",
                string(TypeKind::Set, 5, 255),
                Value::UInt(5),
            )
        },
    ]
}

const DOCUMENT: &str = r#"'{"a": 1, "b": [1, "x", null], "s": "text"}'"#;

fn document_type() -> SqlType {
    let mut ty = SqlType::plain(TypeKind::Json, u32::MAX / 4, 31);
    ty.collation = CollationId::UTF8MB4_BIN;
    ty.derivation = Derivation::Implicit;
    ty
}

fn document() -> Value {
    let parsed = firn_mysql_semantics::json::parse(DOCUMENT.trim_matches('\'')).expect("JSON");
    Value::from(parsed.into_bytes())
}

fn time(text: &str) -> Value {
    use firn_mysql_semantics::temporal::{TimeOrDateTime, parse_time};
    match parse_time(text.as_bytes()).value {
        Some(TimeOrDateTime::Time(time)) => Value::Time(time),
        other => panic!("no time: {other:?}"),
    }
}

fn datetime(text: &str) -> Value {
    use firn_mysql_semantics::temporal::{DateMode, parse_datetime};
    Value::DateTime(parse_datetime(text.as_bytes(), DateMode::default()).value.expect("a date"))
}

fn date(text: &str) -> Value {
    match datetime(text) {
        Value::DateTime(value) => Value::Date(value.date()),
        other => other,
    }
}

/// The scope of the table.
pub(crate) struct Table;

impl Scope for Table {
    fn column(&self, name: &ast::ColumnRef) -> firn_mysql_semantics::expr::Result<Column> {
        let found =
            columns().into_iter().enumerate().find(|(_, cell)| cell.name == name.name.as_str());
        match found {
            None => NoColumns.column(name),
            Some((index, cell)) => Ok(Column {
                index,
                ty: cell.ty,
                name: format!("`firn_expr`.`c`.`{}`", cell.name).into(),
                members: (!cell.members.is_empty()).then(|| {
                    cell.members.iter().map(|one| Bytes::from_slice(one.as_bytes())).collect()
                }),
            }),
        }
    }
}
