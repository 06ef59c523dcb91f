//! JSON_SEARCH.

use super::super::{Function, MANY, arg};
use super::{document, document_type, fail, made, path, root};
use crate::error::SqlError;
use crate::expr::coercion::{Coll, Purpose, aggregate};
use crate::expr::{Call, Cx, Node, Op, Result, Site, leaf};
use crate::json;
use crate::types::{CollationId, Derivation, SqlType};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] =
    &[Function::new("json_search", (3, MANY), search_type, search, "Paths to strings").nullable()];

fn search_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    // The strings of a document are utf8mb4_bin, as literals are.
    let strings = Coll {
        id: CollationId::UTF8MB4_BIN,
        derivation: Derivation::Coercible,
        ascii: false,
        broken: false,
    };
    let mut pattern = Coll::of(site.node(2)?);
    if !site.node(2)?.ty.kind.is_string() {
        pattern.id = site.binder.connection();
    }
    let connection = site.binder.connection();
    site.collation = aggregate(&[strings, pattern], Purpose::Compare, "like", connection)?.id;
    if site.args.len() > 3 {
        let escape = site.node(3)?;
        let alone = matches!(escape.op, Op::Subquery { .. }) && escape.args.is_empty();
        let late = escape.ty.kind.is_temporal() && !escape.ty.nullable;
        let long = site.constant_text(3).is_some_and(|text| {
            let shown = leaf::to_utf8(&text, shown_as(escape));
            json::Pattern::escape(&shown).is_err()
        });
        if !(alone || escape.is_constant()) || late || long {
            return Err(SqlError::wrong_arguments("ESCAPE"));
        }
    }
    document_type(site)
}

/// The collation of an argument's text.
fn shown_as(node: &Node) -> CollationId {
    if node.ty.kind.is_string() { node.ty.collation } else { leaf::ASCII }
}

/// Whether the "one or all" of a call is "all".
pub(super) fn one_or_all(call: &Call<'_>, at: usize, cx: &mut Cx<'_>) -> Result<Option<bool>> {
    let Some(text) = call.text(at, cx)? else { return Ok(None) };
    let text = leaf::to_utf8(&text, call.text_collation_shown(at));
    json::one_or_all(&text).map(Some).map_err(fail(call, at))
}

fn search(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let document = arg!(document(call, 0, cx));
    let all = arg!(one_or_all(call, 1, cx));
    let pattern = arg!(call.text(2, cx));
    let pattern = leaf::to_utf8(&pattern, call.text_collation_shown(2));
    let escape = match call.text(3, cx)? {
        // No argument and NULL alike.
        None => Some('\\'),
        Some(text) => {
            let text = leaf::to_utf8(&text, call.text_collation_shown(3));
            json::Pattern::escape(&text).map_err(fail(call, 3))?
        }
    };
    let mut paths = Vec::new();
    for at in 4..call.len() {
        paths.push(arg!(path(call, at, cx)));
    }
    let root = root(call, &document)?;
    let collation = call.collation();
    if collation == CollationId::UTF8MB4_BIN {
        let pattern = json::Pattern::new(&pattern, escape);
        return made(call, json::search(root, all, &|text| pattern.matches(text), &paths));
    }
    let escape = escape.map(u32::from);
    let in_set = |text: &str| {
        let of_utf8 = leaf::same_charset(collation, CollationId::UTF8MB4_BIN);
        match of_utf8 || collation.is_binary() {
            true => Some(text.as_bytes().to_vec()),
            false => leaf::convert_exactly(text.as_bytes(), CollationId::UTF8MB4_BIN, collation),
        }
    };
    let pattern = in_set(&pattern);
    let matches = |text: &str| match (in_set(text), &pattern) {
        (Some(text), Some(pattern)) => leaf::like(collation, &text, pattern, escape),
        _ => false,
    };
    made(call, json::search(root, all, &matches, &paths))
}
