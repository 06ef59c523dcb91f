//! Hints for one block: the order of its tables, their indexes, and queries in FROM that stay.
//!
//! They count for the block that they stand in. Those for another one, by its name, are warned of
//! as if there were no such block.

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};

use super::{Asked, Hint, conflicting, read};
use crate::bind::{ScopeTable, Source, TableSource};

/// Carries out the hints of a block, and says what is wrong with them.
pub(crate) fn carry_out(
    hints: &[ast::Hint],
    sql: &[u8],
    tables: &[ScopeTable],
    sources: &mut [Source],
) -> Vec<SqlError> {
    if hints.is_empty() {
        return Vec::new();
    }
    let mut warnings = Vec::new();
    let (all, wrong) = read(hints, sql);
    // What is wrong with the first block's the session says, which reads them as well.
    let is_first = hints.first().is_some_and(|hint| hint.place.block == 1);
    warnings.extend(wrong.filter(|_| !is_first));
    let mut kept: Vec<Hint> = Vec::new();
    for hint in all {
        if matches!(hint.asked, Asked::Time(_)) && !is_first {
            warnings.push(SqlError::new(code::ER_WARN_UNSUPPORTED_MAX_EXECUTION_TIME, &[]));
        } else if kept.iter().any(|one| conflict(one, &hint)) {
            warnings.push(conflicting(&hint));
        } else {
            kept.push(hint);
        }
    }
    let own = kept.iter().find_map(|hint| match &hint.asked {
        Asked::Name(name) => Some(name.clone()),
        _ => None,
    });
    for hint in &kept {
        let number = format!("select#{}", hint.block);
        if let Some(of) = &hint.of
            && own.as_ref() != Some(of)
            && *of != number
        {
            let shown = format!("`{of}`");
            let arguments = [(&shown).into(), hint.name.into()];
            warnings.push(SqlError::new(code::ER_WARN_UNKNOWN_QB_NAME, &arguments));
            continue;
        }
        let block = own.clone().unwrap_or(number);
        let mut unresolved = |name: String| {
            let arguments = [(&name).into(), hint.name.into()];
            warnings.push(SqlError::new(code::ER_UNRESOLVED_HINT_NAME, &arguments));
        };
        let find = |name: &String| tables.iter().position(|table| *table.alias == **name);
        match &hint.asked {
            Asked::Block(_) if hint.name == "JOIN_FIXED_ORDER" => {
                sources.iter_mut().for_each(|source| source.straight = true);
            }
            Asked::Order(names) => {
                let places: Option<Vec<usize>> = names
                    .iter()
                    .map(|name| {
                        let found = find(name);
                        if found.is_none() {
                            unresolved(format!("`{name}`"));
                        }
                        found
                    })
                    .collect();
                if let Some(places) = places {
                    put_in_order(hint.name, &places, sources);
                }
            }
            Asked::Tables(names) => {
                for name in names {
                    let Some(table) = find(name) else {
                        unresolved(format!("`{name}`@`{block}`"));
                        continue;
                    };
                    let source = sources.iter_mut().find(|source| source.table == table);
                    if let Some(source) = source.filter(|_| hint.name == "NO_MERGE") {
                        source.apart = true;
                    }
                }
            }
            Asked::Indexes(name, indexes) => {
                let table = find(name);
                if table.is_none() {
                    unresolved(format!("`{name}`@`{block}`"));
                }
                let source = sources.iter_mut().find(|source| Some(source.table) == table);
                let mut found = Vec::new();
                for index in indexes {
                    let is_there = source.as_ref().is_some_and(|source| match &source.rows {
                        TableSource::Stored(open) => {
                            open.codec.table().index_named(index).is_some()
                        }
                        _ => false,
                    });
                    match is_there {
                        true => found.push(ast::Ident {
                            text: index.as_str().into(),
                            span: ast::Span::default(),
                        }),
                        false => unresolved(format!("`{name}`@`{block}` `{index}`")),
                    }
                }
                if let Some(source) = source.filter(|_| found.len() == indexes.len()) {
                    source.hints.extend(index_hint(hint.name, found));
                }
            }
            _ => {}
        }
    }
    warnings
}

/// The hint as it stands behind a table's name.
fn index_hint(name: &str, indexes: Vec<ast::Ident>) -> Option<ast::IndexHint> {
    let (ignores, name) = match name.strip_prefix("NO_") {
        Some(name) => (true, name),
        None => (false, name),
    };
    let scope = match name {
        "INDEX" => None,
        "JOIN_INDEX" => Some(ast::IndexScope::Join),
        "GROUP_INDEX" => Some(ast::IndexScope::GroupBy),
        "ORDER_INDEX" => Some(ast::IndexScope::OrderBy),
        _ => return None,
    };
    let action = match (ignores, indexes.is_empty()) {
        (true, false) => ast::IndexAction::Ignore,
        // USE INDEX (): none at all.
        (true, true) => ast::IndexAction::Use,
        (false, false) => ast::IndexAction::Force,
        // Any that may be used is used.
        (false, true) => return None,
    };
    Some(ast::IndexHint { action, scope, indexes })
}

/// One hint does not count beside another.
fn conflict(one: &Hint, other: &Hint) -> bool {
    let family = |name: &'static str| match name {
        "SUBQUERY" => "SEMIJOIN",
        name => name.strip_prefix("NO_").unwrap_or(name),
    };
    let same = family(one.name) == family(other.name) && one.of == other.of;
    match (&one.asked, &other.asked) {
        (Asked::Time(_), Asked::Time(_)) | (Asked::Set(..), Asked::Set(..)) => false,
        (Asked::Name(_), Asked::Name(_)) => true,
        (Asked::Block(_) | Asked::Order(_), Asked::Block(_) | Asked::Order(_)) => {
            let fixed = |hint: &Hint| hint.name == "JOIN_FIXED_ORDER";
            let order = |hint: &Hint| matches!(hint.asked, Asked::Order(_));
            let exclude = fixed(one) && order(other) || order(one) && fixed(other);
            exclude || same && other.name != "JOIN_ORDER"
        }
        (Asked::Tables(one), Asked::Tables(other)) => {
            same && (one.is_empty() || other.iter().any(|table| one.contains(table)))
        }
        (Asked::Indexes(table, some), Asked::Indexes(of, others)) => {
            let whole = some.is_empty() || others.is_empty() || one.name != other.name;
            same && table == of && (whole || others.iter().any(|index| some.contains(index)))
        }
        _ => false,
    }
}

/// Has tables read in an order: those of JOIN_PREFIX before all others, those of JOIN_SUFFIX
/// behind them. What would contradict a hint before it is left out.
fn put_in_order(name: &str, places: &[usize], sources: &mut [Source]) {
    let others: Vec<usize> = sources.iter().map(|source| source.table).collect();
    let others = others.into_iter().filter(|table| !places.contains(table));
    let mut pairs: Vec<(usize, usize)> = places.windows(2).map(|pair| (pair[0], pair[1])).collect();
    match name {
        "JOIN_PREFIX" => pairs.extend(others.filter_map(|other| Some((*places.last()?, other)))),
        "JOIN_SUFFIX" => pairs.extend(others.filter_map(|other| Some((other, *places.first()?)))),
        _ => {}
    }
    for (before, behind) in pairs {
        let reaches = |sources: &[Source], from: usize, to: usize| {
            let of = sources.iter().find(|source| source.table == from);
            from == to || of.is_some_and(|source| source.after.contains(&to))
        };
        // All that a table comes behind is noted with it.
        if reaches(sources, before, behind) {
            continue;
        }
        let mut gained = vec![before];
        let of = sources.iter().find(|source| source.table == before);
        gained.extend(of.into_iter().flat_map(|source| source.after.iter().copied()));
        for at in 0..sources.len() {
            if reaches(sources, sources[at].table, behind) {
                let new = gained.iter().filter(|table| !sources[at].after.contains(table));
                let new: Vec<usize> = new.copied().collect();
                sources[at].after.extend(new);
            }
        }
    }
}
