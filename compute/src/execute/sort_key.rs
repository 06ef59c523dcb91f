//! Values as bytes whose order is that of the values: for ORDER BY, DISTINCT,
//! GROUP BY, MIN and MAX. They never leave the process.

use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::json::JsonRef;
use firn_mysql_semantics::{SqlType, TypeKind, Value};
use firn_table::Cell;

/// Appends the key of one value; keys of several values one behind the other are in
/// the order of the first, then the second, and so on. NULL comes first.
pub(crate) fn push(value: &Value, ty: &SqlType, descending: bool, out: &mut Vec<u8>) {
    let start = out.len();
    match value {
        Value::Null => out.push(0),
        Value::Int(number) => integer(i128::from(*number), out),
        Value::UInt(number) => integer(i128::from(*number), out),
        Value::Float(number) => float(f64::from(*number), out),
        Value::Double(number) => float(*number, out),
        Value::Decimal(number) => {
            out.push(1);
            let mut key = Vec::with_capacity(24);
            number.write_key(&mut key);
            escaped(&key, out);
        }
        Value::Date(date) => integer(i128::from(date.packed()), out),
        Value::Time(time) => integer(i128::from(time.micros()), out),
        Value::DateTime(at) => integer(i128::from(at.packed()), out),
        Value::Bytes(bytes) => {
            out.push(1);
            push_text(bytes, ty, true, out);
        }
    }
    if descending {
        out.iter_mut().skip(start).for_each(|byte| *byte ^= 0xff);
    }
}

/// As [`push`] of what lies in a row. If it is the `last` of a row's keys, it need not be
/// told from what follows.
pub(crate) fn push_cell(
    cell: Cell<'_>,
    ty: &SqlType,
    descending: bool,
    last: bool,
    out: &mut Vec<u8>,
) {
    match cell {
        Cell::Bytes(bytes) => {
            let start = out.len();
            out.push(1);
            // What is longer comes first then, which only a mark at its end can say.
            push_text(&bytes, ty, descending || !last, out);
            if descending {
                out.iter_mut().skip(start).for_each(|byte| *byte ^= 0xff);
            }
        }
        cell => push(&Value::from(cell), ty, descending, out),
    }
}

/// The same for ORDER BY, where a server puts arrays and objects in order by how many
/// elements they have.
pub(crate) fn push_order(value: &Value, ty: &SqlType, descending: bool, out: &mut Vec<u8>) {
    if ty.kind == TypeKind::Json
        && let Value::Bytes(bytes) = value
        && let Ok(Some(mut key)) = JsonRef::open(bytes).and_then(|value| value.count_key())
    {
        key.insert(0, 1);
        if descending {
            key.iter_mut().for_each(|byte| *byte ^= 0xff);
        }
        out.append(&mut key);
        return;
    }
    push(value, ty, descending, out);
}

/// The key of a string, with a mark at its end or without.
fn push_text(bytes: &[u8], ty: &SqlType, ends: bool, out: &mut Vec<u8>) {
    if ty.kind == TypeKind::Json {
        let start = out.len();
        let known = JsonRef::open(bytes).and_then(|value| value.sort_key(out));
        if known.is_ok() {
            return;
        }
        // What cannot be read is told apart by its bytes.
        out.truncate(start);
    }
    let collation = Collation::by_id(ty.collation.0);
    let collation = collation.filter(|_| ty.kind != TypeKind::Json && !ty.collation.is_binary());
    let start = out.len();
    if collation.is_none_or(|collation| collation.order_key(bytes, out).is_err()) {
        out.extend_from_slice(bytes);
    }
    if ends {
        end(start, out);
    }
}

/// Ends what stands from `start` on with a mark that no byte of it is below.
fn end(start: usize, out: &mut Vec<u8>) {
    if out[start..].contains(&0) {
        let plain = out.split_off(start);
        escaped(&plain, out);
    } else {
        out.extend_from_slice(&[0, 1]);
    }
}

fn integer(number: i128, out: &mut Vec<u8>) {
    out.push(1);
    #[allow(clippy::cast_sign_loss, reason = "the sign bit is turned over")]
    let bits = (number as u128) ^ (1 << 127);
    out.extend_from_slice(&bits.to_be_bytes());
}

fn float(number: f64, out: &mut Vec<u8>) {
    out.push(1);
    let bits = if number == 0.0 { 0 } else { number.to_bits() };
    let sign = bits >> 63 == 1;
    let ordered = if sign { !bits } else { bits | 1 << 63 };
    out.extend_from_slice(&ordered.to_be_bytes());
}

/// Ends with a mark that no byte of the text is below.
fn escaped(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() + 8);
    for part in bytes.split_inclusive(|byte| *byte == 0) {
        out.extend_from_slice(part);
        if part.ends_with(&[0]) {
            out.push(0xff);
        }
    }
    out.extend_from_slice(&[0, 1]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use firn_mysql_semantics::{CollationId, Derivation};

    fn key(value: &Value, ty: &SqlType, descending: bool) -> Vec<u8> {
        let mut out = Vec::new();
        push(value, ty, descending, &mut out);
        out
    }

    #[test]
    fn keys_are_in_the_order_of_values() {
        let int = SqlType::bigint(20);
        let values = [
            Value::Null,
            Value::Int(i64::MIN),
            Value::Int(-1),
            Value::Int(0),
            Value::Int(i64::MAX),
            Value::UInt(u64::MAX),
        ];
        for pair in values.windows(2) {
            assert!(key(&pair[0], &int, false) < key(&pair[1], &int, false), "{pair:?}");
            assert!(key(&pair[0], &int, true) > key(&pair[1], &int, true), "{pair:?}");
        }
        let double = SqlType::double();
        let values = [f64::MIN, -1.5, -0.0, 0.5, 1.0, f64::MAX].map(Value::Double);
        for pair in values.windows(2) {
            assert!(key(&pair[0], &double, false) < key(&pair[1], &double, false), "{pair:?}");
        }
        assert_eq!(
            key(&Value::Double(-0.0), &double, false),
            key(&Value::Double(0.0), &double, false)
        );
    }

    #[test]
    fn strings_are_in_the_order_of_their_collation() {
        let text = SqlType::varchar(9, CollationId::UTF8MB4_0900_AI_CI, Derivation::Implicit);
        let of = |text: &str| Value::bytes(text.as_bytes());
        assert_eq!(key(&of("Ä"), &text, false), key(&of("a"), &text, false));
        assert!(key(&of("a"), &text, false) < key(&of("ab"), &text, false));
        assert!(key(&of("a"), &text, true) > key(&of("ab"), &text, true));
        // A second key does not change the order of the first.
        let two =
            |a: &str, b: &str| [key(&of(a), &text, false), key(&of(b), &text, false)].concat();
        assert!(two("a", "z") < two("ab", "a"));
    }
}
