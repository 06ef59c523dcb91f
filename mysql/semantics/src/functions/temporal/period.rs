//! Periods: months as numbers, YYYYMM.

use super::super::{Function, arg};
use crate::error::SqlError;
use crate::expr::{Call, Cx, Result};
use crate::types::SqlType;
use crate::value::Value;

pub(in crate::functions) static FUNCTIONS: &[Function] = &[
    Function::new(
        "period_add",
        (2, 2),
        |_| Ok(SqlType::bigint(21)),
        period_add,
        "Months added to YYYYMM",
    ),
    Function::new(
        "period_diff",
        (2, 2),
        |_| Ok(SqlType::bigint(21)),
        period_diff,
        "Months between two YYYYMM",
    ),
];

/// Months since year 0 of a period YYYYMM or YYMM; `None` if it is none.
fn months_of_period(period: i128) -> Option<i64> {
    let period = i64::try_from(period).ok().filter(|period| *period > 0)?;
    let (year, month) = (period / 100, period % 100);
    if !(1..=12).contains(&month) {
        return None;
    }
    let year = match year {
        0..70 => year + 2000,
        70..100 => year + 1900,
        _ => year,
    };
    Some(year * 12 + month - 1)
}

fn wrong_period(call: &Call<'_>) -> SqlError {
    let name = call.call.function.name;
    SqlError::wrong_arguments(name)
}

fn period_add(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let period = arg!(call.int(0, cx));
    let months = arg!(call.int(1, cx));
    let start = months_of_period(period).ok_or_else(|| wrong_period(call))?;
    // Without a sign, as the server counts.
    #[allow(clippy::cast_sign_loss, reason = "64 bits are meant")]
    let total = start.wrapping_add(months as i64) as u64;
    if total == 0 {
        return Ok(Value::Int(0));
    }
    let (year, month) = (total / 12, total % 12 + 1);
    let year = match year {
        0..70 => year + 2000,
        70..100 => year + 1900,
        _ => year,
    };
    Ok(Value::Int(year.wrapping_mul(100).wrapping_add(month) as i64))
}

fn period_diff(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let left = arg!(call.int(0, cx));
    let right = arg!(call.int(1, cx));
    let left = months_of_period(left).ok_or_else(|| wrong_period(call))?;
    let right = months_of_period(right).ok_or_else(|| wrong_period(call))?;
    Ok(Value::Int(left - right))
}
