//! What a client is told of a result's columns.

use firn_mysql_protocol::result::Column;
use firn_mysql_protocol::{ColumnFlags, ColumnType};
use firn_mysql_semantics::charset::{Charset, convert};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::{CollationId, SqlType, TypeKind};

use crate::bind::{Item, ScopeTable};

/// `character_set_results`: the collation that stands for it; `None` sends strings
/// as they are stored.
pub(crate) type ResultCharset = Option<CollationId>;

/// Bytes of the longest character of a collation's set.
fn char_bytes_max(collation: CollationId) -> u32 {
    Collation::by_id(collation.0).map_or(1, |one| one.charset().max_bytes() as u32)
}

/// The protocol's type of a value.
fn kind(ty: &SqlType, of_table: bool) -> ColumnType {
    let number = match ty.kind {
        // All lengths of TEXT are announced alike where a table has them.
        kind if kind.is_text() && of_table => 252,
        // So are NULLs of a query in FROM whose rows are kept.
        TypeKind::Null if ty.is_null_column() => 253,
        kind => kind.protocol_number(),
    };
    ColumnType::from_wire(number).unwrap_or(ColumnType::VarString)
}

/// A name as the client reads it: names are UTF-8 here.
fn name_for(name: &str, results: ResultCharset) -> Vec<u8> {
    let to = results.and_then(|to| Collation::by_id(to.0)).map(Collation::charset);
    let (from, mut out) = (Charset::utf8mb4(), Vec::new());
    match to.filter(|to| !name.is_ascii() && !to.is_binary() && to.min_bytes() == 1 && *to != from)
    {
        Some(to) if convert(name.as_bytes(), from, to, &mut out).is_ok() => out,
        _ => name.as_bytes().to_vec(),
    }
}

/// An item of a select list, as the client is told of it.
pub(crate) fn column_of(item: &Item, tables: &[ScopeTable], results: ResultCharset) -> Column {
    let mut column = definition(&item.name, &item.node.ty, item.column.is_some(), results);
    if let Some((table, at)) = item.column {
        let table = &tables[table];
        column.table = name_for(&table.alias, results);
        if let Some(origin) = table.origin(at) {
            column.schema = name_for(&origin.schema, results);
            column.org_table = name_for(&origin.table, results);
        }
        column.org_name = name_for(&table.columns[at].name, results);
        column.flags = ColumnFlags(column.flags.0 | item.flags.0);
        if table.optional {
            column.flags.set(ColumnFlags::NOT_NULL, false);
        }
    }
    column
}

/// A column of a result by its name and type alone.
pub(crate) fn definition(
    name: &str,
    ty: &SqlType,
    of_table: bool,
    results: ResultCharset,
) -> Column {
    let kind = kind(ty, of_table);
    let is_text = ty.kind.is_string() && !ty.collation.is_binary();
    let (collation, length) = if is_text {
        let collation = results.filter(|to| !to.is_binary()).unwrap_or(ty.collation);
        (collation, ty.length.saturating_mul(char_bytes_max(collation)))
    } else if ty.kind == TypeKind::Json {
        (CollationId::BINARY, u32::MAX)
    } else {
        (CollationId::BINARY, ty.length)
    };
    let mut column = Column::new(name, kind, collation.0, length);
    if !name.is_ascii() {
        column.name = name_for(name, results);
    }
    column.decimals = ty.decimals;
    // Strings have decimals only where they are computed.
    let no_number = ty.kind.is_string() || matches!(ty.kind, TypeKind::Json | TypeKind::Null);
    if no_number && of_table {
        column.decimals = 0;
    }
    let mut flags = ColumnFlags::EMPTY;
    flags.set(ColumnFlags::NOT_NULL, !ty.nullable);
    flags.set(ColumnFlags::UNSIGNED, ty.unsigned);
    let blob = ty.kind.is_text() || matches!(ty.kind, TypeKind::Json | TypeKind::Geometry);
    // Tables' columns alone have it.
    flags.set(ColumnFlags::BLOB, blob && of_table);
    let temporal = ty.kind.is_temporal();
    let no_number = temporal || matches!(ty.kind, TypeKind::Json | TypeKind::Bit);
    let number = !ty.kind.is_string() && !no_number;
    let binary =
        is_binary_order(ty) || temporal || ty.kind == TypeKind::Json || (number && !of_table);
    flags.set(ColumnFlags::BINARY, binary);
    flags.set(ColumnFlags::ENUM, ty.kind == TypeKind::Enum && of_table);
    flags.set(ColumnFlags::SET, ty.kind == TypeKind::Set && of_table);
    // Years of tables are marked so, whichever query they come through.
    flags.set(ColumnFlags::ZEROFILL, ty.kind == TypeKind::Year && of_table);
    column.flags = flags;
    column
}

fn is_binary_order(ty: &SqlType) -> bool {
    ty.kind.is_string() && Collation::by_id(ty.collation.0).is_some_and(|one| one.is_binary_order())
}
