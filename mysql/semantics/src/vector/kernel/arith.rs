//! Arithmetic and bits over integers and doubles.

use arrow_buffer::{BooleanBuffer, NullBuffer};

use super::numbers::{
    Ints, Side, double_array, doubles, either_null, signed_array, unsigned_array, zip,
};
use super::{ByRows, Lane, Outcome, Run, Vector};
use crate::expr::{ArithOp, BitOp};
use crate::value::Value;

/// What one of the fast loops gave: `None` where a value may be out of range.
type Fast<T> = Option<Vec<T>>;

fn fast_signed(op: ArithOp, a: &Side<i64>, b: &Side<i64>, rows: usize) -> Fast<i64> {
    match (op, b) {
        (ArithOp::Add, Side::One(one)) => return plus(a, *one, rows),
        (ArithOp::Subtract, Side::One(one)) if *one != i64::MIN => return plus(a, -*one, rows),
        _ => {}
    }
    // The sign bit gathers what went over.
    let mut over = 0;
    let out = match op {
        ArithOp::Add => zip(a, b, rows, |a, b| {
            let sum = a.wrapping_add(b);
            over |= (a ^ sum) & (b ^ sum);
            sum
        }),
        ArithOp::Subtract => zip(a, b, rows, |a, b| {
            let difference = a.wrapping_sub(b);
            over |= (a ^ b) & (a ^ difference);
            difference
        }),
        ArithOp::Multiply => zip(a, b, rows, |a, b| {
            let (product, too_large) = a.overflowing_mul(b);
            over |= -i64::from(too_large);
            product
        }),
        _ => return None,
    };
    (over >= 0).then_some(out)
}

/// A constant takes only numbers of its own sign over.
fn plus(a: &Side<i64>, one: i64, rows: usize) -> Fast<i64> {
    if one >= 0 {
        plus_with(a, one, rows, |a, sum| !a & sum)
    } else {
        plus_with(a, one, rows, |a, sum| a & !sum)
    }
}

/// `went` has the sign bit where the sum went over.
#[inline]
fn plus_with(a: &Side<i64>, one: i64, rows: usize, went: impl Fn(i64, i64) -> i64) -> Fast<i64> {
    let mut over = 0;
    let out = zip(a, &Side::One(one), rows, |a, one| {
        let sum = a.wrapping_add(one);
        over |= went(a, sum);
        sum
    });
    (over >= 0).then_some(out)
}

fn fast_unsigned(op: ArithOp, a: &Side<u64>, b: &Side<u64>, rows: usize) -> Fast<u64> {
    let mut over = false;
    let out = match op {
        ArithOp::Add => zip(a, b, rows, |a, b| {
            let sum = a.wrapping_add(b);
            over |= sum < a;
            sum
        }),
        ArithOp::Subtract => zip(a, b, rows, |a, b| {
            over |= a < b;
            a.wrapping_sub(b)
        }),
        ArithOp::Multiply => zip(a, b, rows, |a, b| {
            let (product, too_large) = a.overflowing_mul(b);
            over |= too_large;
            product
        }),
        _ => return None,
    };
    (!over).then_some(out)
}

/// Signed numbers as unsigned ones, if none is negative.
#[allow(clippy::cast_sign_loss, reason = "none is negative")]
fn as_unsigned(values: Vec<i64>) -> Option<Vec<u64>> {
    let all = values.iter().fold(0, |all, value| all | value);
    (all >= 0).then(|| values.into_iter().map(|value| value as u64).collect())
}

pub(super) fn int(
    op: ArithOp,
    unsigned: bool,
    left: &Vector,
    right: &Vector,
    run: &mut Run<'_>,
    selection: Option<&BooleanBuffer>,
) -> Outcome<Vector> {
    if left.is_null() || right.is_null() {
        return Ok(Vector::One(Value::Null));
    }
    let (a, b) = (Ints::of(left)?, Ints::of(right)?);
    let nulls = either_null(left, right);
    let rows = run.rows;
    match (&a, &b) {
        (Ints::Signed(a), Ints::Signed(b)) => {
            let out = fast_signed(op, a, b, rows);
            match (out, unsigned) {
                (Some(out), false) => return Ok(signed_array(out, nulls)),
                (Some(out), true) => {
                    if let Some(out) = as_unsigned(out) {
                        return Ok(unsigned_array(out, nulls));
                    }
                }
                (None, _) => {}
            }
        }
        (Ints::Unsigned(a), Ints::Unsigned(b)) if unsigned => {
            if let Some(out) = fast_unsigned(op, a, b, rows) {
                return Ok(unsigned_array(out, nulls));
            }
        }
        (Ints::Unsigned(a), Ints::Signed(Side::One(b))) if unsigned => {
            if let Ok(b) = u64::try_from(*b)
                && let Some(out) = fast_unsigned(op, a, &Side::One(b), rows)
            {
                return Ok(unsigned_array(out, nulls));
            }
        }
        _ => {}
    }
    int_exactly(op, unsigned, &a, &b, nulls, run, selection)
}

/// In 128 bits, one by one; for all operators.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range was looked at"
)]
fn int_exactly(
    op: ArithOp,
    unsigned: bool,
    a: &Ints,
    b: &Ints,
    nulls: Option<NullBuffer>,
    run: &mut Run<'_>,
    selection: Option<&BooleanBuffer>,
) -> Outcome<Vector> {
    let mut out: Vec<i64> = Vec::with_capacity(run.rows);
    let mut zeros = Zeros::default();
    for at in 0..run.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(at)) {
            out.push(0);
            continue;
        }
        let (x, y) = (a.get(at), b.get(at));
        let value = match op {
            ArithOp::Add => x.checked_add(y),
            ArithOp::Subtract => x.checked_sub(y),
            ArithOp::Multiply => x.checked_mul(y),
            _ if y == 0 => {
                zeros.push(at, selection);
                Some(0)
            }
            ArithOp::Divide | ArithOp::IntDivide => x.checked_div(y),
            ArithOp::Modulo => x.checked_rem(y),
        };
        let value = value.ok_or(ByRows)?;
        let in_range =
            if unsigned { u64::try_from(value).is_ok() } else { i64::try_from(value).is_ok() };
        let selected = selection.is_none_or(|selection| selection.value(at));
        if !in_range && selected {
            return Err(ByRows);
        }
        out.push(value as i64);
    }
    let nulls = zeros.settle(nulls, run);
    Ok(if unsigned {
        unsigned_array(out.into_iter().map(|value| value as u64).collect(), nulls)
    } else {
        signed_array(out, nulls)
    })
}

/// The rows that were divided by zero.
#[derive(Default)]
pub(super) struct Zeros {
    at: Vec<usize>,
    counted: u64,
}

impl Zeros {
    pub(super) fn push(&mut self, at: usize, selection: Option<&BooleanBuffer>) {
        self.at.push(at);
        self.counted += u64::from(selection.is_none_or(|selection| selection.value(at)));
    }

    /// NULL there too; counted where they were asked for.
    pub(super) fn settle(self, nulls: Option<NullBuffer>, run: &mut Run<'_>) -> Option<NullBuffer> {
        if self.at.is_empty() {
            return nulls;
        }
        run.zero_divisions += self.counted;
        let mut valid: Vec<bool> = match nulls {
            Some(nulls) => nulls.iter().collect(),
            None => vec![true; run.rows],
        };
        for at in self.at {
            if let Some(slot) = valid.get_mut(at) {
                *slot = false;
            }
        }
        Some(NullBuffer::from(valid))
    }
}

pub(super) fn double(
    op: ArithOp,
    left: &Vector,
    right: &Vector,
    run: &mut Run<'_>,
    selection: Option<&BooleanBuffer>,
) -> Outcome<Vector> {
    if left.is_null() || right.is_null() {
        return Ok(Vector::One(Value::Null));
    }
    let (a, b) = (doubles(left)?, doubles(right)?);
    let nulls = either_null(left, right);
    let rows = run.rows;
    let mut finite = true;
    let mut keep = |value: f64| {
        finite &= value.is_finite();
        value
    };
    let (out, nulls) = match op {
        ArithOp::Add => (zip(&a, &b, rows, |a, b| keep(a + b)), nulls),
        ArithOp::Subtract => (zip(&a, &b, rows, |a, b| keep(a - b)), nulls),
        ArithOp::Multiply => (zip(&a, &b, rows, |a, b| keep(a * b)), nulls),
        _ => {
            let (mut zeros, mut at) = (Zeros::default(), 0);
            let out = zip(&a, &b, rows, |a, b| {
                let null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(at));
                if b == 0.0 && !null {
                    zeros.push(at, selection);
                }
                at += 1;
                keep(match op {
                    _ if b == 0.0 => 0.0,
                    ArithOp::Divide => a / b,
                    ArithOp::IntDivide => (a / b).trunc(),
                    _ => a % b,
                })
            });
            let nulls = zeros.settle(nulls, run);
            (out, nulls)
        }
    };
    let matters = |at: usize| {
        nulls.as_ref().is_none_or(|nulls| nulls.is_valid(at))
            && selection.is_none_or(|selection| selection.value(at))
    };
    if !finite && out.iter().enumerate().any(|(at, value)| !value.is_finite() && matters(at)) {
        return Err(ByRows);
    }
    Ok(double_array(out, nulls))
}

pub(super) fn negate(lane: Lane, vector: &Vector) -> Outcome<Vector> {
    let Vector::Many(array) = vector else {
        return if vector.is_null() { Ok(Vector::One(Value::Null)) } else { Err(ByRows) };
    };
    let nulls = array.nulls().cloned();
    match lane {
        Lane::Double => match doubles(vector)? {
            Side::Many(values) => {
                Ok(double_array(values.iter().map(|value| -value).collect(), nulls))
            }
            Side::One(_) => Err(ByRows),
        },
        Lane::Int => {
            let values = Ints::of(vector)?;
            let mut out = Vec::with_capacity(array.len());
            for at in 0..array.len() {
                out.push(match i64::try_from(-values.get(at)) {
                    Ok(value) => value,
                    Err(_) if array.is_null(at) => 0,
                    Err(_) => return Err(ByRows),
                });
            }
            Ok(signed_array(out, nulls))
        }
        _ => super::decimal::negate(vector),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "64 bits are meant")]
pub(super) fn bits(op: BitOp, left: &Vector, right: &Vector) -> Outcome<Vector> {
    if left.is_null() || right.is_null() {
        return Ok(Vector::One(Value::Null));
    }
    let (a, b) = (bits_of(left)?, bits_of(right)?);
    let nulls = either_null(left, right);
    // One side has the rows.
    let rows = 0;
    let shifted = |by: u64, shift: &dyn Fn(u32) -> Option<u64>| {
        u32::try_from(by).ok().and_then(shift).unwrap_or(0)
    };
    let out = match op {
        BitOp::And => zip(&a, &b, rows, |a, b| a & b),
        BitOp::Or => zip(&a, &b, rows, |a, b| a | b),
        BitOp::Xor => zip(&a, &b, rows, |a, b| a ^ b),
        BitOp::ShiftLeft => zip(&a, &b, rows, |a, b| shifted(b, &|by| a.checked_shl(by))),
        BitOp::ShiftRight => zip(&a, &b, rows, |a, b| shifted(b, &|by| a.checked_shr(by))),
    };
    Ok(unsigned_array(out, nulls))
}

#[allow(clippy::cast_sign_loss, reason = "64 bits are meant")]
fn bits_of(vector: &Vector) -> Outcome<Side<u64>> {
    Ok(match Ints::of(vector)? {
        Ints::Unsigned(side) => side,
        Ints::Signed(Side::One(value)) => Side::One(value as u64),
        Ints::Signed(Side::Many(values)) => {
            let values: Vec<u64> = values.iter().map(|value| *value as u64).collect();
            Side::Many(values.into())
        }
    })
}

pub(super) fn bit_not(vector: &Vector) -> Outcome<Vector> {
    if vector.is_null() {
        return Ok(Vector::One(Value::Null));
    }
    match bits_of(vector)? {
        Side::Many(values) => {
            let out = values.iter().map(|value| !value).collect();
            Ok(unsigned_array(out, vector.nulls().cloned()))
        }
        Side::One(_) => Err(ByRows),
    }
}
