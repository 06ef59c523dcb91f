//! Values of AUTO_INCREMENT: who gives them, and what is kept of them.
//!
//! A statement takes as many values at once as it has rows, or more and more if it does not
//! know; those that it does not need are never given to a row, as on a MySQL server.

use std::sync::atomic::{AtomicU64, Ordering};

use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::{TypeKind, Value};
use firn_table::descriptor::IndexId;

use super::Result;
use super::view::{View, engine_error};
use crate::table::{Numbers, OpenTable};

/// Values of AUTO_INCREMENT that are stored as given before they are: the first time, and
/// when very many are given.
const KEPT_AHEAD_MIN: u64 = 16;
const KEPT_AHEAD_MAX: u64 = 1 << 16;

/// Values that a statement takes at once when it does not know how many rows it has.
const TAKEN_MAX: u64 = (1 << 16) - 1;

/// The values that one statement gives.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    /// Its rows, if that is known.
    rows: u64,
    /// Those of them that are still to come, once it has taken values.
    rows_left: u64,
    /// How often it has taken values.
    taken: u32,
    /// The next value to give; none before the first.
    next: Option<u64>,
    /// The end of those that it has taken.
    end: u64,
}

impl Numbering {
    /// For a statement of so many rows; 0 if that is not known.
    pub(super) fn new(rows: u64) -> Self {
        Self { rows, ..Self::default() }
    }

    /// A row was tried.
    pub(super) fn row_done(&mut self) {
        self.rows_left = self.rows_left.saturating_sub(1);
    }

    /// Where it stands.
    pub(super) fn place(&self) -> Option<u64> {
        self.next
    }

    /// A row was not written: the value that was made for it is given to the next one.
    pub(super) fn go_back(&mut self, place: Option<u64>, made: Option<u64>) {
        self.next = place.or(made);
    }

    /// A row had a value of its own: those that follow are greater.
    pub(super) fn pass(&mut self, id: u64, numbering: (u64, u64)) {
        if self.next.is_some_and(|next| id >= next) {
            self.next = Some(allowed(id.saturating_add(1), numbering));
        }
    }

    /// The next value.
    fn next(&mut self, counter: &AtomicU64, numbering: (u64, u64), id_max: u64) -> u64 {
        let step = numbering.0.max(1);
        let id = match self.next.filter(|next| *next < self.end) {
            Some(next) => next,
            None => {
                let wanted = match self.taken {
                    0 if self.rows > 0 => self.rows,
                    taken => (1 << taken.min(16)).min(TAKEN_MAX),
                };
                if self.rows_left == 0 {
                    self.rows_left = wanted;
                }
                let many = self.rows_left;
                let ends = |from: u64| {
                    allowed(from, numbering)
                        .saturating_add(many.saturating_mul(step))
                        .min(counter_max(id_max))
                        .max(from)
                };
                let before = counter
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |from| Some(ends(from)));
                let before = before.unwrap_or_else(|from| from);
                self.taken += 1;
                self.end = ends(before);
                allowed(before, numbering)
            }
        };
        self.next = Some(id.saturating_add(step));
        id
    }

    /// Gives a row its value.
    ///
    /// # Errors
    /// 1467 when there are no more, and the engine's.
    pub(super) async fn give(
        &mut self,
        view: &mut View<'_>,
        table: &OpenTable,
        at: usize,
        numbering: (u64, u64),
    ) -> Result<Value> {
        prepare(view, table).await?;
        let ty = &table.columns[at].ty;
        let id_max = id_max(ty);
        let id = self.next(&table.numbers.next_auto_increment, numbering, id_max);
        if id > id_max {
            return Err(SqlError::new(code::ER_AUTOINC_READ_FAILED, &[]));
        }
        keep(view, table, self.end.saturating_sub(1).max(id)).await?;
        #[allow(clippy::cast_possible_wrap, clippy::cast_precision_loss, reason = "checked above")]
        Ok(match ty.kind {
            TypeKind::Double => Value::Double(id as f64),
            TypeKind::Float => Value::Float(id as f32),
            _ if ty.unsigned => Value::UInt(id),
            _ => Value::Int(id as i64),
        })
    }
}

/// The first value from `from` that `auto_increment_increment` and `_offset` allow.
fn allowed(from: u64, (step, offset): (u64, u64)) -> u64 {
    if step <= 1 {
        return from;
    }
    let offset = if offset > step { 0 } else { offset % step };
    from.saturating_add((offset + step - from % step) % step)
}

/// Where counting stops: the greatest value of a type is given again, and is taken then; that
/// of BIGINT UNSIGNED is none.
fn counter_max(id_max: u64) -> u64 {
    if id_max > i64::MAX as u64 { id_max.saturating_add(1) } else { id_max }
}

/// A row has this value now: no row after it gets it, or a smaller one.
///
/// # Errors
/// The engine's.
pub(super) async fn raise(view: &mut View<'_>, table: &OpenTable, value: &Value) -> Result<()> {
    let Some(id) = id_of(value).filter(|id| *id > 0) else { return Ok(()) };
    prepare(view, table).await?;
    let id_max = table.auto_increment.map_or(u64::MAX, |at| id_max(&table.columns[at].ty));
    let next = id.saturating_add(1).min(counter_max(id_max));
    Numbers::raise(&table.numbers.next_auto_increment, next);
    keep(view, table, id).await
}

/// A value as AUTO_INCREMENT counts; `None` if it is negative, or no whole number.
pub(super) fn id_of(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::UInt(number) => Some(*number),
        _ => None,
    }
}

/// The greatest value that AUTO_INCREMENT can give to a column.
fn id_max(ty: &firn_mysql_semantics::SqlType) -> u64 {
    let bits = match ty.kind {
        TypeKind::TinyInt => 8,
        TypeKind::SmallInt => 16,
        TypeKind::MediumInt => 24,
        TypeKind::Int => 32,
        _ => 64,
    };
    match (bits, ty.unsigned) {
        // The greatest of all is never given.
        (64, true) => u64::MAX - 1,
        (64, false) => i64::MAX as u64,
        (bits, true) => (1 << bits) - 1,
        (bits, false) => (1 << (bits - 1)) - 1,
    }
}

/// Makes sure that a value of AUTO_INCREMENT is not given again after a restart, even if
/// its row is deleted. That is stored ahead, for more values at a time the more are given.
async fn keep(view: &mut View<'_>, table: &OpenTable, id: u64) -> Result<()> {
    let numbers = &table.numbers;
    if table.temporary || id < numbers.kept_auto_increment.load(Ordering::Acquire) {
        return Ok(());
    }
    let mut ahead = numbers.keeping.lock().await;
    if id < numbers.kept_auto_increment.load(Ordering::Acquire) {
        return Ok(());
    }
    *ahead = (*ahead * 2).clamp(KEPT_AHEAD_MIN, KEPT_AHEAD_MAX);
    let next = id.saturating_add(*ahead);
    view.keep_auto_increment(table.descriptor().id, next).await?;
    numbers.kept_auto_increment.store(next, Ordering::Release);
    Ok(())
}

/// Finds the first value to give, if nobody has.
pub(crate) async fn prepare(view: &mut View<'_>, table: &OpenTable) -> Result<()> {
    let counter = &table.numbers.next_auto_increment;
    if counter.load(Ordering::Relaxed) != 0 {
        return Ok(());
    }
    let Some(at) = table.auto_increment else { return Ok(()) };
    let kept = view.kept_auto_increment(table.descriptor().id).await?;
    let mut first = table.descriptor().auto_increment_min.max(kept).max(1);
    let rows = table.codec.row_index();
    let all = std::iter::once(rows).chain(table.codec.indexes());
    let mut by_number = all.filter(|codec| codec.column(0) == Some(at));
    let last = match by_number.next() {
        Some(codec) => {
            let last = view.last(table.descriptor().space(), &codec.all()).await?;
            last.map(|(key, value)| (codec, key, value))
        }
        None => None,
    };
    if let Some((codec, key, value)) = last {
        let greatest = if codec.id() == IndexId::ROWS {
            let reader = table.codec.rows().read(&value).map_err(engine_error)?;
            reader.value(at).map_err(engine_error)?
        } else {
            codec.read(&key, &value).and_then(|entry| entry.value(at)).map_err(engine_error)?
        };
        if let Some(id) = id_of(&greatest) {
            first = first.max(id.saturating_add(1));
        }
    }
    Numbers::raise(counter, first.min(counter_max(id_max(&table.columns[at].ty))));
    Ok(())
}
