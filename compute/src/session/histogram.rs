//! ANALYZE TABLE … UPDATE HISTOGRAM and DROP HISTOGRAM.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_mysql_parser::Parser;
use firn_mysql_parser::ast::{self, Histogram as Asked, StatementKind};
use firn_mysql_protocol::result::Response;
use firn_mysql_semantics::error::{SqlError, Warnings, code};
use firn_mysql_semantics::expr::Cx;
use firn_mysql_semantics::temporal::{Date, DateTime};
use firn_mysql_semantics::{TypeKind, Value};

use super::Session;
use super::run::Arguments;
use super::show::{Filter, Shown};
use super::statement::{Ended, Outcome};
use super::tables::SessionTables;
use crate::bind::{BoundSelect, TableSource, Tables as _};
use crate::catalog::Relation;
use crate::execute::{Reading, SelectRun, View};
use crate::information_schema;
use crate::information_schema::cell::text;
use crate::plan::SelectPlan;
use crate::statistics::{Histogram, HistogramOrder, can_have_histogram};
use crate::table::OpenTable;
use crate::txn::{IsolationLevel, LockWait, OwnerId};
use crate::zone;

/// Buckets, if nothing is said of them.
const BUCKETS: u64 = 100;
const BUCKETS_MAX: u64 = 1024;

/// What a value takes in memory beside its bytes, about.
const VALUE_BYTES: usize = size_of::<Value>() + 8;

/// Kind and text of what is said of a column.
type Said = (&'static str, String);

fn wrong(message: impl Into<String>) -> Said {
    ("Error", message.into())
}

impl Session {
    /// Makes or drops histograms of columns, and says of each what became of it.
    pub(crate) async fn histograms(
        &mut self,
        sql: &[u8],
        tables: &[ast::ObjectName],
        asked: &Asked,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        let columns = match asked {
            Asked::Update { columns, buckets, using, .. } => {
                if buckets.is_some_and(|buckets| !(1..=BUCKETS_MAX).contains(&buckets)) {
                    let arguments = ["Number of buckets".into(), "ANALYZE TABLE".into()];
                    return Err(SqlError::new(code::ER_DATA_OUT_OF_RANGE, &arguments).into());
                }
                if using.is_some() {
                    return Err(SqlError::not_supported_yet("histograms from JSON").into());
                }
                columns
            }
            Asked::Drop(columns) => columns,
        };
        let mut names: BTreeMap<String, &str> = BTreeMap::new();
        for column in columns {
            if names.insert(column.as_str().to_lowercase(), column.as_str()).is_some() {
                let arguments = [column.as_str().into()];
                return Err(SqlError::new(code::ER_DUP_FIELDNAME, &arguments).into());
            }
        }
        self.commit_open().await?;
        let (full, said) = match tables {
            [name] => {
                let (schema, table) = self.full_name(name)?;
                let names = names.into_values().collect();
                let said = self.histograms_of(name, (&schema, &table), names, asked).await?;
                (format!("{schema}.{table}"), said)
            }
            _ => {
                let one = "Only one table can be specified while modifying histogram statistics.";
                (String::new(), vec![wrong(one)])
            }
        };
        let row =
            |(kind, message): Said| vec![text(&full), text("histogram"), text(kind), text(message)];
        let shown = Shown::new("admin", said.into_iter().map(row).collect());
        self.send_shown(sql, shown, Filter::None, &Arguments::default(), response).await
    }

    async fn histograms_of(
        &mut self,
        name: &ast::ObjectName,
        (schema, table): (&str, &str),
        columns: Vec<&str>,
        asked: &Asked,
    ) -> Result<Vec<Said>, SqlError> {
        if information_schema::schema(schema) == Some("mysql") {
            return Ok(vec![wrong("Histograms are not supported on the MySQL system schema.")]);
        }
        let found = match SessionTables::unchecked(self).table(name) {
            Ok(found) => found.source,
            Err(error) => return Ok(vec![wrong(error.message())]),
        };
        if self.temporary.named(schema, table).is_some() {
            let why = "Cannot create histogram statistics for a temporary table.";
            return Ok(vec![wrong(why)]);
        }
        let catalog = self.server.catalog.snapshot();
        let is_table = matches!(catalog.relation(schema, table), Some(Relation::Table(_)));
        let TableSource::Stored(open) = &found else {
            return Ok(vec![wrong("Cannot create histogram statistics for a view.")]);
        };
        if !is_table {
            return Ok(vec![wrong("Cannot create histogram statistics for a view.")]);
        }
        match asked {
            Asked::Drop(_) => self.drop_histograms(open, &columns).await,
            Asked::Update { buckets, auto, .. } => {
                let buckets = buckets.unwrap_or(BUCKETS);
                let auto = *auto == Some(true);
                self.make_histograms(open, (schema, table), &columns, buckets, auto).await
            }
        }
    }

    async fn drop_histograms(
        &self,
        table: &OpenTable,
        columns: &[&str],
    ) -> Result<Vec<Said>, SqlError> {
        let known = table.histograms();
        let mut said = Vec::with_capacity(columns.len());
        let mut gone = Vec::with_capacity(columns.len());
        for name in columns {
            said.push(match table.column_named(name) {
                None => wrong(format!("The column '{name}' does not exist.")),
                Some(at) => match table.descriptor().columns[at].id.0 {
                    id if known.contains_key(&id) => {
                        gone.push(id);
                        ("status", format!("Histogram statistics removed for column '{name}'."))
                    }
                    _ => wrong(format!("No histogram statistics found for column '{name}'.")),
                },
            });
        }
        table.numbers.know(|known| known.histograms.retain(|id, _| !gone.contains(id)));
        self.keep_statistics(table).await?;
        Ok(said)
    }

    async fn make_histograms(
        &mut self,
        table: &Arc<OpenTable>,
        names: (&str, &str),
        columns: &[&str],
        buckets: u64,
        auto_update: bool,
    ) -> Result<Vec<Said>, SqlError> {
        let mut said: Vec<(String, Said)> = Vec::with_capacity(columns.len());
        let mut made = Vec::new();
        for name in columns {
            let Some(at) = table.column_named(name) else {
                said.push((
                    (*name).to_owned(),
                    wrong(format!("The column '{name}' does not exist.")),
                ));
                continue;
            };
            let column = &table.descriptor().columns[at];
            let own = column.name.clone();
            if !can_have_histogram(&column.ty) {
                let why = format!("The column '{own}' has an unsupported data type.");
                said.push((own, wrong(why)));
            } else if is_key(table, at) {
                let why = format!("The column '{own}' is covered by a single-part unique index.");
                said.push((own, wrong(why)));
            } else {
                made.push(at);
                let done = format!("Histogram statistics created for column '{own}'.");
                said.push((own, ("status", done)));
            }
        }
        if !made.is_empty() {
            let (values, sampling_rate) = self.values_of(table, names, &made).await?;
            let now = self.utc_now();
            let order = HistogramOrder { buckets, auto_update, sampling_rate, now };
            let mut new = BTreeMap::new();
            for (at, values) in made.iter().zip(values) {
                let column = &table.descriptor().columns[*at];
                let histogram = Histogram::new(values, &column.ty, order);
                let histogram = histogram.map_err(|_| {
                    let (schema, table) = names;
                    let arguments = [column.name.as_str().into(), schema.into(), table.into()];
                    SqlError::new(code::ER_UNABLE_TO_BUILD_HISTOGRAM, &arguments)
                })?;
                new.insert(column.id.0, histogram);
            }
            table.numbers.know(|known| known.histograms.extend(new.clone()));
            self.keep_statistics(table).await?;
        }
        Ok(said.into_iter().map(|(_, said)| said).collect())
    }

    /// Values of some columns, of as many rows as may be kept, and the share that these are.
    async fn values_of(
        &mut self,
        table: &OpenTable,
        (schema, name): (&str, &str),
        columns: &[usize],
    ) -> Result<(Vec<Vec<Value>>, f64), SqlError> {
        let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
        let descriptor = table.descriptor();
        let list: Vec<_> = columns.iter().map(|at| quoted(&descriptor.columns[*at].name)).collect();
        let sql = format!("SELECT {} FROM {}.{}", list.join(", "), quoted(schema), quoted(name));
        let parsed = Parser::new(self.values.variables.parser_options())
            .parse_next(sql.as_bytes(), 0)
            .map_err(|_| SqlError::not_supported_yet("a histogram of such a table"))?;
        let StatementKind::Query(query) = &parsed.statement.kind else {
            return Err(SqlError::not_supported_yet("a histogram of such a table"));
        };
        let bound = self.bind(sql.as_bytes(), &[], |one| BoundSelect::bind(one, query))?;
        let plan = SelectPlan::new(bound)?;
        let bytes_max = self.values.variables.hot().histogram_generation_max_mem_size;
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        let owner = OwnerId(u64::from(self.id));
        let interrupt = self.process.interrupt.clone();
        let isolation = IsolationLevel::ReadCommitted;
        let mut transaction = self.server.transactions.begin(owner, isolation, interrupt);
        let mut view = View::new(&mut transaction, Reading::Snapshot, LockWait::NoWait);
        let settings = Arc::clone(&self.settings);
        let mut warnings = Warnings::default();
        let mut cx = Cx::new(&settings, &mut self.values, &mut warnings);
        let types: Vec<_> = columns.iter().map(|at| descriptor.columns[*at].ty).collect();
        let mut sample = Sample::new(bytes_max);
        let mut run = SelectRun::new(&plan, &[]);
        let mut at = 0;
        while let Some(row) = run.next(&mut view, &mut cx).await? {
            if sample.wants(at) {
                sample.add(at, row.to_vec());
            }
            at += 1;
        }
        drop(run);
        let mut values: Vec<Vec<Value>> = columns.iter().map(|_| Vec::new()).collect();
        for row in sample.rows() {
            for ((value, ty), column) in row.into_iter().zip(&types).zip(&mut values) {
                // As tables hold them.
                column.push(match ty.kind {
                    TypeKind::Timestamp => zone::to_utc(value, &mut cx),
                    _ => value,
                });
            }
        }
        Ok((values, sample.rate))
    }

    /// Makes the histograms again that are to be made by each ANALYZE TABLE.
    pub(crate) async fn update_histograms(
        &mut self,
        table: &Arc<OpenTable>,
        names: (&str, &str),
    ) -> Result<(), SqlError> {
        for (id, histogram) in table.histograms() {
            let columns = &table.descriptor().columns;
            let column = columns.iter().find(|column| column.id.0 == id);
            let Some(column) = column.filter(|_| histogram.is_updated()) else { continue };
            let column = column.name.clone();
            let buckets = histogram.buckets_asked();
            self.make_histograms(table, names, &[&column], buckets, true).await?;
        }
        Ok(())
    }

    fn utc_now(&self) -> DateTime {
        let epoch = Date::new(1970, 1, 1).and_then(|date| DateTime::new(date, 0, 0, 0, 0));
        let micros = (self.server.env.unix_ms() as i64).saturating_mul(1000);
        let at = epoch.map(|epoch| epoch.linear_micros().saturating_add(micros));
        at.and_then(DateTime::from_linear_micros).unwrap_or(DateTime::ZERO)
    }
}

/// Whether an index says of a column that no two rows have the same value.
fn is_key(table: &OpenTable, column: usize) -> bool {
    let id = table.descriptor().columns[column].id;
    table
        .descriptor()
        .indexes
        .iter()
        .any(|index| index.is_unique() && matches!(&*index.parts, [part] if part.column == id))
}

/// Rows by chance: which ones does not depend on their values, and is the same each time.
struct Sample {
    rows: Vec<(u64, Vec<Value>)>,
    bytes: usize,
    bytes_max: usize,
    /// The share that is kept.
    rate: f64,
}

impl Sample {
    fn new(bytes_max: usize) -> Self {
        Self { rows: Vec::new(), bytes: 0, bytes_max, rate: 1.0 }
    }

    /// Where a row stands among others, from 0 to 1.
    fn chance(at: u64) -> f64 {
        use std::hash::BuildHasher;
        let hash = foldhash::quality::FixedState::with_seed(0x6869_7374).hash_one(at);
        hash as f64 / u64::MAX as f64
    }

    fn wants(&self, at: u64) -> bool {
        self.rate >= 1.0 || Self::chance(at) < self.rate
    }

    fn add(&mut self, at: u64, row: Vec<Value>) {
        self.bytes += bytes_of(&row);
        self.rows.push((at, row));
        while self.bytes > self.bytes_max && self.rows.len() > 1 {
            self.rate /= 2.0;
            let rate = self.rate;
            self.rows.retain(|(at, _)| Self::chance(*at) < rate);
            self.bytes = self.rows.iter().map(|(_, row)| bytes_of(row)).sum();
        }
    }

    fn rows(&mut self) -> impl Iterator<Item = Vec<Value>> {
        std::mem::take(&mut self.rows).into_iter().map(|(_, row)| row)
    }
}

fn bytes_of(row: &[Value]) -> usize {
    let of = |value: &Value| match value {
        Value::Bytes(text) => VALUE_BYTES + text.len(),
        _ => VALUE_BYTES,
    };
    row.iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_rows_about_a_power_of_two_is_kept() {
        let mut sample = Sample::new(1000 * VALUE_BYTES);
        for at in 0..10_000 {
            if sample.wants(at) {
                sample.add(at, vec![Value::Int(at as i64)]);
            }
        }
        assert_eq!(sample.rate, 1.0 / 16.0);
        let kept = sample.rows().count();
        assert!((500..=1000).contains(&kept), "{kept}");
    }
}
