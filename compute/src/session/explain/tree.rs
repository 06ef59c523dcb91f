//! EXPLAIN FORMAT=TREE: what feeds what, the last step first.

use firn_mysql_semantics::expr::{Node, Op, printed};

use super::Explained;
use super::step::{Reach, Told, shown};
use super::table::sorts;
use crate::bind::{BoundSelect, JoinKind};
use crate::plan::{SelectPlan, StepRows};

/// One step, and those that feed it.
struct Branch {
    line: String,
    inputs: Vec<Branch>,
}

impl Branch {
    fn of(line: impl Into<String>, inputs: Vec<Branch>) -> Self {
        Self { line: line.into(), inputs }
    }

    fn print(&self, depth: usize, out: &mut String) {
        out.push_str(&"    ".repeat(depth));
        out.push_str("-> ");
        out.push_str(&self.line);
        out.push('\n');
        self.inputs.iter().for_each(|input| input.print(depth + 1, out));
    }
}

/// The text.
pub(super) fn lines(explained: &Explained) -> String {
    let (plan, _) = explained.rows();
    let root = match explained {
        Explained::Select(plan) => select(plan),
        Explained::Insert { table, replace, .. } => {
            let verb = if *replace { "Replace into" } else { "Insert into" };
            Branch::of(format!("{verb} {table}"), plan.map(select).into_iter().collect())
        }
        Explained::Update(plan) => {
            Branch::of(format!("Update {}", names(plan)), vec![select(plan)])
        }
        Explained::Delete(plan) => {
            Branch::of(format!("Delete from {}", names(plan)), vec![select(plan)])
        }
    };
    let mut out = String::new();
    root.print(0, &mut out);
    out
}

fn names(plan: &SelectPlan) -> String {
    let names: Vec<_> = plan.select.tables.iter().map(|table| &*table.alias).collect();
    names.join(", ")
}

fn all<'n>(nodes: impl IntoIterator<Item = &'n Node>, plan: &SelectPlan) -> String {
    let texts: Vec<_> = nodes.into_iter().map(|node| shown(node, &plan.select.tables)).collect();
    match texts.len() {
        1 => texts.concat(),
        _ => format!("({})", texts.join(" and ")),
    }
}

/// What a name of the select list stands for.
fn item_of<'n>(select: &'n BoundSelect, node: &'n Node) -> &'n Node {
    match &node.op {
        Op::Column(column) => match column.index.checked_sub(select.items_start) {
            Some(at) => select.items.get(at).map_or(node, |item| &item.node),
            None => node,
        },
        _ => node,
    }
}

fn select(plan: &SelectPlan) -> Branch {
    let select = &plan.select;
    let mut branch = match plan.steps.len() {
        0 => Branch::of("Rows fetched before execution", Vec::new()),
        _ => joined(plan),
    };
    if !plan.constant.is_empty() {
        branch = Branch::of(format!("Filter: {}", all(&plan.constant, plan)), vec![branch]);
    }
    if select.grouped {
        let how = if select.group_by.is_empty() {
            "Aggregate".to_owned()
        } else {
            let keys: Vec<_> =
                select.group_by.iter().map(|node| shown(node, &select.tables)).collect();
            format!("Group aggregate by {}", keys.join(", "))
        };
        branch = Branch::of(how, vec![branch]);
    }
    if let Some(having) = &select.having {
        branch = Branch::of(format!("Filter: {}", all([having], plan)), vec![branch]);
    }
    if select.distinct {
        branch = Branch::of("Remove duplicates", vec![branch]);
    }
    if sorts(plan) {
        let keys: Vec<_> = select
            .order_by
            .iter()
            .map(|key| {
                let text = shown(item_of(select, &key.node), &select.tables);
                if key.descending { format!("{text} DESC") } else { text }
            })
            .collect();
        branch = Branch::of(format!("Sort: {}", keys.join(", ")), vec![branch]);
    }
    if let Some(limit) = &select.limit {
        let mut line = format!("Limit: {} row(s)", printed(&limit.rows));
        if let Some(offset) = &limit.offset {
            line = format!("Limit/Offset: {}/{} row(s)", printed(&limit.rows), printed(offset));
        }
        branch = Branch::of(line, vec![branch]);
    }
    branch
}

/// Nested loops, from the left.
fn joined(plan: &SelectPlan) -> Branch {
    let mut all: Option<Branch> = None;
    for at in 0..plan.steps.len() {
        let one = step(plan, at);
        all = Some(match all {
            None => one,
            Some(before) => {
                let kind = match plan.steps[at].kind {
                    JoinKind::Inner => "Nested loop inner join",
                    JoinKind::Left => "Nested loop left join",
                };
                Branch::of(kind, vec![before, one])
            }
        });
    }
    all.unwrap_or_else(|| Branch::of("Rows fetched before execution", Vec::new()))
}

fn step(plan: &SelectPlan, at: usize) -> Branch {
    let told = Told::new(plan, at, 0);
    let step = &plan.steps[at];
    let mut branch = match &step.rows {
        StepRows::Derived(rows) => {
            let alias = plan.select.tables.iter().find(|table| table.start == step.start);
            let alias = alias.map_or("", |table| &*table.alias);
            let inner = rows.query().map(select).into_iter().collect();
            let inner = Branch::of("Materialize", inner);
            Branch::of(format!("Table scan on {alias}"), vec![inner])
        }
        _ => Branch::of(access(&told), Vec::new()),
    };
    if told.left && !step.on.is_empty() && told.reach == Reach::All {
        branch = Branch::of(format!("Filter: {}", all(&step.on, plan)), vec![branch]);
    }
    if !told.filter.is_empty() {
        branch =
            Branch::of(format!("Filter: {}", all(told.filter.iter().copied(), plan)), vec![branch]);
    }
    branch
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
        Reach::Index => format!("{covering} scan on {table} using {key}"),
    };
    if told.backward {
        line.push_str(" (reverse)");
    }
    line
}
