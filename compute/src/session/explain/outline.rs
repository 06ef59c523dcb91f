//! The query blocks of a statement, with MySQL's numbers.
//!
//! Blocks are numbered as their SELECTs are met: the select list first, then FROM, WHERE
//! and what is behind it; the rows that UNION and the like put together come after their
//! parts. A common table has the number of the place that names it first, and all later
//! places use up numbers of their own.

use std::collections::{BTreeMap, BTreeSet};

use firn_mysql_parser::ast::SetOp;
use firn_mysql_semantics::expr::{Column, CompareOp, Node, Op, printed};

use super::Explained;
use crate::bind::Asked;
use crate::plan::{DerivedPlan, PartPlan, SelectPlan, SetPlan, Step, StepRows, SubqueryPlan};

/// Where in a query block a subquery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clause {
    /// The select list.
    List,
    /// Values of SET.
    Given,
    /// Conditions of a step.
    Step(usize),
    /// Conditions without columns.
    Constant,
    Group,
    Having,
    Order,
}

/// The numbers, and how expressions name what has them.
#[derive(Default)]
pub(super) struct Outline<'p> {
    numbers: BTreeMap<usize, u64>,
    /// Numbers that a common table takes, by its number in the plan.
    common: BTreeMap<usize, u64>,
    queries: BTreeMap<usize, &'p SubqueryPlan>,
    /// Tables as expressions print them, and their names in the statement.
    names: Vec<(String, String)>,
    /// Blocks whose conditions are false before anything is read.
    impossible: BTreeSet<usize>,
    taken: u64,
}

/// What a block is known by.
pub(super) fn place<T>(part: &T) -> usize {
    std::ptr::from_ref(part).addr()
}

/// The rows that a block does nothing with but to put them in order, and to cut them: those
/// of UNION and the like, or of a query in parentheses.
pub(super) fn over(plan: &SelectPlan) -> Option<&DerivedPlan> {
    match (&plan.select.tables[..], &plan.steps[..]) {
        ([table], [Step { rows: StepRows::Derived(rows), .. }]) if table.alias.is_empty() => {
            Some(rows)
        }
        _ => None,
    }
}

/// The rows of VALUES, which MySQL counts as one block.
pub(super) fn is_values(set: &SetPlan) -> bool {
    set.parts.iter().all(|part| {
        let named = |(at, item): (usize, &crate::bind::Item)| *item.name == *format!("column_{at}");
        part.op.is_none_or(|(op, all)| op == SetOp::Union && all)
            && part.plan.steps.is_empty()
            && part.plan.select.items.iter().enumerate().all(named)
    })
}

/// The operation by which most of a set is put together.
pub(super) fn operation(set: &SetPlan) -> (SetOp, bool) {
    set.parts.iter().rev().find_map(|part| part.op).unwrap_or((SetOp::Union, true))
}

/// The word for it.
pub(super) fn word(op: SetOp) -> &'static str {
    match op {
        SetOp::Union => "union",
        SetOp::Intersect => "intersect",
        SetOp::Except => "except",
    }
}

fn slots(node: &Node, each: &mut dyn FnMut(usize)) {
    if let Op::Subquery { slot, .. } = &node.op {
        each(*slot);
    }
    node.args.iter().for_each(|arg| slots(arg, each));
}

fn has(node: &Node, slot: usize) -> bool {
    let mut any = false;
    slots(node, &mut |one| any |= one == slot);
    any
}

/// Where a subquery of a block stands.
pub(super) fn clause(plan: &SelectPlan, slot: usize) -> Clause {
    let select = &plan.select;
    let any = |nodes: &[Node]| nodes.iter().any(|node| has(node, slot));
    let operand = |one: &crate::bind::Aggregate| {
        any(&one.args) || one.order_by.iter().any(|key| has(&key.node, slot))
    };
    if select.items.iter().any(|item| has(&item.node, slot))
        || select.aggregates.iter().any(operand)
        || select.windows.operands().any(|node| has(node, slot))
    {
        return Clause::List;
    }
    if any(&plan.constant) {
        return Clause::Constant;
    }
    if let Some(at) = plan.steps.iter().position(|step| any(&step.filter) || any(&step.on)) {
        return Clause::Step(at);
    }
    if any(&select.group_by) {
        Clause::Group
    } else if select.having.as_ref().is_some_and(|node| has(node, slot)) {
        Clause::Having
    } else if select.order_by.iter().any(|key| has(&key.node, slot)) {
        Clause::Order
    } else {
        Clause::Given
    }
}

/// The subqueries of a block in some of its clauses.
pub(super) fn subqueries(plan: &SelectPlan, wanted: impl Fn(Clause) -> bool) -> Vec<&SubqueryPlan> {
    plan.subqueries.iter().filter(|one| wanted(clause(plan, one.slot))).collect()
}

impl<'p> Outline<'p> {
    pub(super) fn new(explained: &'p Explained, impossible: BTreeSet<usize>) -> Self {
        let mut this = Self { impossible, ..Self::default() };
        match explained.plan() {
            Some(plan) => this.block(plan),
            None => this.taken = 1,
        }
        if let Explained::Insert { subqueries, .. } = explained {
            subqueries.iter().for_each(|one| this.subquery(one));
        }
        this
    }

    /// How many numbers there are.
    pub(super) fn count(&self) -> u64 {
        self.taken
    }

    /// The number of a block.
    pub(super) fn number(&self, plan: &SelectPlan) -> u64 {
        self.numbers.get(&place(plan)).copied().unwrap_or_default()
    }

    /// Nothing is read, since a condition without columns is false.
    pub(super) fn is_impossible(&self, plan: &SelectPlan) -> bool {
        self.impossible.contains(&place(plan))
    }

    /// The number of the first block of those that rows are made by.
    pub(super) fn first_of(&self, rows: &DerivedPlan) -> u64 {
        match rows {
            DerivedPlan::Query { plan, .. } => self.first(plan),
            DerivedPlan::Set(set) => set.parts.first().map_or(0, |part| self.first(&part.plan)),
            DerivedPlan::Shared(shared) => self.first_of(shared.rows()),
            DerivedPlan::Recursive(plan) => {
                plan.seed.parts.first().map_or(0, |part| self.first(&part.plan))
            }
            DerivedPlan::JsonTable(_) | DerivedPlan::Working(_) => 0,
        }
    }

    /// The number of the first block within a block.
    pub(super) fn first(&self, plan: &SelectPlan) -> u64 {
        match over(plan) {
            Some(DerivedPlan::Set(set)) if is_values(set) => self.number(plan),
            Some(rows) => self.first_of(rows),
            None => self.number(plan),
        }
    }

    fn take(&mut self, plan: &'p SelectPlan) {
        self.taken += 1;
        self.numbers.insert(place(plan), self.taken);
        for table in plan.select.tables.iter().filter(|table| !table.schema.is_empty()) {
            let name = (format!("`{}`.`{}`", table.schema, table.alias), table.alias.to_string());
            if !self.names.contains(&name) {
                self.names.push(name);
            }
        }
    }

    fn block(&mut self, plan: &'p SelectPlan) {
        if let Some(rows) = over(plan) {
            match rows {
                DerivedPlan::Set(set) if is_values(set) => {
                    self.take(plan);
                    let parts = set.parts.iter().flat_map(|part| &part.plan.subqueries);
                    parts.for_each(|one| self.subquery(one));
                    return;
                }
                rows => self.rows(rows),
            }
            self.take(plan);
            plan.subqueries.iter().for_each(|one| self.subquery(one));
            return;
        }
        self.take(plan);
        let of = |wanted: &dyn Fn(Clause) -> bool| subqueries(plan, wanted);
        let lists = of(&|clause| clause == Clause::List);
        lists.into_iter().for_each(|one| self.subquery(one));
        let mut steps: Vec<&Step> = plan.steps.iter().collect();
        steps.sort_by_key(|step| step.start);
        for step in steps {
            if let StepRows::Derived(rows) = &step.rows {
                self.rows(rows);
            }
        }
        let order = |clause| match clause {
            Clause::List => None,
            Clause::Given => Some(0),
            Clause::Step(_) | Clause::Constant => Some(1),
            Clause::Group => Some(2),
            Clause::Having => Some(3),
            Clause::Order => Some(4),
        };
        for at in 0..5 {
            let some = of(&|clause| order(clause) == Some(at));
            some.into_iter().for_each(|one| self.subquery(one));
        }
    }

    fn subquery(&mut self, one: &'p SubqueryPlan) {
        self.queries.insert(one.slot, one);
        self.block(&one.plan);
    }

    fn parts(&mut self, parts: &'p [PartPlan]) {
        parts.iter().for_each(|part| self.block(&part.plan));
    }

    fn rows(&mut self, rows: &'p DerivedPlan) {
        match rows {
            DerivedPlan::Query { plan, .. } => self.block(plan),
            DerivedPlan::Set(set) => self.parts(&set.parts),
            DerivedPlan::Shared(shared) => {
                if let Some(numbers) = self.common.get(&shared.number) {
                    self.taken += numbers;
                    return;
                }
                let before = self.taken;
                self.rows(shared.rows());
                self.common.insert(shared.number, self.taken - before);
            }
            DerivedPlan::Recursive(plan) => {
                self.parts(&plan.seed.parts);
                self.parts(&plan.steps);
            }
            DerivedPlan::JsonTable(_) | DerivedPlan::Working(_) => {}
        }
    }

    /// An expression, its subqueries by their numbers.
    pub(super) fn text(&self, node: &Node) -> String {
        printed(&self.numbered(node))
    }

    /// An expression without the names of databases and without quotes.
    pub(super) fn shown(&self, node: &Node) -> String {
        self.short(self.text(node))
    }

    /// A text of an expression in this way.
    pub(super) fn short(&self, mut text: String) -> String {
        for (long, short) in &self.names {
            text = text.replace(long, short);
        }
        text.replace('`', "")
    }

    fn numbered(&self, node: &Node) -> Node {
        let mut out = node.clone();
        if let Op::Subquery { slot, .. } = &node.op {
            let name = self.subquery_text(*slot, node).into_boxed_str();
            let column = Column { index: 0, ty: node.ty, name, members: None };
            return Node::column(column);
        }
        for (to, from) in out.args.iter_mut().zip(&node.args) {
            *to = self.numbered(from);
        }
        out
    }

    fn subquery_text(&self, slot: usize, node: &Node) -> String {
        let Some(query) = self.queries.get(&slot) else { return printed(node) };
        let number = self.first(&query.plan);
        match &query.asked {
            Asked::Row => format!("(select #{number})"),
            Asked::Exists => format!("exists(select #{number})"),
            Asked::Any(condition) => {
                let left = node.args.iter().skip(query.plan.select.outer.len());
                let left: Vec<String> = left.map(|node| self.text(node)).collect();
                let left = match &left[..] {
                    [one] => one.clone(),
                    many => format!("({})", many.join(",")),
                };
                let op = match &condition.op {
                    Op::Compare(op, _) => *op,
                    _ => CompareOp::Eq,
                };
                let op = match op {
                    CompareOp::Eq | CompareOp::NullSafeEq => {
                        return format!("({left} in (select #{number}))");
                    }
                    CompareOp::Ne => "<>",
                    CompareOp::Lt => "<",
                    CompareOp::Le => "<=",
                    CompareOp::Gt => ">",
                    CompareOp::Ge => ">=",
                };
                format!("({left} {op} any (select #{number}))")
            }
        }
    }
}
