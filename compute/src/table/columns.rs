//! Columns of a table, as names in a statement mean them.

use std::sync::Arc;

use firn_mysql_protocol::ColumnFlags;
use firn_mysql_semantics::charset::{Charset, convert as convert_charset};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::convert::{Column, StoreContext, store};
use firn_mysql_semantics::error::Warnings;
use firn_mysql_semantics::expr::Result;
use firn_mysql_semantics::temporal::zone::TimeZone;
use firn_mysql_semantics::temporal::{Date, DateMode};
use firn_mysql_semantics::value::Bytes;
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind, Value};
use firn_table::descriptor::{ColumnDefault, ColumnDescriptor, IndexKind, TableDescriptor};

use super::corrupt;
use crate::bind::ScopeColumn;

/// The columns of a table.
pub(super) fn of(table: &TableDescriptor) -> Arc<[ScopeColumn]> {
    table
        .columns
        .iter()
        .map(|column| ScopeColumn {
            printed: None,
            name: Arc::from(column.name.as_str()),
            ty: seen(column.ty),
            members: members(column),
            flags: flags(table, column),
            zerofill: column
                .zerofill
                .then(|| column.display_width.unwrap_or(column.ty.length.min(255) as u8)),
            named: !column.hidden,
            starred: !column.hidden && !column.invisible,
            origin: None,
        })
        .collect()
}

/// The type as expressions see it: BIT is a string of bytes where strings are wanted.
fn seen(ty: SqlType) -> SqlType {
    match ty.kind {
        TypeKind::Bit => SqlType { derivation: Derivation::Implicit, ..ty },
        _ => ty,
    }
}

/// The members of ENUM and SET, in the column's character set.
fn members(column: &ColumnDescriptor) -> Option<Arc<[Bytes]>> {
    members_of(&column.ty, &column.members)
}

/// The same of a type.
pub(crate) fn members_of(ty: &SqlType, members: &[String]) -> Option<Arc<[Bytes]>> {
    if !matches!(ty.kind, TypeKind::Enum | TypeKind::Set) {
        return None;
    }
    let to = Collation::by_id(ty.collation.0).map_or(Charset::utf8mb4(), Collation::charset);
    let in_set = |text: &String| {
        let mut out = Vec::new();
        match convert_charset(text.as_bytes(), Charset::utf8mb4(), to, &mut out) {
            Ok(_) => Bytes::from_vec(out),
            // The binary set takes bytes as they are.
            Err(_) => Bytes::from_slice(text.as_bytes()),
        }
    };
    Some(members.iter().map(in_set).collect())
}

fn flags(table: &TableDescriptor, column: &ColumnDescriptor) -> ColumnFlags {
    let mut flags = ColumnFlags::EMPTY;
    for index in &table.indexes {
        let Some(part) = index.parts.iter().position(|part| part.column == column.id) else {
            continue;
        };
        flags.set(ColumnFlags::PART_KEY, true);
        match index.kind {
            IndexKind::Primary => flags.set(ColumnFlags::PRIMARY_KEY, true),
            IndexKind::Unique if index.parts.len() == 1 => {
                flags.set(ColumnFlags::UNIQUE_KEY, true);
            }
            _ if part == 0 => flags.set(ColumnFlags::MULTIPLE_KEY, true),
            _ => {}
        }
    }
    flags.set(ColumnFlags::NOT_NULL, !column.ty.nullable);
    flags.set(ColumnFlags::AUTO_INCREMENT, column.auto_increment);
    flags.set(ColumnFlags::ZEROFILL, column.zerofill || column.ty.kind == TypeKind::Year);
    // MySQL tells it of TIMESTAMP alone.
    let is_timestamp = column.ty.kind == TypeKind::Timestamp;
    flags.set(ColumnFlags::ON_UPDATE_NOW, column.on_update_now && is_timestamp);
    let now = column.on_update_now || column.default == ColumnDefault::Now;
    flags.set(ColumnFlags::TIMESTAMP, now && column.ty.kind == TypeKind::Timestamp);
    let no_default =
        column.default == ColumnDefault::None && !column.ty.nullable && !column.auto_increment;
    flags.set(ColumnFlags::NO_DEFAULT_VALUE, no_default && column.generated.is_none());
    flags
}

/// A constant default as the column holds it.
pub(super) fn constant(column: &ColumnDescriptor, text: &[u8]) -> Result<Value> {
    let kind = column.ty.kind;
    if kind == TypeKind::Bit {
        let number = text.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        return Ok(Value::UInt(number));
    }
    let collation = if kind.is_string() { column.ty.collation } else { CollationId(11) };
    let from = SqlType::varchar(text.len() as u32, collation, Derivation::Implicit);
    let members: Vec<Box<[u8]>> = members(column)
        .iter()
        .flat_map(|list| list.iter())
        .map(|member| Box::from(&member[..]))
        .collect();
    let zone = TimeZone::parse("+00:00").ok_or_else(|| corrupt("UTC is no time zone"))?;
    let mut warnings = Warnings::new(0);
    let mut cx = StoreContext {
        strict: false,
        dates: DateMode { allow_invalid: true, ..DateMode::default() },
        truncate_fractions: false,
        zone: &zone,
        today: Date::ZERO,
        row: 1,
        warnings: &mut warnings,
    };
    let target = Column { name: &column.name, ty: &column.ty, members: &members };
    store(&Value::bytes(text), &from, &target, &mut cx)
}
