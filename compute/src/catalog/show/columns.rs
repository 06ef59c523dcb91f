//! DESCRIBE, SHOW COLUMNS and what `information_schema.COLUMNS` says.

use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::{CollationId, TypeKind};
use firn_table::descriptor::{ColumnDefault, ColumnDescriptor, IndexKind, TableDescriptor};

use super::{bits, hex, in_utf8, type_text};

/// A row of SHOW FULL COLUMNS, but for the privileges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// `COLUMN_TYPE`
    pub type_text: String,
    /// Its collation, if it has characters.
    pub collation: Option<&'static str>,
    /// Whether it takes NULL.
    pub nullable: bool,
    /// `PRI`, `UNI`, `MUL` or nothing.
    pub key: &'static str,
    /// Its default, in UTF-8; `None` for NULL and for none.
    pub default: Option<Vec<u8>>,
    /// `auto_increment` and the like.
    pub extra: String,
    /// COMMENT
    pub comment: String,
    /// The expression of a generated column, with its quotes escaped as
    /// `information_schema` has them.
    pub generation: String,
}

/// The columns that have names, in order.
#[must_use]
pub fn column_infos(table: &TableDescriptor) -> Vec<ColumnInfo> {
    table
        .columns
        .iter()
        .filter(|column| !column.hidden)
        .map(|column| ColumnInfo {
            name: column.name.clone(),
            type_text: type_text(column),
            collation: collation(column),
            nullable: column.ty.nullable,
            key: key(table, column),
            default: default(column),
            extra: extra(column),
            comment: column.comment.clone(),
            generation: column
                .generated
                .as_ref()
                .map_or_else(String::new, |generated| escaped(&generated.expr)),
        })
        .collect()
}

fn collation(column: &ColumnDescriptor) -> Option<&'static str> {
    let characters = column.ty.kind.is_string() && !column.ty.collation.is_binary();
    characters.then(|| Collation::by_id(column.ty.collation.0).map(Collation::name)).flatten()
}

fn key(table: &TableDescriptor, column: &ColumnDescriptor) -> &'static str {
    let nullable = |id| table.column(id).is_none_or(|column| column.ty.nullable);
    // Without a primary key, the first unique one without NULLs passes for it.
    let primary = table.primary().or_else(|| {
        table.indexes.iter().find(|index| {
            index.kind == IndexKind::Unique
                && index.parts.iter().all(|part| {
                    !nullable(part.column)
                        && part.prefix_len.is_none()
                        && table.column(part.column).is_some_and(|column| !column.is_virtual())
                })
        })
    });
    if primary.is_some_and(|index| index.parts.iter().any(|part| part.column == column.id)) {
        return "PRI";
    }
    let mut best = "";
    for index in &table.indexes {
        if index.parts.first().is_none_or(|part| part.column != column.id) {
            continue;
        }
        if index.kind == IndexKind::Unique && index.parts.len() == 1 {
            return "UNI";
        }
        best = "MUL";
    }
    best
}

fn now(column: &ColumnDescriptor) -> String {
    match column.ty.decimals {
        0 => "CURRENT_TIMESTAMP".to_owned(),
        digits => format!("CURRENT_TIMESTAMP({digits})"),
    }
}

fn default(column: &ColumnDescriptor) -> Option<Vec<u8>> {
    match &column.default {
        ColumnDefault::None | ColumnDefault::Null => None,
        ColumnDefault::Now => Some(now(column).into_bytes()),
        ColumnDefault::Expr(expr) => Some(escaped(expr).into_bytes()),
        ColumnDefault::Constant(bytes) if column.ty.kind == TypeKind::Bit => {
            Some(bits(bytes).into_bytes())
        }
        ColumnDefault::Constant(bytes)
            if column.ty.collation == CollationId::BINARY
                && matches!(column.ty.kind, TypeKind::Char | TypeKind::Varchar) =>
        {
            // What fills up a BINARY is not shown.
            let end = match column.ty.kind {
                TypeKind::Char => bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1),
                _ => bytes.len(),
            };
            Some(hex(&bytes[..end]).into_bytes())
        }
        ColumnDefault::Constant(bytes) if column.ty.kind.is_string() => {
            Some(in_utf8(bytes, column.ty.collation))
        }
        ColumnDefault::Constant(bytes) => Some(bytes.clone()),
    }
}

fn extra(column: &ColumnDescriptor) -> String {
    let mut words: Vec<String> = Vec::new();
    if column.auto_increment {
        words.push("auto_increment".into());
    }
    if matches!(column.default, ColumnDefault::Now | ColumnDefault::Expr(_)) {
        words.push("DEFAULT_GENERATED".into());
    }
    if column.on_update_now {
        words.push(format!("on update {}", now(column)));
    }
    if let Some(generated) = &column.generated {
        words.push(if generated.stored { "STORED GENERATED" } else { "VIRTUAL GENERATED" }.into());
    }
    if column.invisible {
        words.push("INVISIBLE".into());
    }
    words.join(" ")
}

/// An expression as `information_schema` has it.
pub(crate) fn escaped(expr: &str) -> String {
    let mut out = String::with_capacity(expr.len());
    for c in expr.chars() {
        match c {
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            c => out.push(c),
        }
    }
    out
}
