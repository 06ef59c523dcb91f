//! Rounding.

use super::{Function, arg};
use crate::expr::{Call, Cx, Domain, Result, Site, arith, int_in, leaf};
use crate::types::SqlType;
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "ceiling",
        (1, 1),
        whole_type,
        |c, x| whole(c, x, true),
        "The next integer that is not below",
    ),
    Function::new(
        "floor",
        (1, 1),
        whole_type,
        |c, x| whole(c, x, false),
        "The next integer that is not above",
    ),
    Function::new(
        "round",
        (1, 2),
        round_type,
        |c, x| round(c, x, false),
        "Rounded to so many decimals",
    ),
    Function::new(
        "truncate",
        (2, 2),
        round_type,
        |c, x| round(c, x, true),
        "Cut to so many decimals",
    ),
];

/// Times and bytes are rounded as doubles.
fn class(node: &crate::expr::Node) -> Domain {
    node.numeric_class().unwrap_or(Domain::Double)
}

fn whole_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    Ok(match class(site.node(0)?) {
        _ if site.node(0)?.is_null_literal() => SqlType::double(),
        Domain::Int => SqlType::bigint(21).with_unsigned(site.unsigned(0)),
        Domain::Decimal => {
            let node = site.node(0)?;
            let digits = node.ty.precision().saturating_sub(u32::from(node.ty.decimals));
            if digits < 18 {
                SqlType::bigint(21).with_unsigned(node.ty.unsigned)
            } else {
                let carry = u32::from(node.ty.decimals > 0);
                SqlType::decimal((digits + carry).min(65) as u8, 0, node.ty.unsigned)
            }
        }
        Domain::Double => SqlType::double(),
    })
}

fn whole(call: &Call<'_>, cx: &mut Cx<'_>, up: bool) -> Result<Value> {
    match call.arg(0).map_or(Domain::Int, class) {
        Domain::Int => {
            let value = arg!(call.int(0, cx));
            Ok(int_in(value, call.ty().unsigned))
        }
        Domain::Decimal => {
            let value = arg!(call.decimal(0, cx));
            let value = leaf::decimal_whole(&value, up);
            if call.ty().kind.is_integer() {
                let value = arith::ranged(call.node, leaf::decimal_to_int(&value))?;
                return Ok(int_in(value, call.ty().unsigned));
            }
            Ok(Value::Decimal(value))
        }
        Domain::Double => {
            let value = arg!(call.double(0, cx));
            Ok(Value::Double(if up { value.ceil() } else { value.floor() }))
        }
    }
}

fn round_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let domain = class(site.node(0)?);
    // Only those of decimals are looked at.
    let places = match site.args.len() {
        1 => Some(0),
        _ if domain != Domain::Decimal => None,
        _ => site.constant_int(1),
    };
    let node = site.node(0)?;
    Ok(match (domain, places) {
        _ if node.is_null_literal() => SqlType::double(),
        (Domain::Double, _) => SqlType::double(),
        (Domain::Int, _) => SqlType::bigint(21).with_unsigned(node.ty.unsigned),
        (Domain::Decimal, places) => {
            let have = node.ty.decimals;
            let no_places = site.args.get(1).is_some_and(crate::expr::Node::is_null_literal);
            let scale = match places {
                _ if no_places => 0,
                Some(places) => places.clamp(0, i128::from(have)) as u8,
                None => have,
            };
            let digits = node.ty.precision().saturating_sub(u32::from(have));
            // Rounding to whole numbers may carry, even of what is whole.
            let carries = scale < have || places.map_or(have == 0, |places| places <= 0);
            let carry = u32::from(site.name == "round" && carries);
            let precision = (digits + carry + u32::from(scale)).clamp(1, 65) as u8;
            SqlType::decimal(precision, scale, node.ty.unsigned)
        }
    })
}

fn round(call: &Call<'_>, cx: &mut Cx<'_>, cut: bool) -> Result<Value> {
    let first = call.arg(0).map_or(Domain::Int, class);
    if call.arg(0).is_some_and(crate::expr::Node::is_null_literal) {
        return Ok(Value::Null);
    }
    // A value that is NULL comes first: the places are not asked then.
    let places = |cx: &mut Cx<'_>| if call.len() == 1 { Ok(Some(0)) } else { call.int(1, cx) };
    match first {
        Domain::Int => {
            let value = arg!(call.int(0, cx));
            let value = round_int(value, arg!(places(cx)), cut);
            Ok(int_in(arith::ranged(call.node, Some(value))?, call.ty().unsigned))
        }
        Domain::Decimal => {
            let value = arg!(call.decimal(0, cx));
            let most = i128::from(call.ty().decimals);
            let places = arg!(places(cx)).clamp(-81, most) as i32;
            leaf::decimal_round(&value, places, cut)
                .map(Value::Decimal)
                .ok_or_else(|| arith::out_of_range("DECIMAL", call.node))
        }
        Domain::Double => {
            let value = arg!(call.double(0, cx));
            Ok(Value::Double(round_double(value, arg!(places(cx)), cut)))
        }
    }
}

fn round_int(value: i128, places: i128, cut: bool) -> i128 {
    if places >= 0 {
        return value;
    }
    let Some(unit) =
        u32::try_from(-places).ok().filter(|places| *places < 20).map(|p| 10i128.pow(p))
    else {
        return 0;
    };
    let rest = value % unit;
    let down = value - rest;
    if !cut && rest.abs() * 2 >= unit { down + unit * value.signum() } else { down }
}

/// The double nearest to a power of ten.
fn power_of_ten(exponent: usize) -> f64 {
    static POWERS: std::sync::LazyLock<Vec<f64>> = std::sync::LazyLock::new(|| {
        (0..=308).map(|exponent| format!("1e{exponent}").parse().unwrap_or(f64::INFINITY)).collect()
    });
    POWERS.get(exponent).copied().unwrap_or(f64::INFINITY)
}

/// As MySQL rounds doubles: scaled by a power of ten, to even at a half.
pub(super) fn round_double(value: f64, places: i128, cut: bool) -> f64 {
    let unit = power_of_ten(places.unsigned_abs().min(400) as usize);
    if places < 0 && unit.is_infinite() {
        return 0.0;
    }
    if places >= 0 && (unit.is_infinite() || (value * unit).is_infinite()) {
        return value;
    }
    let scaled = if places < 0 { value / unit } else { value * unit };
    let whole = if cut { scaled.trunc() } else { scaled.round_ties_even() };
    if places < 0 { whole * unit } else { whole / unit }
}
