//! EXPLAIN FORMAT=TREE and EXPLAIN ANALYZE: what feeds what, the last step first.

use std::collections::BTreeSet;

use firn_mysql_parser::ast::SetOp;
use firn_mysql_semantics::expr::{Node, Op};

use super::Explained;
use super::outline::{Clause, Outline, clause, is_values, operation, over, place, word};
use super::step::{Merged, Reach, Told};
use super::table::sorts;
use crate::bind::{Asked, BoundSelect, JoinKind, OrderBy};
use crate::execute::{Measures, Part, PartKey, Stage};
use crate::plan::{DerivedPlan, PartPlan, SelectPlan, StepRows, SubqueryPlan};

/// One step, and those that feed it.
pub(super) struct Branch {
    pub(super) line: String,
    pub(super) inputs: Vec<Branch>,
    /// Of a subquery: where it stands.
    pub(super) heading: Option<String>,
    /// What it is measured as.
    part: Option<PartKey>,
}

impl Branch {
    pub(super) fn of(line: impl Into<String>, inputs: Vec<Branch>) -> Self {
        Self { line: line.into(), inputs, heading: None, part: None }
    }

    fn measured<T>(mut self, of: &T, part: Part) -> Self {
        self.part = Some((place(of), part));
        self
    }

    /// What was measured; of what never began `Some(None)`.
    pub(super) fn stage(&self, measures: Option<&Measures>) -> Option<Option<Stage>> {
        let (measures, part) = (measures?, self.part?);
        Some(measures.stage(part))
    }

    fn print(&self, depth: usize, measures: Option<&Measures>, out: &mut String) {
        let mut depth = depth;
        let mut line = |depth: usize, text: &str| {
            out.push_str(&"    ".repeat(depth));
            out.push_str("-> ");
            out.push_str(text);
            out.push('\n');
        };
        if let Some(heading) = &self.heading {
            line(depth, heading);
            depth += 1;
        }
        let actual = match self.stage(measures) {
            None => String::new(),
            Some(None) => "  (never executed)".to_owned(),
            Some(Some(stage)) => {
                let loops = stage.loops as f64;
                let millis = |time: std::time::Duration| time.as_secs_f64() * 1000.0 / loops;
                format!(
                    "  (actual time={}..{} rows={} loops={})",
                    readable(millis(stage.first)),
                    readable(millis(stage.spent)),
                    readable(stage.rows as f64 / loops),
                    stage.loops
                )
            }
        };
        line(depth, &format!("{}{actual}", self.line));
        self.inputs.iter().for_each(|input| input.print(depth + 1, measures, out));
    }
}

/// A number of three digits, as MySQL prints what it has measured.
pub(super) fn readable(number: f64) -> String {
    if number <= 0.0 || !number.is_finite() {
        return "0".to_owned();
    }
    let exponent = number.log10().floor();
    if !(-3.0..6.0).contains(&exponent) {
        let steps = (exponent / 3.0).floor() * 3.0;
        return format!("{}e{steps:+}", readable(number / 10f64.powf(steps)));
    }
    let decimals = (2.0 - exponent).max(0.0) as usize;
    let text = format!("{number:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// The text.
pub(super) fn lines(root: &Branch, measures: Option<&Measures>) -> String {
    let mut out = String::new();
    root.print(0, measures, &mut out);
    out
}

/// The last step of a statement.
pub(super) fn root(explained: &Explained, outline: &Outline<'_>) -> Branch {
    let tree = Tree { outline };
    let mut told = BTreeSet::new();
    let mut inner = |plan: &SelectPlan| tree.block(plan, &mut told);
    match explained {
        Explained::Select(plan) => inner(plan),
        Explained::Insert { table, replace, query, subqueries } => {
            let verb = if *replace { "Replace into" } else { "Insert into" };
            let mut inputs: Vec<Branch> = query.iter().map(|plan| inner(plan)).collect();
            let asked = subqueries.iter().map(|one| tree.subquery(one, "insert values", &mut told));
            inputs.extend(asked);
            Branch::of(format!("{verb} {table}"), inputs)
        }
        Explained::Update(update) => {
            let line = format!("Update {}", names(&update.rows, explained));
            Branch::of(line, vec![inner(&update.rows)])
        }
        Explained::Delete(delete) => {
            let line = format!("Delete from {}", names(&delete.rows, explained));
            Branch::of(line, vec![inner(&delete.rows)])
        }
    }
}

fn names(plan: &SelectPlan, explained: &Explained) -> String {
    let targets = explained.changes().map(|(_, targets)| targets).unwrap_or_default();
    let starts: Vec<usize> =
        targets.iter().filter_map(|at| plan.steps.get(*at)).map(|step| step.start).collect();
    let tables = plan.select.tables.iter().filter(|table| starts.contains(&table.start));
    let names: Vec<_> = tables.map(|table| &*table.alias).collect();
    names.join(", ")
}

/// What a name of the select list stands for.
fn item_of<'n>(select: &'n BoundSelect, node: &'n Node) -> &'n Node {
    match &node.op {
        Op::Column(column) => match column.index.checked_sub(select.items_start) {
            // What windows give is known by its name only.
            Some(at) if select.windows.has_item(at) => node,
            Some(at) => select.items.get(at).map_or(node, |item| &item.node),
            None => node,
        },
        _ => node,
    }
}

pub(super) struct Tree<'o, 'p> {
    pub(super) outline: &'o Outline<'p>,
}

/// Common tables that were told already.
type Known = BTreeSet<usize>;

impl Tree<'_, '_> {
    fn all<'n>(&self, nodes: impl IntoIterator<Item = &'n Node>) -> String {
        let texts: Vec<_> = nodes.into_iter().map(|node| self.outline.shown(node)).collect();
        match texts.len() {
            1 => texts.concat(),
            _ => format!("({})", texts.join(" and ")),
        }
    }

    fn block(&self, plan: &SelectPlan, known: &mut Known) -> Branch {
        let select = &plan.select;
        let is_result = over(plan).is_some();
        let of = |wanted: Clause| -> Vec<&SubqueryPlan> {
            plan.subqueries.iter().filter(|one| clause(plan, one.slot) == wanted).collect()
        };
        let mut branch = match over(plan) {
            Some(DerivedPlan::Set(set)) if is_values(set) => {
                Branch::of("Rows fetched before execution", Vec::new())
            }
            Some(rows) => self.result(rows, known),
            None if self.outline.is_impossible(plan) => {
                Branch::of("Zero rows (Impossible WHERE)", Vec::new())
            }
            None if plan.steps.is_empty() => {
                Branch::of("Rows fetched before execution", Vec::new())
            }
            None => self.joined(plan, known),
        };
        if !plan.constant.is_empty() && !self.outline.is_impossible(plan) {
            let mut inputs = vec![branch];
            inputs.extend(self.conditions(of(Clause::Constant), known));
            branch = Branch::of(format!("Filter: {}", self.all(&plan.constant)), inputs);
        }
        if select.grouped {
            let list = |nodes: &[Node]| {
                let texts: Vec<_> = nodes.iter().map(|node| self.outline.shown(node)).collect();
                texts.join(", ")
            };
            let how = match select.group_by.is_empty() {
                true => "Aggregate".to_owned(),
                false => format!("Group aggregate by {}", list(&select.group_by)),
            };
            branch = Branch::of(how, vec![branch]).measured(plan, Part::Groups);
        }
        if let Some(having) = &select.having {
            let mut inputs = vec![branch];
            inputs.extend(self.conditions(of(Clause::Having), known));
            let line = format!("Filter: {}", self.all([having]));
            branch = Branch::of(line, inputs);
            if select.grouped {
                branch = branch.measured(plan, Part::Having);
            }
        }
        branch = self.windows(plan, branch);
        if select.distinct {
            branch = Branch::of("Remove duplicates", vec![branch]);
        }
        if sorts(plan) && !select.windows.is_empty() {
            let made = Branch::of("Temporary table", vec![branch]);
            branch = Branch::of("Table scan on <temporary>", vec![made]);
        }
        if sorts(plan) {
            let line = format!("Sort: {}", self.keys(plan, &select.order_by));
            branch = Branch::of(line, vec![branch]).measured(plan, Part::Sort);
        }
        if let Some(limit) = &select.limit {
            let rows = self.outline.text(&limit.rows);
            let mut line = format!("Limit: {rows} row(s)");
            if let Some(offset) = &limit.offset {
                line = format!("Limit/Offset: {rows}/{} row(s)", self.outline.text(offset));
            }
            branch = Branch::of(line, vec![branch]).measured(plan, Part::Result);
        }
        if branch.part.is_none() && !is_result {
            branch = branch.measured(plan, Part::Result);
        }
        for (wanted, place) in [
            (Clause::List, "projection"),
            (Clause::Group, "projection"),
            (Clause::Order, "projection"),
            (Clause::Given, "update values"),
        ] {
            let some = of(wanted).into_iter().map(|one| self.subquery(one, place, known));
            let some: Vec<Branch> = some.collect();
            branch.inputs.extend(some);
        }
        branch
    }

    /// What rows are put in order by.
    pub(super) fn keys(&self, plan: &SelectPlan, keys: &[OrderBy]) -> String {
        let texts: Vec<_> = keys
            .iter()
            .map(|key| {
                let text = self.outline.shown(item_of(&plan.select, &key.node));
                if key.descending { format!("{text} DESC") } else { text }
            })
            .collect();
        texts.join(", ")
    }

    fn conditions(&self, list: Vec<&SubqueryPlan>, known: &mut Known) -> Vec<Branch> {
        list.into_iter().map(|one| self.subquery(one, "condition", known)).collect()
    }

    fn subquery(&self, one: &SubqueryPlan, place: &str, known: &mut Known) -> Branch {
        let how = match (one.plan.select.outer.is_empty(), one.volatile) {
            (false, _) => "dependent",
            (true, true) => "uncacheable",
            (true, false) => "run only once",
        };
        let number = self.outline.first(&one.plan);
        let mut branch = self.block(&one.plan, known);
        // One row is enough to know.
        if matches!(one.asked, Asked::Exists) && one.plan.select.limit.is_none() {
            let rows = Branch::of("Limit: 1 row(s)", vec![branch]);
            branch = rows.measured(&one.plan, Part::Result);
        }
        branch.heading = Some(format!("Select #{number} (subquery in {place}; {how})"));
        branch
    }

    /// The rows of several queries, or of one in parentheses.
    fn result(&self, rows: &DerivedPlan, known: &mut Known) -> Branch {
        match rows {
            DerivedPlan::Set(set) => {
                let (op, all) = operation(set);
                let name = word(op);
                let mut title = name.to_owned();
                title[..1].make_ascii_uppercase();
                let line = match (op, all) {
                    (SetOp::Union, true) => "Union all materialize".to_owned(),
                    (_, true) => format!("{title} all materialize"),
                    (_, false) => format!("{title} materialize with deduplication"),
                };
                let parts = self.parts(&set.parts, known);
                let made = Branch::of(line, parts).measured(rows, Part::Made);
                Branch::of(format!("Table scan on <{name} temporary>"), vec![made])
            }
            DerivedPlan::Query { plan, .. } => {
                let made = Branch::of("Temporary table", vec![self.block(plan, known)]);
                let made = made.measured(rows, Part::Made);
                Branch::of("Table scan on <result temporary>", vec![made])
            }
            _ => Branch::of("Rows fetched before execution", Vec::new()),
        }
    }

    fn parts(&self, parts: &[PartPlan], known: &mut Known) -> Vec<Branch> {
        parts.iter().map(|part| self.block(&part.plan, known)).collect()
    }

    /// Nested loops, from the left.
    fn joined(&self, plan: &SelectPlan, known: &mut Known) -> Branch {
        let mut all: Option<Branch> = None;
        for at in 0..plan.steps.len() {
            let one = self.step(plan, at, known);
            all = Some(match all {
                None => one,
                Some(before) => {
                    let kind = match plan.steps[at].kind {
                        JoinKind::Inner => "Nested loop inner join",
                        JoinKind::Left => "Nested loop left join",
                    };
                    Branch::of(kind, vec![before, one]).measured(&plan.steps[at], Part::Join)
                }
            });
        }
        all.unwrap_or_else(|| Branch::of("Rows fetched before execution", Vec::new()))
    }

    fn step(&self, plan: &SelectPlan, at: usize, known: &mut Known) -> Branch {
        let told = Told::new(plan, at, self.outline);
        let step = &plan.steps[at];
        let mut branch = match &step.rows {
            StepRows::Derived(rows) => {
                let alias = plan.select.tables.iter().find(|table| table.start == step.start);
                self.derived(rows, alias.map_or("", |table| &*table.alias), plan, at, known)
            }
            _ => {
                let search = |one: &Merged<'_>| {
                    let (key, columns) = (one.key, one.columns.join(", "));
                    let table = &told.table;
                    let line = format!("Index range scan on {table} using {key} over ({columns})");
                    Branch::of(line, Vec::new())
                };
                Branch::of(access(&told), told.merged.iter().map(search).collect())
            }
        };
        branch = branch.measured(step, Part::Access);
        let mut conditions = String::new();
        if told.left && !step.on.is_empty() && told.reach == Reach::All {
            conditions = self.all(&step.on);
        }
        if !told.filter.is_empty() {
            let filter = self.all(told.filter.iter().copied());
            match conditions.is_empty() {
                true => conditions = filter,
                false => conditions = format!("({conditions} and {filter})"),
            }
        }
        if !conditions.is_empty() {
            let mut inputs = vec![branch];
            let asked = plan.subqueries.iter();
            let asked = asked.filter(|one| clause(plan, one.slot) == Clause::Step(at)).collect();
            inputs.extend(self.conditions(asked, known));
            branch = Branch::of(format!("Filter: {conditions}"), inputs);
            branch = branch.measured(step, Part::Filter);
        }
        branch
    }

    fn derived(
        &self,
        rows: &DerivedPlan,
        alias: &str,
        plan: &SelectPlan,
        at: usize,
        known: &mut Known,
    ) -> Branch {
        let scan = |made: Branch| Branch::of(format!("Table scan on {alias}"), vec![made]);
        match rows {
            DerivedPlan::JsonTable(_) => {
                let line = "Materialize table function".to_owned();
                Branch::of(line, Vec::new()).measured(rows, Part::Made)
            }
            DerivedPlan::Working(_) => {
                Branch::of(format!("Scan new records on {alias}"), Vec::new())
            }
            DerivedPlan::Query { plan: inner, lateral, .. } => {
                let before = at.checked_sub(1).and_then(|at| plan.steps.get(at));
                let before = before.and_then(|step| {
                    plan.select.tables.iter().find(|table| table.start == step.start)
                });
                let line = match before.filter(|_| *lateral) {
                    Some(table) => {
                        format!("Materialize (invalidate on row from {})", table.alias)
                    }
                    None => "Materialize".to_owned(),
                };
                let inner = self.block(inner, known);
                scan(Branch::of(line, vec![inner]).measured(rows, Part::Made))
            }
            DerivedPlan::Shared(shared) => {
                if !known.insert(shared.number) {
                    let line = "Materialize CTE if needed (query plan printed elsewhere)";
                    return scan(Branch::of(line, Vec::new()));
                }
                let made = match shared.rows() {
                    DerivedPlan::Recursive(recursive) => {
                        let mut inputs = self.parts(&recursive.seed.parts, known);
                        let steps = self.parts(&recursive.steps, known);
                        inputs.push(Branch::of("Repeat until convergence", steps));
                        Branch::of(format!("Materialize recursive CTE {alias}"), inputs)
                    }
                    DerivedPlan::Query { plan: inner, .. } => {
                        let inner = self.block(inner, known);
                        Branch::of(format!("Materialize CTE {alias} if needed"), vec![inner])
                    }
                    _ => Branch::of("Materialize CTE if needed", Vec::new()),
                };
                scan(made.measured(shared.rows(), Part::Made))
            }
            DerivedPlan::Recursive(_) | DerivedPlan::Set(_) => scan(self.result(rows, known)),
        }
    }
}

fn access(told: &Told<'_>) -> String {
    let table = &told.table;
    let key = told.key.unwrap_or("PRIMARY");
    let covering = if told.covering { "Covering index" } else { "Index" };
    let pairs = || {
        let pairs: Vec<_> = told
            .key_columns
            .iter()
            .zip(&told.values)
            .map(|(column, with)| format!("{column}={with}"))
            .collect();
        pairs.join(", ")
    };
    let mut line = match told.reach {
        Reach::All => return format!("Table scan on {table}"),
        Reach::Const | Reach::EqRef => {
            let kind = if told.covering { "Single-row covering index" } else { "Single-row index" };
            format!("{kind} lookup on {table} using {key} ({})", pairs())
        }
        Reach::Ref => format!("{covering} lookup on {table} using {key} ({})", pairs()),
        Reach::Range => format!(
            "{covering} range scan on {table} using {key} over ({})",
            told.key_columns.join(", ")
        ),
        Reach::IndexMerge => {
            return match told.merge() {
                "union" => "Deduplicate rows sorted by row ID".to_owned(),
                _ => "Sort-deduplicate by row ID".to_owned(),
            };
        }
        Reach::Index => format!("{covering} scan on {table} using {key}"),
    };
    if told.backward {
        line.push_str(" (reverse)");
    }
    line
}
