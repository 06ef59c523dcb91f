//! What a path leads to.

use std::collections::HashSet;

use super::error::JsonError;
use super::path::{Leg, Path, print_member};
use super::view::{JsonRef, Kind};

/// All values that match, in the order of the document; with `first_only` at most one.
///
/// # Errors
/// If the bytes are corrupt.
pub fn seek<'a>(
    root: JsonRef<'a>,
    path: &Path,
    first_only: bool,
) -> Result<Vec<JsonRef<'a>>, JsonError> {
    let mut found = Vec::new();
    if path.has_ellipsis() {
        for hit in locate(root, path, true)? {
            found.push(hit.value);
            if first_only {
                break;
            }
        }
    } else {
        follow(root, path.legs(), first_only, true, &mut found)?;
    }
    Ok(found)
}

/// The value that a path without wildcards leads to, where a value that is no array is
/// not taken for one.
pub(super) fn seek_strictly<'a>(
    root: JsonRef<'a>,
    path: &Path,
) -> Result<Option<JsonRef<'a>>, JsonError> {
    if path.matches_many() {
        return Err(JsonError::PathWildcard);
    }
    let mut found = Vec::new();
    follow(root, path.legs(), true, false, &mut found)?;
    Ok(found.pop())
}

/// Without ellipsis no value can match twice.
fn follow<'a>(
    value: JsonRef<'a>,
    legs: &[Leg],
    first_only: bool,
    wrap: bool,
    found: &mut Vec<JsonRef<'a>>,
) -> Result<(), JsonError> {
    let Some((leg, rest)) = legs.split_first() else {
        found.push(value);
        return Ok(());
    };
    match leg {
        Leg::Member(name) => {
            if let Some(object) = value.as_object()?
                && let Some(member) = object.get(name)?
            {
                follow(member, rest, first_only, wrap, found)?;
            }
        }
        Leg::AnyMember => {
            if let Some(object) = value.as_object()? {
                for member in object.iter() {
                    follow(member?.1, rest, first_only, wrap, found)?;
                    if first_only && !found.is_empty() {
                        break;
                    }
                }
            }
        }
        Leg::Cell(_) | Leg::AnyCell | Leg::Range(..) => {
            if let Some(array) = value.as_array()? {
                for i in leg.cells(array.len()) {
                    if let Some(cell) = array.get(i)? {
                        follow(cell, rest, first_only, wrap, found)?;
                    }
                    if first_only && !found.is_empty() {
                        break;
                    }
                }
            } else if wrap && leg.wraps() {
                follow(value, rest, first_only, wrap, found)?;
            }
        }
        Leg::Ellipsis => {}
    }
    Ok(())
}

/// A value and the way to it.
#[derive(Debug, Clone)]
pub(super) struct Hit<'a> {
    pub(super) value: JsonRef<'a>,
    /// As a path expression.
    pub(super) path: String,
}

impl<'a> Hit<'a> {
    /// Calls `visit` with each element or member.
    pub(super) fn each_child(
        &self,
        visit: &mut dyn FnMut(Hit<'a>) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        match self.value.kind()? {
            Kind::Array(array) => {
                for (i, value) in array.iter().enumerate() {
                    let path = format!("{}[{i}]", self.path);
                    visit(Hit { value: value?, path })?;
                }
            }
            Kind::Object(object) => {
                for member in object.iter() {
                    let (name, value) = member?;
                    let mut path = self.path.clone();
                    print_member(name, &mut path);
                    visit(Hit { value, path })?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// All values that match, each once, with the ways to them; with `wrap`, a cell may mean
/// a value that is no array.
pub(super) fn locate<'a>(
    root: JsonRef<'a>,
    path: &Path,
    wrap: bool,
) -> Result<Vec<Hit<'a>>, JsonError> {
    let mut hits = vec![Hit { value: root, path: "$".into() }];
    for leg in path.legs() {
        let mut next = Next { seen: HashSet::new(), hits: Vec::new() };
        for hit in hits {
            match leg {
                Leg::Ellipsis => next.add_all(hit)?,
                Leg::Member(name) => {
                    if let Some(object) = hit.value.as_object()?
                        && let Some(value) = object.get(name)?
                    {
                        let mut path = hit.path;
                        print_member(name, &mut path);
                        next.add(Hit { value, path });
                    }
                }
                Leg::AnyMember => {
                    if hit.value.is_object() {
                        hit.each_child(&mut |child| {
                            next.add(child);
                            Ok(())
                        })?;
                    }
                }
                Leg::Cell(_) | Leg::AnyCell | Leg::Range(..) => {
                    if let Some(array) = hit.value.as_array()? {
                        for i in leg.cells(array.len()) {
                            if let Some(value) = array.get(i)? {
                                next.add(Hit { value, path: format!("{}[{i}]", hit.path) });
                            }
                        }
                    } else if wrap && leg.wraps() {
                        next.add(hit);
                    }
                }
            }
        }
        hits = next.hits;
    }
    Ok(hits)
}

struct Next<'a> {
    seen: HashSet<String>,
    hits: Vec<Hit<'a>>,
}

impl<'a> Next<'a> {
    fn add(&mut self, hit: Hit<'a>) -> bool {
        let new = self.seen.insert(hit.path.clone());
        if new {
            self.hits.push(hit);
        }
        new
    }

    /// A value and all that is in it. What was there before has all of its own there.
    fn add_all(&mut self, hit: Hit<'a>) -> Result<(), JsonError> {
        if self.add(hit.clone()) {
            hit.each_child(&mut |child| self.add_all(child))?;
        }
        Ok(())
    }
}

/// The one value that a path without wildcards leads to, and the indexes of elements
/// and members on the way to it; with `wrap` as for [`locate`].
pub(super) fn trail<'a>(
    root: JsonRef<'a>,
    legs: &[Leg],
    wrap: bool,
) -> Result<Option<(JsonRef<'a>, Vec<usize>)>, JsonError> {
    let (mut value, mut steps) = (root, Vec::new());
    for leg in legs {
        match leg {
            Leg::Member(name) => {
                let Some(object) = value.as_object()? else { return Ok(None) };
                let Some(index) = object.position(name)? else { return Ok(None) };
                let Some(member) = object.value(index)? else { return Ok(None) };
                value = member;
                steps.push(index);
            }
            Leg::Cell(index) => {
                if let Some(array) = value.as_array()? {
                    let (position, true) = index.within(array.len()) else { return Ok(None) };
                    let Some(cell) = array.get(position)? else { return Ok(None) };
                    value = cell;
                    steps.push(position);
                } else if !wrap || !leg.wraps() {
                    return Ok(None);
                }
            }
            Leg::AnyMember | Leg::AnyCell | Leg::Range(..) | Leg::Ellipsis => {
                return Err(JsonError::PathWildcard);
            }
        }
    }
    Ok(Some((value, steps)))
}
