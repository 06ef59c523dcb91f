//! JSON_TABLE, as MySQL prints it.

use firn_mysql_parser::ast::{Expr, JsonColumn, JsonTable};

use super::print::Printer;

impl Printer<'_> {
    pub(super) fn json_table(&mut self, table: &JsonTable) {
        self.put("json_table(");
        self.value(&table.expr);
        self.put(", ");
        self.json_path(&table.path);
        self.json_columns(&table.columns);
        self.put(") ");
        self.name(table.alias.as_str());
    }

    fn json_path(&mut self, path: &Expr) {
        self.value(path);
    }

    fn json_columns(&mut self, columns: &[JsonColumn]) {
        for (at, column) in columns.iter().enumerate() {
            self.put(if at == 0 { " columns (" } else { ", " });
            self.json_column(column);
        }
        self.put(")");
    }

    fn json_column(&mut self, column: &JsonColumn) {
        match column {
            JsonColumn::Ordinality(name) => {
                self.name(name.as_str());
                self.put(" for ordinality");
            }
            JsonColumn::Path { name, exists, path, on_empty, on_error, .. } => {
                self.name(name.as_str());
                self.put(" ");
                let ty = self.resolutions().map(|names| names.data_type_of(column));
                self.put(&ty.unwrap_or_default());
                self.put(if *exists { " exists path " } else { " path " });
                self.json_path(path);
                self.json_on(on_empty.as_ref(), " on empty");
                self.json_on(on_error.as_ref(), " on error");
            }
            JsonColumn::Nested { path, columns } => {
                self.put("nested path ");
                self.json_path(path);
                self.json_columns(columns);
            }
        }
    }
}
