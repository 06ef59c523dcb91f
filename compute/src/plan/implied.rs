//! What conditions say without saying it, so that tables are joined by it, or have fewer rows
//! before they are: `(a.k = b.k AND a.x = 1 AND b.y = 2) OR (a.k = b.k AND a.x = 3 AND b.y = 4)`
//! says `a.k = b.k`, `a.x = 1 OR a.x = 3` and `b.y = 2 OR b.y = 4`.
//!
//! The OR is looked at all the same, for fewer rows. Row by row only such parts of it are looked
//! at twice as nobody notices: they neither warn nor fail. Over batches all of them are: whatever
//! warns there is done again row by row.

use std::ops::Range;

use firn_mysql_semantics::expr::{Node, Op};
use firn_mysql_semantics::vector::is_volatile;

use crate::bind::{BoundSelect, Source, columns_of, conjuncts};

/// What `node` says, if it is an OR of several tables. `tables` tell which conditions are of
/// one of them alone, `twice` which may be looked at by themselves.
pub(crate) fn implied(
    node: &Node,
    tables: &[&dyn Fn(&Node) -> bool],
    twice: &dyn Fn(&Node) -> bool,
) -> Vec<Node> {
    if !matches!(node.op, Op::Or) || tables.iter().any(|is_own| is_own(node)) {
        return Vec::new();
    }
    let parts = |branch: &Node| {
        let mut parts = Vec::new();
        conjuncts(branch.clone(), &mut parts);
        parts
    };
    let mut branches: Vec<Vec<Node>> = node.args.iter().map(parts).collect();
    let mut said = common(&mut branches, twice);
    for is_own in tables {
        let fits = |node: &Node| is_own(node) && twice(node);
        let own = branches.iter().map(|parts| {
            Node::all_of(parts.iter().filter_map(|part| said_of(part, &fits)).collect())
        });
        said.extend(own.collect::<Option<Vec<Node>>>().and_then(Node::any_of));
    }
    said
}

/// Takes what all branches say of columns out of them.
fn common(branches: &mut [Vec<Node>], twice: &dyn Fn(&Node) -> bool) -> Vec<Node> {
    let text = |part: &Node| format!("{part:?}");
    let texts = |parts: &Vec<Node>| -> Vec<String> { parts.iter().map(text).collect() };
    let Some((first, others)) = branches.split_first() else { return Vec::new() };
    let others: Vec<Vec<String>> = others.iter().map(texts).collect();
    let is_common = |part: &&Node| {
        let mut reads = false;
        columns_of(part, &mut |_| reads = true);
        let fits = reads && twice(part);
        let part = text(part);
        fits && others.iter().all(|one| one.contains(&part))
    };
    let said: Vec<Node> = first.iter().filter(is_common).cloned().collect();
    let common = texts(&said);
    for parts in branches {
        parts.retain(|part| !common.contains(&text(part)));
    }
    said
}

/// What a condition says by those of its parts that fit.
fn said_of(node: &Node, fits: &dyn Fn(&Node) -> bool) -> Option<Node> {
    if fits(node) {
        return Some(node.clone());
    }
    let parts = node.args.iter().map(|part| said_of(part, fits));
    match node.op {
        Op::And => Node::all_of(parts.flatten().collect()),
        Op::Or => parts.collect::<Option<Vec<Node>>>().and_then(Node::any_of),
        _ => None,
    }
}

/// What an OR implies of tables, by the places of their columns, in conditions that nobody
/// notices. `others` are places that are there before any of them.
pub(super) fn quietly_implied(
    node: &Node,
    tables: &[Range<usize>],
    others: &dyn Fn(usize) -> bool,
) -> Vec<Node> {
    if tables.len() < 2 || !matches!(node.op, Op::Or) || is_volatile(node) {
        return Vec::new();
    }
    let own = |places: &Range<usize>| {
        let places = places.clone();
        move |node: &Node| {
            let (mut some, mut all) = (false, true);
            columns_of(node, &mut |place| {
                some |= places.contains(&place);
                all &= places.contains(&place) || others(place);
            });
            some && all
        }
    };
    let own: Vec<_> = tables.iter().map(own).collect();
    let tables: Vec<&dyn Fn(&Node) -> bool> =
        own.iter().map(|one| one as &dyn Fn(&Node) -> bool).collect();
    implied(node, &tables, &Node::is_quiet)
}

/// Adds to conditions what ORs among them say, each in front of its OR. What is there already
/// is not added again.
pub(crate) fn add_implied(conditions: &mut Vec<Node>, of: &dyn Fn(&Node) -> Vec<Node>) {
    let said: Vec<Vec<Node>> = conditions.iter().map(of).collect();
    if said.iter().all(Vec::is_empty) {
        return;
    }
    let mut known: Vec<String> = conditions.iter().map(|node| format!("{node:?}")).collect();
    let mut is_new = |one: &Node| {
        let text = format!("{one:?}");
        let new = !known.contains(&text);
        known.extend(new.then_some(text));
        new
    };
    for (node, said) in std::mem::take(conditions).into_iter().zip(said) {
        conditions.extend(said.into_iter().filter(&mut is_new));
        conditions.push(node);
    }
}

impl BoundSelect {
    /// Adds to the conditions of WHERE what they imply of one table.
    pub(super) fn imply(&mut self) {
        let places = |source: &Source| {
            let table = &self.tables[source.table];
            table.start..table.start + table.columns.len()
        };
        let tables: Vec<Range<usize>> = self.sources.iter().map(places).collect();
        let is_outer = |place: usize| place >= self.outer_start;
        let of = |node: &Node| quietly_implied(node, &tables, &is_outer);
        add_implied(&mut self.filter, &of);
    }
}
