//! SHOW CREATE TABLE.

use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::{CollationId, TypeKind};
use firn_table::descriptor::{
    ColumnDefault, ColumnDescriptor, ForeignKey, IndexAlgorithm, IndexDescriptor, IndexKind,
    ReferentialAction, TableDescriptor,
};

use super::{bits, hex, in_utf8, name, quoted, type_text};

/// The statement that makes the table, in UTF-8. `auto_increment` is the next value
/// that the table would give, if it has such a column.
#[must_use]
pub fn create_table(table: &TableDescriptor, auto_increment: Option<u64>) -> Vec<u8> {
    create(table, auto_increment, false)
}

/// The same of a temporary table.
#[must_use]
pub fn create_temporary_table(table: &TableDescriptor, auto_increment: Option<u64>) -> Vec<u8> {
    create(table, auto_increment, true)
}

fn create(table: &TableDescriptor, auto_increment: Option<u64>, temporary: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(if temporary { b"CREATE TEMPORARY TABLE " } else { b"CREATE TABLE " });
    name(&table.name, &mut out);
    out.extend_from_slice(b" (\n");
    let mut first = true;
    let mut begin = |out: &mut Vec<u8>| {
        if !std::mem::take(&mut first) {
            out.extend_from_slice(b",\n");
        }
        out.extend_from_slice(b"  ");
    };
    for shown in table.columns.iter().filter(|column| !column.hidden) {
        begin(&mut out);
        column(table, shown, &mut out);
    }
    for shown in &table.indexes {
        begin(&mut out);
        index(table, shown, &mut out);
    }
    let mut keys: Vec<_> = table.foreign_keys.iter().collect();
    keys.sort_by_key(|key| key.name.to_lowercase());
    for shown in keys {
        begin(&mut out);
        foreign_key(table, shown, &mut out);
    }
    let mut checks: Vec<_> = table.checks.iter().collect();
    checks.sort_by_key(|check| check.name.to_lowercase());
    for check in checks {
        begin(&mut out);
        out.extend_from_slice(b"CONSTRAINT ");
        name(&check.name, &mut out);
        put(&mut out, &format!(" CHECK ({})", check.expr));
        if !check.enforced {
            put(&mut out, " /*!80016 NOT ENFORCED */");
        }
    }
    put(&mut out, "\n) ENGINE=InnoDB");
    if let Some(next) = auto_increment.filter(|next| *next > 1 && counts(table)) {
        put(&mut out, &format!(" AUTO_INCREMENT={next}"));
    }
    put(&mut out, " DEFAULT CHARSET=");
    put(&mut out, charset_name(table.collation));
    if shows_collation(table.collation) {
        put(&mut out, " COLLATE=");
        put(&mut out, collation_name(table.collation));
    }
    let is_last = |key: &str| key == "CONNECTION";
    for (key, value) in table.options.iter().filter(|(key, _)| !is_last(key)) {
        put(&mut out, &format!(" {key}={value}"));
    }
    if !table.comment.is_empty() {
        put(&mut out, " COMMENT=");
        quoted(table.comment.as_bytes(), &mut out);
    }
    for (key, value) in table.options.iter().filter(|(key, _)| is_last(key)) {
        put(&mut out, &format!(" {key}={value}"));
    }
    out
}

/// Whether it has an AUTO_INCREMENT column.
fn counts(table: &TableDescriptor) -> bool {
    table.columns.iter().any(|column| column.auto_increment)
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn charset_name(id: CollationId) -> &'static str {
    Collation::by_id(id.0).map_or("binary", |collation| collation.charset().name())
}

fn collation_name(id: CollationId) -> &'static str {
    Collation::by_id(id.0).map_or("binary", Collation::name)
}

/// The default of a character set goes without saying, but for utf8mb4's, which was
/// another one in older versions.
fn shows_collation(id: CollationId) -> bool {
    id == CollationId::UTF8MB4_0900_AI_CI
        || Collation::by_id(id.0).is_some_and(|collation| !collation.is_default())
}

fn column(table: &TableDescriptor, column: &ColumnDescriptor, out: &mut Vec<u8>) {
    name(&column.name, out);
    put(out, " ");
    put(out, &type_text(column));
    let ty = &column.ty;
    if ty.kind.is_string() && !is_bytes(column) {
        let same_set = charset_name(ty.collation) == charset_name(table.collation);
        if column.collation_written || !same_set {
            put(out, " CHARACTER SET ");
            put(out, charset_name(ty.collation));
        }
        let default = Collation::by_id(ty.collation.0).is_some_and(Collation::is_default);
        let once_another = ty.collation == CollationId::UTF8MB4_0900_AI_CI
            && table.collation != CollationId::UTF8MB4_0900_AI_CI;
        if column.collation_written || !default || once_another {
            put(out, " COLLATE ");
            put(out, collation_name(ty.collation));
        }
    }
    if let Some(generated) = &column.generated {
        let kind = if generated.stored { "STORED" } else { "VIRTUAL" };
        put(out, &format!(" GENERATED ALWAYS AS ({}) {kind}", generated.expr));
    }
    if !ty.nullable {
        put(out, " NOT NULL");
    } else if ty.kind == TypeKind::Timestamp {
        // It once was NOT NULL if nothing was said.
        put(out, " NULL");
    }
    if column.generated.is_none() {
        default(column, out);
        if column.on_update_now {
            put(out, " ON UPDATE ");
            put(out, &now(column));
        }
        if column.auto_increment {
            put(out, " AUTO_INCREMENT");
        }
    }
    if column.invisible {
        put(out, " /*!80023 INVISIBLE */");
    }
    if !column.comment.is_empty() {
        put(out, " COMMENT ");
        quoted(column.comment.as_bytes(), out);
    }
}

/// CHAR and VARCHAR of bytes, BLOB: their names say it. ENUM and SET do not.
fn is_bytes(column: &ColumnDescriptor) -> bool {
    column.ty.is_binary_string() && !matches!(column.ty.kind, TypeKind::Enum | TypeKind::Set)
}

fn now(column: &ColumnDescriptor) -> String {
    match column.ty.decimals {
        0 => "CURRENT_TIMESTAMP".to_owned(),
        digits => format!("CURRENT_TIMESTAMP({digits})"),
    }
}

fn default(column: &ColumnDescriptor, out: &mut Vec<u8>) {
    match &column.default {
        ColumnDefault::None => {}
        ColumnDefault::Null => {
            // Of BLOB and TEXT it goes without saying.
            if column.ty.nullable && !column.ty.kind.is_text() {
                put(out, " DEFAULT NULL");
            }
        }
        ColumnDefault::Now => {
            put(out, " DEFAULT ");
            put(out, &now(column));
        }
        ColumnDefault::Expr(expr) => put(out, &format!(" DEFAULT ({expr})")),
        ColumnDefault::Constant(text) => {
            put(out, " DEFAULT ");
            if column.ty.kind == TypeKind::Bit {
                put(out, &bits(text));
                return;
            }
            let text = in_utf8(text, column.ty.collation);
            if std::str::from_utf8(&text).is_err() {
                put(out, &hex(&text));
                return;
            }
            quoted(&text, out);
        }
    }
}

fn index(table: &TableDescriptor, index: &IndexDescriptor, out: &mut Vec<u8>) {
    match index.kind {
        IndexKind::Primary => put(out, "PRIMARY KEY"),
        IndexKind::Unique => put(out, "UNIQUE KEY "),
        IndexKind::Plain => put(out, "KEY "),
    }
    if index.kind != IndexKind::Primary {
        name(&index.name, out);
    }
    put(out, " (");
    for (at, part) in index.parts.iter().enumerate() {
        if at > 0 {
            put(out, ",");
        }
        let Some(column) = table.column(part.column) else { continue };
        match (&column.generated, column.hidden) {
            (Some(generated), true) => put(out, &format!("({})", generated.expr)),
            _ => name(&column.name, out),
        }
        if let Some(length) = part.prefix_len {
            put(out, &format!("({length})"));
        }
        if part.descending {
            put(out, " DESC");
        }
    }
    put(out, ")");
    match index.using {
        Some(IndexAlgorithm::Btree) => put(out, " USING BTREE"),
        Some(IndexAlgorithm::Hash) => put(out, " USING HASH"),
        None => {}
    }
    if !index.comment.is_empty() {
        put(out, " COMMENT ");
        quoted(index.comment.as_bytes(), out);
    }
    if index.invisible {
        put(out, " /*!80000 INVISIBLE */");
    }
}

fn foreign_key(table: &TableDescriptor, key: &ForeignKey, out: &mut Vec<u8>) {
    put(out, "CONSTRAINT ");
    name(&key.name, out);
    put(out, " FOREIGN KEY (");
    for (at, column) in key.columns.iter().enumerate() {
        if at > 0 {
            put(out, ", ");
        }
        name(table.column(*column).map_or("", |column| &column.name), out);
    }
    put(out, ") REFERENCES ");
    if key.parent_schema != table.schema {
        name(&key.parent_schema, out);
        put(out, ".");
    }
    name(&key.parent_table, out);
    put(out, " (");
    for (at, column) in key.parent_columns.iter().enumerate() {
        if at > 0 {
            put(out, ", ");
        }
        name(column, out);
    }
    put(out, ")");
    for (when, action) in [(" ON DELETE ", key.on_delete), (" ON UPDATE ", key.on_update)] {
        let word = match action {
            ReferentialAction::NoAction => continue,
            ReferentialAction::Restrict => "RESTRICT",
            ReferentialAction::Cascade => "CASCADE",
            ReferentialAction::SetNull => "SET NULL",
            ReferentialAction::SetDefault => "SET DEFAULT",
        };
        put(out, when);
        put(out, word);
    }
}
