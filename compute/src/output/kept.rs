//! What clients are told of computed columns by whether a MySQL server keeps the rows in a
//! temporary table before it sends them.

use firn_mysql_protocol::result::Column;
use firn_mysql_protocol::{ColumnFlags, ColumnType};
use firn_mysql_semantics::TypeKind;
use firn_mysql_semantics::expr::{Node, Op};
use firn_mysql_semantics::types::NOT_FIXED_DECIMALS;

use crate::bind::{BoundSelect, Item};

/// Changes what is told of such columns.
pub(crate) fn tell_of_kept(select: &BoundSelect, columns: &mut [Column]) {
    let kept = select.keeps_rows();
    for (item, column) in select.items.iter().zip(columns) {
        let members = match item.column {
            _ if kept => None,
            None => members_of(&item.node),
            Some(place) => select.merged_item(place, |item| members_of(&item.node)),
        };
        if let Some(kind) = members {
            column.kind = kind;
            column.decimals = NOT_FIXED_DECIMALS;
        }
        // An expression of a query in FROM is told of as it is there, wherever that stands.
        if !kept
            && let Some((table, at)) = item.column
            && select.tables[table].optional
            && select.is_expression_within((table, at))
        {
            column.flags.set(ColumnFlags::NOT_NULL, true);
        }
        match item.node.ty.kind {
            TypeKind::Decimal if kept && item.column.is_none() => {
                let stored = item.node.ty.as_stored();
                (column.length, column.decimals) = (stored.length, stored.decimals);
            }
            TypeKind::Double if kept && item.column.is_none() => {
                column.flags.set(ColumnFlags::UNSIGNED, false);
            }
            TypeKind::Null if kept && item.column.is_none() && !item.node.is_constant() => {
                column.kind = ColumnType::VarString;
            }
            TypeKind::Float if kept && is_extreme_of_merged(select, item) => {
                column.kind = ColumnType::Double;
            }
            // Bits are kept as numbers, which have the name that they have inside.
            TypeKind::Bit if kept && select.windows.is_empty() && !select.keeps_values() => {
                let inner = item.column.and_then(|place| select.name_within(place));
                if let Some(name) = inner {
                    column.org_name = name.as_bytes().to_vec();
                }
            }
            _ => {}
        }
    }
}

/// What chooses between NULL and a column of ENUM or SET is of its type, which is a string in
/// such a table.
fn members_of(node: &Node) -> Option<ColumnType> {
    let args = &*node.args;
    let chosen: Vec<&Node> = match &node.op {
        Op::Call(call) if call.function.name == "any_value" => args.iter().collect(),
        Op::If => args.iter().skip(1).collect(),
        Op::Coalesce => args.iter().collect(),
        Op::Case { otherwise } => branches(args, *otherwise),
        Op::CaseOf { otherwise, .. } => branches(args.get(1..)?, *otherwise),
        _ => return None,
    };
    let mut known = chosen.into_iter().filter(|node| !node.is_null_literal());
    let (one, None) = (known.next()?, known.next()) else { return None };
    match (&one.op, one.ty.kind) {
        (Op::Column(_), TypeKind::Enum) => Some(ColumnType::Enum),
        (Op::Column(_), TypeKind::Set) => Some(ColumnType::Set),
        _ => members_of(one),
    }
}

/// What CASE chooses among.
fn branches(pairs: &[Node], otherwise: bool) -> Vec<&Node> {
    let last = pairs.len().saturating_sub(1);
    let is_branch = |at: usize| at % 2 == 1 || (otherwise && at == last);
    pairs.iter().enumerate().filter(|(at, _)| is_branch(*at)).map(|(_, node)| node).collect()
}

/// MIN and MAX within groups, of a column of a query in FROM that is none to a server.
fn is_extreme_of_merged(select: &BoundSelect, item: &Item) -> bool {
    let Op::Column(column) = &item.node.op else { return false };
    let at = column.index.checked_sub(select.aggregates_start);
    let aggregate = at.and_then(|at| select.aggregates.get(at));
    aggregate.is_some_and(|aggregate| select.is_extreme_of_merged(aggregate))
}
