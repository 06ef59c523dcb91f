//! JSON_MERGE_PRESERVE and JSON_MERGE_PATCH.

use std::cmp::Ordering;

use super::build::{Builder, JsonBuf};
use super::error::JsonError;
use super::view::{JsonRef, ObjectRef, compare_names};

type Result<T> = std::result::Result<T, JsonError>;

/// JSON_MERGE_PRESERVE of two documents: objects are united, values of a common name
/// merged; everything else becomes one array, arrays with their elements.
///
/// # Errors
/// If the result is too deep or too big.
pub fn merge_preserve(a: JsonRef<'_>, b: JsonRef<'_>) -> Result<JsonBuf> {
    let mut builder = Builder::new();
    preserve(a, b, &mut builder)?;
    builder.finish()
}

fn preserve(a: JsonRef<'_>, b: JsonRef<'_>, to: &mut Builder) -> Result<()> {
    if let (Some(a), Some(b)) = (a.as_object()?, b.as_object()?) {
        to.begin_object()?;
        unite(a, b, &mut |name, a, b| {
            to.name(name);
            match (a, b) {
                (Some(a), Some(b)) => preserve(a, b, to),
                (Some(one), None) | (None, Some(one)) => to.value(one),
                (None, None) => to_nothing(),
            }
        })?;
        return to.end();
    }
    to.begin_array()?;
    for value in [a, b] {
        match value.as_array()? {
            Some(array) => array.iter().try_for_each(|element| to.value(element?))?,
            None => to.value(value)?,
        }
    }
    to.end()
}

/// `unite` gives at least one value.
fn to_nothing() -> Result<()> {
    Err(JsonError::Corrupt("a member without value"))
}

/// A name and the values that it has in two objects, at least one of them.
type Visit<'v, 'a, 'b> =
    dyn FnMut(&str, Option<JsonRef<'a>>, Option<JsonRef<'b>>) -> Result<()> + 'v;

/// Calls `visit` with each name that one of two objects has, in order.
fn unite<'a, 'b>(a: ObjectRef<'a>, b: ObjectRef<'b>, visit: &mut Visit<'_, 'a, 'b>) -> Result<()> {
    let (mut a, mut b) = (a.iter(), b.iter());
    let (mut next_a, mut next_b) = (a.next().transpose()?, b.next().transpose()?);
    loop {
        let order = match (next_a, next_b) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((name_a, _)), Some((name_b, _))) => compare_names(name_a, name_b),
        };
        let one = if order == Ordering::Greater { None } else { next_a };
        let other = if order == Ordering::Less { None } else { next_b };
        let name = one.map(|(name, _)| name).or(other.map(|(name, _)| name)).unwrap_or_default();
        visit(name, one.map(|(_, value)| value), other.map(|(_, value)| value))?;
        if one.is_some() {
            next_a = a.next().transpose()?;
        }
        if other.is_some() {
            next_b = b.next().transpose()?;
        }
    }
}

/// JSON_MERGE_PATCH of two documents, RFC 7396: a null in the patch removes.
///
/// # Errors
/// If the result is too deep or too big.
pub fn merge_patch(target: JsonRef<'_>, patch: JsonRef<'_>) -> Result<JsonBuf> {
    let mut builder = Builder::new();
    apply_patch(Some(target), patch, &mut builder)?;
    builder.finish()
}

fn apply_patch(target: Option<JsonRef<'_>>, patch: JsonRef<'_>, to: &mut Builder) -> Result<()> {
    let Some(patch) = patch.as_object()? else { return to.value(patch) };
    to.begin_object()?;
    let target = match target {
        Some(target) => target.as_object()?,
        None => None,
    };
    match target {
        Some(target) => unite(target, patch, &mut |name, old, new| match (old, new) {
            (_, Some(new)) if new.is_null() => Ok(()),
            (old, Some(new)) => {
                to.name(name);
                apply_patch(old, new, to)
            }
            (Some(old), None) => {
                to.name(name);
                to.value(old)
            }
            (None, None) => to_nothing(),
        })?,
        None => {
            for member in patch.iter() {
                let (name, value) = member?;
                if !value.is_null() {
                    to.name(name);
                    apply_patch(None, value, to)?;
                }
            }
        }
    }
    to.end()
}
