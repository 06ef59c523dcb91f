//! Several searches of one table, one for each side of an OR: their rows are put together by
//! their keys, and read once.

use firn_mysql_parser::ast;
use firn_mysql_semantics::expr::{Node, Op};
use firn_table::TableCodec;
use firn_table::descriptor::{IndexId, IndexState};
use firn_table::key::IndexCodec;

use super::access::Allowed;
use super::{Access, Condition, Known, cost};

/// Of an OR of more sides no searches are made.
const SIDES_MAX: usize = 16;

/// An OR each of whose sides says something of a column of one table.
pub(crate) struct Alternatives {
    sides: Vec<Side>,
}

/// What one side says.
struct Side {
    conditions: Vec<Condition>,
    /// What stands there, by which it is known again.
    name: String,
}

/// The searches.
#[derive(Debug, Clone)]
pub(crate) struct Union {
    /// One for each side.
    pub(crate) searches: Vec<Access>,
    /// About how many rows they find.
    pub(crate) found: f64,
    /// What reading them costs.
    pub(crate) cost: f64,
}

impl Alternatives {
    /// What `node` says of the table whose columns are at `start..end`, if it is such an OR:
    /// everything else in it is `known` before the table is read.
    pub(crate) fn of(
        node: &Node,
        start: usize,
        end: usize,
        known: &dyn Fn(usize) -> bool,
    ) -> Option<Self> {
        if !matches!(node.op, Op::Or) || node.args.len() > SIDES_MAX {
            return None;
        }
        let side = |node: &Node| {
            let all = match node.op {
                Op::And => &*node.args,
                _ => std::slice::from_ref(node),
            };
            let conditions: Vec<Condition> =
                all.iter().filter_map(|one| Condition::of(one, start, end, known)).collect();
            (!conditions.is_empty()).then(|| Side { conditions, name: format!("{node:?}") })
        };
        let sides = node.args.iter().map(side).collect::<Option<Vec<Side>>>()?;
        Some(Self { sides })
    }

    /// The sides: their names, and what they say.
    pub(super) fn sides(&self) -> impl Iterator<Item = (&str, &[Condition])> {
        self.sides.iter().map(|side| (&*side.name, &*side.conditions))
    }

    /// The cheapest searches, if every side has one.
    pub(super) fn searched(
        &self,
        codec: &TableCodec,
        hints: &[ast::IndexHint],
        known: &Known,
    ) -> Option<Union> {
        let allowed = Allowed::new(codec.table(), hints).ok()?;
        let indexes: Vec<&IndexCodec> = usable(codec, &allowed).collect();
        let mut union = Union { searches: Vec::new(), found: 0.0, cost: 0.0 };
        for side in &self.sides {
            let search = |index: &&IndexCodec| {
                let access = Access::searching(index, &side.conditions);
                if access.parts.is_empty() {
                    return None;
                }
                let found = match access.single {
                    true => 1.0,
                    false => known.found_of(Some(&side.name), index, &access.parts),
                };
                Some((found, access))
            };
            let all = indexes.iter().filter_map(search);
            let (found, access) = all.min_by(|one, other| one.0.total_cmp(&other.0))?;
            union.found += found;
            union.cost += cost::SEARCH + found * (cost::ENTRY + cost::SORTED);
            union.searches.push(access);
        }
        union.cost += union.found * cost::BEHIND;
        Some(union)
    }
}

/// The indexes that may be searched.
fn usable<'c>(
    codec: &'c TableCodec,
    allowed: &Allowed<'_>,
) -> impl Iterator<Item = &'c IndexCodec> {
    let table = codec.table();
    let rows = table.primary().filter(|index| allowed.allows(index)).map(|_| codec.row_index());
    let others = table.indexes.iter().filter(|index| {
        let public = index.state == IndexState::Public && !index.invisible;
        public && index.id != IndexId::ROWS && allowed.allows(index)
    });
    rows.into_iter().chain(others.filter_map(|index| codec.index(index.id)))
}

/// The cheapest searches of all that conditions give.
pub(super) fn cheapest(
    alternatives: &[Alternatives],
    codec: &TableCodec,
    hints: &[ast::IndexHint],
    known: Option<&Known>,
) -> Option<Union> {
    let known = known.filter(|known| !known.few)?;
    let all = alternatives.iter().filter_map(|one| one.searched(codec, hints, known));
    all.min_by(|one, other| one.cost.total_cmp(&other.cost))
}
