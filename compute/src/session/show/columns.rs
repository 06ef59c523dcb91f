//! SHOW COLUMNS, SHOW INDEX, DESCRIBE and COM_FIELD_LIST.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use firn_mysql_parser::ast;
use firn_mysql_protocol::result::Column;
use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::SqlError;

use super::Shown;
use crate::bind::{FoundTable, TableSource, Tables};
use crate::catalog::show::{ColumnInfo, column_infos, index_infos};
use crate::catalog::{Relation, ViewDescriptor};
use crate::information_schema::cell::{maybe, maybe_number, number, text, yes};
use crate::information_schema::columns::{privileges, system_info};
use crate::information_schema::indexes::cardinalities;
use crate::information_schema::{Facts, ViewColumn, definition, schema};
use crate::output;
use crate::session::Session;
use crate::session::tables::SessionTables;

/// A column of COM_FIELD_LIST, with its default.
pub(crate) type ListedField = (Column, Option<Vec<u8>>);

impl Session {
    pub(super) fn table_columns(
        &self,
        facts: &Facts,
        name: &ast::ObjectName,
        full: bool,
    ) -> Result<Shown, SqlError> {
        let (database, table) = self.full_name(name)?;
        let infos = match facts.catalog.relation(&database, &table) {
            Some(Relation::View(view)) => self.view_columns(view)?,
            _ => {
                let found = SessionTables::unchecked(self).table(name)?;
                infos_of(&found)
            }
        };
        let row = |info: &ColumnInfo| {
            let own = facts.on_column(&database, &table, &info.name);
            if own.is_empty() {
                return None;
            }
            let default = maybe(info.default.as_deref());
            let (name, kind) = (text(&info.name), text(&info.type_text));
            let (null, key, extra) = (yes(info.nullable), text(info.key), text(&info.extra));
            if !full {
                return Some(vec![name, kind, null, key, default, extra]);
            }
            let collation = maybe(info.collation);
            let (privileges, comment) = (text(privileges(own)), text(&info.comment));
            Some(vec![name, kind, collation, null, key, default, extra, privileges, comment])
        };
        let rows = infos.iter().filter_map(row).collect();
        Ok(Shown::new(if full { "full columns" } else { "columns" }, rows))
    }

    /// Columns of a view with their types; `None` if it can be bound no more, or if it is
    /// being bound for this already: a view may ask for the columns of views.
    pub(crate) fn columns_of_view(&self, view: &ViewDescriptor) -> Option<Vec<ViewColumn>> {
        if self.listing_views.swap(true, Ordering::Relaxed) {
            return None;
        }
        let bound = self.bound_view(view);
        self.listing_views.store(false, Ordering::Relaxed);
        let bound = bound.ok()?;
        let types: Vec<_> = bound.columns.iter().map(|column| column.ty).collect();
        Some(infos_of(&bound).into_iter().zip(types).collect())
    }

    /// Columns of a view are those of its query.
    fn view_columns(&self, view: &ViewDescriptor) -> Result<Vec<ColumnInfo>, SqlError> {
        Ok(infos_of(&self.bound_view(view)?))
    }

    pub(super) fn table_indexes(&self, name: &ast::ObjectName) -> Result<Shown, SqlError> {
        let (database, table) = self.full_name(name)?;
        if schema(&database).is_some() {
            SessionTables::unchecked(self).table(name)?;
            return Ok(Shown::empty("index"));
        }
        let catalog = self.seen_catalog();
        catalog.known_schema(&database)?;
        let descriptor = match catalog.relation(&database, &table) {
            Some(Relation::Table(found)) => &found.descriptor,
            Some(Relation::View(_)) => return Ok(Shown::empty("index")),
            None => return Err(SqlError::no_such_table(&database, &table)),
        };
        let cardinality = cardinalities(&self.server, descriptor);
        let rows = index_infos(descriptor)
            .into_iter()
            .map(|info| {
                let different = cardinality(&info);
                vec![
                    text(&descriptor.name),
                    number(u64::from(info.non_unique)),
                    text(&info.name),
                    number(info.part as u64),
                    maybe(info.column),
                    text(if info.descending { "D" } else { "A" }),
                    maybe_number(different),
                    maybe_number(info.prefix_len.map(u64::from)),
                    Value::Null,
                    text(if info.nullable { "YES" } else { "" }),
                    text("BTREE"),
                    text(""),
                    text(&info.comment),
                    yes(info.visible),
                    maybe(info.expression),
                ]
            })
            .collect();
        Ok(Shown::new("index", rows))
    }

    /// COM_FIELD_LIST
    pub(crate) fn columns_of(
        &self,
        table: &str,
        pattern: &str,
    ) -> Result<Vec<ListedField>, SqlError> {
        let name = ast::ObjectName { schema: None, name: ident(table) };
        self.may_describe(&name)?;
        let mut found = SessionTables::unchecked(self).table(&name)?;
        if let Some(Relation::View(view)) = self.seen_catalog().relation(&found.schema, &found.name)
        {
            found.columns = self.bound_view(view)?.columns;
        }
        let infos = infos_of(&found);
        let results = self.result_charset();
        let mut columns = Vec::with_capacity(found.columns.len());
        for column in found.columns.iter().filter(|column| column.named) {
            if !pattern.is_empty() && !crate::variables::is_like(&column.name, pattern) {
                continue;
            }
            let mut told = output::definition(&column.name, &column.ty, true, results);
            told.schema = found.schema.as_bytes().to_vec();
            told.table = found.name.as_bytes().to_vec();
            told.org_table = told.table.clone();
            told.org_name = told.name.clone();
            told.flags.0 |= column.flags.0;
            let info = infos.iter().find(|info| *info.name == *column.name);
            columns.push((told, info.and_then(|info| info.default.clone())));
        }
        Ok(columns)
    }
}

fn ident(name: &str) -> ast::Ident {
    ast::Ident { text: name.into(), span: ast::Span::default() }
}

/// What is known of a table's columns.
fn infos_of(found: &FoundTable) -> Vec<ColumnInfo> {
    match &found.source {
        TableSource::Stored(open) => column_infos(open.descriptor()),
        TableSource::Virtual(_) => definition::table(&found.schema, &found.name)
            .map(|table| table.columns.iter().map(system_info).collect())
            .unwrap_or_default(),
        TableSource::Derived(_) | TableSource::View(_) => {
            derived_infos(&Arc::clone(&found.columns))
        }
    }
}

/// Columns of a query by their types alone.
fn derived_infos(columns: &[crate::bind::ScopeColumn]) -> Vec<ColumnInfo> {
    columns
        .iter()
        .map(|column| {
            let collation =
                firn_mysql_semantics::collation::Collation::by_id(column.ty.collation.0);
            let characters = column.ty.kind.is_string() && !column.ty.collation.is_binary();
            ColumnInfo {
                name: column.name.to_string(),
                type_text: crate::catalog::show::type_text(&descriptor_of(column)),
                collation: collation.filter(|_| characters).map(|one| one.name()),
                nullable: column.ty.nullable,
                key: "",
                default: None,
                extra: String::new(),
                comment: String::new(),
                generation: String::new(),
            }
        })
        .collect()
}

fn descriptor_of(column: &crate::bind::ScopeColumn) -> firn_table::descriptor::ColumnDescriptor {
    use firn_table::descriptor::{ColumnDefault, ColumnDescriptor, ColumnId};
    let members = column.members.as_deref().unwrap_or_default();
    ColumnDescriptor {
        id: ColumnId(0),
        name: column.name.to_string(),
        ty: column.ty,
        members: members.iter().map(|one| String::from_utf8_lossy(one).into_owned()).collect(),
        zerofill: column.zerofill.is_some(),
        display_width: None,
        collation_written: false,
        default: ColumnDefault::None,
        on_update_now: false,
        auto_increment: false,
        generated: None,
        comment: String::new(),
        invisible: false,
        hidden: false,
        instant_default: None,
    }
}
