//! Batches of the table's columns by chance, and both forms of an expression over them.

use std::fmt;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Schema};
use datafusion_common::Result as PlanResult;
use datafusion_expr_common::columnar_value::ColumnarValue;
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;
use firn_mysql_parser::{Options, Parser};
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::error::{SqlError, Warnings};
use firn_mysql_semantics::expr::{Binder, Cx, Node, Row, Settings};
use firn_mysql_semantics::temporal::{Date, DateTime, Time};
use firn_mysql_semantics::vector::{
    ArrayBuilder, ArrayReader, Builder, Execution, Statement, field, sql_error,
};
use firn_mysql_semantics::{SqlType, TypeKind, Value};
use rand::RngExt;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

use crate::answer::{Still, Table, columns};

/// A column by its place in the batch.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place(pub(crate) usize);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}", self.0)
    }
}

impl PhysicalExpr for Place {
    fn data_type(&self, schema: &Schema) -> PlanResult<DataType> {
        Ok(schema.field(self.0).data_type().clone())
    }
    fn nullable(&self, _: &Schema) -> PlanResult<bool> {
        Ok(true)
    }
    fn evaluate(&self, batch: &RecordBatch) -> PlanResult<ColumnarValue> {
        Ok(ColumnarValue::Array(Arc::clone(batch.column(self.0))))
    }
    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        Vec::new()
    }
    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn PhysicalExpr>>,
    ) -> PlanResult<Arc<dyn PhysicalExpr>> {
        Ok(self)
    }
    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

pub(crate) fn settings() -> Settings {
    Settings { database: Some("firn_expr".into()), ..Settings::default() }
}

/// Rows of the table by chance: extremes, NULLs, and things in between.
pub(crate) fn rows(random: &mut SmallRng, count: usize) -> Vec<Vec<Value>> {
    let cells = columns();
    let mut out = Vec::with_capacity(count);
    for _ in 0..count {
        out.push(cells.iter().map(|cell| cell_value(random, &cell.ty, &cell.value)).collect());
    }
    out
}

fn cell_value(random: &mut SmallRng, ty: &SqlType, usual: &Value) -> Value {
    use TypeKind as K;
    let dice = random.random_range(0..100);
    if dice < 15 && ty.nullable {
        return Value::Null;
    }
    if dice < 30 && ty.kind != K::Null {
        return usual.clone();
    }
    let bits = match ty.kind {
        K::TinyInt => 8,
        K::SmallInt => 16,
        K::Int => 32,
        _ => 64,
    };
    match ty.kind {
        kind if kind.is_integer() => {
            let span = 64 - bits;
            let small = random.random_range(-3..=20_i64);
            if ty.unsigned {
                let top = u64::MAX >> span;
                let any = random.random::<u64>() >> span;
                let wild = [0, 1, 2, top, top - 1, top / 2 + 1, any, small.unsigned_abs()];
                return Value::UInt(*wild.choose(random).expect("some"));
            }
            let (least, top) = (i64::MIN >> span, i64::MAX >> span);
            let any = random.random::<i64>() >> span;
            let wild = [0, 1, -1, least, least + 1, top, top - 1, any, small];
            Value::Int(*wild.choose(random).expect("some"))
        }
        K::Double => {
            let any = random.random_range(-1e6..1e6);
            let wild = [
                0.0,
                -0.0,
                0.5,
                1.0,
                -1.5,
                2.5,
                1e308,
                -1e308,
                1e-300,
                9.3e18,
                any,
                f64::trunc(any),
            ];
            Value::Double(*wild.choose(random).expect("some"))
        }
        K::Float => {
            let wild = [0.0, -0.0, 1.25, -3.5, 16_777_216.0, 3.0e38, 0.1];
            Value::Float(*wild.choose(random).expect("some"))
        }
        K::Decimal => {
            let any = random.random_range(-9_999_999_999..=9_999_999_999_i128);
            let wild = [0, 1, -1, 1000, -1500, 9_999_999_999, -9_999_999_999, any];
            let mantissa = *wild.choose(random).expect("some");
            Value::Decimal(Decimal::new(mantissa, ty.decimals).expect("a decimal"))
        }
        K::Date => Value::Date(date(random)),
        K::DateTime | K::Timestamp => {
            let (hour, minute) = (random.random_range(0..24), random.random_range(0..60));
            let unit = 10_u32.pow(6 - u32::from(ty.decimals));
            let micros = random.random_range(0..1_000_000) / unit * unit;
            let date = date(random);
            let midnight = random.random_range(0..3) == 0;
            let value = if midnight {
                Some(DateTime::from(date))
            } else {
                DateTime::new(date, hour, minute, 59, micros)
            };
            Value::DateTime(value.expect("a time"))
        }
        K::Time => {
            let unit = 10_i64.pow(6 - u32::from(ty.decimals));
            let end = Time::MAX.micros();
            let any = random.random_range(-end..=end) / unit * unit;
            let wild = [0, end, -end, any];
            let micros = *wild.choose(random).expect("some");
            Value::Time(Time::from_micros(micros).expect("in range"))
        }
        K::Year => Value::UInt(*[0, 1901, 2024, 2155].choose(random).expect("some")),
        K::Bit => Value::UInt(random.random_range(0..4096)),
        K::Enum => Value::UInt(random.random_range(0..=3)),
        K::Set => Value::UInt(random.random_range(0..8)),
        K::Json => {
            let texts = ["1", "\"a\"", "null", "[1, 2]", "{\"a\": 1.5}", "true", "\"2024-02-29\""];
            let text = texts.choose(random).expect("some");
            Value::from(firn_mysql_semantics::json::parse(text).expect("JSON").into_bytes())
        }
        _ => text(random, ty),
    }
}

fn date(random: &mut SmallRng) -> Date {
    let wild = [(0, 0, 0), (2024, 0, 0), (2024, 2, 0), (1, 1, 1), (9999, 12, 31), (2024, 2, 29)];
    let any =
        (random.random_range(1..=9999), random.random_range(1..=12), random.random_range(1..=28));
    let (year, month, day) =
        if random.random_range(0..2) == 0 { any } else { *wild.choose(random).expect("some") };
    Date::new(year, month, day).expect("a date")
}

fn text(random: &mut SmallRng, ty: &SqlType) -> Value {
    let texts = [
        "",
        "a",
        "A",
        "abc",
        "ABC",
        "aBc ",
        "abc\0",
        " 42 ",
        "12abc",
        "-3.7",
        "1e3",
        "a%b",
        "a_b",
        "2024-02-29",
        "2024-02-29 12:34:56",
        "12:34:56",
        "b",
        "xbx",
        "Ärger",
        "Straße",
        "日本",
        "😀",
    ];
    let limit = ty.length as usize;
    if ty.collation.is_binary() {
        let bytes: Vec<u8> =
            (0..random.random_range(0..=limit.min(8))).map(|_| random.random()).collect();
        return Value::from(bytes);
    }
    let made: String = if random.random_range(0..2) == 0 {
        (*texts.choose(random).expect("some")).to_owned()
    } else {
        let letters = ['a', 'b', 'B', 'c', ' ', 'é', '%', '1'];
        (0..random.random_range(0..=limit.min(20)))
            .map(|_| *letters.choose(random).expect("some"))
            .collect()
    };
    let cut: String = made.chars().take(limit).collect();
    // latin1: each of these characters is its byte.
    if ty.collation.0 == 8 {
        let bytes = cut.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'));
        return Value::from(bytes.collect::<Vec<u8>>());
    }
    Value::from(cut.as_str())
}

/// The rows as a batch, which is a part of a longer one: arrays do not begin at a
/// byte of their bits.
pub(crate) fn batch(rows: &[Vec<Value>]) -> RecordBatch {
    let own: Vec<Value> = columns().into_iter().map(|cell| cell.value).collect();
    let around = [vec![own.clone(); 3], rows.to_vec(), vec![own; 2]].concat();
    whole_batch(&around).slice(3, rows.len())
}

fn whole_batch(rows: &[Vec<Value>]) -> RecordBatch {
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (at, cell) in columns().iter().enumerate() {
        fields.push(field(cell.name, &cell.ty).expect("an Arrow type"));
        let values: Vec<&Value> = rows.iter().filter_map(|row| row.get(at)).collect();
        arrays.push(array(&cell.ty, &values));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .expect("a batch")
}

fn array(ty: &SqlType, values: &[&Value]) -> ArrayRef {
    let mut builder = ArrayBuilder::new(ty, values.len()).expect("an Arrow type");
    for value in values {
        builder.push(value).expect("a value of the type");
    }
    builder.finish().expect("an array")
}

pub(crate) fn places() -> Vec<Arc<dyn PhysicalExpr>> {
    (0..columns().len()).map(|at| Arc::new(Place(at)) as _).collect()
}

pub(crate) fn bound(expr: &str, settings: &Settings, params: &[SqlType]) -> Result<Node, String> {
    let tree = Parser::new(Options::default())
        .parse_expr(expr.as_bytes())
        .map_err(|error| error.to_string())?;
    Binder::new(settings, &Table, params).bind(&tree).map_err(|error| error.to_string())
}

/// What a form gives: the values up to the first error, or all, and the warnings.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) values: Result<Vec<Value>, SqlError>,
    pub(crate) warnings: Warnings,
}

pub(crate) fn by_row(node: &Node, expr: &str, settings: &Settings, rows: &[Vec<Value>]) -> Given {
    let mut warnings = Warnings::default();
    let mut session = Still;
    let mut cx = Cx::new(settings, &mut session, &mut warnings);
    cx.item_name = Some(expr);
    let values = rows
        .iter()
        .map(|row| node.run(&mut cx, Row::new(row)).map(|value| value.into_owned()))
        .collect();
    Given { values, warnings }
}

pub(crate) fn by_vector(
    node: &Node,
    expr: &str,
    settings: &Settings,
    batch: &RecordBatch,
) -> (Given, bool) {
    let (statement, places) = (Statement::new(), places());
    let built = Builder::new(&places, &statement).value(node.clone(), Some(expr)).expect("built");
    let session = Arc::new(parking_lot::Mutex::new(Still));
    statement.begin(Execution::new(settings.clone(), Vec::new(), session));
    let values = match built.evaluate(batch) {
        Ok(value) => {
            let array = value.into_array(batch.num_rows()).expect("an array");
            let promised = built.data_type(&batch.schema()).expect("a type");
            assert_eq!(*array.data_type(), promised, "{expr}");
            let reader = ArrayReader::new(&array, &node.ty).expect("a reader");
            assert_eq!(reader.len(), batch.num_rows(), "{expr}");
            Ok((0..reader.len()).map(|at| reader.get(at).expect("a value")).collect())
        }
        Err(error) => match sql_error(&error) {
            Some(error) => Err(error.clone()),
            None => panic!("{expr}: {error}"),
        },
    };
    (Given { values, warnings: statement.finish() }, built.is_vectorized())
}

/// The truths, by row and by vector.
pub(crate) fn truths(
    node: &Node,
    settings: &Settings,
    rows: &[Vec<Value>],
    batch: &RecordBatch,
) -> (Given, Given) {
    let mut warnings = Warnings::default();
    let mut session = Still;
    let mut cx = Cx::new(settings, &mut session, &mut warnings);
    let values =
        rows.iter().map(|row| node.eval_truth(&mut cx, Row::new(row)).map(Value::from)).collect();
    let mine = Given { values, warnings };
    let (statement, places) = (Statement::new(), places());
    let built = Builder::new(&places, &statement).predicate(node.clone()).expect("built");
    let session = Arc::new(parking_lot::Mutex::new(Still));
    statement.begin(Execution::new(settings.clone(), Vec::new(), session));
    let values = match built.evaluate(batch) {
        Ok(value) => {
            let array = value.into_array(batch.num_rows()).expect("an array");
            let reader = ArrayReader::new(&array, &SqlType::truth()).expect("booleans");
            Ok((0..reader.len()).map(|at| reader.get(at).expect("a value")).collect())
        }
        Err(error) => Err(sql_error(&error).expect("an error of ours").clone()),
    };
    (mine, Given { values, warnings: statement.finish() })
}

/// How the two differ, if they do.
pub(crate) fn difference(node: &Node, row: &Given, vector: &Given) -> Option<String> {
    match (&row.values, &vector.values) {
        (Ok(a), Ok(b)) => {
            let differs = |(_, (a, b)): &(usize, (&Value, &Value))| !same(node, a, b);
            if let Some((at, (a, b))) = a.iter().zip(b).enumerate().find(differs) {
                return Some(format!("row {at}: by row {a:?}, by vector {b:?}"));
            }
        }
        (Err(a), Err(b)) if a == b => {}
        // Arrays have 76 digits, values between operators 81.
        (Ok(a), Err(b)) if b.number() == 1690 && a.iter().any(|value| is_too_wide(value, node)) => {
            return None;
        }
        (a, b) => return Some(format!("by row {a:?}\n    by vector {b:?}")),
    }
    if row.warnings != vector.warnings {
        return Some(format!(
            "warnings by row {:?}\n    by vector {:?}",
            row.warnings, vector.warnings
        ));
    }
    None
}

fn is_too_wide(value: &Value, node: &Node) -> bool {
    // One that has too many digits before the point for all decimals of its type has fewer.
    let digits = |value: &Decimal| {
        let whole = u32::from(value.precision()) - u32::from(value.scale());
        whole + u32::from(value.scale().max(node.ty.decimals))
    };
    matches!(value, Value::Decimal(value) if digits(value) > 76)
}

/// Equal, or the same to a client; decimals may have more zeros at the end.
fn same(node: &Node, row: &Value, vector: &Value) -> bool {
    match (row, vector) {
        (Value::Double(a), Value::Double(b)) => a.to_bits() == b.to_bits() || a == b,
        _ => row == vector || node.text(row) == node.text(vector),
    }
}
