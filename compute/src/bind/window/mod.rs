//! Window functions, and the windows that they look through.
//!
//! Calls are met while the select list and ORDER BY are bound; their windows are bound
//! once all calls are known. Results have places of their own in the flat row.

mod call;
mod frame;
mod text;

use std::cell::RefCell;

use firn_mysql_parser::ast::{self, ExprKind};
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Column, Node, Op, Result};

use super::block::OUTER;
use super::{OrderBy, StatementScope, columns_of};

pub(crate) use call::{WindowCall, WindowFunction};
pub(crate) use frame::{Distance, Edge, Frame};

/// What errors call a window that was given no name.
const UNNAMED: &str = "<unnamed window>";

/// The window functions of a query block.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    /// The windows: those of WINDOW, then those of OVER (…), as they were written.
    pub(crate) list: Vec<Window>,
    /// The calls, in the order of their results.
    pub(crate) calls: Vec<WindowCall>,
    /// Place of the first call's result in the flat row.
    pub(crate) start: usize,
    /// Which items of the select list need them.
    items: Vec<bool>,
}

/// Rows that a window function looks through, and their order.
#[derive(Debug)]
pub(crate) struct Window {
    /// As errors name it.
    pub(crate) name: Box<str>,
    /// PARTITION BY
    pub(crate) partition_by: Vec<Node>,
    /// ORDER BY
    pub(crate) order_by: Vec<OrderBy>,
    /// Which rows of the partition count for a row.
    pub(crate) frame: Frame,
}

impl Window {
    /// It stands in WINDOW.
    pub(crate) fn is_named(&self) -> bool {
        *self.name != *UNNAMED
    }
}

impl Windows {
    /// Whether there are no calls.
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Whether an item of the select list is computed once these are.
    pub(crate) fn has_item(&self, at: usize) -> bool {
        self.items.get(at) == Some(&true)
    }

    /// Whether a place of the flat row has a result.
    fn holds(&self, place: usize) -> bool {
        (self.start..self.start + self.calls.len()).contains(&place)
    }

    /// Whether an expression has a result in it.
    pub(super) fn is_in(&self, node: &Node) -> bool {
        let mut found = false;
        columns_of(node, &mut |place| found |= self.holds(place));
        found
    }

    /// Calls `each` with every expression over the flat row.
    pub(crate) fn nodes(&mut self, each: &mut dyn FnMut(&mut Node)) {
        for window in &mut self.list {
            window.partition_by.iter_mut().for_each(&mut *each);
            window.order_by.iter_mut().for_each(|key| each(&mut key.node));
        }
        self.calls.iter_mut().for_each(|call| call.nodes(each));
    }

    /// What the windows take of a row.
    pub(crate) fn operands(&self) -> impl Iterator<Item = &Node> {
        let parts = self.list.iter().flat_map(|window| &window.partition_by);
        let order = self.list.iter().flat_map(|window| &window.order_by).map(|key| &key.node);
        parts.chain(order).chain(self.calls.iter().flat_map(WindowCall::operands))
    }

    /// The calls whose results an expression has in it.
    pub(super) fn calls_in<'w>(&'w self, node: &Node) -> Vec<&'w WindowCall> {
        let mut found = Vec::new();
        columns_of(node, &mut |place| found.extend(place.checked_sub(self.start)));
        found.into_iter().filter_map(|at| self.calls.get(at)).collect()
    }

    /// Leaves out windows that no call looks through.
    pub(super) fn drop_unused(&mut self) {
        let mut at = 0;
        while at < self.list.len() {
            if self.calls.iter().any(|call| call.window == at) {
                at += 1;
                continue;
            }
            self.list.remove(at);
            let behind = self.calls.iter_mut().filter(|call| call.window > at);
            behind.for_each(|call| call.window -= 1);
        }
    }
}

/// Where window functions stand.
#[derive(Clone, Copy)]
pub(crate) enum Windowing<'a> {
    /// Where there can be none.
    Refused,
    /// In a window of this name.
    Inside(&'a str),
    /// In a select list or ORDER BY.
    Allowed(&'a WindowScope<'a>),
}

/// What is met while a query block is bound.
pub(crate) struct WindowScope<'a> {
    /// WINDOW
    named: &'a [(ast::Ident, ast::WindowSpec)],
    /// OVER (…), in the order in which they are met.
    unnamed: RefCell<Vec<Window>>,
    calls: RefCell<Vec<WindowCall>>,
    start: usize,
}

impl<'a> WindowScope<'a> {
    /// Nothing met yet; results will lie from `start` on.
    pub(super) fn new(named: &'a [(ast::Ident, ast::WindowSpec)], start: usize) -> Self {
        Self { named, unnamed: RefCell::default(), calls: RefCell::default(), start }
    }

    /// Whether a place of the flat row has a result.
    pub(super) fn holds(&self, place: usize) -> bool {
        (self.start..self.start + self.calls.borrow().len()).contains(&place)
    }

    fn named(&self, name: &str) -> Result<usize> {
        // As MySQL compares them, in any case.
        let same = |(one, _): &(ast::Ident, _)| one.as_str().to_lowercase() == name.to_lowercase();
        let found = self.named.iter().position(same);
        found.ok_or_else(|| SqlError::new(code::ER_WINDOW_NO_SUCH_WINDOW, &[name.into()]))
    }

    /// The number of the window that a call looks through, and how it is printed.
    fn reach(&self, scope: &StatementScope<'_>, over: &ast::Over) -> Result<(usize, String)> {
        match over {
            ast::Over::Name(name) => Ok((self.named(name.as_str())?, name.as_str().to_owned())),
            ast::Over::Window(spec) => {
                let window = self.window(scope, UNNAMED, spec)?;
                let text = window.text(&|node| text::short(node, scope.tables));
                let mut unnamed = self.unnamed.borrow_mut();
                unnamed.push(window);
                Ok((self.named.len() + unnamed.len() - 1, text))
            }
        }
    }

    /// All windows, with the calls. `nodes` are those of the select list.
    ///
    /// # Errors
    /// 3579 to 3596 for windows that cannot be.
    pub(super) fn bind<'n>(
        &self,
        scope: &StatementScope<'_>,
        nodes: impl Iterator<Item = &'n Node>,
    ) -> Result<Windows> {
        let mut seen: Vec<String> = Vec::new();
        let mut list = Vec::with_capacity(self.named.len());
        for (name, spec) in self.named {
            let folded = name.as_str().to_lowercase();
            if seen.contains(&folded) {
                return Err(SqlError::new(code::ER_WINDOW_DUPLICATE_NAME, &[name.as_str().into()]));
            }
            seen.push(folded);
            list.push(self.window(scope, name.as_str(), spec)?);
        }
        list.extend(self.unnamed.take());
        let mut windows =
            Windows { list, calls: self.calls.take(), start: self.start, items: Vec::new() };
        windows.items = nodes.map(|node| windows.is_in(node)).collect();
        Ok(windows)
    }

    /// A window, bound.
    fn window(
        &self,
        scope: &StatementScope<'_>,
        name: &str,
        spec: &ast::WindowSpec,
    ) -> Result<Window> {
        frame::check(name, spec)?;
        let whole = self.whole(name, spec)?;
        let inner = scope.inside(Windowing::Inside(name));
        let binder = Binder::new(scope.statement.settings, &inner, scope.statement.params);
        let key = |expr: &ast::Expr| {
            if matches!(expr.kind, ExprKind::Literal(ast::Literal::Int(_))) {
                return Err(SqlError::new(code::ER_WINDOW_ILLEGAL_ORDER_BY, &[name.into()]));
            }
            let node = binder.bind(expr)?;
            refuse_outer(&node)?;
            Ok(node)
        };
        inner.clause.set("window partition by");
        let partition_by = whole.partition_by.iter().map(key).collect::<Result<Vec<_>>>()?;
        inner.clause.set("window order by");
        let order_by = whole
            .order_by
            .iter()
            .map(|item| Ok(OrderBy { node: key(&item.expr)?, descending: item.descending }))
            .collect::<Result<Vec<_>>>()?;
        for warning in binder.take_warnings() {
            scope.block.warn(warning);
        }
        let frame = Frame::bind(&scope.statement, name, spec.frame.as_deref(), &order_by)?;
        Ok(Window { name: name.into(), partition_by, order_by, frame })
    }

    /// What a window has of its own and of those that it refines.
    fn whole<'s>(&'s self, name: &str, spec: &'s ast::WindowSpec) -> Result<Whole<'s>> {
        let mut whole = Whole { partition_by: &spec.partition_by, order_by: &spec.order_by };
        let (mut spec, mut steps) = (spec, 0);
        while let Some(base) = &spec.base {
            let (base_name, next) = &self.named[self.named(base.as_str())?];
            steps += 1;
            if steps > self.named.len() {
                return Err(SqlError::new(code::ER_WINDOW_CIRCULARITY_IN_WINDOW_GRAPH, &[]));
            }
            if !spec.partition_by.is_empty() {
                return Err(SqlError::new(code::ER_WINDOW_NO_CHILD_PARTITIONING, &[]));
            }
            if next.frame.is_some() {
                let number = code::ER_WINDOW_NO_INHERIT_FRAME;
                return Err(SqlError::new(number, &[base_name.as_str().into()]));
            }
            if !next.order_by.is_empty() {
                if !whole.order_by.is_empty() {
                    let names = [name.into(), base.as_str().into()];
                    return Err(SqlError::new(code::ER_WINDOW_NO_REDEFINE_ORDER_BY, &names));
                }
                whole.order_by = &next.order_by;
            }
            whole.partition_by = &next.partition_by;
            spec = next;
        }
        Ok(whole)
    }
}

struct Whole<'s> {
    partition_by: &'s [ast::Expr],
    order_by: &'s [ast::OrderItem],
}

/// Rows are put in order by what is theirs.
fn refuse_outer(node: &Node) -> Result<()> {
    match &node.op {
        Op::Column(column) if column.index >= OUTER => {
            let name = column.name.replace('`', "");
            Err(SqlError::new(code::ER_INVALID_OUTER_REFERENCE, &[(&*name).into()]))
        }
        Op::Subquery { .. } => Ok(()),
        _ => node.args.iter().try_for_each(refuse_outer),
    }
}

impl StatementScope<'_> {
    /// What names mean in the operands of a window function, or in a window.
    pub(super) fn inside<'s>(&'s self, windowing: Windowing<'s>) -> StatementScope<'s> {
        let clause = self.clause.get();
        StatementScope {
            aggregates: self.aggregates,
            aggregates_start: self.aggregates_start,
            groupings: self.groupings,
            windowing,
            ..StatementScope::of_tables(self.statement, self.block, self.tables, clause)
        }
    }

    /// A window function: the place of its result.
    fn windowed(
        &self,
        name: &str,
        over: &ast::Over,
        bind: impl FnOnce(&Binder<'_>) -> Result<WindowFunction>,
    ) -> Result<Node> {
        let refused = || SqlError::new(code::ER_WINDOW_INVALID_WINDOW_FUNC_USE, &[name.into()]);
        if self.refuses_windows.get() {
            return Err(refused());
        }
        let windows = match self.windowing {
            Windowing::Refused => return Err(refused()),
            Windowing::Inside(window) => {
                let number = code::ER_WINDOW_NESTED_WINDOW_FUNC_USE_IN_WINDOW_SPEC;
                return Err(SqlError::new(number, &[window.into()]));
            }
            Windowing::Allowed(windows) => windows,
        };
        let inner = self.inside(Windowing::Refused);
        let binder = Binder::new(self.statement.settings, &inner, self.statement.params);
        let function = bind(&binder)?;
        for warning in binder.take_warnings() {
            self.block.warn(warning);
        }
        let (window, over) = windows.reach(self, over)?;
        let ty = function.result_type();
        // As errors print what is made of it.
        let shown = |node: &Node| text::short(node, self.tables);
        let name = format!("`{}`", function.text(&over, &shown));
        let mut calls = windows.calls.borrow_mut();
        calls.push(WindowCall { function, window });
        Ok(Node::column(Column {
            index: windows.start + calls.len() - 1,
            ty,
            name: name.into_boxed_str(),
            members: None,
        }))
    }
}
