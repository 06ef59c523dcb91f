//! Plans of queries within queries: in FROM, in set operations, in expressions.

use std::sync::Arc;

use firn_mysql_parser::ast::SetOp;
use firn_mysql_semantics::SqlType;
use firn_mysql_semantics::expr::{Node, Result};

use super::{SelectPlan, StepRows, merge, semi};
use crate::bind::{
    Asked, BoundSet, BoundSubquery, Derived, JsonTable, LimitBound, Recursive, SetPart, Shared,
};

/// How rows of a query in FROM are made.
pub(crate) enum DerivedPlan {
    /// By one query; what it takes from the row around it, over that row. A lateral one
    /// is read anew for each row of the tables before it.
    Query { plan: Box<SelectPlan>, outer: Vec<Node>, lateral: bool },
    /// By several.
    Set(SetPlan),
    /// A common table that is read once.
    Shared(Arc<Shared>),
    /// A common table that is made from itself.
    Recursive(Box<RecursivePlan>),
    /// The rows of the step before, within such a one: its number.
    Working(usize),
    /// JSON_TABLE
    JsonTable(Box<JsonTable>),
}

/// Queries whose rows are put together.
pub(crate) struct SetPlan {
    /// The queries.
    pub(crate) parts: Vec<PartPlan>,
    /// The types of the columns.
    pub(crate) types: Vec<SqlType>,
}

/// One of them.
pub(crate) struct PartPlan {
    /// How its rows join those before it, and whether equal ones stay.
    pub(crate) op: Option<(SetOp, bool)>,
    /// The query.
    pub(crate) plan: SelectPlan,
    /// What it takes from the row around.
    pub(crate) outer: Vec<Node>,
    /// The columns, over those of the query.
    pub(crate) columns: Vec<Node>,
}

/// A common table that is made from itself.
pub(crate) struct RecursivePlan {
    /// The number by which its queries read the rows before.
    pub(crate) number: usize,
    /// The first rows.
    pub(crate) seed: SetPlan,
    /// The queries that are repeated.
    pub(crate) steps: Vec<PartPlan>,
    /// Equal rows count once.
    pub(crate) distinct: bool,
    /// No more rows than these.
    pub(crate) limit: Option<LimitBound>,
    /// Names of its columns.
    pub(crate) names: Vec<Box<str>>,
}

/// A subquery of an expression.
pub(crate) struct SubqueryPlan {
    /// Its number in the statement.
    pub(crate) slot: usize,
    /// What is asked of it.
    pub(crate) asked: Asked,
    /// The query.
    pub(crate) plan: SelectPlan,
    /// It may give something else each time it runs.
    pub(crate) volatile: bool,
}

impl DerivedPlan {
    /// Plans the rows of a query in FROM.
    ///
    /// # Errors
    /// As [`SelectPlan::new`].
    pub(crate) fn new(rows: Derived) -> Result<Self> {
        Ok(match rows {
            Derived::Query { mut query, outer, lateral } => {
                merge(&mut query);
                Self::Query { plan: Box::new(SelectPlan::new(*query)?), outer, lateral }
            }
            Derived::Set(set) => Self::Set(SetPlan::new(set)?),
            Derived::Shared(shared) => {
                shared.plan()?;
                Self::Shared(shared)
            }
            Derived::Recursive(recursive) => {
                let Recursive { number, seed, steps, distinct, limit, names } = *recursive;
                let seed = SetPlan::new(seed)?;
                let steps = steps.into_iter().map(PartPlan::new).collect::<Result<_>>()?;
                let plan = RecursivePlan { number, seed, steps, distinct, limit, names };
                Self::Recursive(Box::new(plan))
            }
            Derived::Working(number) => Self::Working(number),
            Derived::JsonTable(table) => Self::JsonTable(table),
        })
    }

    /// Whether it is read anew for each row of the tables before it.
    pub(crate) fn is_lateral(&self) -> bool {
        match self {
            Self::Query { lateral, .. } => *lateral,
            Self::JsonTable(table) => table.lateral,
            _ => false,
        }
    }

    fn each<'p>(&'p self, each: &mut dyn FnMut(&'p SelectPlan)) {
        match self {
            Self::Query { plan, .. } => plan.each(each),
            Self::Set(set) => set.parts.iter().for_each(|part| part.plan.each(each)),
            Self::Shared(shared) => shared.rows().each(each),
            Self::Recursive(recursive) => {
                let parts = recursive.seed.parts.iter().chain(&recursive.steps);
                parts.for_each(|part| part.plan.each(each));
            }
            Self::JsonTable(_) | Self::Working(_) => {}
        }
    }
}

impl SetPlan {
    fn new(set: BoundSet) -> Result<Self> {
        let parts = set.parts.into_iter().map(PartPlan::new).collect::<Result<_>>()?;
        Ok(Self { parts, types: set.types })
    }
}

impl PartPlan {
    fn new(part: SetPart) -> Result<Self> {
        let SetPart { op, mut query, outer, columns } = part;
        merge(&mut query);
        Ok(Self { op, plan: SelectPlan::new(query)?, outer, columns })
    }
}

impl SubqueryPlan {
    /// Plans subqueries.
    ///
    /// # Errors
    /// As [`SelectPlan::new`].
    pub(crate) fn all(list: Vec<BoundSubquery>) -> Result<Vec<Self>> {
        list.into_iter()
            .map(|BoundSubquery { slot, asked, mut query, volatile }| {
                if matches!(asked, Asked::Exists) {
                    semi::without_items(&mut query);
                }
                Ok(Self { slot, asked, plan: SelectPlan::new(query)?, volatile })
            })
            .collect()
    }
}

impl SelectPlan {
    /// Calls `each` with the plan and all plans within it.
    pub(crate) fn each<'p>(&'p self, each: &mut dyn FnMut(&'p SelectPlan)) {
        each(self);
        for step in &self.steps {
            if let StepRows::Derived(rows) = &step.rows {
                rows.each(each);
            }
        }
        self.subqueries.iter().for_each(|one| one.plan.each(each));
    }
}
