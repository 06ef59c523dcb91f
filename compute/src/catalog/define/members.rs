//! Members of ENUM and SET.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use firn_mysql_parser::ast::Bytes;
use firn_mysql_semantics::charset::{Charset, convert};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::{Arg, Level, SqlError, code};
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind};

use super::charset::ColumnCollation;
use super::data_type::{TypeSite, Typed, charset_of};

/// Most members of an ENUM and of a SET.
const ENUM_MAX: usize = 65_535;
const SET_MAX: usize = 64;
/// Longest member, in characters, and in bytes if it is binary.
const MEMBER_CHARS_MAX: usize = 255;

/// ENUM or SET of these members, which are UTF-8 as the statement is.
pub(super) fn typed(
    site: TypeSite<'_>,
    kind: TypeKind,
    values: &[Bytes],
    collation: ColumnCollation,
) -> Result<Typed, SqlError> {
    let is_set = kind == TypeKind::Set;
    let most = if is_set { SET_MAX } else { ENUM_MAX };
    if values.len() > most {
        let number = if is_set { code::ER_TOO_BIG_SET } else { code::ER_TOO_BIG_ENUM };
        return Err(site.wrong(number));
    }
    let set = charset_of(collation.id);
    let rule = Collation::by_id(collation.id.0).unwrap_or_else(Collation::binary);
    let mut members: Vec<String> = Vec::with_capacity(values.len());
    let mut keys = BTreeMap::new();
    let mut lengths = Vec::with_capacity(values.len());
    for value in values {
        let text = String::from_utf8_lossy(value).into_owned();
        // Blanks at the end are no part of a member, unless it is bytes.
        let text = if set.is_binary() { text } else { text.trim_end_matches(' ').to_owned() };
        if is_set && text.contains(',') {
            let args = [Arg::Str("set"), Arg::Str(&text)];
            return Err(SqlError::new(code::ER_ILLEGAL_VALUE_FOR_TYPE, &args));
        }
        let stored = in_charset(&text, set)?;
        let length = if set.is_binary() { stored.len() } else { text.chars().count() };
        if length > MEMBER_CHARS_MAX {
            return Err(site.wrong(code::ER_TOO_LONG_SET_ENUM_VALUE));
        }
        lengths.push(length);
        let mut key = Vec::new();
        rule.sort_key(&stored, &mut key)
            .map_err(|error| SqlError::not_supported_yet(&format!("collation {error}")))?;
        match keys.entry(key) {
            Entry::Vacant(free) => {
                free.insert(members.len());
            }
            Entry::Occupied(taken) => {
                let first = members.get(*taken.get()).map_or("", String::as_str);
                let kind = if is_set { "SET" } else { "ENUM" };
                let args = [Arg::Str(site.column), Arg::Str(first), Arg::Str(kind)];
                let error = SqlError::new(code::ER_DUPLICATED_VALUE_IN_TYPE, &args);
                if site.strict {
                    return Err(error);
                }
                site.late.push((Level::Note, error));
            }
        }
        members.push(text);
    }
    let length = if is_set {
        lengths.iter().sum::<usize>() + lengths.len().saturating_sub(1)
    } else {
        lengths.iter().copied().max().unwrap_or(0)
    };
    let mut ty = SqlType::varchar(length as u32, collation.id, Derivation::Implicit);
    ty.kind = kind;
    Ok(Typed {
        ty,
        zerofill: false,
        display_width: None,
        members,
        collation_written: collation.written,
    })
}

/// Whether a text is a member of an ENUM, or names members of a SET.
pub(super) fn are_members(
    kind: TypeKind,
    text: &[u8],
    members: &[Box<[u8]>],
    ty: &SqlType,
) -> bool {
    let rule = Collation::by_id(ty.collation.0).unwrap_or_else(Collation::binary);
    let known = |one: &[u8]| {
        members.iter().any(|member| matches!(rule.compare(member, one), Ok(Ordering::Equal)))
    };
    if kind == TypeKind::Set {
        return text.is_empty()
            || charset_of(ty.collation).split_commas(text).into_iter().all(known);
    }
    known(text)
}

/// UTF-8 in another character set; bytes stay as they are.
pub(crate) fn in_charset(text: &str, set: &Charset) -> Result<Vec<u8>, SqlError> {
    if set.is_binary() || set == Charset::utf8mb4() {
        return Ok(text.as_bytes().to_vec());
    }
    let mut out = Vec::with_capacity(text.len());
    convert(text.as_bytes(), Charset::utf8mb4(), set, &mut out)
        .map_err(|error| SqlError::not_supported_yet(&error.to_string()))?;
    Ok(out)
}

/// A column's members as its rows have them.
pub(crate) fn stored(members: &[String], collation: CollationId) -> Vec<Box<[u8]>> {
    let set = charset_of(collation);
    // They were converted once before, when the column was defined.
    members.iter().map(|one| in_charset(one, set).unwrap_or_default().into()).collect()
}
