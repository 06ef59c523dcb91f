//! Expressions outside of queries that have queries in them: of SET and DO.

use std::sync::Arc;

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::Cx;
use firn_mysql_semantics::{SqlType, Value};

use super::Session;
use super::compiled::{QueryPlan, tables_of};
use super::run::Arguments;
use super::statement::Ended;
use super::transaction::Unit;
use crate::execute::{Reading, SelectRun, View};
use crate::txn::LockMode;

/// How often an expression is planned again because a table changed meanwhile.
const REPLANS_MAX: u32 = 20;

/// `SELECT expr`
fn query(expr: &ast::Expr) -> ast::Query {
    let select = ast::Select {
        hints: Vec::new(),
        options: ast::SelectOptions::default(),
        items: vec![ast::SelectItem::Expr { expr: expr.clone(), alias: None }],
        from: Vec::new(),
        filter: None,
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
        span: expr.span,
    }
}

impl Session {
    /// The value of an expression, which may have subqueries.
    pub(super) async fn scalar(
        &mut self,
        sql: &[u8],
        expr: &ast::Expr,
        arguments: &Arguments,
    ) -> Result<(Value, SqlType), Ended> {
        let mut unit = self.unit();
        let result = self.scalar_in(sql, expr, arguments, &mut unit).await;
        self.end_unit(unit, result).await
    }

    /// A plan whose tables are locked against changes of their definitions.
    async fn locked_query(
        &mut self,
        sql: &[u8],
        query: &ast::Query,
        arguments: &Arguments,
        unit: &mut Unit,
    ) -> Result<QueryPlan, Ended> {
        for _ in 0..REPLANS_MAX {
            let plan = self.plan_query(sql, query, &arguments.types)?;
            let tables = tables_of(&plan.select).into_iter();
            let tables: Vec<_> = tables.map(|one| (one, LockMode::IntentionShared)).collect();
            if self.lock_tables(unit, &tables).await? {
                return Ok(plan);
            }
        }
        Err(SqlError::new(code::ER_TABLE_DEF_CHANGED, &[]).into())
    }

    async fn scalar_in(
        &mut self,
        sql: &[u8],
        expr: &ast::Expr,
        arguments: &Arguments,
        unit: &mut Unit,
    ) -> Result<(Value, SqlType), Ended> {
        let query = query(expr);
        let plan = self.locked_query(sql, &query, arguments, unit).await?;
        let Some(ty) = plan.select.select.items.first().map(|item| item.node.ty) else {
            return Err(SqlError::operand_columns(1).into());
        };
        let settings = Arc::clone(&self.settings);
        let wait = self.lock_wait();
        let mut view = View::new(&mut unit.transaction, Reading::Snapshot, wait);
        let mut run = SelectRun::new(&plan.select, &arguments.values);
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let row = run.next(&mut view, &mut cx).await?;
        let value = row.and_then(<[Value]>::first).cloned().unwrap_or(Value::Null);
        Ok((value, ty))
    }
}
