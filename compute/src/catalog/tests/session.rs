//! A session that only defines and shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use firn_mysql_parser::ast::StatementKind;
use firn_mysql_parser::{Options, Parser, SqlMode};
use firn_mysql_semantics::CollationId;
use firn_mysql_semantics::error::{SqlError, Warnings};
use firn_mysql_semantics::expr::Settings;
use firn_mysql_semantics::temporal::zone::TimeZone;

use crate::catalog::show;
use crate::catalog::{CatalogSnapshot, Facts, TableIds, plan_alter, plan_ddl};

/// The database that cases run in.
pub(super) const DATABASE: &str = "firn_ddl";

#[derive(Default)]
struct Ids(AtomicU32);

impl TableIds for Ids {
    fn next_table_id(&self) -> Result<u32, SqlError> {
        Ok(1024 + self.0.fetch_add(1, Ordering::Relaxed))
    }
}

pub(super) struct Session {
    pub(super) catalog: CatalogSnapshot,
    ids: Ids,
    settings: Settings,
    foreign_key_checks: bool,
    no_engine_substitution: bool,
}

impl Session {
    /// With an empty database, which is the current one.
    pub(super) fn new() -> Self {
        let mut session = Self {
            catalog: CatalogSnapshot::default(),
            ids: Ids::default(),
            settings: Settings { database: Some(DATABASE.into()), ..Settings::default() },
            foreign_key_checks: true,
            no_engine_substitution: true,
        };
        session.run(&format!("create database {DATABASE}"));
        session
    }

    /// What the statement answers: lines as [`super::oracle`] prints a server's.
    pub(super) fn run(&mut self, sql: &str) -> String {
        let mut warnings = Warnings::default();
        let mut out = String::new();
        match self.answer(sql, &mut warnings) {
            Ok(text) => {
                out.push_str("ok\n");
                out.push_str(&text);
            }
            Err(error) => out.push_str(&format!("{error}\n")),
        }
        for condition in warnings.kept() {
            let (level, error) = (condition.level.name(), &condition.error);
            out.push_str(&format!("{level} {}: {}\n", error.number(), error.message()));
        }
        out
    }

    fn answer(&mut self, sql: &str, warnings: &mut Warnings) -> Result<String, SqlError> {
        let words: Vec<_> = sql.split_whitespace().collect();
        let table = |name: &str| {
            let name = name.trim_matches('`');
            let (schema, name) = name.split_once('.').unwrap_or((DATABASE, name));
            self.catalog
                .table(schema, name)
                .map(|table| Arc::clone(&table.descriptor))
                .ok_or_else(|| SqlError::no_such_table(schema, name))
        };
        match &words[..] {
            ["show", "create", "table", name] => {
                let table = table(name)?;
                let next = Some(table.auto_increment_min);
                let text = show::create_table(&table, next);
                return Ok(indented(&String::from_utf8_lossy(&text)));
            }
            ["show", "create", "database", name] => {
                let schema = self.catalog.known_schema(name)?;
                return Ok(indented(&show::create_database(&schema.descriptor, false)));
            }
            ["describe", name] => {
                let rows = show::column_infos(&*table(name)?).into_iter().map(|column| {
                    row(&[
                        &column.name,
                        &column.type_text,
                        column.collation.unwrap_or("NULL"),
                        if column.nullable { "YES" } else { "NO" },
                        column.key,
                        &column.default.map_or_else(
                            || "NULL".to_owned(),
                            |text| String::from_utf8_lossy(&text).into_owned(),
                        ),
                        &column.extra,
                        &column.comment,
                    ])
                });
                return Ok(rows.collect());
            }
            ["show", "index", "from", name] => {
                let rows = show::index_infos(&*table(name)?).into_iter().map(|index| {
                    row(&[
                        if index.non_unique { "1" } else { "0" },
                        &index.name,
                        &index.part.to_string(),
                        index.column.as_deref().unwrap_or("NULL"),
                        if index.descending { "D" } else { "A" },
                        &index.prefix_len.map_or("NULL".to_owned(), |length| length.to_string()),
                        if index.nullable { "YES" } else { "" },
                        &index.comment,
                        if index.visible { "YES" } else { "NO" },
                        index.expression.as_deref().unwrap_or("NULL"),
                    ])
                });
                return Ok(rows.collect());
            }
            ["set", "sql_mode", "=", mode] => {
                self.set_mode(mode.trim_matches('\''));
                return Ok(String::new());
            }
            ["set", "foreign_key_checks", "=", value] => {
                self.foreign_key_checks = *value == "1";
                return Ok(String::new());
            }
            _ => {}
        }
        let mut parser = Parser::new(Options::in_mode(SqlMode::DEFAULT));
        let statement = parser
            .parse(sql.as_bytes())
            .map_err(|error| SqlError::with_message(error.code(), error.to_string()))?;
        self.define(&statement.kind, warnings)?;
        Ok(String::new())
    }

    fn define(
        &mut self,
        statement: &StatementKind,
        warnings: &mut Warnings,
    ) -> Result<(), SqlError> {
        let zone = TimeZone::parse("+00:00").expect("an offset");
        let facts = Facts {
            database: Some(DATABASE),
            account: ("root", "localhost"),
            settings: &self.settings,
            zone: &zone,
            now_micros: 1_700_000_000_000_000,
            server_collation: CollationId::UTF8MB4_0900_AI_CI,
            foreign_key_checks: self.foreign_key_checks,
            require_primary_key: false,
            no_engine_substitution: self.no_engine_substitution,
        };
        let mut next = self.catalog.clone();
        if let Some(change) = plan_ddl(&self.catalog, &self.ids, statement, &facts, warnings)? {
            change.apply_to(&mut next)?;
        } else {
            let plan = plan_alter(&self.catalog, &self.ids, statement, &facts, warnings)?
                .ok_or_else(|| SqlError::not_supported_yet("the statement"))?;
            // As the executor does, but for the rows.
            plan.finish().apply_to(&mut next)?;
        }
        for table in next.tables() {
            check_descriptor(&table.descriptor);
        }
        self.catalog = next;
        Ok(())
    }

    fn set_mode(&mut self, mode: &str) {
        let has = |name: &str| mode.split(',').any(|one| one.eq_ignore_ascii_case(name));
        self.settings.strict = has("STRICT_TRANS_TABLES");
        self.settings.no_zero_date = has("NO_ZERO_DATE");
        self.settings.no_zero_in_date = has("NO_ZERO_IN_DATE");
        self.no_engine_substitution = has("NO_ENGINE_SUBSTITUTION");
    }
}

/// What has to hold for every descriptor, whatever made it.
fn check_descriptor(table: &firn_table::descriptor::TableDescriptor) {
    use firn_table::descriptor::{ColumnDefault, TableDescriptor};
    let again = TableDescriptor::decode(&table.encode()).expect("a descriptor reads back");
    assert_eq!(again, *table, "a descriptor reads back as it is");
    assert_eq!(table.layouts.last(), Some(&table.wanted_layout()));
    let codec = firn_table::TableCodec::new(std::sync::Arc::new(table.clone()));
    assert!(codec.is_ok(), "a descriptor has a codec: {:?}", codec.err());
    for column in &table.columns {
        assert!(column.id.0 < table.next_column_id);
        if let Some(generated) = &column.generated {
            crate::catalog::parse_expression(&generated.expr).expect("a generated column");
        }
        if let ColumnDefault::Expr(expr) = &column.default {
            crate::catalog::parse_expression(expr).expect("a default");
        }
    }
    for check in &table.checks {
        crate::catalog::parse_expression(&check.expr).expect("a check");
    }
    for index in &table.indexes {
        assert!(index.id.0 < table.next_index_id);
        assert!(index.parts.iter().all(|part| table.column(part.column).is_some()));
    }
}

/// Lines of a text, each marked as one of an answer.
pub(super) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("| {line}\n")).collect()
}

/// A row of an answer.
pub(super) fn row(cells: &[&str]) -> String {
    format!("| {}\n", cells.join(" | ")).replace(" \n", "\n")
}
