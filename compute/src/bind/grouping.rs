//! GROUPING(): whether values of GROUP BY stand for all there are, in the sums of ROLLUP.

use std::cell::RefCell;

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Column, Node, Op, Result};
use firn_mysql_semantics::{SqlType, Value};

use super::StatementScope;

/// Most arguments of one call: its result has a bit for each.
const ARGS_MAX: usize = 64;

/// The calls of a query block, as they are met.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupingScope<'a> {
    /// The arguments of each.
    pub(crate) calls: &'a RefCell<Vec<Vec<Node>>>,
    /// Place of the first one's result in the flat row.
    pub(crate) start: usize,
}

impl GroupingScope<'_> {
    /// Whether a place of the flat row is of one that was met.
    pub(super) fn holds(&self, place: usize) -> bool {
        (self.start..self.start + self.calls.borrow().len()).contains(&place)
    }
}

/// The calls of a query block.
#[derive(Debug, Default)]
pub(crate) struct Groupings {
    /// Which values of GROUP BY each asks for.
    calls: Vec<Vec<usize>>,
    /// Place of the first one's result in the flat row.
    start: usize,
}

impl Groupings {
    /// There are so many more places in front of their results.
    pub(super) fn make_room(&mut self, places: usize) {
        self.start += places;
    }

    /// Finds arguments among what is grouped by.
    ///
    /// # Errors
    /// 1111 without GROUP BY; 1210 and 3602 for what is not grouped by.
    pub(super) fn new(calls: &[Vec<Node>], start: usize, group_by: &[Node]) -> Result<Self> {
        if !calls.is_empty() && group_by.is_empty() {
            return Err(SqlError::new(code::ER_INVALID_GROUP_FUNC_USE, &[]));
        }
        let groups: Vec<String> = group_by.iter().map(|node| format!("{node:?}")).collect();
        let of = |(at, arg): (usize, &Node)| {
            let own = format!("{arg:?}");
            groups.iter().position(|group| *group == own).ok_or_else(|| match &arg.op {
                Op::Literal(value) if *value != Value::Null => {
                    SqlError::new(code::ER_WRONG_ARGUMENTS, &["GROUPING function".into()])
                }
                _ => {
                    let at = at as u64 + 1;
                    SqlError::new(code::ER_FIELD_IN_GROUPING_NOT_GROUP_BY, &[at.into()])
                }
            })
        };
        let call = |args: &Vec<Node>| args.iter().enumerate().map(of).collect::<Result<Vec<_>>>();
        Ok(Self { calls: calls.iter().map(call).collect::<Result<_>>()?, start })
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Puts the results into the row of a group that is of the first `level` values of
    /// GROUP BY: one bit for each argument, set if it is not among them.
    pub(crate) fn put(&self, row: &mut [Value], level: usize) {
        for (place, args) in row.iter_mut().skip(self.start).zip(&self.calls) {
            let bits = args.iter().fold(0u64, |bits, arg| bits << 1 | u64::from(*arg >= level));
            *place = Value::Int(bits.cast_signed());
        }
    }
}

impl StatementScope<'_> {
    /// GROUPING(…): the place of its result.
    pub(super) fn grouping(&self, args: &[ast::Expr]) -> Result<Node> {
        let Some(GroupingScope { calls, start }) = self.groupings else {
            return Err(SqlError::new(code::ER_INVALID_GROUP_FUNC_USE, &[]));
        };
        if args.len() > ARGS_MAX {
            let most = ARGS_MAX.to_string();
            let arguments = ["GROUPING".into(), (args.len() as u64).into(), (&*most).into()];
            return Err(SqlError::new(code::ER_INVALID_NO_OF_ARGS, &arguments));
        }
        // As GROUP BY has them: of rows, not of items.
        let clause = self.clause.get();
        let inner = Self::of_tables(self.statement, self.block, self.tables, clause);
        let binder = Binder::new(self.statement.settings, &inner, self.statement.params);
        let args = args.iter().map(|arg| binder.bind(arg)).collect::<Result<Vec<_>>>()?;
        let mut calls = calls.borrow_mut();
        calls.push(args);
        Ok(Node::column(Column {
            index: start + calls.len() - 1,
            ty: SqlType::bigint(21).with_nullable(true),
            name: "GROUPING function".into(),
            members: None,
        }))
    }
}
