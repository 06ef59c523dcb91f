//! What a space says of a table's rows, as the manifest keeps it.
//!
//! As much of the table's descriptor as it takes to read its rows and to name
//! their columns, in a form that is short, and the same for the same columns:
//!
//! ```text
//! table   = id, types, columns, layouts
//! types   = count, (kind u8, flags u8 (1 unsigned, 2 nullable), length, decimals u8, collation)*
//! columns = count, (id, type, flags u8 (1 a default follows), name, [default], members)*
//! members = count, name*
//! layouts = count, (count, (id of the column, less that of the one before; type)*)*
//! ```
//!
//! Numbers are varints unless said otherwise, texts and defaults have their lengths
//! in front. Types are named by their places in *types*. Virtual columns are left
//! out, as are the members of an ENUM or SET whose names are too long together.

use std::sync::Arc;

use firn_engine::{Error, ErrorKind, Result};
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind};

use crate::descriptor::{
    ColumnDefault, ColumnDescriptor, ColumnId, RowCell, RowLayout, TableDescriptor,
};
use crate::row::{put_varint, take_varint};

/// Longest description, in bytes. Of a table whose description is longer there is
/// no column copy.
pub(crate) const LEN_MAX: usize = 64 << 10;

/// Most bytes of the names of a column's members.
const MEMBERS_LEN_MAX: usize = 8 << 10;

/// Numbers of the kinds: their places, from 0. Never change one.
const KINDS: [TypeKind; 24] = [
    TypeKind::TinyInt,
    TypeKind::SmallInt,
    TypeKind::MediumInt,
    TypeKind::Int,
    TypeKind::BigInt,
    TypeKind::Decimal,
    TypeKind::Float,
    TypeKind::Double,
    TypeKind::Bit,
    TypeKind::Year,
    TypeKind::Date,
    TypeKind::Time,
    TypeKind::DateTime,
    TypeKind::Timestamp,
    TypeKind::Char,
    TypeKind::Varchar,
    TypeKind::TinyText,
    TypeKind::Text,
    TypeKind::MediumText,
    TypeKind::LongText,
    TypeKind::Enum,
    TypeKind::Set,
    TypeKind::Json,
    TypeKind::Geometry,
];

const UNSIGNED: u8 = 1;
const NULLABLE: u8 = 2;
const HAS_DEFAULT: u8 = 1;

/// Appends the description of a table's rows.
pub(crate) fn encode(table: &TableDescriptor, out: &mut Vec<u8>) -> Result<()> {
    let mut types = Vec::new();
    let mut rest = Vec::new();
    let stored: Vec<_> = table.columns.iter().filter(|column| column.is_stored()).collect();
    put_varint(&mut rest, stored.len() as u64);
    for column in stored {
        put_varint(&mut rest, u64::from(column.id.0));
        put_varint(&mut rest, place_of(&mut types, &column.ty));
        rest.push(if column.instant_default.is_some() { HAS_DEFAULT } else { 0 });
        put_bytes(&mut rest, column.name.as_bytes());
        if let Some(default) = &column.instant_default {
            put_bytes(&mut rest, default);
        }
        let len: usize = column.members.iter().map(String::len).sum();
        let members = if len <= MEMBERS_LEN_MAX { &column.members[..] } else { &[] };
        put_varint(&mut rest, members.len() as u64);
        members.iter().for_each(|member| put_bytes(&mut rest, member.as_bytes()));
    }
    put_varint(&mut rest, table.layouts.len() as u64);
    for layout in &table.layouts {
        put_varint(&mut rest, layout.cells.len() as u64);
        let mut before = 0;
        for cell in &layout.cells {
            // Cells are in the order of their columns' ids.
            let step = u64::from(cell.column.0).checked_sub(before).ok_or_else(|| {
                Error::new(ErrorKind::Corrupt, "cells of a layout are out of order")
            })?;
            before = u64::from(cell.column.0);
            put_varint(&mut rest, step);
            put_varint(&mut rest, place_of(&mut types, &cell.ty));
        }
    }
    let start = out.len();
    put_varint(out, u64::from(table.id));
    put_varint(out, types.len() as u64);
    for ty in &types {
        let kind = KINDS.iter().position(|kind| *kind == ty.kind);
        let Some(kind) = kind else {
            return Err(Error::new(ErrorKind::Corrupt, "a column has no type"));
        };
        out.push(kind as u8);
        let unsigned = if ty.unsigned { UNSIGNED } else { 0 };
        out.push(unsigned | if ty.nullable { NULLABLE } else { 0 });
        put_varint(out, u64::from(ty.length));
        out.push(ty.decimals);
        put_varint(out, u64::from(ty.collation.0));
    }
    out.extend_from_slice(&rest);
    if out.len() - start > LEN_MAX {
        let len = out.len() - start;
        let what = format!("a table whose rows take {len} bytes to describe, of {LEN_MAX} at most");
        return Err(Error::new(ErrorKind::BadRequest, what));
    }
    Ok(())
}

fn place_of(types: &mut Vec<SqlType>, ty: &SqlType) -> u64 {
    // How strong a collation is, is no matter here.
    let ty = SqlType { derivation: Derivation::Implicit, ..*ty };
    let place = types.iter().position(|known| *known == ty).unwrap_or_else(|| {
        types.push(ty);
        types.len() - 1
    });
    place as u64
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads what [`encode`] wrote, as a descriptor that has no more than that; `None`
/// if it is something else.
pub(crate) fn decode(bytes: &[u8]) -> Option<TableDescriptor> {
    let mut from = Reader(bytes);
    let id = from.number()?;
    let types = from.list(|from| {
        let kind = *KINDS.get(usize::from(from.byte()?))?;
        let flags = from.byte()?;
        Some(SqlType {
            unsigned: flags & UNSIGNED != 0,
            nullable: flags & NULLABLE != 0,
            length: from.number()?,
            decimals: from.byte()?,
            collation: CollationId(u16::try_from(from.number()?).ok()?),
            derivation: Derivation::Implicit,
            kind,
        })
    })?;
    let ty = |from: &mut Reader<'_>| types.get(from.number()? as usize).copied();
    let columns = from.list(|from| {
        let (id, ty, flags) = (ColumnId(from.number()?), ty(from)?, from.byte()?);
        let name = from.text()?;
        let instant_default =
            if flags & HAS_DEFAULT != 0 { Some(from.bytes()?.to_vec()) } else { None };
        let members = from.list(Reader::text)?;
        Some(ColumnDescriptor {
            id,
            name,
            ty,
            members,
            instant_default,
            zerofill: false,
            display_width: None,
            collation_written: false,
            default: ColumnDefault::None,
            on_update_now: false,
            auto_increment: false,
            generated: None,
            comment: String::new(),
            invisible: false,
            hidden: false,
        })
    })?;
    let layouts = from.list(|from| {
        let mut before = 0_u32;
        let cells = from.list(|from| {
            before = before.checked_add(from.number()?)?;
            Some(RowCell { column: ColumnId(before), ty: ty(from)? })
        })?;
        Some(RowLayout { cells })
    })?;
    if !from.0.is_empty() {
        return None;
    }
    Some(TableDescriptor {
        id,
        schema: "space".into(),
        name: id.to_string(),
        version: 0,
        columns,
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        checks: Vec::new(),
        collation: CollationId::BINARY,
        comment: String::new(),
        options: Vec::new(),
        auto_increment_min: 0,
        layouts,
        next_column_id: 0,
        next_index_id: 0,
        created_micros: 0,
    })
}

/// As much of `table` as its description keeps.
pub(crate) fn reduced(table: &TableDescriptor) -> Result<(Vec<u8>, Arc<TableDescriptor>)> {
    let mut bytes = Vec::new();
    encode(table, &mut bytes)?;
    match decode(&bytes) {
        Some(table) => Ok((bytes, Arc::new(table))),
        None => Err(Error::new(ErrorKind::Internal, "a description that cannot be read back")),
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u32> {
        let (number, rest) = take_varint(self.0)?;
        self.0 = rest;
        Some(number)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.number()? as usize;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()? as usize;
        // A count that lies makes no large list: each element takes a byte.
        if count > self.0.len() {
            return None;
        }
        (0..count).map(|_| each(self)).collect()
    }
}
