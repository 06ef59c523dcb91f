//! What a plan reads when it runs: parameters, the time, the session, its children.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;
use firn_mysql_semantics::error::Warnings;
use firn_mysql_semantics::expr::{Cx, Row, Session, Settings};
use firn_mysql_semantics::vector::{
    ArrayReader, Builder, Execution, Statement, VectorExpr, sql_error,
};
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind, Value};
use parking_lot::Mutex;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::answer::Still;
use crate::vector_batch::{Place, batch, bound, places, rows, settings};

fn values(expr: &VectorExpr, batch: &RecordBatch) -> Vec<Value> {
    let array = expr.evaluate(batch).expect("values").into_array(batch.num_rows());
    let reader = ArrayReader::new(&array.expect("an array"), expr.sql_type()).expect("a reader");
    (0..reader.len()).map(|at| reader.get(at).expect("a value")).collect()
}

fn begin(statement: &Statement, params: Vec<Value>) {
    statement.begin(Execution::new(settings(), params, Arc::new(Mutex::new(Still))));
}

#[test]
fn parameters_are_bound_when_the_plan_runs() {
    let bigint = SqlType::plain(TypeKind::BigInt, 20, 0);
    let text = SqlType::varchar(20, CollationId::UTF8MB4_0900_AI_CI, Derivation::Coercible);
    let (places, statement) = (places(), Statement::new());
    let builder = Builder::new(&places, &statement);
    let bind = |expr: &str| bound(expr, &settings(), &[bigint, text]).expect("an expression");
    let sum = builder.value(bind("c_int + ?"), None).expect("built");
    let like = builder.value(bind("? < c_int OR c_vc LIKE ?"), None).expect("built");
    assert!(sum.is_vectorized() && like.is_vectorized());
    let mut some = rows(&mut SmallRng::seed_from_u64(1), 4);
    for (row, (int, text)) in some.iter_mut().zip([(1, "abc"), (2, "bcd"), (-5, "x"), (7, "")]) {
        row[3] = Value::Int(int);
        row[9] = Value::from(text);
    }
    let batch = batch(&some);
    for (param, pattern, sums, likes) in
        [(10, "%B%", [11, 12, 5, 17], [1, 1, 0, 0]), (1, "x", [2, 3, -4, 8], [0, 1, 1, 1])]
    {
        begin(&statement, vec![Value::Int(param), Value::from(pattern)]);
        assert_eq!(values(&sum, &batch), sums.map(Value::Int));
        assert_eq!(values(&like, &batch), likes.map(Value::Int));
        assert!(statement.finish().is_empty());
    }
    begin(&statement, vec![Value::Null, Value::Null]);
    assert_eq!(values(&sum, &batch), vec![Value::Null; 4]);
    // An error names what was asked, and the plan goes on to be good.
    statement.finish();
    begin(&statement, vec![Value::Int(i64::MAX), Value::Null]);
    let error = sum.evaluate(&batch).expect_err("too large");
    assert_eq!(sql_error(&error).map(|error| error.number()), Some(1690));
    begin(&statement, vec![Value::Int(0), Value::Null]);
    assert_eq!(values(&sum, &batch), [1, 2, -5, 7].map(Value::Int));
}

#[test]
fn settings_and_time_are_those_of_the_run() {
    let (places, statement) = (places(), Statement::new());
    let builder = Builder::new(&places, &statement);
    let node = |expr: &str| bound(expr, &settings(), &[]).expect("an expression");
    let now = builder.value(node("NOW(6)"), None).expect("built");
    let division = builder.value(node("c_int DIV 0"), None).expect("built");
    let some = batch(&rows(&mut SmallRng::seed_from_u64(2), 2000));
    begin(&statement, Vec::new());
    let at = values(&now, &some);
    assert_eq!(now.sql_type().kind, TypeKind::DateTime);
    let Some(Value::DateTime(first)) = at.first() else { panic!("{at:?}") };
    assert_eq!((first.hour(), first.microsecond()), (22, 123_456));
    values(&division, &some);
    let warnings = statement.finish();
    let nulls = (0..2000).filter(|at| some.column(3).is_null(*at)).count() as u64;
    assert_eq!((warnings.total(), warnings.kept().len()), (2000 - nulls, 1024));
    // Without the mode, no warnings.
    let quiet = Settings { error_for_division_by_zero: false, ..settings() };
    let session = Arc::new(Mutex::new(Still));
    statement.begin(Execution::new(quiet, Vec::new(), session));
    assert_eq!(values(&division, &some), vec![Value::Null; 2000]);
    assert!(statement.finish().is_empty());
}

#[test]
fn random_numbers_go_on_from_batch_to_batch() {
    let (places, statement) = (places(), Statement::new());
    let node = bound("RAND(5)", &settings(), &[]).expect("an expression");
    let (mut warnings, settings, mut session) = (Warnings::default(), settings(), Still);
    let mut cx = Cx::new(&settings, &mut session, &mut warnings);
    let mut wanted = Vec::new();
    for _ in 0..6 {
        wanted.push(node.run(&mut cx, Row::default()).expect("a number").into_owned());
    }
    let built = Builder::new(&places, &statement).value(node, None).expect("built");
    assert!(built.is_volatile_node());
    let three = batch(&rows(&mut SmallRng::seed_from_u64(3), 3));
    for _ in 0..2 {
        begin(&statement, Vec::new());
        let mut found = values(&built, &three);
        found.extend(values(&built, &three));
        assert_eq!(found, wanted);
    }
}

/// A session with one variable.
struct OneVariable(Value);

impl Session for OneVariable {
    fn user_variable(&self, name: &str) -> Option<(Value, SqlType)> {
        (name == "n").then(|| (self.0.clone(), SqlType::bigint(20)))
    }
    fn set_user_variable(&mut self, _: &str, value: Value, _: SqlType) {
        self.0 = value;
    }
    fn system_variable(&self, _: &str) -> Option<(Value, SqlType)> {
        None
    }
    fn statement_time_micros(&self) -> i64 {
        0
    }
    fn clock_micros(&self) -> i64 {
        0
    }
    fn zone_offset_seconds(&self, _: i64) -> i32 {
        0
    }
    fn random_seeds(&mut self) -> (u32, u32) {
        (1, 2)
    }
    fn connection_id(&self) -> u64 {
        1
    }
    fn user(&self) -> Box<str> {
        "".into()
    }
    fn current_user(&self) -> Box<str> {
        "".into()
    }
    fn last_insert_id(&self) -> u64 {
        0
    }
    fn set_last_insert_id(&mut self, _: u64) {}
    fn row_count(&self) -> i64 {
        0
    }
    fn found_rows(&self) -> u64 {
        0
    }
    fn version(&self) -> Box<str> {
        "".into()
    }
}

#[test]
fn user_variables_are_the_sessions() {
    let (places, statement) = (places(), Statement::new());
    let node = bound("@n := @n + 1", &settings(), &[]).expect("an expression");
    let built = Builder::new(&places, &statement).value(node, None).expect("built");
    let session = Arc::new(Mutex::new(OneVariable(Value::Int(5))));
    statement.begin(Execution::new(settings(), Vec::new(), Arc::clone(&session) as _));
    let three = batch(&rows(&mut SmallRng::seed_from_u64(4), 3));
    let found = values(&built, &three);
    assert_eq!(found, [6.0, 7.0, 8.0].map(Value::Double), "{}", built);
    assert_eq!(session.lock().0, Value::Double(8.0));
}

#[test]
fn children_are_the_columns_and_can_be_others() {
    let (places, statement) = (places(), Statement::new());
    let builder = Builder::new(&places, &statement);
    let node = bound("c_int + c_small", &settings(), &[]).expect("an expression");
    let built = builder.value(node.clone(), None).expect("built");
    assert_eq!(built.children().len(), 2);
    let again = builder.value(node.clone(), None).expect("built");
    assert!(built == again);
    assert!(built != builder.value(node.clone(), Some("other")).expect("built"));
    let other = Statement::new();
    assert!(built != Builder::new(&places, &other).value(node, None).expect("built"));
    let some = rows(&mut SmallRng::seed_from_u64(6), 5);
    begin(&statement, Vec::new());
    // The same columns the other way about: the sum is the same.
    let small: Arc<dyn PhysicalExpr> = Arc::new(Place(2));
    let int: Arc<dyn PhysicalExpr> = Arc::new(Place(3));
    let small_rows = batch(&some);
    let moved = Arc::clone(&built).with_new_children(vec![Arc::clone(&int), Arc::clone(&int)]);
    let twice = moved.expect("two children").evaluate(&small_rows);
    let twice = twice.expect("sums").into_array(5).expect("an array");
    let reader = ArrayReader::new(&twice, built.sql_type()).expect("a reader");
    for (at, row) in some.iter().enumerate() {
        let wanted = match row[3] {
            Value::Int(int) => Value::Int(int * 2),
            _ => Value::Null,
        };
        assert_eq!(reader.get(at).expect("a value"), wanted);
    }
    assert!(Arc::clone(&built).with_new_children(vec![small]).is_err());
}

/// Columns that come in other types than the plan says are an error, not a guess.
#[test]
fn wrong_columns_are_an_error() {
    let mut places = places();
    places[3] = Arc::new(Place(9));
    let statement = Statement::new();
    let builder = Builder::new(&places, &statement);
    let node = bound("c_int + 1", &settings(), &[]).expect("an expression");
    let built = builder.value(node.clone(), None).expect("built");
    begin(&statement, Vec::new());
    let some = batch(&rows(&mut SmallRng::seed_from_u64(8), 2));
    let error = built.evaluate(&some).expect_err("texts");
    assert_eq!(sql_error(&error).map(|error| error.number()), Some(1105));
    let none = Builder::new(&[], &statement).value(node, None).expect_err("no columns");
    assert_eq!(none.number(), 1105);
}
