//! One column within a key.

use std::borrow::Cow;

use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::collation::{Collation, PadAttribute};
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::{SqlType, TypeKind, Value};

use super::escape;
use crate::Cell;
use crate::scalar::Scalar;

/// In front of a part that may be NULL.
pub(super) const NULL: u8 = 0;
pub(super) const NOT_NULL: u8 = 1;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Its place in `TableDescriptor::columns`.
    pub(super) column: usize,
    form: Form,
    /// XORed to all of its bytes: 0, or 0xff if it is descending.
    pub(super) flip: u8,
    /// Whether [`NULL`] or [`NOT_NULL`] stands in front.
    pub(super) marked: bool,
    /// Only so much of it counts.
    prefix: Option<Prefix>,
}

#[derive(Debug, Clone, Copy)]
struct Prefix {
    /// Characters; bytes without a set.
    len: usize,
    charset: Option<&'static Charset>,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Fixed(Scalar),
    /// Escaped, as it is.
    Raw,
    /// Its sort key, escaped.
    Collated(&'static Collation),
    /// DECIMAL of more than 38 digits: its key form, escaped.
    LongDecimal {
        scale: u8,
    },
}

/// Why a type cannot be in a key.
pub(super) struct Unsupported;

impl Part {
    pub(super) fn new(
        column: usize,
        ty: &SqlType,
        prefix: Option<u32>,
        descending: bool,
        marked: bool,
    ) -> Result<Self, Unsupported> {
        let form = match ty.kind {
            TypeKind::Null | TypeKind::Json | TypeKind::Geometry => return Err(Unsupported),
            TypeKind::Decimal => {
                Scalar::of(ty).map_or(Form::LongDecimal { scale: ty.decimals }, Form::Fixed)
            }
            _ => match Scalar::of(ty) {
                Some(scalar) => Form::Fixed(scalar),
                None => {
                    let collation = Collation::by_id(ty.collation.0).ok_or(Unsupported)?;
                    collation.supported().map_err(|_| Unsupported)?;
                    if is_raw(collation) { Form::Raw } else { Form::Collated(collation) }
                }
            },
        };
        let prefix = match (form, prefix) {
            (Form::Raw | Form::Collated(_), Some(len)) => {
                let charset = Collation::by_id(ty.collation.0).map(Collation::charset);
                let charset = charset.filter(|charset| !charset.is_binary());
                Some(Prefix { len: len as usize, charset })
            }
            _ => None,
        };
        if prefix.and_then(|prefix| prefix.charset).is_some_and(|set| !set.is_supported()) {
            return Err(Unsupported);
        }
        let flip = if descending { 0xff } else { 0 };
        Ok(Self { column, form, flip, marked, prefix })
    }

    /// Whether the column's value can be had from the key again. Not that of
    /// floating point numbers, since zero has two forms and one key.
    pub(super) fn is_reversible(&self) -> bool {
        match self.form {
            Form::Fixed(scalar) => !matches!(scalar, Scalar::Float | Scalar::Double),
            Form::Raw => self.prefix.is_none(),
            Form::LongDecimal { .. } => true,
            Form::Collated(_) => false,
        }
    }

    /// Whether only a prefix of the column counts.
    pub(super) fn is_prefix(&self) -> bool {
        self.prefix.is_some()
    }

    /// Whether values in order have prefixes in order. Where a collation looks at
    /// accents only after all letters, they have not.
    pub(super) fn prefix_keeps_order(&self) -> bool {
        match self.form {
            Form::Collated(collation) => !collation.name().contains("_as_"),
            _ => true,
        }
    }

    /// Appends a value; `None` if the column does not hold it.
    #[inline]
    pub(super) fn push(&self, value: &Value, out: &mut Vec<u8>) -> Option<()> {
        let start = out.len();
        if value.is_null() {
            if !self.marked {
                return None;
            }
            out.push(NULL ^ self.flip);
            return Some(());
        }
        if self.marked {
            out.push(NOT_NULL);
        }
        match (self.form, value) {
            (Form::Fixed(Scalar::Double), Value::Double(number)) if *number == 0.0 => {
                Scalar::Double.push(&Value::Double(0.0), out)?;
            }
            (Form::Fixed(Scalar::Float), Value::Float(number)) if *number == 0.0 => {
                Scalar::Float.push(&Value::Float(0.0), out)?;
            }
            (Form::Fixed(scalar), _) => scalar.push(value, out)?,
            (_, _) => {
                let start = out.len();
                self.push_bytes(value, out)?;
                escape::close(out, start);
            }
        }
        if self.flip != 0 {
            out.iter_mut().skip(start).for_each(|byte| *byte ^= 0xff);
        }
        Some(())
    }

    /// Appends what is then escaped.
    fn push_bytes(&self, value: &Value, out: &mut Vec<u8>) -> Option<()> {
        match (self.form, value) {
            (Form::Raw, Value::Bytes(text)) => out.extend_from_slice(self.cut(text)),
            (Form::Collated(collation), Value::Bytes(text)) => {
                collation.sort_key(self.cut(text), out).ok()?;
            }
            (Form::LongDecimal { .. }, Value::Decimal(decimal)) => decimal.write_key(out),
            _ => return None,
        }
        Some(())
    }

    /// The prefix that counts.
    #[inline]
    pub(super) fn cut<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        match self.prefix {
            // No character is shorter than a byte.
            Some(prefix) if text.len() > prefix.len => {
                let len = match prefix.charset {
                    // The set is supported: `new` has seen to that.
                    Some(charset) => charset.char_offset(text, prefix.len).unwrap_or(text.len()),
                    None => prefix.len,
                };
                text.get(..len).unwrap_or(text)
            }
            _ => text,
        }
    }

    /// Appends what keys of texts that are LIKE `beginning` followed by anything
    /// begin with; the mark is not part of it. `None` if there is no such thing.
    pub(super) fn push_beginning(&self, beginning: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let start = out.len();
        let text = self.cut(beginning);
        match self.form {
            Form::Raw => out.extend_from_slice(text),
            Form::Collated(collation) => {
                collation.sort_key(text, out).ok()?;
                match collation.pad_attribute() {
                    // What follows the text's last blanks is not known.
                    PadAttribute::PadSpace => {
                        let mut blanks = Vec::new();
                        collation.sort_key(b"", &mut blanks).ok()?;
                        let len = (out.len() - start).checked_sub(blanks.len())?;
                        out.truncate(start + len);
                    }
                    // Letters alone: accents and case come behind all letters.
                    PadAttribute::NoPad => {
                        let weights = out.get(start..)?.chunks(2);
                        let letters = weights.take_while(|weight| *weight != [0, 0]).count() * 2;
                        let end = out.len().min(start + letters);
                        out.truncate(end);
                    }
                }
            }
            _ => return None,
        }
        escape::escape(out, start);
        if self.flip != 0 {
            out.iter_mut().skip(start).for_each(|byte| *byte ^= 0xff);
        }
        Some(())
    }

    /// Bytes that the part takes at the front of `key`; `None` if it is none.
    #[inline]
    pub(super) fn len(&self, key: &[u8]) -> Option<usize> {
        let mut mark = 0;
        if self.marked {
            match *key.first()? ^ self.flip {
                NULL => return Some(1),
                NOT_NULL => mark = 1,
                _ => return None,
            }
        }
        let rest = key.get(mark..)?;
        match self.form {
            Form::Fixed(scalar) => (scalar.width() <= rest.len()).then(|| mark + scalar.width()),
            _ => Some(mark + escape::len(rest, self.flip)?),
        }
    }

    /// The value that all of `bytes` stands for; `None` if it stands for none, or
    /// the part is not reversible.
    pub(super) fn read<'a>(&self, bytes: &'a [u8]) -> Option<Cell<'a>> {
        let mut rest = bytes;
        if self.marked {
            let (mark, behind) = bytes.split_first()?;
            match *mark ^ self.flip {
                NULL => return behind.is_empty().then_some(Cell::Null),
                NOT_NULL => rest = behind,
                _ => return None,
            }
        }
        match self.form {
            Form::Fixed(Scalar::Float | Scalar::Double) | Form::Collated(_) => None,
            Form::Fixed(scalar) if self.flip == 0 => scalar.read(rest),
            Form::Fixed(scalar) => {
                let mut turned = [0; 16];
                let turned = turned.get_mut(..rest.len())?;
                turned.iter_mut().zip(rest).for_each(|(to, from)| *to = from ^ 0xff);
                scalar.read(turned)
            }
            Form::Raw if self.prefix.is_some() => None,
            Form::Raw => escape::unescape(rest, self.flip).map(Cell::Bytes),
            Form::LongDecimal { scale } => {
                let key: Cow<'_, [u8]> = escape::unescape(rest, self.flip)?;
                let (number, len) = Decimal::read_key(&key).ok()?;
                let fitted = number.fit(firn_mysql_semantics::decimal::MAX_PRECISION, scale).0;
                (len == key.len() && fitted == number).then_some(Cell::Decimal(fitted))
            }
        }
    }

    /// Whether both write the same bytes for the same values.
    pub(super) fn same_form(&self, other: &Self) -> bool {
        match (self.form, other.form) {
            (Form::Fixed(a), Form::Fixed(b)) => a == b,
            (Form::Raw, Form::Raw) => true,
            (Form::Collated(a), Form::Collated(b)) => a == b,
            // Keys do not depend on the scale.
            (Form::LongDecimal { .. }, Form::LongDecimal { .. }) => true,
            _ => false,
        }
    }
}

/// Whether sort keys are the texts themselves: of `binary` and `utf8mb4_0900_bin`.
pub(super) fn is_raw(collation: &Collation) -> bool {
    collation.is_binary_order() && collation.pad_attribute() == PadAttribute::NoPad
}
