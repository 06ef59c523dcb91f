//! Amounts for people: bytes and picoseconds.

use super::{Function, arg};
use crate::expr::{Call, Cx, Result, Site};
use crate::types::SqlType;
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "format_bytes",
        (1, 1),
        amount_type,
        |c, x| amount(c, x, &BYTES, 4),
        "A number of bytes with a fitting unit",
    )
    .nullable(),
    Function::new(
        "format_pico_time",
        (1, 1),
        amount_type,
        |c, x| amount(c, x, &TIMES, 3),
        "A number of picoseconds with a fitting unit",
    )
    .nullable(),
];

const KIB: f64 = 1024.0;
/// Units and how many of the smallest each is, largest first.
static BYTES: [(&str, f64); 7] = [
    ("EiB", KIB * KIB * KIB * KIB * KIB * KIB),
    ("PiB", KIB * KIB * KIB * KIB * KIB),
    ("TiB", KIB * KIB * KIB * KIB),
    ("GiB", KIB * KIB * KIB),
    ("MiB", KIB * KIB),
    ("KiB", KIB),
    ("bytes", 1.0),
];
static TIMES: [(&str, f64); 8] = [
    ("d", 8.64e16),
    ("h", 3.6e15),
    ("min", 6e13),
    ("s", 1e12),
    ("ms", 1e9),
    ("us", 1e6),
    ("ns", 1e3),
    ("ps", 1.0),
];

fn amount_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let mut ty = site.system_text(11);
    ty.derivation = crate::types::Derivation::Coercible;
    Ok(ty)
}

fn amount(call: &Call<'_>, cx: &mut Cx<'_>, units: &[(&str, f64)], width: usize) -> Result<Value> {
    let value = arg!(call.double(0, cx));
    let fitting = units.iter().find(|(_, size)| value.abs() >= *size).or(units.last());
    let Some((unit, size)) = fitting else { return Ok(Value::Null) };
    let scaled = value / size;
    let text = if *size == 1.0 {
        format!("{:>width$} {unit}", scaled.trunc() as i64)
    } else if scaled.abs() >= 100_000.0 {
        let text = format!("{scaled:.2e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        format!("{digits}e+{exponent:0>2} {unit}")
    } else {
        format!("{scaled:.2} {unit}")
    };
    Ok(Value::from(text.into_bytes()))
}
