//! Definitions as MySQL prints them.

mod columns;
mod create_table;
mod database;
mod indexes;
mod type_text;
mod view;

pub(crate) use columns::escaped;
pub use columns::{ColumnInfo, column_infos};
pub use create_table::{create_table, create_temporary_table};
pub use database::create_database;
pub use indexes::{IndexInfo, index_infos};
pub use type_text::type_text;
pub(crate) use type_text::written_type;
pub use view::create_view;

use firn_mysql_semantics::charset::{Charset, convert};

use super::define::charset_of;
use firn_mysql_semantics::CollationId;

/// A text in single quotes, as SHOW CREATE prints it.
fn quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'\'');
    for byte in text {
        match byte {
            0 => out.extend_from_slice(b"\\0"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\'' => out.extend_from_slice(b"''"),
            byte => out.push(*byte),
        }
    }
    out.push(b'\'');
}

fn name(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(firn_mysql_parser::quote_name(name).as_bytes());
}

/// A text in UTF-8; bytes that are no text stay as they are.
fn in_utf8(text: &[u8], collation: CollationId) -> Vec<u8> {
    let set = charset_of(collation);
    if set.is_binary() {
        return text.to_vec();
    }
    let mut out = Vec::with_capacity(text.len());
    match convert(text, set, Charset::utf8mb4(), &mut out) {
        Ok(_) => out,
        Err(_) => text.to_vec(),
    }
}

/// BIT as `b'101'`.
fn bits(bytes: &[u8]) -> String {
    let number = bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    format!("b'{number:b}'")
}

/// Bytes as `0xFF41`.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |mut out, byte| {
        out.push_str(&format!("{byte:02X}"));
        out
    })
}
