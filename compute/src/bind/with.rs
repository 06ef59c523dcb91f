//! WITH: common tables, and those that are made from themselves.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, OnceLock};

use firn_mysql_parser::ast;
use firn_mysql_semantics::TypeKind;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, NoColumns, Node, Result};
use parking_lot::Mutex;

use super::from::columns_of_query;
use super::scope::ScopeColumn;
use super::set::{around, merged, placeholder};
use super::statement::{Statement, not_yet};
use super::{
    Block, BoundSelect, BoundSet, Derived, FoundTable, LimitBound, SetPart, StatementScope,
    TableSource, Used,
};
use crate::plan::DerivedPlan;

/// A common table, as the queries behind it can name it.
pub(crate) struct CommonTable<'a> {
    name: &'a str,
    /// Those that were defined before it, and around it.
    next: Option<&'a CommonTable<'a>>,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Defined {
        columns: &'a [ast::Ident],
        query: &'a ast::Query,
        recursive: bool,
        outer: Option<&'a StatementScope<'a>>,
        /// Planned where it is named first, if it takes nothing from around.
        shared: RefCell<Option<Planned>>,
    },
    /// Within its own query.
    Working {
        number: usize,
        /// Known once its first query is.
        columns: RefCell<Option<Arc<[ScopeColumn]>>>,
        references: Cell<usize>,
        of_union: bool,
    },
}

/// A common table that is planned, and its columns.
type Planned = (Arc<Shared>, Arc<[ScopeColumn]>);

/// A common table that all of its names read alike.
pub(crate) struct Shared {
    /// Its number in the statement.
    pub(crate) number: usize,
    /// What it is, until it is planned.
    bound: Mutex<Option<Derived>>,
    /// What queries read of it.
    read: Mutex<Reads>,
    planned: OnceLock<DerivedPlan>,
}

/// What queries read of a common table.
#[derive(Default)]
struct Reads {
    /// How often it is named, and for how many of these it is known which columns are read.
    names: usize,
    known: usize,
    /// The columns.
    columns: Vec<bool>,
}

/// What is not planned: rows of a step that there is not.
static UNPLANNED: DerivedPlan = DerivedPlan::Working(usize::MAX);

impl Shared {
    fn new(number: usize, rows: Derived) -> Self {
        let (bound, read) = (Mutex::new(Some(rows)), Mutex::default());
        Self { number, bound, read, planned: OnceLock::new() }
    }

    /// Notes which of its columns a query reads that names it.
    pub(super) fn reads(&self, columns: &[bool]) {
        let mut read = self.read.lock();
        read.known += 1;
        if read.columns.len() < columns.len() {
            read.columns.resize(columns.len(), false);
        }
        read.columns.iter_mut().zip(columns).for_each(|(read, one)| *read |= one);
    }

    /// Whether it gives rows of tables as they come. Each of its names has its own then, which is
    /// merged into the query that has the name; others' rows are made once for all of them.
    fn is_of_tables(&self) -> bool {
        let mut it_is = false;
        self.before_planning(|rows| {
            if let Derived::Query { query, .. } = rows {
                it_is = query.is_plain()
                    && query.order_by.is_empty()
                    && query.sources.iter().all(|one| matches!(one.rows, TableSource::Stored(_)))
                    && query.subqueries.is_empty()
                    && !query.is_volatile();
            }
        });
        it_is
    }

    /// Whether one query alone reads it. All that may are bound.
    pub(crate) fn is_named_once(&self) -> bool {
        self.read.lock().names == 1
    }

    /// What it is, for the one query that reads it and takes it over.
    pub(crate) fn take(&self) -> Option<Derived> {
        assert!(self.is_named_once(), "others read it, too");
        self.bound.lock().take()
    }

    /// Calls `each` with what it is, unless it is planned already.
    pub(crate) fn before_planning(&self, each: impl FnOnce(&mut Derived)) {
        if let Some(bound) = &mut *self.bound.lock() {
            each(bound);
        }
    }

    /// Plans its rows, the first time.
    ///
    /// # Errors
    /// As [`DerivedPlan::new`].
    pub(crate) fn plan(&self) -> Result<()> {
        let bound = self.bound.lock().take();
        if let Some(mut bound) = bound {
            // All queries that read it are bound by now.
            let read = self.read.lock();
            if let Derived::Query { query, .. } = &mut bound
                && read.names == read.known
            {
                query.drop_items(&read.columns);
            }
            let planned = DerivedPlan::new(bound)?;
            self.planned.get_or_init(|| planned);
        }
        Ok(())
    }

    /// How its rows are made. It was planned with the query around it.
    pub(crate) fn rows(&self) -> &DerivedPlan {
        debug_assert!(self.planned.get().is_some(), "a common table that nobody planned");
        self.planned.get().unwrap_or(&UNPLANNED)
    }
}

/// A common table whose rows are made from those before, until there are none.
pub(crate) struct Recursive {
    /// The number by which its queries read the rows before.
    pub(crate) number: usize,
    /// The first rows.
    pub(crate) seed: BoundSet,
    /// The queries that are repeated.
    pub(crate) steps: Vec<SetPart>,
    /// Equal rows count once.
    pub(crate) distinct: bool,
    /// No more rows than these.
    pub(crate) limit: Option<LimitBound>,
    /// Names of its columns.
    pub(crate) names: Vec<Box<str>>,
}

impl Recursive {
    pub(super) fn outer(&mut self, each: &mut dyn FnMut(&mut Node)) {
        self.seed.outer(each);
        for step in &mut self.steps {
            step.outer.iter_mut().for_each(&mut *each);
        }
    }

    pub(super) fn is_volatile(&mut self) -> bool {
        self.seed.is_volatile() || self.steps.iter_mut().any(|step| step.query.is_volatile())
    }
}

/// Binds what stands behind WITH.
pub(super) fn bind<T>(
    statement: &Statement<'_>,
    with: &ast::With,
    then: &mut dyn FnMut(&Statement<'_>) -> Result<T>,
) -> Result<T> {
    for (at, table) in with.tables.iter().enumerate() {
        let name = table.name.as_str();
        if with.tables.iter().take(at).any(|other| other.name.as_str() == name) {
            return Err(SqlError::new(code::ER_NONUNIQ_TABLE, &[name.into()]));
        }
    }
    bind_from(statement, with.recursive, &with.tables, then)
}

fn bind_from<T>(
    statement: &Statement<'_>,
    recursive: bool,
    tables: &[ast::CommonTable],
    then: &mut dyn FnMut(&Statement<'_>) -> Result<T>,
) -> Result<T> {
    let [table, rest @ ..] = tables else { return then(statement) };
    let common = CommonTable {
        name: table.name.as_str(),
        next: statement.commons,
        kind: Kind::Defined {
            columns: &table.columns,
            query: &table.query,
            recursive,
            outer: statement.outer,
            shared: RefCell::default(),
        },
    };
    let inner = Statement { commons: Some(&common), ..*statement };
    bind_from(&inner, recursive, rest, then)
}

/// The common table of a name.
pub(super) fn find<'a>(
    statement: &Statement<'a>,
    name: &ast::ObjectName,
) -> Option<&'a CommonTable<'a>> {
    if name.schema.is_some() {
        return None;
    }
    let mut next = statement.commons;
    while let Some(common) = next {
        if common.name == name.name.as_str() {
            return Some(common);
        }
        next = common.next;
    }
    None
}

impl CommonTable<'_> {
    /// The table, where a query in `block` names it.
    pub(super) fn table(&self, statement: &Statement<'_>, block: &Block) -> Result<FoundTable> {
        let (columns, source) = match &self.kind {
            Kind::Working { number, columns, references, of_union } => {
                references.set(references.get() + 1);
                let Some(columns) = columns.borrow().clone() else {
                    let number = match of_union {
                        true => code::ER_CTE_RECURSIVE_REQUIRES_NONRECURSIVE_FIRST,
                        false => code::ER_CTE_RECURSIVE_REQUIRES_UNION,
                    };
                    return Err(SqlError::new(number, &[self.name.into()]));
                };
                (columns, Derived::Working(*number))
            }
            Kind::Defined { shared, .. } => {
                let known = shared.borrow().clone();
                match known.filter(|(one, _)| !one.is_of_tables()) {
                    Some((one, columns)) => (columns, Derived::Shared(one)),
                    None => self.bound(statement, block)?,
                }
            }
        };
        if let (Kind::Defined { shared, .. }, Derived::Shared(one)) = (&self.kind, &source) {
            one.read.lock().names += 1;
            shared.borrow_mut().get_or_insert((Arc::clone(one), Arc::clone(&columns)));
        }
        Ok(FoundTable {
            schema: Arc::from(""),
            name: Arc::from(self.name),
            columns,
            source: TableSource::Derived(Box::new(source)),
            used: Used::default(),
        })
    }

    fn bound(
        &self,
        statement: &Statement<'_>,
        block: &Block,
    ) -> Result<(Arc<[ScopeColumn]>, Derived)> {
        let Kind::Defined { columns: names, query, recursive, outer, .. } = &self.kind else {
            return not_yet("this common table");
        };
        let scope = around(statement, block);
        let outer = outer.is_some().then_some(&scope);
        let of_union = matches!(&query.body, ast::QueryBody::Set { .. });
        let working = CommonTable {
            name: self.name,
            next: self.next,
            kind: Kind::Working {
                number: statement.number(),
                columns: RefCell::default(),
                references: Cell::new(0),
                of_union,
            },
        };
        let commons = if *recursive { Some(&working) } else { self.next };
        let inner = Statement { outer, commons, ..statement.deeper()? };
        if *recursive
            && of_union
            && let Some((columns, rows)) = working.repeated(&inner, names, query)?
        {
            return planned(statement, columns, rows);
        }
        let mut query = BoundSelect::bind(&inner, query)?;
        query.warn_in(block);
        let columns = columns_of_query(&query, names)?;
        let outer: Vec<Node> = query.outer.iter().cloned().map(Node::column).collect();
        let query = Box::new(BoundSelect { apart: true, ..query });
        planned(statement, columns, Derived::Query { query, outer, lateral: false })
    }

    /// Its query as one that is repeated; `None` if it does not name itself.
    fn repeated(
        &self,
        statement: &Statement<'_>,
        names: &[ast::Ident],
        query: &ast::Query,
    ) -> Result<Option<(Arc<[ScopeColumn]>, Derived)>> {
        let Kind::Working { number, columns: known, references, .. } = &self.kind else {
            return Ok(None);
        };
        let ast::QueryBody::Set { first, rest } = &query.body else { return Ok(None) };
        let seed = BoundSelect::part(statement, first)?;
        if !names.is_empty() && names.len() != seed.items.len() {
            return Err(SqlError::new(code::ER_VIEW_WRONG_LIST, &[]));
        }
        let mut seeds = vec![(None, seed)];
        let mut steps = Vec::new();
        let mut types = None;
        for operand in rest {
            // What is read again is of the types of the queries before.
            if types.is_none() {
                let own = std::mem::take(&mut seeds);
                let (set, columns) = merged(statement, own)?;
                let (columns, parts) = (named(columns, names), set.parts);
                seeds.extend(parts.into_iter().map(|part| (part.op, part.query)));
                known.replace(Some(columns.into()));
            }
            references.set(0);
            let query = BoundSelect::part(statement, &operand.body)?;
            match references.get() {
                0 if steps.is_empty() => {
                    seeds.push((Some((operand.op, operand.all)), query));
                    continue;
                }
                0 => {
                    let number = code::ER_CTE_RECURSIVE_REQUIRES_NONRECURSIVE_FIRST;
                    return Err(SqlError::new(number, &[self.name.into()]));
                }
                1 => {}
                _ => {
                    let number = code::ER_CTE_RECURSIVE_REQUIRES_SINGLE_REFERENCE;
                    return Err(SqlError::new(number, &[self.name.into()]));
                }
            }
            if operand.op != ast::SetOp::Union {
                return Err(SqlError::new(code::ER_CTE_RECURSIVE_NOT_UNION, &[]));
            }
            if query.grouped || !query.windows.is_empty() {
                let number = code::ER_CTE_RECURSIVE_FORBIDS_AGGREGATION;
                return Err(SqlError::new(number, &[self.name.into()]));
            }
            types = Some(());
            steps.push((operand.all, query));
        }
        if steps.is_empty() {
            return Ok(None);
        }
        if !query.order_by.is_empty() {
            return not_yet("ORDER BY over UNION in a recursive Common Table Expression");
        }
        let (seed, columns) = merged(statement, seeds)?;
        let columns = named(columns, names);
        let binder = Binder::new(statement.settings, &NoColumns, statement.params);
        let mut distinct = false;
        let mut bound = Vec::with_capacity(steps.len());
        for (all, query) in steps {
            distinct |= !all;
            if query.items.len() != columns.len() {
                return Err(SqlError::new(code::ER_WRONG_NUMBER_OF_COLUMNS_IN_SELECT, &[]));
            }
            let mut converted = Vec::with_capacity(columns.len());
            for (at, (column, item)) in columns.iter().zip(&query.items).enumerate() {
                let first = Node::column(firn_mysql_semantics::expr::Column {
                    index: at,
                    ty: column.ty,
                    name: Box::from(&*column.name),
                    members: None,
                });
                let mut pair = [first, placeholder(item, at)];
                binder.merged(&mut pair, "UNION")?;
                let [_, theirs] = pair;
                converted.push(Node::as_type(theirs, column.ty));
            }
            let outer = query.outer.iter().cloned().map(Node::column).collect();
            bound.push(SetPart { op: None, query, outer, columns: converted });
        }
        let limit = match &query.limit {
            Some(limit) => {
                let rows = binder.bind(&limit.rows)?;
                let offset = limit.offset.as_ref().map(|one| binder.bind(one)).transpose()?;
                Some(LimitBound { rows, offset, about: None })
            }
            None => None,
        };
        let names = columns.iter().map(|column| Box::from(&*column.name)).collect();
        let number = *number;
        let rows = Recursive { number, seed, steps: bound, distinct, limit, names };
        Ok(Some((columns.into(), Derived::Recursive(Box::new(rows)))))
    }
}

/// The columns by their names; those of rows that are made again may be NULL.
fn named(mut columns: Vec<ScopeColumn>, names: &[ast::Ident]) -> Vec<ScopeColumn> {
    for (at, column) in columns.iter_mut().enumerate() {
        if let Some(name) = names.get(at) {
            column.name = Arc::from(name.as_str());
        }
        column.ty = column.ty.with_nullable(true);
        if column.ty.kind == TypeKind::BigInt {
            column.ty.length = column.ty.length.max(20);
        }
    }
    columns
}

/// Planned at once, and shared, if nothing is taken from around.
fn planned(
    statement: &Statement<'_>,
    columns: Arc<[ScopeColumn]>,
    mut rows: Derived,
) -> Result<(Arc<[ScopeColumn]>, Derived)> {
    let mut takes = false;
    rows.outer(&mut |_| takes = true);
    if takes {
        return Ok((columns, rows));
    }
    let shared = Shared::new(statement.number(), rows);
    Ok((columns, Derived::Shared(Arc::new(shared))))
}
