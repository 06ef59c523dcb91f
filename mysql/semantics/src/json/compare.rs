//! The order of JSON values, and keys and hashes that follow it.

use std::cmp::Ordering;
use std::hash::{Hash as _, Hasher};

use super::error::JsonError;
use super::number::{compare_numbers, signed_digits};
use super::scalar::field_type;
use super::view::{JsonRef, Kind};

/// The class of a value: values of different classes compare by it alone. The order is
/// MySQL's precedence of JSON types.
fn class(kind: &Kind<'_>) -> u8 {
    match kind {
        Kind::Null => 1,
        Kind::Int(_) | Kind::UInt(_) | Kind::Double(_) | Kind::Decimal(_) => 2,
        Kind::String(_) => 3,
        Kind::Object(_) => 4,
        Kind::Array(_) => 5,
        Kind::Bool(_) => 6,
        Kind::Date(_) => 7,
        Kind::Time(_) => 8,
        Kind::DateTime(_) | Kind::Timestamp(_) => 9,
        Kind::Opaque { field_type, .. } => match opaque_name(*field_type) {
            "BLOB" => 12,
            "BIT" => 11,
            _ => 10,
        },
    }
}

/// What JSON_TYPE says of an opaque value.
pub(super) fn opaque_name(field_type: u8) -> &'static str {
    match field_type {
        field_type::VARCHAR
        | field_type::TINY_BLOB
        | field_type::MEDIUM_BLOB
        | field_type::LONG_BLOB
        | field_type::BLOB
        | field_type::VAR_STRING
        | field_type::STRING => "BLOB",
        field_type::BIT => "BIT",
        field_type::GEOMETRY => "GEOMETRY",
        _ => "OPAQUE",
    }
}

impl<'a> JsonRef<'a> {
    /// MySQL's order of JSON values.
    ///
    /// # Errors
    /// If the bytes are corrupt.
    pub fn compare(&self, other: &JsonRef<'_>) -> Result<Ordering, JsonError> {
        let (a, b) = (self.kind()?, other.kind()?);
        let classes = class(&a).cmp(&class(&b));
        if classes != Ordering::Equal {
            return Ok(classes);
        }
        Ok(match (a, b) {
            (Kind::Bool(a), Kind::Bool(b)) => a.cmp(&b),
            (Kind::String(a), Kind::String(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Kind::Date(a), Kind::Date(b)) | (Kind::Time(a), Kind::Time(b)) => a.cmp(&b),
            (Kind::DateTime(a) | Kind::Timestamp(a), Kind::DateTime(b) | Kind::Timestamp(b)) => {
                a.cmp(&b)
            }
            (
                Kind::Opaque { field_type: s, bytes: a },
                Kind::Opaque { field_type: t, bytes: b },
            ) => {
                if class(&self.kind()?) == 10 {
                    s.cmp(&t).then(a.cmp(b))
                } else {
                    a.cmp(b)
                }
            }
            (Kind::Array(a), Kind::Array(b)) => {
                for (a, b) in a.iter().zip(b.iter()) {
                    let order = a?.compare(&b?)?;
                    if order != Ordering::Equal {
                        return Ok(order);
                    }
                }
                a.len().cmp(&b.len())
            }
            (Kind::Object(a), Kind::Object(b)) => {
                if a.len() != b.len() {
                    return Ok(a.len().cmp(&b.len()));
                }
                for (a, b) in a.iter().zip(b.iter()) {
                    let ((name_a, a), (name_b, b)) = (a?, b?);
                    // By bytes alone, although members stand by length first.
                    let names = name_a.as_bytes().cmp(name_b.as_bytes());
                    if names != Ordering::Equal {
                        return Ok(names);
                    }
                    let order = a.compare(&b)?;
                    if order != Ordering::Equal {
                        return Ok(order);
                    }
                }
                Ordering::Equal
            }
            (a, b) => compare_numbers(&a, &b).unwrap_or(Ordering::Equal),
        })
    }

    /// Appends a key: keys order as bytes like the values by [`JsonRef::compare`], and
    /// none is the beginning of another.
    ///
    /// # Errors
    /// If the bytes are corrupt.
    pub fn sort_key(&self, key: &mut Vec<u8>) -> Result<(), JsonError> {
        let kind = self.kind()?;
        key.push(class(&kind));
        match kind {
            Kind::Null => {}
            Kind::Bool(value) => key.push(value.into()),
            Kind::String(text) => put_bytes(text.as_bytes(), key),
            Kind::Date(time) | Kind::Time(time) | Kind::DateTime(time) | Kind::Timestamp(time) => {
                key.extend_from_slice(&(time.0 as u64 ^ 1 << 63).to_be_bytes());
            }
            Kind::Opaque { field_type, bytes } => {
                if class(&kind) == 10 {
                    key.push(field_type);
                }
                put_bytes(bytes, key);
            }
            Kind::Array(array) => {
                for value in array.iter() {
                    value?.sort_key(key)?;
                }
                key.push(0);
            }
            Kind::Object(object) => {
                key.extend_from_slice(&(object.len() as u32).to_be_bytes());
                for member in object.iter() {
                    let (name, value) = member?;
                    put_bytes(name.as_bytes(), key);
                    value.sort_key(key)?;
                }
            }
            Kind::Int(_) | Kind::UInt(_) | Kind::Double(_) | Kind::Decimal(_) => {
                let Some((sign, digits)) = signed_digits(&kind) else { return Ok(()) };
                let start = key.len();
                key.push((sign + 2) as u8);
                if sign != 0 {
                    // Points of doubles are within ±400.
                    key.extend_from_slice(&((digits.point + 0x4000) as u16).to_be_bytes());
                    key.extend(digits.digits.iter().map(|d| d + 1));
                    key.push(0);
                }
                if sign < 0 {
                    key[start + 1..].iter_mut().for_each(|byte| *byte = !*byte);
                }
            }
        }
        Ok(())
    }

    /// The key of an array or object among those of [`JsonRef::sort_key`] where only the
    /// number of its elements counts; nothing for other values.
    ///
    /// # Errors
    /// If the bytes are corrupt.
    pub fn count_key(&self) -> Result<Option<Vec<u8>>, JsonError> {
        let kind = self.kind()?;
        let count = match &kind {
            Kind::Array(array) => array.len(),
            Kind::Object(object) => object.len(),
            _ => return Ok(None),
        };
        let mut key = vec![class(&kind)];
        key.extend_from_slice(&(count as u64).to_be_bytes());
        Ok(Some(key))
    }

    /// Feeds a hasher; values that compare equal feed the same.
    ///
    /// # Errors
    /// If the bytes are corrupt.
    pub fn hash(&self, hasher: &mut impl Hasher) -> Result<(), JsonError> {
        let mut key = Vec::new();
        self.sort_key(&mut key)?;
        key.hash(hasher);
        Ok(())
    }
}

/// Bytes and an end that is below any continuation.
fn put_bytes(bytes: &[u8], key: &mut Vec<u8>) {
    for &byte in bytes {
        key.push(byte);
        if byte == 0 {
            key.push(0xff);
        }
    }
    key.extend_from_slice(&[0, 0]);
}
