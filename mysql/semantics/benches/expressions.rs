//! What evaluating a compiled expression on one row costs.
//!
//! `cargo bench -p firn-mysql-semantics --bench expressions`
//!
//! Prints the least of many rounds. Runs for about eight seconds.

#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod measure;

use std::hint::black_box;
use std::time::Duration;

use firn_mysql_parser::{Options, Parser, ast};
use firn_mysql_semantics::error::{SqlError, Warnings};
use firn_mysql_semantics::expr::{
    Binder, Column, Cx, NoColumns, Nobody, Result, Row, Scope, Settings,
};
use firn_mysql_semantics::temporal::{DateMode, DateTime, parse_datetime};
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind, Value};

struct Table;

impl Scope for Table {
    fn column(&self, name: &ast::ColumnRef) -> Result<Column> {
        let text = SqlType::varchar(100, CollationId::UTF8MB4_0900_AI_CI, Derivation::Implicit);
        let int = SqlType::plain(TypeKind::Int, 11, 0);
        let (index, ty) = match name.name.as_str() {
            "id" => (0, int),
            "k" => (1, int),
            "name" => (2, text),
            "price" => (3, SqlType::decimal(10, 2, false)),
            "day" => (4, SqlType::plain(TypeKind::Date, 10, 0)),
            "at" => (5, SqlType::plain(TypeKind::DateTime, 19, 0)),
            _ => return NoColumns.column(name),
        };
        Ok(Column { index, ty, name: "c".into(), members: None })
    }
}

fn main() -> std::result::Result<(), SqlError> {
    let settings = Settings::default();
    let price = firn_mysql_semantics::decimal::Decimal::parse("1234.56").unwrap_or_default();
    let mode = DateMode::default();
    let at = parse_datetime(b"2024-02-29 12:34:56", mode).value.unwrap_or(DateTime::ZERO);
    let row = [
        Value::Int(42),
        Value::Int(7),
        Value::from("a name of some length"),
        Value::Decimal(price),
        Value::Date(at.date()),
        Value::DateTime(at),
    ];
    for expr in [
        "k + 1",
        "k > 1 AND id < 100",
        "name = 'another name'",
        "name LIKE '%some%'",
        "name LIKE 'a name%'",
        "name LIKE '%length'",
        "name LIKE '_ n_me%some%'",
        "CONCAT(name, '-', id)",
        "price + 1.5",
        "price * 2 + 1.5",
        "price > 1000",
        "day < '2024-03-01'",
        "at >= '2024-01-01 00:00:00'",
        "at BETWEEN '2024-01-01' AND '2024-12-31'",
        "day IN ('2024-02-28', '2024-02-29')",
        "at + INTERVAL 1 DAY",
        "YEAR(at)",
        "CASE WHEN k > 5 THEN 'much' ELSE 'little' END",
        "id IN (1, 2, 3, 42)",
        "UPPER(LEFT(name, 6))",
    ] {
        let Ok(tree) = Parser::new(Options::default()).parse_expr(expr.as_bytes()) else {
            continue;
        };
        let node = Binder::new(&settings, &Table, &[]).bind(&tree)?;
        let (mut session, mut warnings) = (Nobody, Warnings::default());
        let mut cx = Cx::new(&settings, &mut session, &mut warnings);
        let mut failed = None;
        let best = measure::least(Duration::from_millis(400), || {
            if let Err(error) = node.run(&mut cx, Row::new(black_box(&row))).map(black_box) {
                failed = Some(error);
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        println!("{best:8.1} ns  {expr}");
    }
    Ok(())
}
