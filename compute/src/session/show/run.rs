//! Rows of a SHOW to the client.

use std::cell::RefCell;
use std::sync::Arc;

use firn_mysql_parser::ast;
use firn_mysql_protocol::result::{Column, Columns, Response, Summary};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::expr::{Cx, Result as Bound};
use firn_mysql_semantics::{SqlType, Value};

use super::Filter;
use crate::bind::{
    BoundSelect, FoundTable, ScopeColumn, Statement, TableSource, Tables, Used, VirtualTable,
};
use crate::execute::{Reading, SelectRun, View};
use crate::information_schema::definition::{self, told};
use crate::output::{self, ValueWriter};
use crate::plan::SelectPlan;
use crate::session::Session;
use crate::session::run::Arguments;
use crate::session::statement::{Ended, Outcome};
use crate::session::tables::SessionTables;
use crate::session::values::VariablesScope;
use crate::txn::{IsolationLevel, LockWait, OwnerId};

/// What a SHOW shows.
pub(crate) struct Shown {
    /// As the client is told of them, but for the character set.
    pub(crate) columns: Vec<Column>,
    types: Vec<SqlType>,
    pub(crate) rows: Vec<Vec<Value>>,
    /// LIKE tells upper from lower case.
    pub(crate) cased: bool,
}

impl Shown {
    /// Rows of the columns that a SHOW has.
    pub(crate) fn new(name: &str, rows: Vec<Vec<Value>>) -> Self {
        let definition = definition::show(name);
        debug_assert!(rows.iter().all(|row| row.len() == definition.columns.len()), "{name}");
        Self {
            columns: definition.columns.clone(),
            types: definition.types.clone(),
            rows,
            cased: false,
        }
    }

    /// No rows.
    pub(crate) fn empty(name: &str) -> Self {
        Self::new(name, Vec::new())
    }

    /// LIKE tells upper from lower case: of names that do.
    pub(crate) fn cased(mut self) -> Self {
        self.cased = true;
        self
    }

    /// Gives a column another name.
    pub(crate) fn named(mut self, at: usize, name: &str) -> Self {
        if let Some(column) = self.columns.get_mut(at) {
            if !column.org_name.is_empty() {
                column.org_name = name.into();
            }
            column.name = name.into();
        }
        self
    }

    /// Says that the columns are of another table.
    pub(crate) fn of_table(mut self, name: &str) -> Self {
        for column in &mut self.columns {
            column.table = name.into();
            column.org_table = name.into();
        }
        self
    }

    fn keep_like(&mut self, pattern: &str) {
        let name = if self.cased { "utf8mb3_bin" } else { "utf8mb3_general_ci" };
        let names = Collation::by_name(name).unwrap_or_else(Collation::binary);
        let escape = Some(u32::from(b'\\'));
        self.rows.retain(|row| match row.first() {
            Some(Value::Bytes(text)) => {
                names.like(text, pattern.as_bytes(), escape).unwrap_or(false)
            }
            _ => false,
        });
    }
}

/// Rows that are there already.
struct Fixed(Vec<Vec<Value>>);

impl VirtualTable for Fixed {
    fn rows(&self) -> Bound<Vec<Vec<Value>>> {
        Ok(self.0.clone())
    }
}

/// The rows of a SHOW stand for the first table that is asked for.
struct ShownTable<'a> {
    found: RefCell<Option<FoundTable>>,
    others: SessionTables<'a>,
}

impl Tables for ShownTable<'_> {
    fn table(&self, name: &ast::ObjectName) -> Bound<FoundTable> {
        match self.found.borrow_mut().take() {
            Some(found) => Ok(found),
            None => self.others.table(name),
        }
    }
}

/// `SELECT * FROM rows WHERE filter`
fn query(filter: Option<&ast::Expr>) -> ast::Query {
    let ident = ast::Ident { text: "show".into(), span: ast::Span::default() };
    let factor = ast::TableFactor {
        name: ast::ObjectName { schema: None, name: ident },
        partitions: Vec::new(),
        alias: None,
        hints: Vec::new(),
        sample: None,
    };
    let select = ast::Select {
        hints: Vec::new(),
        options: ast::SelectOptions::default(),
        items: vec![ast::SelectItem::All],
        from: vec![ast::TableRef::Table(Box::new(factor))],
        filter: filter.cloned(),
        group_by: None,
        having: None,
        windows: Vec::new(),
        qualify: None,
    };
    ast::Query {
        with: None,
        body: ast::QueryBody::Select(Box::new(select)),
        order_by: Vec::new(),
        limit: None,
        locking: Vec::new(),
        into: None,
        span: ast::Span::default(),
    }
}

impl Session {
    /// Sends the rows of a SHOW that a filter leaves.
    pub(crate) async fn send_shown(
        &mut self,
        sql: &[u8],
        mut shown: Shown,
        filter: Filter<'_>,
        arguments: &Arguments,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        let condition = match filter {
            Filter::None => None,
            Filter::Like(pattern) => {
                shown.keep_like(pattern);
                None
            }
            Filter::Where(expr) => Some(expr),
        };
        let scope = shown.columns.iter().zip(&shown.types).map(|(column, ty)| ScopeColumn {
            printed: None,
            name: Arc::from(&*String::from_utf8_lossy(&column.name)),
            // Members of ENUM are texts here, and so is all that is shown.
            ty: *ty,
            members: None,
            flags: column.flags,
            zerofill: None,
            named: true,
            starred: true,
            origin: None,
        });
        let found = FoundTable {
            schema: Arc::from(""),
            name: Arc::from("show"),
            columns: scope.collect(),
            source: TableSource::Virtual(Arc::new(Fixed(std::mem::take(&mut shown.rows)))),
            used: Used::default(),
        };
        let plan = {
            let tables =
                ShownTable { found: RefCell::new(Some(found)), others: SessionTables::new(self) };
            let variables = VariablesScope::new(&self.values);
            let (numbers, types) = (std::cell::Cell::new(0), &arguments.types);
            let statement =
                Statement::new(sql, &self.settings, &tables, &variables, types, &numbers);
            SelectPlan::new(BoundSelect::bind(&statement, &query(condition))?)?
        };
        let results = self.result_charset();
        let columns: Vec<Column> =
            shown.columns.iter().map(|column| told(column, results)).collect();
        let columns = Columns::new(&columns);
        let items = &plan.select.items;
        let writer = |item: &crate::bind::Item| ValueWriter::new(&item.node.ty, None, results);
        let writers: Vec<ValueWriter> = items.iter().map(writer).collect();
        let status = self.status_flags();
        let owner = OwnerId(u64::from(self.id));
        let interrupt = self.process.interrupt.clone();
        let isolation = IsolationLevel::ReadCommitted;
        let mut transaction = self.server.transactions.begin(owner, isolation, interrupt);
        let settings = Arc::clone(&self.settings);
        let mut view = View::new(&mut transaction, Reading::Snapshot, LockWait::NoWait);
        let mut run = SelectRun::new(&plan, &arguments.values);
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let mut rows = response.rows(&columns)?;
        while let Some(values) = run.next(&mut view, &mut cx).await? {
            for ((writer, item), value) in writers.iter().zip(items).zip(values) {
                output::put(&mut rows, writer, &item.node, value)?;
            }
            rows.end_row().await?;
        }
        let count = rows.count();
        let summary = Summary { warnings: cx.warnings.packet_count(), ..Summary::new(status) };
        rows.end(&summary)?;
        self.values.found_rows = count;
        self.values.row_count = -1;
        Ok(Outcome::Sent)
    }
}
