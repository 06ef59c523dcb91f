//! What there is to say of one step of a plan.

use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::expr::{CompareOp, Node, Op};
use firn_mysql_semantics::{SqlType, TypeKind};
use firn_table::descriptor::{IndexDescriptor, IndexId, IndexState};

use super::outline::Outline;
use crate::bind::JoinKind;
use crate::plan::{Access, Condition, DerivedPlan, SelectPlan, Step, StepRows, Term};

/// How a table is reached: MySQL's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// One row that is known before all others are read.
    Const,
    /// One row for each of those before.
    EqRef,
    /// The rows of one key.
    Ref,
    /// The rows of ranges of keys.
    Range,
    /// The rows that searches of several indexes find together.
    IndexMerge,
    /// A whole index.
    Index,
    /// All rows.
    All,
}

impl Reach {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Const => "const",
            Self::EqRef => "eq_ref",
            Self::Ref => "ref",
            Self::Range => "range",
            Self::IndexMerge => "index_merge",
            Self::Index => "index",
            Self::All => "ALL",
        }
    }
}

/// What is said of a step in every shape.
pub(super) struct Told<'a> {
    /// The name that the table has in the statement.
    pub(super) table: String,
    pub(super) reach: Reach,
    /// Indexes that conditions could search.
    pub(super) possible: Vec<&'a str>,
    pub(super) key: Option<&'a str>,
    /// Names of the columns of the key that are searched.
    pub(super) key_columns: Vec<&'a str>,
    pub(super) key_bytes: u32,
    /// What each of them is compared with; of single keys.
    pub(super) refs: Vec<String>,
    /// The same, as expressions.
    pub(super) values: Vec<String>,
    /// Searches of several indexes.
    pub(super) merged: Vec<Merged<'a>>,
    /// No look at the row behind an entry of the index.
    pub(super) covering: bool,
    pub(super) backward: bool,
    /// Conditions that the index does not answer whole.
    pub(super) filter: Vec<&'a Node>,
    /// At most one row is found.
    pub(super) single: bool,
    pub(super) left: bool,
    /// It reads the rows that a recursive common table made last.
    pub(super) working: bool,
    /// The rows of JSON_TABLE.
    pub(super) function: bool,
    /// About how many rows are looked at each time, if that is known.
    pub(super) rows: Option<f64>,
    /// How many of a hundred of them conditions leave.
    pub(super) left_percent: Option<f64>,
}

/// One of the searches whose rows are put together.
pub(super) struct Merged<'a> {
    pub(super) key: &'a str,
    pub(super) key_bytes: u32,
    /// Names of the columns that are searched.
    pub(super) columns: Vec<&'a str>,
    /// It finds rows in the order of their keys.
    in_order: bool,
}

impl<'a> Told<'a> {
    /// What MySQL calls the way in which the rows of several searches are put together.
    pub(super) fn merge(&self) -> &'static str {
        if self.merged.iter().all(|one| one.in_order) { "union" } else { "sort_union" }
    }

    pub(super) fn new(plan: &'a SelectPlan, at: usize, outline: &Outline<'_>) -> Self {
        let step = &plan.steps[at];
        let scope = plan.select.tables.iter().find(|table| table.start == step.start);
        let mut alias = scope.map_or_else(String::new, |table| table.alias.to_string());
        // A view that is nothing but rows of its table goes by the table's name.
        if let (Some(scope), Some(open)) = (scope, step.stored())
            && *scope.table != *open.descriptor().name
        {
            alias.clone_from(&open.descriptor().name);
        }
        let mut told = Self {
            table: match &step.rows {
                StepRows::Derived(rows) => match &**rows {
                    DerivedPlan::Working(_) | DerivedPlan::JsonTable(_) => alias,
                    rows => format!("<derived{}>", outline.first_of(rows)),
                },
                _ => alias,
            },
            reach: Reach::All,
            possible: Vec::new(),
            key: None,
            key_columns: Vec::new(),
            key_bytes: 0,
            refs: Vec::new(),
            values: Vec::new(),
            merged: Vec::new(),
            covering: false,
            backward: false,
            filter: step.filter.iter().collect(),
            single: false,
            left: step.kind == JoinKind::Left,
            working: matches!(&step.rows, StepRows::Derived(rows)
                if matches!(**rows, DerivedPlan::Working(_))),
            rows: step.known.as_ref().map(|_| step.estimate.read),
            left_percent: step.known.as_ref().map(|_| {
                let share = step.estimate.left / step.estimate.read.max(1.0);
                (share * 100.0).clamp(0.01, 100.0)
            }),
            function: matches!(&step.rows, StepRows::Derived(rows)
                if matches!(**rows, DerivedPlan::JsonTable(_))),
        };
        if let (Some(open), Some(access)) = (step.stored(), &step.access) {
            let table = open.descriptor();
            told.searched((plan, step, outline), access, &table.indexes, &|id| {
                let place = table.columns.iter().position(|column| column.id == id)?;
                Some((place, &table.columns[place].name, &table.columns[place].ty))
            });
        }
        told
    }

    fn searched(
        &mut self,
        (plan, step, outline): (&'a SelectPlan, &'a Step, &Outline<'_>),
        access: &Access,
        indexes: &'a [IndexDescriptor],
        column: &dyn Fn(
            firn_table::descriptor::ColumnId,
        ) -> Option<(usize, &'a String, &'a SqlType)>,
    ) {
        let known = |place: usize| {
            if place >= plan.select.outer_start {
                return true;
            }
            let before = plan.steps.iter().take_while(|one| one.start != step.start);
            before.into_iter().any(|one| (one.start..one.end).contains(&place))
        };
        let conditions: Vec<(usize, Condition)> = step
            .filter
            .iter()
            .chain(&step.on)
            .enumerate()
            .filter_map(|(at, node)| Some((at, Condition::of(node, step.start, step.end, &known)?)))
            .collect();
        let first = |index: &IndexDescriptor| {
            let part = index.parts.first().and_then(|part| column(part.column));
            part.is_some_and(|(place, ..)| conditions.iter().any(|(_, one)| one.column == place))
        };
        self.possible = indexes
            .iter()
            .filter(|index| index.state == IndexState::Public && !index.invisible && first(index))
            .map(|index| index.name.as_str())
            .collect();
        let index = indexes.iter().find(|index| index.id == access.index);
        // By the rows of a query.
        if let Some(index) = index.filter(|_| access.asks().next().is_some())
            && !self.possible.contains(&index.name.as_str())
        {
            self.possible.push(&index.name);
        }
        if let Some(union) = &access.union {
            self.reach = Reach::IndexMerge;
            for search in &union.searches {
                let Some(index) = indexes.iter().find(|index| index.id == search.index) else {
                    continue;
                };
                let mut key_bytes = 0;
                let mut columns = Vec::new();
                for (part, _) in index.parts.iter().zip(&search.parts) {
                    let Some((_, name, ty)) = column(part.column) else { break };
                    key_bytes += key_bytes_of(ty, part.prefix_len);
                    columns.push(name.as_str());
                }
                let whole = index.id == IndexId::ROWS || columns.len() == index.parts.len();
                let of_one = |terms: &Vec<Term>| terms.iter().any(is_one_value);
                let in_order = whole && search.parts.iter().all(of_one);
                if !self.possible.contains(&index.name.as_str()) {
                    self.possible.push(&index.name);
                }
                let place = |name: &&str| indexes.iter().position(|index| index.name == **name);
                self.possible.sort_by_key(place);
                self.merged.push(Merged { key: &index.name, key_bytes, columns, in_order });
            }
            return;
        }
        self.backward = access.backward;
        self.single = access.single;
        if access.parts.is_empty() {
            let whole = access.index != IndexId::ROWS || access.ordered;
            if let (true, Some(index)) = (whole, index) {
                self.reach = Reach::Index;
                self.key = Some(&index.name);
                self.key_bytes = index
                    .parts
                    .iter()
                    .filter_map(|part| Some(key_bytes_of(column(part.column)?.2, part.prefix_len)))
                    .sum();
                self.covering = access.covering && access.index != IndexId::ROWS;
            }
            return;
        }
        let Some(index) = index else { return };
        self.key = Some(&index.name);
        let of_key = |at: &usize| {
            index.parts.iter().any(|part| {
                part.prefix_len.is_none() && column(part.column).is_some_and(|one| one.0 == *at)
            })
        };
        // Of the table itself, its key alone is such.
        self.covering = match access.index {
            IndexId::ROWS => !step.columns.is_empty() && step.columns.iter().all(of_key),
            _ => access.covering,
        };
        let mut one_key = true;
        let mut answered: Vec<usize> = Vec::new();
        for (part, terms) in index.parts.iter().zip(&access.parts) {
            let Some((place, name, ty)) = column(part.column) else { break };
            self.key_bytes += key_bytes_of(ty, part.prefix_len);
            self.key_columns.push(name);
            let single = terms.iter().find_map(|term| compared(term, plan, outline));
            match single {
                Some((compared, value)) => {
                    self.refs.push(compared);
                    self.values.push(value);
                    if part.prefix_len.is_none() {
                        answered.push(place);
                    }
                }
                None => one_key = false,
            }
        }
        let depends = self.refs.iter().any(|one| one != "const");
        self.reach = match (one_key, access.single) {
            (true, true) if depends => Reach::EqRef,
            (true, true) => Reach::Const,
            (true, false) => Reach::Ref,
            (false, _) => Reach::Range,
        };
        if !one_key {
            self.refs.clear();
            self.values.clear();
            return;
        }
        // What a key is equal to needs no second look.
        let settled: Vec<usize> = conditions
            .iter()
            .filter(|(at, one)| {
                *at < step.filter.len()
                    && answered.contains(&one.column)
                    && compared(&one.term, plan, outline).is_some()
            })
            .map(|(at, _)| *at)
            .collect();
        let left = step.filter.iter().enumerate().filter(|(at, _)| !settled.contains(at));
        self.filter = left.map(|(_, node)| node).collect();
    }
}

/// Whether a condition leaves one value of its column.
fn is_one_value(term: &Term) -> bool {
    term.values() == Some(1.0)
}

/// What a part of a key has to be equal to: `const`, a column, or `func`, and the expression.
/// `None` if it is no single value.
fn compared(term: &Term, plan: &SelectPlan, outline: &Outline<'_>) -> Option<(String, String)> {
    let select = &plan.select;
    let of = |node: &Node| match &node.op {
        Op::Column(column) if column.index >= select.outer_start => {
            select.outer[column.index - select.outer_start].name.replace('`', "")
        }
        Op::Column(column) => {
            let table = select.tables.iter().find(|table| {
                (table.start..table.start + table.columns.len()).contains(&column.index)
            });
            table.map_or_else(
                || "func".to_owned(),
                |table| {
                    let name = &table.columns[column.index - table.start].name;
                    match &*table.schema {
                        "" => format!("{}.{name}", table.alias),
                        schema => format!("{schema}.{}.{name}", table.alias),
                    }
                },
            )
        }
        _ if has_columns(node) => "func".to_owned(),
        _ => "const".to_owned(),
    };
    let both = |node: &Node| (of(node), outline.shown(node));
    match term {
        Term::Compare { op: CompareOp::Eq | CompareOp::NullSafeEq, value, .. } => Some(both(value)),
        Term::In { values, .. } if values.len() == 1 => Some(both(&values[0].1)),
        Term::IsNull { negated: false } => Some(("const".to_owned(), "NULL".to_owned())),
        _ => None,
    }
}

fn has_columns(node: &Node) -> bool {
    let mut any = false;
    crate::bind::columns_of(node, &mut |_| any = true);
    any
}

/// Bytes of a part of a key, as MySQL counts them.
fn key_bytes_of(ty: &SqlType, prefix: Option<u32>) -> u32 {
    let width = || {
        let collation = Collation::by_id(ty.collation.0);
        collation.map_or(1, |one| one.charset().max_bytes() as u32)
    };
    let fraction = u32::from(ty.decimals).div_ceil(2);
    let bytes = match ty.kind {
        TypeKind::TinyInt | TypeKind::Year => 1,
        TypeKind::SmallInt => 2,
        TypeKind::MediumInt | TypeKind::Date => 3,
        TypeKind::Int | TypeKind::Float => 4,
        TypeKind::BigInt | TypeKind::Double => 8,
        TypeKind::Time => 3 + fraction,
        TypeKind::Timestamp => 4 + fraction,
        TypeKind::DateTime => 5 + fraction,
        TypeKind::Bit => ty.length.div_ceil(8),
        TypeKind::Enum if ty.length > 255 => 2,
        TypeKind::Enum => 1,
        TypeKind::Set => 8,
        TypeKind::Decimal => decimal_bytes(ty.precision(), ty.decimals.into()),
        TypeKind::Char => prefix.unwrap_or(ty.length) * width(),
        kind if kind.is_string() => prefix.unwrap_or(ty.length) * width() + 2,
        _ => 0,
    };
    bytes + u32::from(ty.nullable)
}

fn decimal_bytes(precision: u32, scale: u32) -> u32 {
    const DIGITS: [u32; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
    let part = |digits: u32| digits / 9 * 4 + DIGITS[(digits % 9) as usize];
    part(precision.saturating_sub(scale)) + part(scale)
}
