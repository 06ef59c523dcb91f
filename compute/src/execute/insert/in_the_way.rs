//! Rows that are in the way of one that is put: REPLACE removes them, ON DUPLICATE KEY UPDATE
//! changes the first.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::Level;
use firn_mysql_semantics::expr::{Cx, Row};

use super::super::number::id_of;
use super::super::subquery::Subqueries;
use super::super::view::View;
use super::super::write::{self, Duplicate, Stored};
use super::super::{Result, foreign_key, update};
use super::{Change, Job, told};

impl Job<'_> {
    /// Whether a row is in the way by its number: a number that was made does not take
    /// another's place.
    pub(super) fn is_by_number(&self, taken: &Duplicate) -> bool {
        let table = self.table();
        let index = table.descriptor().indexes.iter().find(|index| index.id == taken.index);
        let first = index.and_then(|index| index.parts.first());
        let numbered = table.auto_increment.map(|at| table.descriptor().columns[at].id);
        first.is_some_and(|part| Some(part.column) == numbered)
    }

    /// REPLACE puts a row that is the same in the place of the last that can be in the way.
    pub(super) async fn is_same(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
        taken: &Duplicate,
        row: &[Value],
    ) -> Result<bool> {
        let table = self.table();
        let mut unique = table.descriptor().indexes.iter().filter(|index| index.is_unique());
        let last = unique.next_back().map(|index| index.id);
        let referred = view.relations(table)?.is_some_and(|all| !all.children.is_empty());
        if last != Some(taken.index) || referred {
            return Ok(false);
        }
        view.lock(table.descriptor().space(), &taken.row_key).await?;
        let old = write::current(view, table, &taken.row_key, cx).await?;
        Ok(old.is_some_and(|old| old == row))
    }

    /// REPLACE: the row in the way goes.
    pub(super) async fn remove(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
        taken: &Duplicate,
    ) -> Result<()> {
        let table = self.table();
        view.lock(table.descriptor().space(), &taken.row_key).await?;
        let Some(old) = write::current(view, table, &taken.row_key, cx).await? else {
            return Ok(());
        };
        let values = write::in_utc(table, &old, cx);
        let old = Stored { key: taken.row_key.to_vec(), values };
        foreign_key::delete(view, table, &old, cx).await
    }

    /// ON DUPLICATE KEY UPDATE.
    pub(super) async fn update<'q>(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'q>,
        subqueries: &mut Subqueries<'q>,
        taken: &Duplicate,
        new: Vec<Value>,
    ) -> Result<()> {
        let plan = self.plan;
        let table = &*plan.insert.table;
        view.lock(table.descriptor().space(), &taken.row_key).await?;
        let Some(old) = write::current(view, table, &taken.row_key, cx).await? else {
            return Err(taken.error.clone());
        };
        let width = old.len();
        let mut both = old.clone();
        both.extend(new);
        if let Some(last) = plan.insert.beside.last() {
            both.resize(last + 1, Value::Null);
            for (place, value) in plan.insert.beside.iter().zip(&self.beside) {
                both[*place].clone_from(value);
            }
        }
        for (column, given) in &plan.insert.on_duplicate {
            let row = Row { columns: &both, params: self.params };
            let given = |cx: &mut Cx<'q>| self.storing.changed(table, *column, given, cx, row);
            let value = subqueries.run(view, cx, given).await?;
            both[*column] = value;
        }
        both.truncate(width);
        let assigned: Vec<usize> = plan.insert.on_duplicate.iter().map(|(at, _)| *at).collect();
        let outcome = update::change(
            view,
            table,
            self.storing,
            cx,
            Change { key: &taken.row_key, old, new: both, assigned: &assigned },
        )
        .await?;
        match outcome.result {
            Ok(changed) => {
                self.done.touched += 1;
                self.done.updated += u64::from(changed);
                self.done.copied += u64::from(changed);
            }
            Err(taken) if plan.insert.ignore => cx.warnings.push(Level::Warning, taken.error),
            Err(taken) => return Err(taken.error),
        }
        if let Some(at) = table.auto_increment {
            self.done.last_id = outcome.new.get(at).map(told);
            if let Some(id) = outcome.new.get(at).and_then(id_of) {
                self.numbering.pass(id, self.storing.numbering);
            }
        }
        view.make_room().await
    }
}
