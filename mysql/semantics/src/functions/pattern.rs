//! REGEXP_LIKE, which REGEXP and RLIKE are too.

use super::{Function, arg};
use crate::error::SqlError;
use crate::expr::{Call, Cx, Result, Site, leaf};
use crate::regexp::{Mode, Regexp, RegexpError};
use crate::types::SqlType;
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[Function::new(
    "regexp_like",
    (2, 3),
    like_type,
    regexp_like,
    "Whether a regular expression matches somewhere",
)];

fn like_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    site.collation = site.compared(&[0, 1])?.id;
    Ok(SqlType::truth())
}

fn failed(error: &RegexpError) -> SqlError {
    SqlError::with_message(error.number(), error.to_string())
}

fn compiled(call: &Call<'_>, pattern: &str, letters: &str) -> Result<Regexp> {
    let ignore_case = leaf::collation_name(call.collation()).ends_with("_ci");
    let mode = Mode { ignore_case, ..Mode::default() };
    let mode = mode.with_match_type(letters).map_err(|error| failed(&error))?;
    Regexp::new(pattern, mode).map_err(|error| failed(&error))
}

fn regexp_like(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    let text = leaf::to_utf8(&text, call.text_collation(0));
    // A constant pattern is compiled once.
    let rest = call.node.args.get(1..).unwrap_or_default();
    let constant = rest.iter().all(crate::expr::Node::is_literal);
    if constant && let Some(regexp) = call.call.pattern.get() {
        return Ok(Value::from(regexp.is_match(&text).map_err(|error| failed(&error))?));
    }
    let pattern = arg!(call.text(1, cx));
    let pattern = leaf::to_utf8(&pattern, call.text_collation(1));
    let letters = match call.len() {
        3 => leaf::to_utf8(&arg!(call.text(2, cx)), call.text_collation(2)),
        _ => String::new(),
    };
    let regexp = compiled(call, &pattern, &letters)?;
    let found = regexp.is_match(&text).map_err(|error| failed(&error))?;
    if constant {
        call.call.pattern.set(regexp);
    }
    Ok(Value::from(found))
}
