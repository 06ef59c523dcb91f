//! LOAD DATA: lines of a file into a table.

mod format;

use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::{Level, SqlError, code};
use firn_mysql_semantics::expr::{Cx, Node, Row};
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind, Value};

use format::More;
pub(crate) use format::{Field, Format, Record, Records};

use super::Result;
use super::insert::{InsertPlan, Inserted, Job};
use super::store::{Storing, zero_of};
use super::subquery::Subqueries;
use super::view::View;
use crate::bind::{BoundLoad, Given, LoadTarget};

/// The longest line, in bytes.
const LINE_BYTES_MAX: usize = 256 << 20;

/// LOAD DATA, planned.
pub(crate) struct LoadPlan {
    insert: InsertPlan,
    fields: Vec<LoadTarget>,
    set: Vec<(usize, Given)>,
    /// What texts of the file are.
    text: SqlType,
    format: Format,
    /// Lines that are passed over first.
    skip: u64,
}

/// A load that runs: give it the file's parts, and let it make steps.
pub(crate) struct Load<'a> {
    plan: &'a LoadPlan,
    job: Job<'a>,
    records: Records<'a>,
    skip: u64,
    line: u64,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It needs more of the file.
    More,
    /// It took a line.
    Line,
    /// The file has ended.
    End,
}

impl LoadPlan {
    /// Plans LOAD DATA of texts of a collation.
    ///
    /// # Errors
    /// As [`InsertPlan::new`].
    pub(crate) fn new(
        load: BoundLoad,
        collation: CollationId,
        format: Format,
        skip: u64,
    ) -> Result<Self> {
        let text = SqlType::varchar(u32::MAX, collation, Derivation::Implicit);
        let BoundLoad { insert, fields, set } = load;
        let insert = InsertPlan::new(insert)?;
        Ok(Self { insert, fields, set, text, format, skip })
    }

    /// The rows that come of it.
    pub(crate) fn insert(&self) -> &crate::bind::BoundInsert {
        &self.insert.insert
    }
}

impl<'a> Load<'a> {
    /// One that has not begun.
    pub(crate) fn new(plan: &'a LoadPlan, storing: &'a Storing<'a>) -> Self {
        let job = Job::new(&plan.insert, storing, &[]);
        let records = Records::new(&plan.format);
        Self { plan, job, records, skip: plan.skip, line: 0 }
    }

    /// Adds a part of the file.
    pub(crate) fn push(&mut self, part: &[u8]) {
        self.records.push(part);
    }

    /// The file has no more parts.
    pub(crate) fn complete(&mut self) {
        self.records.complete();
    }

    /// Bytes of a line that is not there as a whole.
    pub(crate) fn waiting(&self) -> usize {
        self.records.waiting()
    }

    /// What it did.
    pub(crate) fn done(&self) -> Inserted {
        self.job.done
    }

    /// Takes the next line, if it is there.
    ///
    /// # Errors
    /// Those of storing rows; 1261 and 1262 in strict mode.
    pub(crate) async fn step(&mut self, view: &mut View<'_>, cx: &mut Cx<'_>) -> Result<Step> {
        if self.records.waiting() > LINE_BYTES_MAX {
            return Err(SqlError::new(code::ER_OUT_OF_RESOURCES, &[]));
        }
        while self.skip > 0 {
            match self.records.skip_line() {
                Ok(()) => self.skip -= 1,
                Err(More) => return Ok(Step::More),
            }
        }
        match self.records.next(self.plan.fields.len()) {
            Err(More) => Ok(Step::More),
            Ok(None) => Ok(Step::End),
            Ok(Some(record)) => {
                self.line += 1;
                cx.row_number = self.line;
                self.take(record, view, cx).await?;
                Ok(Step::Line)
            }
        }
    }

    async fn take(&mut self, record: Record, view: &mut View<'_>, cx: &mut Cx<'_>) -> Result<()> {
        let mut row = vec![Value::Null; self.plan.insert.insert.table.columns.len()];
        let stored = self.values(record, cx, &mut row);
        let mut none = Subqueries::new(&[], &[]);
        self.job.take(stored, view, cx, &mut none, row).await
    }

    /// The values of the row that a line is.
    fn values(&self, record: Record, cx: &mut Cx<'_>, row: &mut [Value]) -> Result<()> {
        let table = &*self.plan.insert.insert.table;
        let storing = self.job.storing;
        self.job.defaults(cx, row)?;
        for field in &record.fields {
            self.check_text(field)?;
        }
        let longer = record.longer;
        let mut given = record.fields.into_iter();
        for target in &self.plan.fields {
            let field = given.next();
            match target {
                LoadTarget::Variable(name) => {
                    let value = match field {
                        Some(field) if !field.null => Value::from(field.text),
                        _ => Value::Null,
                    };
                    cx.session.set_user_variable(name, value, self.plan.text);
                }
                LoadTarget::Column(at) => {
                    if table.descriptor().columns[*at].generated.is_some() {
                        continue;
                    }
                    row[*at] = match field {
                        Some(field) if field.null => self.null(*at, cx)?,
                        Some(field) => {
                            let value = Value::from(field.text);
                            let node = Node::value(value.clone(), self.plan.text);
                            storing.value(table, *at, &node, value, cx)?
                        }
                        None => {
                            self.warn(code::ER_WARN_TOO_FEW_RECORDS, cx)?;
                            self.missing(*at)
                        }
                    };
                }
            }
        }
        for (column, value) in &self.plan.set {
            let columns = Row { columns: row, params: &[] };
            let value = storing.given(table, *column, value, cx, columns)?;
            row[*column] = value;
        }
        if longer {
            self.warn(code::ER_WARN_TOO_MANY_RECORDS, cx)?;
        }
        Ok(())
    }

    /// Texts are of the file's character set, or of none.
    fn check_text(&self, field: &Field) -> Result<()> {
        let rule = Collation::by_id(self.plan.text.collation.0).unwrap_or_else(Collation::binary);
        let set = rule.charset();
        // What cannot be read was refused before.
        if field.null || set.is_binary() || set.is_well_formed(&field.text).unwrap_or(true) {
            return Ok(());
        }
        let utf8 = set.name().starts_with("utf8");
        let mut from = 0;
        loop {
            let rest = &field.text[from..];
            let (good, _) = set.well_formed_prefix(rest, usize::MAX).unwrap_or_default();
            let Some(bad) = rest.get(good).copied() else { return Ok(()) };
            let (passes, cut) = match bad {
                // Whatever follows: the column finds out.
                0xc2..=0xdf | 0xf5..=0xf7 => (utf8, false),
                0xe0..=0xf4 => (false, utf8),
                _ => (false, false),
            };
            from += good + 1;
            if !passes {
                let text = field.text[..from - 1].split(|byte| *byte == 0).next();
                let mut text = String::from_utf8_lossy(text.unwrap_or_default()).into_owned();
                text.push_str(if cut { "?" } else { "" });
                return Err(SqlError::invalid_character_string(set.name(), &text));
            }
        }
    }

    /// NULL for a column.
    fn null(&self, at: usize, cx: &mut Cx<'_>) -> Result<Value> {
        let table = &*self.plan.insert.insert.table;
        let column = &table.columns[at];
        if column.ty.nullable || table.auto_increment == Some(at) {
            return Ok(Value::Null);
        }
        if column.ty.kind == TypeKind::Timestamp {
            return Ok(self.job.storing.present(table, at));
        }
        let error = SqlError::new(
            code::ER_WARN_NULL_TO_NOTNULL,
            &[column.name.as_ref().into(), cx.row_number.into()],
        );
        if self.job.storing.strict {
            return Err(error);
        }
        cx.warnings.push(Level::Warning, error);
        Ok(zero_of(&column.ty))
    }

    /// A column that its line has no field for: nothing, if that is its default.
    fn missing(&self, at: usize) -> Value {
        use crate::table::Default::{self as D};
        let table = &*self.plan.insert.insert.table;
        let ty = &table.columns[at].ty;
        match &table.defaults[at] {
            _ if table.auto_increment == Some(at) => Value::Null,
            D::None | D::Value(Value::Null) if ty.nullable => Value::Null,
            _ if ty.kind == TypeKind::Timestamp && !ty.nullable => {
                self.job.storing.present(table, at)
            }
            _ => zero_of(ty),
        }
    }

    /// A line with too few or too many fields: an error in strict mode.
    fn warn(&self, number: u16, cx: &mut Cx<'_>) -> Result<()> {
        let error = SqlError::new(number, &[cx.row_number.into()]);
        if self.job.storing.strict {
            return Err(error);
        }
        cx.warnings.push(Level::Warning, error);
        Ok(())
    }
}
