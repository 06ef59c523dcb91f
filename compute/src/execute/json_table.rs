//! The rows of JSON_TABLE.

use firn_mysql_semantics::convert::{Column, StoreContext, store};
use firn_mysql_semantics::error::{Condition, Level, SqlError, code};
use firn_mysql_semantics::expr::{self, Cx, Node, Row, document_argument, stored_document};
use firn_mysql_semantics::json::{self, Argument, JsonError, JsonRef, TableCell};
use firn_mysql_semantics::temporal::zone::TimeZone;
use firn_mysql_semantics::temporal::{Date, TemporalWarnings, parse_time};
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind, Value};

use super::Result;
use super::gathered::too_much;
use super::rows::Rows;
use super::view::View;
use crate::bind::{Instead, JsonColumn, JsonTable};

/// Rows of one match of the path that are held beside those that are counted.
const MATCH_ROWS_MAX: usize = 1 << 22;

/// The document's argument, as errors name it.
const DOCUMENT: Argument<'static> = Argument { function: "json_table", number: 1 };

/// The rows of a document; `row` is the flat row around it.
///
/// # Errors
/// 3141, 3144 and 3146 for what is no document; of columns 3665, 3666 and 3669, and 3155 and
/// 3156; 1038 if there are too many rows.
pub(super) fn rows(
    table: &JsonTable,
    row: &[Value],
    params: &[Value],
    view: &View<'_>,
    cx: &mut Cx<'_>,
) -> Result<Rows> {
    let mut rows = Rows::of(view);
    let now = cx.session.statement_time_micros();
    let zone = TimeZone::Offset(cx.session.zone_offset_seconds(now));
    let (seconds, micros) = (now.div_euclid(1_000_000), now.rem_euclid(1_000_000) as u32);
    let today = zone.from_utc(seconds, micros).unwrap_or_default().date();
    let cells = table
        .columns
        .iter()
        .map(|column| Cell::new(column, &zone, today, cx))
        .collect::<Result<Vec<_>>>()?;
    let Some(document) =
        document_argument(&table.document, DOCUMENT, cx, Row { columns: row, params })?
    else {
        return Ok(rows);
    };
    let root = JsonRef::open(document.as_bytes().unwrap_or_default()).map_err(broken)?;
    for found in table.plan.rows(root, MATCH_ROWS_MAX).map_err(broken)? {
        let found = found.map_err(broken)?;
        let values = cells.iter().zip(&found).map(|(cell, found)| cell.value(found, cx));
        if !rows.push(values.collect::<Result<_>>()?) {
            return Err(too_much());
        }
        view.check()?;
    }
    Ok(rows)
}

fn broken(error: JsonError) -> SqlError {
    error.to_sql(DOCUMENT)
}

/// How cells of a column become its values.
struct Cell<'a> {
    column: &'a JsonColumn,
    /// Names the column where documents are read.
    source: Node,
    zone: &'a TimeZone,
    today: Date,
    empty: Value,
    error: Value,
}

impl<'a> Cell<'a> {
    fn new(
        column: &'a JsonColumn,
        zone: &'a TimeZone,
        today: Date,
        cx: &mut Cx<'_>,
    ) -> Result<Self> {
        let source = Node::column(expr::Column {
            index: 0,
            ty: SqlType::plain(TypeKind::Json, u32::MAX / 4, 0),
            name: column.name.clone(),
            members: None,
        });
        let mut this = Self { column, source, zone, today, empty: Value::Null, error: Value::Null };
        // Defaults that are no values of the column are errors even if nobody needs them.
        let default = |instead: &Instead, cx: &mut Cx<'_>| match instead {
            Instead::Default(document) => this.stored(document.root().map_err(broken)?, cx),
            Instead::Null | Instead::Error => Ok(Value::Null),
        };
        let values = (default(&column.on_empty, cx)?, default(&column.on_error, cx)?);
        (this.empty, this.error) = values;
        Ok(this)
    }

    fn value(&self, cell: &TableCell<'_>, cx: &mut Cx<'_>) -> Result<Value> {
        let column = self.column;
        let several = match cell {
            TableCell::Null => return Ok(Value::Null),
            TableCell::Ordinality(number) => return Ok(Value::Int(i64::from(*number))),
            TableCell::Exists(exists) => return self.truth(*exists, cx),
            TableCell::Empty => {
                return match column.on_empty {
                    Instead::Error => Err(self.named(code::ER_MISSING_JSON_TABLE_VALUE)),
                    _ => Ok(self.empty.clone()),
                };
            }
            TableCell::Value(one) if one.is_null() => return Ok(Value::Null),
            TableCell::Value(one) => return self.taken(*one, cx),
            TableCell::Several(several) => several,
        };
        if column.ty.kind != TypeKind::Json {
            return match column.on_error {
                Instead::Error => Err(self.named(code::ER_WRONG_JSON_TABLE_VALUE)),
                _ => Ok(self.error.clone()),
            };
        }
        let mut array = json::Builder::new();
        array.begin_array().map_err(broken)?;
        several.iter().try_for_each(|one| array.value(*one)).map_err(broken)?;
        array.end().map_err(broken)?;
        Ok(Value::from(array.finish().map_err(broken)?.into_bytes()))
    }

    /// A value, or what ON ERROR gives in its place.
    fn taken(&self, one: JsonRef<'_>, cx: &mut Cx<'_>) -> Result<Value> {
        if matches!(self.column.on_error, Instead::Error) {
            return self.stored(one, cx);
        }
        let (mark, before) = (cx.warnings.mark(), cx.warnings.kept().len());
        let stored = self.stored(one, cx);
        // Only what a date and time leaves behind as a date, or as a time, is told.
        let told: Vec<Condition> = match &stored {
            Ok(_) => {
                cx.warnings.kept().iter().skip(before).filter(|one| is_part(one)).cloned().collect()
            }
            Err(_) => Vec::new(),
        };
        cx.warnings.rewind(mark);
        told.into_iter().for_each(|one| cx.warnings.push(one.level, one.error));
        match stored {
            Ok(value) => Ok(value),
            Err(_) if self.column.ty.kind == TypeKind::Enum && !one.is_container() => {
                Ok(Value::UInt(0))
            }
            Err(_) => Ok(self.error.clone()),
        }
    }

    /// EXISTS, as a column holds it.
    fn truth(&self, exists: bool, cx: &mut Cx<'_>) -> Result<Value> {
        if self.column.ty.kind == TypeKind::Json {
            let name = &*self.column.full_name;
            let arguments = ["not a JSON text, may need CAST".into(), 0u64.into(), name.into()];
            return Err(SqlError::new(code::ER_INVALID_JSON_TEXT, &arguments));
        }
        self.store(&Value::Int(exists.into()), &SqlType::bigint(1), false, cx)
    }

    /// A value as the column holds it.
    ///
    /// Errors: 3155, 3156, 3666, 3669; what is behind the last is a warning.
    fn stored(&self, one: JsonRef<'_>, cx: &mut Cx<'_>) -> Result<Value> {
        let ty = &self.column.ty;
        if ty.kind == TypeKind::Json {
            return Ok(Value::from(json::copy(one).map_err(broken)?.into_bytes()));
        }
        if one.is_container() {
            return Err(self.named(code::ER_WRONG_JSON_TABLE_VALUE));
        }
        let integer = SqlType::bigint(20);
        let as_number = match ty.kind {
            TypeKind::Bit | TypeKind::Year => Some(&integer),
            TypeKind::Decimal | TypeKind::Float | TypeKind::Double => Some(ty),
            kind if kind.is_integer() => Some(ty),
            _ => None,
        };
        if let Some(to) = as_number {
            let document = json::copy(one).map_err(broken)?.into_bytes();
            let number = stored_document(&self.source, &document, to, true, cx)?;
            if let Some((number, from)) = number {
                return self.fitted(&number, &from, cx);
            }
        }
        let text = one.unquoted().map_err(broken)?;
        let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let from = SqlType::varchar(length, CollationId::UTF8MB4_BIN, Derivation::Implicit);
        if ty.kind == TypeKind::Time {
            let parsed = parse_time(text.as_bytes());
            let beyond = parsed.warnings.contains(TemporalWarnings::OUT_OF_RANGE);
            if parsed.value.is_none() || beyond || text.trim().is_empty() {
                return Err(self.named(code::ER_JT_VALUE_OUT_OF_RANGE));
            }
            // What stands behind a time is no error.
            return self.store(&Value::from(text.into_bytes()), &from, false, cx);
        }
        self.fitted(&Value::from(text.into_bytes()), &from, cx)
    }

    /// A value that has to be one of the column's.
    fn fitted(&self, value: &Value, from: &SqlType, cx: &mut Cx<'_>) -> Result<Value> {
        self.store(value, from, true, cx).map_err(|error| {
            cx.warnings.push(Level::Warning, error);
            self.named(code::ER_JT_VALUE_OUT_OF_RANGE)
        })
    }

    fn store(&self, value: &Value, from: &SqlType, strict: bool, cx: &mut Cx<'_>) -> Result<Value> {
        let settings = cx.settings;
        let mut store_cx = StoreContext {
            strict,
            dates: settings.date_mode(),
            truncate_fractions: settings.truncate_fractions,
            zone: self.zone,
            today: self.today,
            row: cx.row_number,
            warnings: cx.warnings,
        };
        let column = self.column;
        let target = Column { name: &column.name, ty: &column.ty, members: &column.members };
        store(value, from, &target, &mut store_cx)
    }

    /// An error that names the column alone.
    fn named(&self, number: u16) -> SqlError {
        SqlError::new(number, &[(&*self.column.name).into()])
    }
}

/// A value was cut to the part of it that a DATE or TIME holds.
fn is_part(condition: &Condition) -> bool {
    condition.level == Level::Note && condition.error.number() == code::ER_TRUNCATED_WRONG_VALUE
}
