//! Expressions over a million rows: ours beside DataFusion's own of the same meaning.
//!
//! `./run`, or `./run LIKE` for those whose name has it.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{
    ArrayRef, BinaryViewArray, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringViewArray,
};
use arrow_schema::{DataType, Field, Schema};
use datafusion_common::ScalarValue;
use datafusion_expr::Operator;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{binary, col, is_null, like, lit};
use firn_mysql_parser::{Options, Parser, ast};
use firn_mysql_semantics::expr::{
    Binder, Column, NoColumns, Nobody, Result as SqlResult, Scope, Settings,
};
use firn_mysql_semantics::vector::{Builder, Execution, Statement};
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind, Value};

const ROWS: usize = 1 << 20;
/// As DataFusion cuts its input.
const BATCH_ROWS: usize = 8192;
const ROUNDS: usize = 15;

/// The columns of every batch; `t` is the text as DataFusion has it, the others of texts
/// as we have them, by collation.
fn columns() -> Vec<(&'static str, SqlType)> {
    let text = |collation| SqlType::varchar(64, CollationId(collation), Derivation::Implicit);
    vec![
        ("a", SqlType::plain(TypeKind::BigInt, 20, 0)),
        ("b", SqlType::plain(TypeKind::BigInt, 20, 0)),
        ("k", SqlType::plain(TypeKind::Int, 11, 0)),
        ("n", SqlType::plain(TypeKind::BigInt, 20, 0)),
        ("x", SqlType::plain(TypeKind::Double, 22, 31)),
        ("y", SqlType::plain(TypeKind::Double, 22, 31)),
        ("p", SqlType::decimal(12, 2, false)),
        ("bin", text(309)),
        ("ci", text(255)),
        ("t", text(63)),
    ]
}

struct Table;

impl Scope for Table {
    fn column(&self, name: &ast::ColumnRef) -> SqlResult<Column> {
        let place = columns().into_iter().enumerate().find(|(_, (n, _))| *n == name.name.as_str());
        match place {
            Some((index, (name, ty))) => Ok(Column { index, ty, name: name.into(), members: None }),
            None => NoColumns.column(name),
        }
    }
}

/// Numbers that look like chance, the same in every run.
struct Mixed(u64);

impl Mixed {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 24
    }
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

const WORDS: &[&str] = &[
    "snow", "Firn", "glacier", "ice", "Some", "river", "stone", "meadow", "some", "valley", "peak",
    "Ridge",
];

fn batch(
    schema: &Arc<Schema>,
    random: &mut Mixed,
    rows: usize,
) -> Result<RecordBatch, Box<dyn Error>> {
    let mut ints = |end| -> Vec<i64> { (0..rows).map(|_| random.below(end) as i64).collect() };
    let (a, b, k) = (ints(1_000_000), ints(1_000_000), ints(1_000_000));
    let n: Vec<Option<i64>> =
        ints(1_000_000).into_iter().map(|n| (n % 10 != 0).then_some(n)).collect();
    let p: Vec<i128> = ints(100_000_000).into_iter().map(i128::from).collect();
    let mut doubles =
        || -> Vec<f64> { (0..rows).map(|_| random.below(1 << 30) as f64 / 1e3).collect() };
    let (x, y) = (doubles(), doubles());
    let texts: Vec<String> = (0..rows)
        .map(|_| {
            let words = 2 + random.below(4);
            let word = |random: &mut Mixed| WORDS[random.below(WORDS.len() as u64) as usize];
            (0..words).map(|_| word(random)).collect::<Vec<_>>().join(" ")
        })
        .collect();
    let bytes: ArrayRef = Arc::new(BinaryViewArray::from_iter_values(&texts));
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(a)),
        Arc::new(Int64Array::from(b)),
        Arc::new(Int32Array::from_iter_values(k.iter().map(|k| *k as i32))),
        Arc::new(Int64Array::from(n)),
        Arc::new(Float64Array::from(x)),
        Arc::new(Float64Array::from(y)),
        Arc::new(Decimal128Array::from(p).with_precision_and_scale(12, 2)?),
        Arc::clone(&bytes),
        bytes,
        Arc::new(StringViewArray::from_iter_values(&texts)),
    ];
    Ok(RecordBatch::try_new(Arc::clone(schema), arrays)?)
}

type Expr = Arc<dyn PhysicalExpr>;

struct Pair {
    name: &'static str,
    ours: Expr,
    theirs: Expr,
}

fn pairs(schema: &Schema, statement: &Arc<Statement>) -> Result<Vec<Pair>, Box<dyn Error>> {
    use Operator as O;
    let c = |name: &str| col(name, schema);
    let places = columns().iter().map(|(name, _)| c(name)).collect::<Result<Vec<_>, _>>()?;
    let builder = Builder::new(&places, statement);
    let settings = Settings::default();
    let node = |expr: &str| -> Result<_, Box<dyn Error>> {
        let tree = Parser::new(Options::default())
            .parse_expr(expr.as_bytes())
            .map_err(|e| e.to_string())?;
        Ok(Binder::new(&settings, &Table, &[]).bind(&tree)?)
    };
    let two = |left: Expr, op: O, right: Expr| binary(left, op, right, schema);
    let text = |text: &str| lit(ScalarValue::Utf8View(Some(text.to_owned())));
    let like =
        |text_is: &str, any_case: bool| like(false, any_case, c("t")?, text(text_is), schema);
    let filters: Vec<(&'static str, Expr)> = vec![
        ("a > 500000", two(c("a")?, O::Gt, lit(500_000_i64))?),
        ("k > 500000", two(c("k")?, O::Gt, lit(500_000_i32))?),
        ("n > 500000", two(c("n")?, O::Gt, lit(500_000_i64))?),
        ("a < b", two(c("a")?, O::Lt, c("b")?)?),
        ("x < 500000e0", two(c("x")?, O::Lt, lit(500_000_f64))?),
        (
            "p >= 5000.00",
            two(c("p")?, O::GtEq, lit(ScalarValue::Decimal128(Some(500_000), 12, 2)))?,
        ),
        ("n IS NULL", is_null(c("n")?)?),
        (
            "a > 500000 AND b < 900000",
            two(
                two(c("a")?, O::Gt, lit(500_000_i64))?,
                O::And,
                two(c("b")?, O::Lt, lit(900_000_i64))?,
            )?,
        ),
        ("bin = 'snow ice'", two(c("t")?, O::Eq, text("snow ice"))?),
        ("bin LIKE 'snow%'", like("snow%", false)?),
        ("bin LIKE '%some%'", like("%some%", false)?),
        ("bin LIKE '%ice'", like("%ice", false)?),
        ("bin LIKE '%ice%stone%'", like("%ice%stone%", false)?),
        ("ci LIKE 'snow%'", like("snow%", true)?),
        ("ci LIKE '%some%'", like("%some%", true)?),
    ];
    let values: Vec<(&'static str, Expr)> = vec![
        ("a + b", two(c("a")?, O::Plus, c("b")?)?),
        ("a + 1", two(c("a")?, O::Plus, lit(1_i64))?),
        ("n + 1", two(c("n")?, O::Plus, lit(1_i64))?),
        ("a - b", two(c("a")?, O::Minus, c("b")?)?),
        ("a * 3", two(c("a")?, O::Multiply, lit(3_i64))?),
        ("x + y", two(c("x")?, O::Plus, c("y")?)?),
        ("x * y", two(c("x")?, O::Multiply, c("y")?)?),
        ("p + p", two(c("p")?, O::Plus, c("p")?)?),
    ];
    let mut out = Vec::new();
    for (name, theirs) in filters {
        let ours = builder.predicate(node(name)?)?;
        assert!(ours.is_vectorized(), "{name} does not run as kernels");
        out.push(Pair { name, ours, theirs });
    }
    for (name, theirs) in values {
        let ours = builder.value(node(name)?, None)?;
        assert!(ours.is_vectorized(), "{name} does not run as kernels");
        out.push(Pair { name, ours, theirs });
    }
    Ok(out)
}

fn time(expr: &Expr, batches: &[RecordBatch]) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    for batch in batches {
        black_box(expr.evaluate(black_box(batch))?);
    }
    Ok(start.elapsed())
}

/// Both give the same, but for the type's name.
fn same(pair: &Pair, batch: &RecordBatch) -> Result<bool, Box<dyn Error>> {
    let ours = pair.ours.evaluate(batch)?.into_array(batch.num_rows())?;
    let theirs = pair.theirs.evaluate(batch)?.into_array(batch.num_rows())?;
    Ok(ours.to_data().nulls() == theirs.to_data().nulls()
        && ours.to_data().buffers()[0] == theirs.to_data().buffers()[0])
}

fn main() -> Result<(), Box<dyn Error>> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let fields = columns().into_iter().map(|(name, ty)| match name {
        "t" => Ok(Field::new("t", DataType::Utf8View, true)),
        _ => firn_mysql_semantics::vector::field(name, &ty),
    });
    let schema = Arc::new(Schema::new(fields.collect::<SqlResult<Vec<_>>>()?));
    let statement = Statement::new();
    let session = Arc::new(parking_lot::Mutex::new(Nobody));
    statement.begin(Execution::new(Settings::default(), Vec::new(), session));
    let mut random = Mixed(7);
    let large = vec![batch(&schema, &mut random, ROWS)?];
    let small = (0..ROWS / BATCH_ROWS)
        .map(|_| batch(&schema, &mut random, BATCH_ROWS))
        .collect::<Result<Vec<_>, _>>()?;
    println!("{:28}  one batch of {ROWS} rows       batches of {BATCH_ROWS}", "");
    println!(
        "{:28}  {:>8} {:>10} {:>6}   {:>8} {:>10} {:>6}",
        "", "ours ms", "DataFusion", "ratio", "ours ms", "DataFusion", "ratio"
    );
    for pair in pairs(&schema, &statement)?.iter().filter(|pair| pair.name.contains(&wanted)) {
        let equal = same(pair, &large[0])?;
        let mut line = format!("{:28}", pair.name);
        for batches in [&large, &small] {
            let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
            for _ in 0..ROUNDS {
                ours = ours.min(time(&pair.ours, batches)?);
                theirs = theirs.min(time(&pair.theirs, batches)?);
            }
            let (ours, theirs) = (ours.as_secs_f64() * 1e3, theirs.as_secs_f64() * 1e3);
            line += &format!("  {ours:8.3} {theirs:10.3} {:6.2} ", ours / theirs);
        }
        println!("{line}{}", if equal { "" } else { "  differs" });
    }
    let warnings = statement.finish();
    assert!(warnings.is_empty(), "{warnings:?}");
    Ok(())
}
