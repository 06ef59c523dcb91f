//! Our answers, as a server would give them.

use std::sync::Arc;

use firn_compute::session::set::SetStatement;
use firn_compute::session::values::SessionValues;
use firn_compute::variables::{GlobalVariables, SessionVariables, SetContext, id};
use firn_engine::Env;
use firn_mysql_parser::Parser;
use firn_mysql_parser::ast::StatementKind;
use firn_mysql_semantics::error::{SqlError, Warnings};
use firn_mysql_semantics::types::SqlType;
use firn_mysql_semantics::value::Value;

pub(crate) struct Ours {
    session: SessionValues,
    in_transaction: bool,
}

fn text((value, ty): &(Value, SqlType)) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Int(value) => value.to_string(),
        Value::UInt(value) => value.to_string(),
        Value::Double(value) if ty.decimals < 31 => {
            let mut out = Vec::new();
            firn_mysql_semantics::number::write_double_fixed(*value, ty.decimals, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        }
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => format!("{other:?}"),
    }
}

impl Ours {
    pub(crate) fn new() -> Ours {
        let globals = Arc::new(GlobalVariables::new(&[(id::version, "8.4.0-Firn")]));
        let variables = SessionVariables::new(globals, 7);
        let session = SessionValues::new(Env::simulated(1), variables, "root@localhost", "root@%");
        Ours { session, in_transaction: false }
    }

    fn run(&mut self, sql: &str, warnings: &mut Warnings) -> Result<Vec<String>, SqlError> {
        let mut parser = Parser::new(self.session.variables.parser_options());
        self.session.begin_statement();
        if let Some(list) = sql.strip_prefix("SELECT ") {
            let values = list.split(", ").map(|one| {
                let expr = parser.parse_expr(one.as_bytes()).expect("an expression");
                Ok(text(&self.session.evaluate(&expr, warnings)?))
            });
            return Ok(vec![values.collect::<Result<Vec<_>, SqlError>>()?.join("|")]);
        }
        let parsed = parser.parse(sql.as_bytes());
        let statement =
            parsed.map_err(|error| SqlError::with_message(error.code(), error.to_string()))?;
        let mut cx = SetContext { in_transaction: self.in_transaction, may: &|_| true, warnings };
        match &statement.kind {
            StatementKind::Set(items) => {
                SetStatement::prepare(items)?.run_simple(&mut self.session, &mut cx)?;
            }
            StatementKind::SetNames(names) => {
                let names = self.session.variables.check_names(names, cx.warnings)?;
                self.session.variables.apply_names(names);
            }
            StatementKind::SetCharacterSet(names) => {
                let names = self.session.variables.check_character_set(names, cx.warnings)?;
                self.session.variables.apply_names(names);
            }
            StatementKind::SetTransaction { scope, characteristics } => {
                self.session.variables.set_transaction(*scope, *characteristics, &mut cx)?;
            }
            StatementKind::Begin(_) => self.in_transaction = true,
            StatementKind::Rollback(_) => self.in_transaction = false,
            other => panic!("{other:?}"),
        }
        Ok(Vec::new())
    }

    pub(crate) fn answer(&mut self, sql: &str) -> String {
        let mut warnings = Warnings::default();
        let rows = match self.run(sql, &mut warnings) {
            Ok(rows) => rows,
            Err(error) => return format!("error {} {}", error.number(), error.message()),
        };
        let warning = |one: &firn_mysql_semantics::error::Condition| {
            format!("{} {} {}", one.level.name(), one.error.number(), one.error.message())
        };
        let mut parts: Vec<String> = warnings.kept().iter().map(warning).collect();
        parts.extend(rows);
        if parts.is_empty() { "ok".to_owned() } else { parts.join("; ") }
    }
}
