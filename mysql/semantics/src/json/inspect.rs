//! Functions that look at documents: JSON_EXTRACT, JSON_KEYS, JSON_LENGTH, JSON_CONTAINS
//! and the like.

use std::cmp::Ordering;

use super::build::{Builder, JsonBuf};
use super::compare::opaque_name;
use super::error::JsonError;
use super::path::Path;
use super::print::quote_to;
use super::seek::{seek, seek_strictly};
use super::view::{ArrayRef, JsonRef, Kind};

/// JSON_EXTRACT: the value that the one path leads to, or an array of all that the
/// paths lead to if several could; nothing if nothing matches.
///
/// # Errors
/// If the bytes are corrupt.
pub fn extract(document: JsonRef<'_>, paths: &[Path]) -> Result<Option<JsonBuf>, JsonError> {
    if let [path] = paths
        && !path.matches_many()
    {
        return match seek(document, path, true)?.first() {
            Some(value) => copy(*value).map(Some),
            None => Ok(None),
        };
    }
    let mut builder = Builder::new();
    let mut any = false;
    builder.begin_array()?;
    for path in paths {
        for value in seek(document, path, false)? {
            builder.value(value)?;
            any = true;
        }
    }
    builder.end()?;
    if any { builder.finish().map(Some) } else { Ok(None) }
}

/// The first value that a path leads to.
///
/// # Errors
/// If the bytes are corrupt.
pub fn find<'a>(document: JsonRef<'a>, path: &Path) -> Result<Option<JsonRef<'a>>, JsonError> {
    Ok(seek(document, path, true)?.first().copied())
}

/// A part as a document of its own.
///
/// # Errors
/// If the bytes are corrupt.
pub fn copy(value: JsonRef<'_>) -> Result<JsonBuf, JsonError> {
    let mut builder = Builder::new();
    builder.value(value)?;
    builder.finish()
}

/// JSON_QUOTE.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quote_to(text, &mut quoted);
    quoted
}

/// JSON_UNQUOTE of a text (of a document: [`JsonRef::unquoted`]).
///
/// # Errors
/// If it is in double quotes but no JSON string.
pub fn unquote(text: &str) -> Result<String, JsonError> {
    let quoted = text.len() >= 2 && text.starts_with('"') && text.ends_with('"');
    if quoted { super::parse::parse(text)?.root()?.unquoted() } else { Ok(text.to_owned()) }
}

/// JSON_TYPE.
///
/// # Errors
/// If the bytes are corrupt.
pub fn type_name(value: JsonRef<'_>) -> Result<&'static str, JsonError> {
    Ok(match value.kind()? {
        Kind::Null => "NULL",
        Kind::Bool(_) => "BOOLEAN",
        Kind::Int(_) => "INTEGER",
        Kind::UInt(_) => "UNSIGNED INTEGER",
        Kind::Double(_) => "DOUBLE",
        Kind::Decimal(_) => "DECIMAL",
        Kind::String(_) => "STRING",
        Kind::Date(_) => "DATE",
        Kind::Time(_) => "TIME",
        Kind::DateTime(_) | Kind::Timestamp(_) => "DATETIME",
        Kind::Opaque { field_type, .. } => opaque_name(field_type),
        Kind::Array(_) => "ARRAY",
        Kind::Object(_) => "OBJECT",
    })
}

/// JSON_LENGTH: elements, members, or 1.
///
/// # Errors
/// If the bytes are corrupt.
pub fn length(value: JsonRef<'_>) -> Result<usize, JsonError> {
    Ok(match value.kind()? {
        Kind::Array(array) => array.len(),
        Kind::Object(object) => object.len(),
        _ => 1,
    })
}

/// JSON_DEPTH: 1 for scalars and empty containers, else one more than the deepest part.
///
/// # Errors
/// If the bytes are corrupt.
pub fn depth(value: JsonRef<'_>) -> Result<usize, JsonError> {
    let code = value.depth_code()?;
    Ok(usize::from(code / 2 + code % 2))
}

/// JSON_KEYS; nothing if the value, or what the path leads to, is no object.
///
/// # Errors
/// If the path may match several values.
pub fn keys(value: JsonRef<'_>, path: Option<&Path>) -> Result<Option<JsonBuf>, JsonError> {
    let value = match path {
        Some(path) => seek_strictly(value, path)?,
        None => Some(value),
    };
    let object = value.map(|value| value.as_object()).transpose()?.flatten();
    let Some(object) = object else { return Ok(None) };
    let mut builder = Builder::new();
    builder.begin_array()?;
    for member in object.iter() {
        builder.string(member?.0);
    }
    builder.end()?;
    builder.finish().map(Some)
}

/// JSON_CONTAINS_PATH: whether one or all of the paths lead to something.
///
/// # Errors
/// If the bytes are corrupt.
pub fn contains_path(document: JsonRef<'_>, all: bool, paths: &[Path]) -> Result<bool, JsonError> {
    for path in paths {
        let found = !seek(document, path, true)?.is_empty();
        if found != all {
            return Ok(found);
        }
    }
    Ok(all)
}

/// The "one or all" of JSON_SEARCH and JSON_CONTAINS_PATH: whether it is "all".
///
/// # Errors
/// If it is neither.
pub fn one_or_all(text: &str) -> Result<bool, JsonError> {
    if text.eq_ignore_ascii_case("all") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("one") {
        Ok(false)
    } else {
        Err(JsonError::OneOrAll)
    }
}

fn is_equal(a: JsonRef<'_>, b: JsonRef<'_>) -> Result<bool, JsonError> {
    Ok(a.compare(&b)? == Ordering::Equal)
}

/// JSON_CONTAINS: an object contains an object if it contains its members, an array an
/// array if it contains its elements, an array anything else if one of its elements
/// does; scalars contain what equals them.
///
/// # Errors
/// If the bytes are corrupt.
pub fn contains(target: JsonRef<'_>, candidate: JsonRef<'_>) -> Result<bool, JsonError> {
    match (target.kind()?, candidate.kind()?) {
        (Kind::Object(target), Kind::Object(candidate)) => {
            for member in candidate.iter() {
                let (name, value) = member?;
                match target.get(name)? {
                    Some(own) if contains(own, value)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        (Kind::Object(_), _) => Ok(false),
        (Kind::Array(target), Kind::Array(candidate)) => {
            for value in candidate.iter() {
                if !contains_element(target, value?)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Kind::Array(target), _) => contains_element(target, candidate),
        _ => is_equal(target, candidate),
    }
}

fn contains_element(target: ArrayRef<'_>, candidate: JsonRef<'_>) -> Result<bool, JsonError> {
    for value in target.iter() {
        if contains(value?, candidate)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// MEMBER OF: whether an array has an equal element; another value is like an array
/// that holds it alone.
///
/// # Errors
/// If the bytes are corrupt.
pub fn member_of(value: JsonRef<'_>, array: JsonRef<'_>) -> Result<bool, JsonError> {
    let Some(array) = array.as_array()? else { return is_equal(value, array) };
    for element in array.iter() {
        if is_equal(value, element?)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// JSON_OVERLAPS: whether two arrays have an element in common, two objects a member;
/// beside an array, another value is an array that holds it alone.
///
/// # Errors
/// If the bytes are corrupt.
pub fn overlaps(a: JsonRef<'_>, b: JsonRef<'_>) -> Result<bool, JsonError> {
    match (a.kind()?, b.kind()?) {
        (Kind::Array(a), Kind::Array(b)) => {
            // Sorted by key, so that long arrays take no quadratic time.
            let mut keys = std::collections::HashSet::new();
            for value in a.iter() {
                let mut key = Vec::new();
                value?.sort_key(&mut key)?;
                keys.insert(key);
            }
            let mut key = Vec::new();
            for value in b.iter() {
                key.clear();
                value?.sort_key(&mut key)?;
                if keys.contains(&key) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (Kind::Array(_), _) => member_of(b, a),
        (_, Kind::Array(_)) => member_of(a, b),
        (Kind::Object(a), Kind::Object(b)) => {
            for member in a.iter() {
                let (name, value) = member?;
                if let Some(other) = b.get(name)?
                    && is_equal(value, other)?
                {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (Kind::Object(_), _) | (_, Kind::Object(_)) => Ok(false),
        _ => is_equal(a, b),
    }
}
