//! The functions of regular expressions; REGEXP and RLIKE are REGEXP_LIKE.

use super::{Function, arg};
use crate::error::{SqlError, code};
use crate::expr::{Call, Cx, Node, Result, Site, leaf};
use crate::regexp::{Mode, Regexp, RegexpError};
use crate::types::{CollationId, SqlType, TypeKind};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "regexp_like",
        (2, 3),
        like_type,
        regexp_like,
        "Whether a regular expression matches somewhere",
    ),
    Function::new(
        "regexp_instr",
        (2, 6),
        instr_type,
        regexp_instr,
        "Where a regular expression matches",
    ),
    Function::new(
        "regexp_substr",
        (2, 5),
        substr_type,
        regexp_substr,
        "What a regular expression matches",
    )
    .nullable(),
    Function::new(
        "regexp_replace",
        (3, 6),
        replace_type,
        regexp_replace,
        "What a regular expression matches replaced",
    )
    .own_nulls(),
];

/// The longest result of REGEXP_REPLACE, in bytes.
const REPLACED_LENGTH: u64 = 16_777_216;

/// 3995 where bytes meet characters; the collation that decides about case.
fn matched(site: &mut Site<'_, '_>, which: &[usize]) -> Result<crate::expr::Coll> {
    let binary = |node: &Node| node.ty.is_binary_string() || node.ty.is_null_column();
    let is_text = |node: &Node| !binary(node) && node.ty.kind != TypeKind::Null;
    let (first, nodes) = (site.node(0)?, which.iter().filter_map(|at| site.args.get(*at)));
    for node in nodes {
        if binary(first) && is_text(node) || binary(node) && is_text(first) {
            let shown = |node: &Node| match node.ty.kind.is_string() || node.ty.is_null_column() {
                true => leaf::collation_name(node.ty.collation),
                false => leaf::collation_name(site.binder.connection()),
            };
            let (first, other) = (shown(first), shown(node));
            return Err(SqlError::new(
                code::ER_CHARACTER_SET_MISMATCH,
                &[first.into(), other.into(), site.name.into()],
            ));
        }
    }
    let coll = site.result_collation(which)?;
    site.collation = coll.id;
    Ok(coll)
}

fn like_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = matched(site, &[0, 1])?;
    let mut ty = SqlType::truth();
    (ty.collation, ty.derivation) = (coll.id, coll.derivation);
    Ok(ty)
}

fn instr_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = matched(site, &[0, 1])?;
    Ok(super::search::number_of(21, coll))
}

fn substr_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = matched(site, &[0, 1])?;
    Ok(site.text(site.length(0), coll))
}

fn replace_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = matched(site, &[0, 1])?;
    // What is put in need only be of the same sort: characters or bytes.
    let piece = site.node(2)?;
    let none = piece.ty.is_null_column();
    let bytes = piece.ty.is_binary_string() || none;
    if bytes != coll.id.is_binary() && (none || piece.ty.kind != TypeKind::Null) {
        let shown = |id| leaf::collation_name(id);
        let other = match piece.ty.kind.is_string() || none {
            true => piece.ty.collation,
            false => site.binder.connection(),
        };
        return Err(SqlError::new(
            code::ER_CHARACTER_SET_MISMATCH,
            &[shown(coll.id).into(), shown(other).into(), site.name.into()],
        ));
    }
    let mut ty = site.text(REPLACED_LENGTH, coll);
    (ty.kind, ty.length) = (TypeKind::LongText, REPLACED_LENGTH as u32);
    // Texts may fail to become what the matcher reads; numbers cannot, nor can those of
    // characters of a byte each.
    let texts = [0, 1, 2].iter().filter_map(|at| site.args.get(*at));
    let single = !coll.id.is_binary() && leaf::charset_facts(coll.id).max_bytes == 1;
    let nullable = site.args.iter().any(|arg| arg.ty.nullable)
        || !single && texts.into_iter().any(|arg| arg.ty.kind.is_string());
    Ok(ty.with_nullable(nullable))
}

fn failed(error: &RegexpError) -> SqlError {
    SqlError::with_message(error.number(), error.to_string())
}

fn wrong_arguments(call: &Call<'_>) -> SqlError {
    SqlError::wrong_arguments(call.call.function.name)
}

fn compiled(call: &Call<'_>, pattern: &str, letters: &str) -> Result<Regexp> {
    let ignore_case = leaf::collation_name(call.collation()).ends_with("_ci");
    let mode = Mode { ignore_case, ..Mode::default() };
    let mode = mode.with_match_type(letters).map_err(|_| wrong_arguments(call))?;
    Regexp::new(pattern, mode).map_err(|error| failed(&error))
}

fn argument(call: &Call<'_>, at: usize, cx: &mut Cx<'_>) -> Result<Option<String>> {
    // Arguments have the collation's character set, or are ASCII.
    let from = match call.text_collation(at) {
        CollationId::BINARY if call.arg(at).is_some_and(|arg| !arg.ty.kind.is_string()) => {
            leaf::ASCII
        }
        from => from,
    };
    Ok(call.text(at, cx)?.map(|text| leaf::to_utf8(&text, from)))
}

/// An optional integer; `Some(None)` is NULL.
fn number(call: &Call<'_>, at: usize, default: i64, cx: &mut Cx<'_>) -> Result<Option<i64>> {
    if call.len() <= at {
        return Ok(Some(default));
    }
    let clamp = |value: i128| value.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    Ok(call.int(at, cx)?.map(clamp))
}

/// Runs `with` on the compiled pattern, which is compiled once if it is constant;
/// `letters` is where the match type stands.
fn with_pattern<T>(
    call: &Call<'_>,
    letters: usize,
    cx: &mut Cx<'_>,
    with: impl FnOnce(&Regexp) -> std::result::Result<T, RegexpError>,
) -> Result<Option<T>> {
    let constant = [1, letters].iter().filter_map(|at| call.arg(*at)).all(Node::is_literal);
    if constant && let Some(regexp) = call.call.pattern.get() {
        return with(regexp).map(Some).map_err(|error| failed(&error));
    }
    let Some(pattern) = argument(call, 1, cx)? else { return Ok(None) };
    let letters = match call.len() > letters {
        true => match argument(call, letters, cx)? {
            Some(letters) => letters,
            None => return Ok(None),
        },
        false => String::new(),
    };
    let regexp = compiled(call, &pattern, &letters)?;
    let found = with(&regexp).map_err(|error| failed(&error))?;
    if constant {
        call.call.pattern.set(regexp);
    }
    Ok(Some(found))
}

fn regexp_like(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(argument(call, 0, cx));
    Ok(Value::from(with_pattern(call, 2, cx, |regexp| regexp.is_match(&text))?))
}

fn regexp_instr(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(argument(call, 0, cx));
    let position = arg!(number(call, 2, 1, cx));
    let occurrence = arg!(number(call, 3, 1, cx));
    let end = match arg!(number(call, 4, 0, cx)) {
        0 => false,
        1 => true,
        _ => {
            let what = format!("{}: return_option must be 1 or 0.", call.call.function.name);
            return Err(SqlError::wrong_arguments(&what));
        }
    };
    // Behind the last character there is nothing to look for.
    if position > text.chars().count() as i64 && !text.is_empty() {
        return Err(failed(&RegexpError::OutOfBounds));
    }
    let found = with_pattern(call, 5, cx, |regexp| regexp.find(&text, position, occurrence))?;
    let found = arg!(Ok::<_, SqlError>(found));
    Ok(Value::Int(found.map_or(0, |found| {
        let at = if end { found.end } else { found.start };
        text.get(..at).map_or(0, |before| before.chars().count() as i64) + 1
    })))
}

fn regexp_substr(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(argument(call, 0, cx));
    let position = arg!(number(call, 2, 1, cx));
    let occurrence = arg!(number(call, 3, 1, cx));
    let found = with_pattern(call, 4, cx, |regexp| regexp.find(&text, position, occurrence))?;
    let Some(Some(found)) = found else { return Ok(Value::Null) };
    let piece = text.get(found.start..found.end).unwrap_or_default();
    leaf::from_utf8(piece, call.ty().collation, cx)
}

fn regexp_replace(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(argument(call, 0, cx));
    let with = arg!(argument(call, 2, cx));
    let position = arg!(number(call, 3, 1, cx));
    let occurrence = arg!(number(call, 4, 0, cx));
    if position < 1 {
        return Err(SqlError::wrong_parameters(call.call.function.name));
    }
    let most = usize::try_from(cx.settings.max_allowed_packet_bytes).unwrap_or(usize::MAX);
    let replaced = with_pattern(call, 5, cx, |regexp| {
        let mut out = String::new();
        regexp.replace(&text, &with, position, occurrence, most, &mut out)?;
        Ok(out)
    })?;
    let replaced = arg!(Ok::<_, SqlError>(replaced));
    leaf::from_utf8(&replaced, call.ty().collation, cx)
}
