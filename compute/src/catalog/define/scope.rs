//! Names within a table's own expressions.

use std::sync::Arc;

use firn_mysql_parser::ast::ColumnRef;
use firn_mysql_semantics::Bytes;
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::{Column, Scope};
use firn_table::descriptor::{TableDescriptor, same_name};

use super::members;

/// The columns of one table, numbered by their place in the descriptor.
#[derive(Debug, Clone, Copy)]
pub struct TableScope<'a> {
    /// The table.
    pub table: &'a TableDescriptor,
    /// Where the expression stands, as 1054 says it.
    pub clause: &'a str,
}

impl Scope for TableScope<'_> {
    fn column(&self, name: &ColumnRef) -> Result<Column, SqlError> {
        let table = self.table;
        let own = name.qualifier.as_ref().is_none_or(|qualifier| {
            qualifier.table.as_str() == table.name
                && qualifier.schema.as_ref().is_none_or(|schema| schema.as_str() == table.schema)
        });
        let found = table.columns.iter().enumerate().find(|(_, column)| {
            own && !column.hidden && same_name(&column.name, name.name.as_str())
        });
        let Some((index, column)) = found else {
            let mut full = String::new();
            if let Some(qualifier) = &name.qualifier {
                if let Some(schema) = &qualifier.schema {
                    full.push_str(schema.as_str());
                    full.push('.');
                }
                full.push_str(qualifier.table.as_str());
                full.push('.');
            }
            full.push_str(name.name.as_str());
            return Err(SqlError::unknown_column(&full, self.clause));
        };
        let texts = (!column.members.is_empty()).then(|| -> Arc<[Bytes]> {
            members::stored(&column.members, column.ty.collation)
                .into_iter()
                .map(|member| Bytes::from_slice(&member))
                .collect()
        });
        Ok(Column {
            index,
            ty: column.ty,
            name: format!("`{}`.`{}`.`{}`", table.schema, table.name, column.name).into(),
            members: texts,
        })
    }
}
