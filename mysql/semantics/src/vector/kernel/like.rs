//! LIKE with a pattern that is known: parsed once, then searched for.

use std::sync::OnceLock;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_buffer::BooleanBuffer;
use arrow_schema::DataType;
use memchr::memmem::Finder;

use super::{ByRows, Outcome, Vector};
use crate::charset::Encoding;
use crate::collation::{Collation, Escape};
use crate::expr::leaf;
use crate::types::CollationId;
use crate::value::Value;
use crate::vector::array::bytes_at;

/// For every byte the first byte that is like it; what is not ASCII stands for itself
/// in sets of several bytes.
type Classes = [u8; 256];

/// Collations have ids below this.
const COLLATIONS: usize = 512;

static CLASSES: [OnceLock<Box<Classes>>; COLLATIONS] = [const { OnceLock::new() }; COLLATIONS];

pub(super) fn like(
    negated: bool,
    id: CollationId,
    value: &Vector,
    pattern: &Vector,
    escape: Escape,
) -> Outcome<Vector> {
    if value.is_null() || pattern.is_null() {
        return Ok(Vector::One(Value::Null));
    }
    let (Vector::Many(array), Vector::One(Value::Bytes(pattern))) = (value, pattern) else {
        return Err(ByRows);
    };
    let collation = leaf::collation(id);
    let slow = |text: &[u8]| leaf::like(id, text, pattern, escape);
    let truths = match Matcher::new(collation, pattern, escape) {
        None => collect(array, |text| slow(text) != negated),
        Some(matcher) => match matcher.ascii_only {
            false => matcher.collect(array, negated),
            true if matcher.is_prefix() && *array.data_type() == DataType::BinaryView => {
                matcher.starts_alike(array, slow, negated)
            }
            true => collect(array, |text| {
                let found = if text.is_ascii() { matcher.matches(text) } else { slow(text) };
                found != negated
            }),
        },
    };
    Ok(Vector::truths(BooleanArray::new(truths, array.nulls().cloned())))
}

#[inline]
fn collect(array: &ArrayRef, test: impl Fn(&[u8]) -> bool) -> BooleanBuffer {
    let rows = array.len();
    match array.data_type() {
        DataType::BinaryView => {
            let views = array.as_binary_view();
            BooleanBuffer::collect_bool(rows, |at| test(views.value(at)))
        }
        DataType::Utf8View => {
            let views = array.as_string_view();
            BooleanBuffer::collect_bool(rows, |at| test(views.value(at).as_bytes()))
        }
        _ => BooleanBuffer::collect_bool(rows, |at| test(bytes_at(array, at))),
    }
}

fn packed(truths: impl Iterator<Item = bool>) -> BooleanBuffer {
    BooleanBuffer::from(truths.collect::<Vec<bool>>())
}

/// Texts that begin with `prefix`; of views no more than that is looked at.
fn starts(array: &ArrayRef, prefix: &[u8], negated: bool) -> BooleanBuffer {
    match array.data_type() {
        DataType::BinaryView => {
            let heads = array.as_binary_view().prefix_bytes_iter(prefix.len());
            packed(heads.map(|head| (head == prefix) != negated))
        }
        DataType::Utf8View => {
            let heads = array.as_string_view().prefix_bytes_iter(prefix.len());
            packed(heads.map(|head| (head == prefix) != negated))
        }
        _ => collect(array, |text| text.starts_with(prefix) != negated),
    }
}

/// Texts that end with `suffix`.
fn ends(array: &ArrayRef, suffix: &[u8], negated: bool) -> BooleanBuffer {
    match array.data_type() {
        DataType::BinaryView => {
            let tails = array.as_binary_view().suffix_bytes_iter(suffix.len());
            packed(tails.map(|tail| (tail == suffix) != negated))
        }
        DataType::Utf8View => {
            let tails = array.as_string_view().suffix_bytes_iter(suffix.len());
            packed(tails.map(|tail| (tail == suffix) != negated))
        }
        _ => collect(array, |text| text.ends_with(suffix) != negated),
    }
}

/// A part of a pattern between `%`s: bytes by their classes, and any characters.
struct Part {
    bytes: Vec<Option<u8>>,
    /// Finds the bytes, if they are all known and stand for themselves alone.
    finder: Option<Finder<'static>>,
    /// The bytes of the first one's class, if few.
    heads: Vec<u8>,
}

/// A pattern as texts are matched with it.
struct Matcher {
    classes: Option<&'static Classes>,
    /// Only texts of ASCII.
    ascii_only: bool,
    parts: Vec<Part>,
    /// No `%` at all; the first and the last part are bound to the ends.
    whole: bool,
}

impl Matcher {
    /// `None` where texts have to be walked by characters.
    fn new(collation: &'static Collation, pattern: &[u8], escape: Escape) -> Option<Matcher> {
        let several = match collation.charset().encoding() {
            Encoding::Utf8mb4 | Encoding::Utf8mb3 => true,
            Encoding::Binary | Encoding::Ascii | Encoding::Single(_) => false,
            _ => return None,
        };
        collation.supported().ok()?;
        let exact = collation.is_binary_order();
        let ascii = pattern.is_ascii() && escape.is_none_or(|code| code < 0x80);
        if several && !ascii && !(exact && std::str::from_utf8(pattern).is_ok()) {
            return None;
        }
        if several && escape.is_some_and(|code| code >= 0x80) {
            return None;
        }
        let classes = if exact { None } else { Some(classes(collation)?) };
        let (parts, any) = parts(pattern, escape, classes);
        Some(Matcher {
            classes,
            ascii_only: several && (any || !exact),
            whole: parts.len() == 1,
            parts,
        })
    }

    /// The shapes that are a single search are chosen once.
    fn collect(&self, array: &ArrayRef, negated: bool) -> BooleanBuffer {
        let known = |part: &Part| part.bytes.iter().copied().collect::<Option<Vec<u8>>>();
        if self.classes.is_none() {
            match &self.parts[..] {
                [first, last] if last.bytes.is_empty() => {
                    if let Some(prefix) = known(first) {
                        return starts(array, &prefix, negated);
                    }
                }
                [first, last] if first.bytes.is_empty() => {
                    if let Some(suffix) = known(last) {
                        return ends(array, &suffix, negated);
                    }
                }
                [first, middle, last] if first.bytes.is_empty() && last.bytes.is_empty() => {
                    if let Some(finder) = &middle.finder {
                        return collect(array, |text| finder.find(text).is_some() != negated);
                    }
                }
                _ => {}
            }
        }
        collect(array, |text| self.matches(text) != negated)
    }

    /// Known characters, and then any.
    fn is_prefix(&self) -> bool {
        matches!(&self.parts[..], [first, last]
            if last.bytes.is_empty() && first.bytes.iter().all(Option::is_some))
    }

    /// Texts of views that begin with a prefix; what follows it may be any characters,
    /// so only the beginnings have to be of ASCII.
    fn starts_alike(
        &self,
        array: &ArrayRef,
        slow: impl Fn(&[u8]) -> bool,
        negated: bool,
    ) -> BooleanBuffer {
        let views = array.as_binary_view();
        let Some(first) = self.parts.first() else { return BooleanBuffer::new_unset(array.len()) };
        // Of a text that is too short the head is empty.
        let heads = views.prefix_bytes_iter(first.bytes.len()).enumerate();
        packed(heads.map(|(at, head)| {
            let found = if head.is_ascii() {
                head.len() == first.bytes.len() && self.stands(first, head, 0)
            } else {
                slow(views.value(at))
            };
            found != negated
        }))
    }

    #[inline]
    fn matches(&self, text: &[u8]) -> bool {
        let (Some(first), Some(last)) = (self.parts.first(), self.parts.last()) else {
            return false;
        };
        if self.whole {
            return text.len() == first.bytes.len() && self.stands(first, text, 0);
        }
        let least = first.bytes.len() + last.bytes.len();
        if text.len() < least || !self.stands(first, text, 0) {
            return false;
        }
        let end = text.len() - last.bytes.len();
        if !self.stands(last, text, end) {
            return false;
        }
        // The first place for each part leaves the most for the next.
        let mut at = first.bytes.len();
        for part in &self.parts[1..self.parts.len() - 1] {
            match self.find(part, &text[..end], at) {
                Some(found) => at = found + part.bytes.len(),
                None => return false,
            }
        }
        true
    }

    #[inline]
    fn stands(&self, part: &Part, text: &[u8], at: usize) -> bool {
        let Some(text) = text.get(at..at + part.bytes.len()) else { return false };
        match self.classes {
            None => text
                .iter()
                .zip(&part.bytes)
                .all(|(byte, wanted)| wanted.is_none_or(|wanted| wanted == *byte)),
            Some(classes) => text.iter().zip(&part.bytes).all(|(byte, wanted)| {
                wanted.is_none_or(|wanted| wanted == classes[usize::from(*byte)])
            }),
        }
    }

    #[inline]
    fn find(&self, part: &Part, text: &[u8], from: usize) -> Option<usize> {
        let rest = text.get(from..)?;
        if let Some(finder) = &part.finder {
            return finder.find(rest).map(|at| from + at);
        }
        let last = rest.len().checked_sub(part.bytes.len())?;
        // The places where it can begin.
        let begins = rest.get(..=last).unwrap_or(rest);
        let try_at = |at: &usize| self.stands(part, rest, *at);
        let found = match part.heads[..] {
            [a] => memchr::memchr_iter(a, begins).find(try_at),
            [a, b] => memchr::memchr2_iter(a, b, begins).find(try_at),
            [a, b, c] => memchr::memchr3_iter(a, b, c, begins).find(try_at),
            _ => (0..=last).find(try_at),
        };
        found.map(|at| from + at)
    }
}

/// The parts between `%`s, and whether there is a `_`.
fn parts(pattern: &[u8], escape: Escape, classes: Option<&'static Classes>) -> (Vec<Part>, bool) {
    let mut all = vec![Vec::new()];
    let mut any = false;
    let mut rest = pattern.iter().copied();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            all.push(Vec::new());
            continue;
        }
        let escaped = (Some(u32::from(byte)) == escape).then(|| rest.next()).flatten();
        let one = match escaped {
            Some(literal) => Some(literal),
            None if byte == b'_' => None,
            None => Some(byte),
        };
        any |= one.is_none();
        if let Some(part) = all.last_mut() {
            part.push(one.map(|byte| classes.map_or(byte, |classes| classes[usize::from(byte)])));
        }
    }
    // `%%` says no more than `%`.
    let count = all.len();
    let mut at = 0;
    all.retain(|part| {
        at += 1;
        at == 1 || at == count || !part.is_empty()
    });
    (all.into_iter().map(|bytes| part(bytes, classes)).collect(), any)
}

fn part(bytes: Vec<Option<u8>>, classes: Option<&'static Classes>) -> Part {
    let known: Option<Vec<u8>> = bytes.iter().copied().collect();
    let finder = match (&known, classes) {
        (Some(known), None) => Some(Finder::new(known).into_owned()),
        _ => None,
    };
    let heads = match (bytes.first(), classes) {
        (Some(Some(head)), None) => vec![*head],
        (Some(Some(head)), Some(classes)) => {
            (0..=255_u8).filter(|byte| classes[usize::from(*byte)] == *head).take(4).collect()
        }
        _ => Vec::new(),
    };
    Part { bytes, finder, heads }
}

/// The classes of a collation that does not compare bytes.
fn classes(collation: &'static Collation) -> Option<&'static Classes> {
    let place = CLASSES.get(usize::from(collation.id()))?;
    Some(place.get_or_init(|| {
        let single =
            matches!(collation.charset().encoding(), Encoding::Ascii | Encoding::Single(_));
        let mut out: Box<Classes> = Box::new([0; 256]);
        let mut firsts: Vec<u8> = Vec::new();
        for byte in 0..=255_u8 {
            let alike = |first: &&u8| {
                let pattern = [b'|', **first];
                collation.like(&[byte], &pattern, Some(u32::from(b'|'))).unwrap_or(false)
            };
            let compared = single || byte.is_ascii();
            let first = if compared { firsts.iter().find(alike).copied() } else { Some(byte) };
            out[usize::from(byte)] = match first {
                Some(first) => first,
                None => {
                    firsts.push(byte);
                    byte
                }
            };
        }
        out
    }))
}
