//! What conditions say without saying it, so that tables are joined by it, or have fewer rows
//! before they are.

use firn_mysql_semantics::expr::{Node, Op};

use crate::bind::conjuncts;

/// Each branch of an OR, in the parts that all have to hold.
fn branches(node: &Node) -> Option<Vec<Vec<Node>>> {
    let parts = |branch: &Node| {
        let mut parts = Vec::new();
        conjuncts(branch.clone(), &mut parts);
        parts
    };
    matches!(node.op, Op::Or).then(|| node.args.iter().map(parts).collect())
}

/// Adds what all branches of an OR say: it binds tables that the OR as a whole does not.
pub(super) fn common(pool: &mut Vec<Node>) {
    let mut more = Vec::new();
    for branches in pool.iter().filter_map(branches) {
        let Some((first, others)) = branches.split_first() else { continue };
        let said = |parts: &Vec<Node>| -> Vec<String> {
            parts.iter().map(|part| format!("{part:?}")).collect()
        };
        let others: Vec<Vec<String>> = others.iter().map(said).collect();
        for part in first {
            let text = format!("{part:?}");
            if matches!(part.op, Op::Compare(..)) && others.iter().all(|one| one.contains(&text)) {
                more.push(part.clone());
            }
        }
    }
    pool.append(&mut more);
}

/// Adds what ORs of several tables say of one of them: `(a.x = 1 AND b.y = 2) OR (a.x = 3 AND
/// b.y = 4)` says `a.x = 1 OR a.x = 3` of the first. `is_own` tells which conditions are of the
/// one table.
pub(super) fn implied(pool: &mut Vec<Node>, is_own: &dyn Fn(&Node) -> bool) {
    let mut more = Vec::new();
    for node in pool.iter().filter(|node| !is_own(node)) {
        let Some(branches) = branches(node) else { continue };
        let own = branches.into_iter().map(|mut parts| {
            parts.retain(|part| is_own(part));
            Node::all_of(parts)
        });
        more.extend(own.collect::<Option<Vec<Node>>>().and_then(Node::any_of));
    }
    pool.append(&mut more);
}
