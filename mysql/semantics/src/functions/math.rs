//! Numbers: signs, powers, logarithms, angles.

use super::{Function, arg};
use crate::error::SqlError;
use crate::expr::{Call, Cx, Domain, Op, Result, Site, arith};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("abs", (1, 1), abs_type, abs, "Without the sign"),
    Function::new("sign", (1, 1), |_| Ok(SqlType::bigint(21)), sign, "-1, 0 or 1"),
    Function::new("sqrt", (1, 1), double, sqrt, "The square root").nullable(),
    Function::new("exp", (1, 1), double, |c, x| finite(c, x, f64::exp), "e to a power").nullable(),
    Function::new("pow", (2, 2), double, power, "A number to a power").nullable(),
    Function::new("ln", (1, 1), double, |c, x| logarithm(c, x, f64::ln), "The natural logarithm")
        .nullable(),
    Function::new(
        "log2",
        (1, 1),
        double,
        |c, x| logarithm(c, x, f64::log2),
        "The logarithm to base 2",
    )
    .nullable(),
    Function::new(
        "log10",
        (1, 1),
        double,
        |c, x| logarithm(c, x, f64::log10),
        "The logarithm to base 10",
    )
    .nullable(),
    Function::new("log", (1, 2), double, log, "The logarithm to a base").nullable(),
    Function::new("sin", (1, 1), double, |c, x| finite(c, x, f64::sin), "The sine").nullable(),
    Function::new("cos", (1, 1), double, |c, x| finite(c, x, f64::cos), "The cosine").nullable(),
    Function::new("tan", (1, 1), double, |c, x| finite(c, x, f64::tan), "The tangent").nullable(),
    Function::new("cot", (1, 1), double, cot, "The cotangent").nullable(),
    Function::new("asin", (1, 1), double, |c, x| bounded(c, x, f64::asin), "The arc sine")
        .nullable(),
    Function::new("acos", (1, 1), double, |c, x| bounded(c, x, f64::acos), "The arc cosine")
        .nullable(),
    Function::new("atan", (1, 2), double, atan, "The arc tangent").nullable(),
    Function::new("atan2", (2, 2), double, atan, "The arc tangent of two numbers").nullable(),
    Function::new(
        "radians",
        (1, 1),
        double,
        |c, x| finite(c, x, f64::to_radians),
        "Degrees in radians",
    ),
    Function::new(
        "degrees",
        (1, 1),
        double,
        |c, x| finite(c, x, f64::to_degrees),
        "Radians in degrees",
    ),
    Function::new("pi", (0, 0), pi_type, |_, _| Ok(Value::Double(std::f64::consts::PI)), "π")
        .never_null(),
    Function::new(
        "bit_count",
        (1, 1),
        |_| Ok(SqlType::bigint(21)),
        bit_count,
        "How many bits are set",
    ),
];

fn double(_: &mut Site<'_, '_>) -> Result<SqlType> {
    Ok(SqlType::double())
}

fn pi_type(_: &mut Site<'_, '_>) -> Result<SqlType> {
    Ok(SqlType::plain(TypeKind::Double, 8, 6))
}

fn abs_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    site.numeric_type()
}

fn abs(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    match call.arg(0).and_then(crate::expr::Node::numeric_class).unwrap_or(Domain::Double) {
        Domain::Int => {
            let value = arg!(call.int(0, cx));
            let value = arith::ranged(call.node, Some(value.abs()))?;
            Ok(crate::expr::int_in(value, call.ty().unsigned))
        }
        Domain::Decimal => Ok(Value::Decimal(arg!(call.decimal(0, cx)).abs())),
        Domain::Double => Ok(Value::Double(arg!(call.double(0, cx)).abs())),
    }
}

fn sign(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let value = arg!(call.double(0, cx));
    Ok(Value::Int(if value > 0.0 {
        1
    } else if value < 0.0 {
        -1
    } else {
        0
    }))
}

fn finite(call: &Call<'_>, cx: &mut Cx<'_>, of: fn(f64) -> f64) -> Result<Value> {
    let value = arg!(call.double(0, cx));
    arith::finite(call.node, of(value)).map(Value::Double)
}

fn sqrt(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let value = arg!(call.double(0, cx));
    Ok(if value < 0.0 { Value::Null } else { Value::Double(value.sqrt()) })
}

fn bounded(call: &Call<'_>, cx: &mut Cx<'_>, of: fn(f64) -> f64) -> Result<Value> {
    let value = arg!(call.double(0, cx));
    Ok(if (-1.0..=1.0).contains(&value) { Value::Double(of(value)) } else { Value::Null })
}

fn power(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let base = arg!(call.double(0, cx));
    let exponent = arg!(call.double(1, cx));
    arith::finite(call.node, base.powf(exponent)).map(Value::Double)
}

fn invalid(cx: &mut Cx<'_>) -> Value {
    if cx.settings.error_for_division_by_zero {
        cx.warn(SqlError::invalid_logarithm());
    }
    Value::Null
}

fn logarithm(call: &Call<'_>, cx: &mut Cx<'_>, of: fn(f64) -> f64) -> Result<Value> {
    let value = arg!(call.double(0, cx));
    if value <= 0.0 {
        return Ok(invalid(cx));
    }
    Ok(Value::Double(of(value)))
}

fn log(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let first = arg!(call.double(0, cx));
    if call.len() == 1 {
        return Ok(if first <= 0.0 { invalid(cx) } else { Value::Double(first.ln()) });
    }
    if first <= 0.0 {
        return Ok(invalid(cx));
    }
    let second = arg!(call.double(1, cx));
    if second <= 0.0 || first == 1.0 {
        return Ok(invalid(cx));
    }
    arith::finite(call.node, second.ln() / first.ln()).map(Value::Double)
}

fn cot(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let value = arg!(call.double(0, cx));
    arith::finite(call.node, 1.0 / value.tan()).map(Value::Double)
}

fn atan(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let value = arg!(call.double(0, cx));
    if call.len() == 1 {
        return Ok(Value::Double(value.atan()));
    }
    let other = arg!(call.double(1, cx));
    Ok(Value::Double(value.atan2(other)))
}

fn bit_count(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let bytes = |arg: &crate::expr::Node| {
        arg.ty.is_binary_string() && !matches!(arg.op, Op::Hex(_)) && !arg.is_null_literal()
    };
    if call.arg(0).is_some_and(bytes) {
        let text = arg!(call.text(0, cx));
        return Ok(Value::Int(text.iter().map(|byte| i64::from(byte.count_ones())).sum()));
    }
    let value = arg!(call.int(0, cx)) as u64;
    Ok(Value::Int(value.count_ones().into()))
}
