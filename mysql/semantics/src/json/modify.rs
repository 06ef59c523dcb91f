//! Functions that change documents: JSON_SET, JSON_REMOVE, JSON_ARRAY_INSERT and the like.
//!
//! A document is changed by writing it anew; parts that stay are copied as they are.

use super::build::{Builder, JsonBuf};
use super::error::JsonError;
use super::path::{Index, Leg, Path};
use super::seek::trail;
use super::view::{JsonRef, Kind};

/// What [`set`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetMode {
    /// JSON_SET: replace what is there, add what is not.
    Set,
    /// JSON_INSERT: add only.
    Insert,
    /// JSON_REPLACE: replace only.
    Replace,
}

type Result<T> = std::result::Result<T, JsonError>;

/// Writes `value`, with `edit` writing what stands at the end of the steps.
fn rewrite(
    value: JsonRef<'_>,
    steps: &[usize],
    edit: &dyn Fn(JsonRef<'_>, &mut Builder) -> Result<()>,
    to: &mut Builder,
) -> Result<()> {
    let Some((&step, rest)) = steps.split_first() else { return edit(value, to) };
    match value.kind()? {
        Kind::Array(array) => {
            to.begin_array()?;
            for (i, element) in array.iter().enumerate() {
                if i == step { rewrite(element?, rest, edit, to)? } else { to.value(element?)? }
            }
            to.end()
        }
        Kind::Object(object) => {
            to.begin_object()?;
            for (i, member) in object.iter().enumerate() {
                let (name, member) = member?;
                to.name(name);
                if i == step { rewrite(member, rest, edit, to)? } else { to.value(member)? }
            }
            to.end()
        }
        _ => Err(JsonError::Corrupt("a way through a scalar")),
    }
}

fn edited(
    root: JsonRef<'_>,
    steps: &[usize],
    edit: &dyn Fn(JsonRef<'_>, &mut Builder) -> Result<()>,
) -> Result<JsonBuf> {
    let mut builder = Builder::new();
    rewrite(root, steps, edit, &mut builder)?;
    builder.finish()
}

/// An array with one element more.
fn insert_at(value: JsonRef<'_>, index: usize, new: JsonRef<'_>, to: &mut Builder) -> Result<()> {
    to.begin_array()?;
    match value.as_array()? {
        Some(array) => {
            for (i, element) in array.iter().enumerate() {
                if i == index {
                    to.value(new)?;
                }
                to.value(element?)?;
            }
            if index >= array.len() {
                to.value(new)?;
            }
        }
        // As if it were alone in an array.
        None if index == 0 => {
            to.value(new)?;
            to.value(value)?;
        }
        None => {
            to.value(value)?;
            to.value(new)?;
        }
    }
    to.end()
}

fn check_single(path: &Path) -> Result<()> {
    if path.matches_many() { Err(JsonError::PathWildcard) } else { Ok(()) }
}

/// JSON_SET, JSON_INSERT or JSON_REPLACE of one path; nothing if nothing changes.
///
/// # Errors
/// If the path may match several values, or the result is too deep or too big.
pub fn set(
    document: JsonRef<'_>,
    path: &Path,
    value: JsonRef<'_>,
    mode: SetMode,
) -> Result<Option<JsonBuf>> {
    check_single(path)?;
    if let Some((_, steps)) = trail(document, path.legs(), true)? {
        if mode == SetMode::Insert {
            return Ok(None);
        }
        return edited(document, &steps, &|_, to| to.value(value)).map(Some);
    }
    let (Some((leg, parents)), true) = (path.legs().split_last(), mode != SetMode::Replace) else {
        return Ok(None);
    };
    let Some((parent, steps)) = trail(document, parents, true)? else { return Ok(None) };
    match leg {
        Leg::Member(name) => {
            let Some(object) = parent.as_object()? else { return Ok(None) };
            let edit = |_: JsonRef<'_>, to: &mut Builder| {
                to.begin_object()?;
                for member in object.iter() {
                    let (name, member) = member?;
                    to.name(name);
                    to.value(member)?;
                }
                to.name(name);
                to.value(value)?;
                to.end()
            };
            edited(document, &steps, &edit).map(Some)
        }
        // There is no such cell: the nearest end.
        Leg::Cell(index) => {
            let at = cell_at(*index, parent)?;
            edited(document, &steps, &|parent, to| insert_at(parent, at, value, to)).map(Some)
        }
        _ => Ok(None),
    }
}

fn cell_at(index: Index, parent: JsonRef<'_>) -> Result<usize> {
    let len = parent.as_array()?.map_or(1, |array| array.len());
    Ok(index.within(len).0)
}

/// JSON_ARRAY_APPEND of one path; nothing if the path leads nowhere.
///
/// # Errors
/// As [`set`].
pub fn array_append(
    document: JsonRef<'_>,
    path: &Path,
    value: JsonRef<'_>,
) -> Result<Option<JsonBuf>> {
    check_single(path)?;
    let Some((_, steps)) = trail(document, path.legs(), true)? else { return Ok(None) };
    edited(document, &steps, &|old, to| insert_at(old, usize::MAX, value, to)).map(Some)
}

/// JSON_ARRAY_INSERT of one path; nothing if the path leads to no array.
///
/// # Errors
/// As [`set`], and if the path does not end in a cell.
pub fn array_insert(
    document: JsonRef<'_>,
    path: &Path,
    value: JsonRef<'_>,
) -> Result<Option<JsonBuf>> {
    check_single(path)?;
    let Some((Leg::Cell(index), parents)) = path.legs().split_last() else {
        return Err(JsonError::PathNoCell);
    };
    let Some((parent, steps)) = trail(document, parents, false)? else { return Ok(None) };
    if !parent.is_array() {
        return Ok(None);
    }
    let at = cell_at(*index, parent)?;
    edited(document, &steps, &|parent, to| insert_at(parent, at, value, to)).map(Some)
}

/// JSON_REMOVE of one path; nothing if the path leads nowhere.
///
/// # Errors
/// As [`set`], and if the path is `$`.
pub fn remove(document: JsonRef<'_>, path: &Path) -> Result<Option<JsonBuf>> {
    check_single(path)?;
    if path.legs().is_empty() {
        return Err(JsonError::PathWholeDocument);
    }
    let Some((_, steps)) = trail(document, path.legs(), true)? else { return Ok(None) };
    // Without steps the path means the document itself, as `$[0]` of a scalar does.
    let Some((&index, steps)) = steps.split_last() else { return Ok(None) };
    edited(document, steps, &|parent, to| without(parent, index, to)).map(Some)
}

fn without(parent: JsonRef<'_>, index: usize, to: &mut Builder) -> Result<()> {
    match parent.kind()? {
        Kind::Array(array) => {
            to.begin_array()?;
            for (i, element) in array.iter().enumerate() {
                let element = element?;
                if i != index {
                    to.value(element)?;
                }
            }
            to.end()
        }
        Kind::Object(object) => {
            to.begin_object()?;
            for (i, member) in object.iter().enumerate() {
                let (name, member) = member?;
                if i != index {
                    to.name(name);
                    to.value(member)?;
                }
            }
            to.end()
        }
        _ => Err(JsonError::Corrupt("a way through a scalar")),
    }
}
