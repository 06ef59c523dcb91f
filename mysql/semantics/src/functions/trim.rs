//! TRIM and its forms.

use super::{Function, arg};
use crate::expr::{Call, Cx, Result, Site, leaf};
use crate::types::SqlType;
use crate::value::Value;

/// Sides, as the binder hands them over.
pub(crate) const BOTH: u64 = 0;
pub(crate) const LEADING: u64 = 1;
pub(crate) const TRAILING: u64 = 2;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("trim", (1, 2), trim_type, trim, "Without spaces or another string at the ends")
        .nullable(),
    Function::new("ltrim", (1, 1), ltrim_type, trim, "Without spaces in front").nullable(),
    Function::new("rtrim", (1, 1), rtrim_type, trim, "Without spaces behind").nullable(),
];

fn trim_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = if site.args.len() == 2 {
        site.first_collation(0, &[1])?
    } else {
        site.result_collation(&[0])?
    };
    Ok(site.text(site.length(0), coll))
}

fn ltrim_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    site.extra = LEADING;
    trim_type(site)
}

fn rtrim_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    site.extra = TRAILING;
    trim_type(site)
}

fn trim(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    let remove = if call.len() > 1 { arg!(call.text(1, cx)).into_owned() } else { b" ".to_vec() };
    let mut rest: &[u8] = &text;
    if remove.is_empty() {
        return Ok(Value::bytes(rest));
    }
    if call.extra() != TRAILING {
        while let Some(shorter) = rest.strip_prefix(&remove[..]) {
            rest = shorter;
        }
    }
    if call.extra() != LEADING {
        if remove.len() == 1 {
            while let Some(shorter) = rest.strip_suffix(&remove[..]) {
                rest = shorter;
            }
        } else {
            rest = trim_end(call.ty().collation, rest, &remove);
        }
    }
    Ok(Value::bytes(rest))
}

/// Without `remove` at the end, where it begins with a character.
fn trim_end<'a>(coll: crate::types::CollationId, text: &'a [u8], remove: &[u8]) -> &'a [u8] {
    let mut rest = text;
    while rest.ends_with(remove) {
        let start = rest.len() - remove.len();
        let mut at = 0;
        while at < start {
            let step = leaf::char_offset(coll, rest.get(at..).unwrap_or_default(), 1).max(1);
            at += step;
        }
        if at != start {
            break;
        }
        rest = rest.get(..start).unwrap_or_default();
    }
    rest
}
