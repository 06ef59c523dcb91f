//! Values in texts of errors.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::charset::{Charset, convert};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::expr::{Column, Node};

use crate::table::OpenTable;

/// A value as "Duplicate entry" shows it: binary strings in hexadecimal where they
/// are no text.
pub(crate) fn in_duplicate(table: &OpenTable, column: usize, value: &Value) -> String {
    let definition = &table.columns[column];
    if value.is_null() {
        return "NULL".to_owned();
    }
    let node = Node::column(Column {
        index: column,
        ty: definition.ty,
        name: Box::from(&*definition.name),
        members: definition.members.clone(),
    });
    // Documents are in no key.
    let text = node.text(value).ok().flatten().unwrap_or_default();
    let collation = definition.ty.collation;
    if definition.ty.kind.is_string() && collation.is_binary() {
        return match std::str::from_utf8(&text) {
            Ok(text) if text.chars().all(|c| !c.is_control()) => text.to_owned(),
            _ => text.iter().fold(String::new(), |mut out, byte| {
                if byte.is_ascii_graphic() || *byte == b' ' {
                    out.push(char::from(*byte));
                } else {
                    out.push_str(&format!("\\x{byte:02X}"));
                }
                out
            }),
        };
    }
    if !definition.ty.kind.is_string() {
        return String::from_utf8_lossy(&text).into_owned();
    }
    let from = Collation::by_id(collation.0).map_or(Charset::utf8mb4(), Collation::charset);
    let mut out = Vec::with_capacity(text.len());
    match convert(&text, from, Charset::utf8mb4(), &mut out) {
        Ok(_) => String::from_utf8_lossy(&out).into_owned(),
        Err(_) => String::from_utf8_lossy(&text).into_owned(),
    }
}

/// The part of a value that an index has: so many characters, or bytes of a binary string.
pub(crate) fn prefix(table: &OpenTable, column: usize, value: &Value, length: u32) -> Value {
    let Value::Bytes(bytes) = value else { return value.clone() };
    let collation = Collation::by_id(table.columns[column].ty.collation.0);
    let one_byte = collation.is_none_or(|one| one.charset().max_bytes() == 1);
    let length = length as usize;
    match std::str::from_utf8(bytes) {
        Ok(text) if !one_byte => {
            let end = text.char_indices().nth(length).map_or(text.len(), |(at, _)| at);
            Value::bytes(&text.as_bytes()[..end])
        }
        _ => Value::bytes(&bytes[..bytes.len().min(length)]),
    }
}
