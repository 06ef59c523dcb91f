//! Rows as lines of a file: FIELDS and LINES of SELECT … INTO OUTFILE.

use firn_mysql_parser::ast::FileFormat;
use firn_mysql_semantics::charset::{Charset, convert};
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::Node;
use firn_mysql_semantics::{CollationId, TypeKind, Value};

use super::value::{ValueWriter, charset_of};
use super::{ResultCharset, definition};
use crate::bind::{Item, Outfile};

/// What has another meaning behind an escape character.
const ESCAPED_LETTERS: &[u8] = b"ntrb0ZN";
/// What numbers are made of.
const OF_NUMBERS: &[u8] = b".0123456789e+-";

/// Writes rows as lines.
pub(crate) struct FileWriter {
    columns: Vec<FileColumn>,
    start: Vec<u8>,
    field: Vec<u8>,
    line: Vec<u8>,
    enclosed: Option<u8>,
    /// Only texts are enclosed.
    optionally: bool,
    escape: Option<u8>,
    /// Neither separated nor enclosed: values are filled up to their lengths.
    fixed: bool,
    /// Numbers are escaped, too: they may contain what separates them.
    numbers: bool,
    ambiguous: bool,
}

struct FileColumn {
    writer: ValueWriter,
    is_text: bool,
    /// What its texts are, when they are written.
    charset: &'static Charset,
    /// What numbers are converted to.
    wide: Option<&'static Charset>,
    /// The longest value, in bytes.
    length: usize,
}

fn holds(list: &[u8], byte: Option<u8>) -> bool {
    byte.is_some_and(|byte| list.contains(&byte))
}

impl FileColumn {
    fn new(item: &Item, charset: Option<&'static Charset>) -> Self {
        let ty = &item.node.ty;
        let results: ResultCharset =
            charset.map(|charset| CollationId(charset.default_collation().id()));
        let is_text = match ty.kind {
            TypeKind::Year => false,
            kind => {
                kind.is_string()
                    || kind.is_temporal()
                    || matches!(kind, TypeKind::Json | TypeKind::Bit)
            }
        };
        let characters =
            (ty.kind.is_string() && !ty.collation.is_binary()) || ty.kind == TypeKind::Json;
        let own = match ty.kind {
            TypeKind::Json => Charset::utf8mb4(),
            _ if characters => charset_of(ty.collation),
            _ => Charset::binary(),
        };
        let bytes = ty.kind.is_string() || ty.kind == TypeKind::Bit;
        let wide = charset.filter(|to| to.min_bytes() > 1 && !characters && !bytes);
        Self {
            writer: ValueWriter::new(ty, item.zerofill, results),
            is_text,
            charset: if characters { charset.unwrap_or(own) } else { wide.unwrap_or(own) },
            wide,
            length: definition(&item.name, ty, item.column.is_some(), results).length as usize,
        }
    }
}

impl FileWriter {
    /// For the rows of some items. `backslash` if that escapes where nothing is said.
    pub(crate) fn new(items: &[Item], outfile: &Outfile, backslash: bool) -> Self {
        let FileFormat { fields_terminated, enclosed, escaped, .. } = &outfile.format;
        let columns: Vec<FileColumn> =
            items.iter().map(|item| FileColumn::new(item, outfile.charset)).collect();
        let text = |given: &Option<firn_mysql_parser::ast::Bytes>, usual: &[u8]| {
            given.as_deref().unwrap_or(usual).to_vec()
        };
        let field = text(fields_terminated, b"\t");
        let line = text(&outfile.format.lines_terminated, b"\n");
        let line = if line.is_empty() { field.clone() } else { line };
        let enclosed = enclosed.as_deref().and_then(<[u8]>::first).copied();
        let usual: &[u8] = if backslash { b"\\" } else { b"" };
        let escape = text(escaped, usual).first().copied();
        let optionally = outfile.format.optionally_enclosed && !field.is_empty();
        let separator = enclosed.or(field.first().copied());
        let blobs = items
            .iter()
            .any(|item| item.node.ty.kind.is_text() || item.node.ty.kind == TypeKind::Json);
        let letters = enclosed.is_none()
            && holds(ESCAPED_LETTERS, separator)
            && (columns.iter().any(|column| column.is_text) || holds(OF_NUMBERS, separator));
        let ambiguous = letters
            || ((optionally || enclosed.is_none())
                && columns.iter().any(|column| !column.is_text)
                && holds(OF_NUMBERS, field.first().copied()));
        Self {
            columns,
            start: text(&outfile.format.lines_starting, b""),
            fixed: field.is_empty() && enclosed.is_none() && !blobs,
            numbers: holds(OF_NUMBERS, separator),
            field,
            line,
            enclosed,
            optionally,
            escape,
            ambiguous,
        }
    }

    /// Whether values may be taken for separators: warning 1475.
    pub(crate) fn is_ambiguous(&self) -> bool {
        self.ambiguous
    }

    /// Appends a row.
    ///
    /// # Errors
    /// Those of texts of values.
    pub(crate) fn put<'v>(
        &self,
        row: impl Iterator<Item = (&'v Node, &'v Value)>,
        out: &mut Vec<u8>,
    ) -> Result<(), SqlError> {
        out.extend_from_slice(&self.start);
        for (at, (column, (node, value))) in self.columns.iter().zip(row).enumerate() {
            if at > 0 {
                out.extend_from_slice(&self.field);
            }
            let text = match value {
                Value::Null => None,
                value => column.writer.text(node, value)?,
            };
            self.value(column, text, out);
        }
        out.extend_from_slice(&self.line);
        Ok(())
    }

    fn value(&self, column: &FileColumn, text: Option<Vec<u8>>, out: &mut Vec<u8>) {
        let mut began = out.len();
        match text {
            None if self.fixed => {}
            None => match self.escape {
                Some(escape) => out.extend_from_slice(&[escape, b'N']),
                None => out.extend_from_slice(b"NULL"),
            },
            Some(text) => {
                let text = match column.wide {
                    Some(to) => {
                        let mut wide = Vec::with_capacity(text.len() * to.max_bytes());
                        match convert(&text, Charset::latin1(), to, &mut wide) {
                            Ok(_) => wide,
                            Err(_) => text,
                        }
                    }
                    None => text,
                };
                let enclosed = self.enclosed.filter(|_| column.is_text || !self.optionally);
                out.extend(enclosed);
                let text = if self.fixed { &text[..text.len().min(column.length)] } else { &text };
                // What is escaped makes a value longer than its length.
                began += if column.is_text || self.numbers {
                    self.escaped(text, column.charset, enclosed.is_some(), out)
                } else {
                    out.extend_from_slice(text);
                    0
                };
                out.extend(enclosed);
            }
        }
        if self.fixed {
            out.resize(began + column.length.max(out.len() - began), b' ');
        }
    }

    /// Text with an escape character before what would mean something else. Characters of
    /// several bytes are never such. Gives how many it wrote.
    fn escaped(&self, text: &[u8], charset: &Charset, enclosed: bool, out: &mut Vec<u8>) -> usize {
        let Some(escape) = self.escape else {
            out.extend_from_slice(text);
            return 0;
        };
        let mut count = 0;
        let field = self.field.first().copied();
        let separator = self.enclosed.or(field);
        let mut at = 0;
        while let Some(byte) = text.get(at).copied() {
            let length = character(charset, &text[at..]);
            if length > 1 {
                out.extend_from_slice(&text[at..at + length]);
                at += length;
                continue;
            }
            at += 1;
            let own = if enclosed { self.enclosed } else { field };
            let special = byte == 0
                || byte == escape
                || [own, self.line.first().copied()].contains(&Some(byte));
            // What only separates is never doubled.
            let kept = !enclosed && self.ambiguous && field == Some(byte);
            if special && !kept {
                let doubled = separator == Some(byte) && ESCAPED_LETTERS.contains(&byte);
                out.push(if doubled { byte } else { escape });
                out.push(if byte == 0 { b'0' } else { byte });
                count += 1;
            } else {
                out.push(byte);
            }
        }
        count
    }
}

/// Bytes of the first character.
fn character(charset: &Charset, text: &[u8]) -> usize {
    if charset.max_bytes() == 1 || (charset.min_bytes() == 1 && text[0].is_ascii()) {
        return 1;
    }
    let length = charset.char_offset(&text[..text.len().min(charset.max_bytes())], 1);
    length.unwrap_or(1).clamp(1, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use firn_mysql_protocol::ColumnFlags;
    use firn_mysql_semantics::{Derivation, SqlType};

    fn items(types: &[SqlType]) -> Vec<Item> {
        let item = |ty: &SqlType| Item {
            node: Node::value(Value::Null, *ty),
            name: "x".into(),
            column: None,
            members: None,
            flags: ColumnFlags::EMPTY,
            zerofill: None,
            aliased: false,
        };
        types.iter().map(item).collect()
    }

    fn line(format: FileFormat, text: &str, number: i64) -> (String, bool) {
        let text_type = SqlType::varchar(20, CollationId::UTF8MB4_BIN, Derivation::Implicit);
        let items = items(&[text_type, SqlType::bigint(20)]);
        let outfile = Outfile { name: String::new(), charset: None, format };
        let writer = FileWriter::new(&items, &outfile, true);
        let values = [Value::bytes(text.as_bytes()), Value::Int(number)];
        let mut out = Vec::new();
        writer.put(items.iter().map(|item| &item.node).zip(&values), &mut out).unwrap();
        (String::from_utf8(out).unwrap(), writer.is_ambiguous())
    }

    fn bytes(text: &str) -> Option<firn_mysql_parser::ast::Bytes> {
        Some(text.as_bytes().into())
    }

    #[test]
    fn what_separates_is_escaped() {
        let (usual, ambiguous) = line(FileFormat::default(), "a\tb\n\\\"\0é", -1);
        assert_eq!((&*usual, ambiguous), ("a\\\tb\\\n\\\\\"\\0é\t-1\n", false));
    }

    #[test]
    fn texts_are_enclosed() {
        let format = FileFormat {
            fields_terminated: bytes(","),
            enclosed: bytes("\""),
            optionally_enclosed: true,
            ..FileFormat::default()
        };
        assert_eq!(line(format.clone(), "a\"b,", 5).0, "\"a\\\"b,\",5\n");
        let all = FileFormat { optionally_enclosed: false, ..format };
        assert_eq!(line(all, "x", 5).0, "\"x\",\"5\"\n");
    }

    #[test]
    fn separators_that_values_may_have_are_told() {
        let digits = FileFormat { fields_terminated: bytes("1"), ..FileFormat::default() };
        assert_eq!(line(digits, "a1", 21), ("a1121\n".to_owned(), true));
        let letters = FileFormat { fields_terminated: bytes("n"), ..FileFormat::default() };
        assert!(line(letters, "x", 1).1);
    }
}
