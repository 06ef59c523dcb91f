//! Shapes: what is equal, what is not, and where the literals are.

use firn_mysql_parser::ast::{Expr, ExprKind, Literal, QueryBody, SelectItem, StatementKind};
use firn_mysql_parser::{Options, Parser, Shape, SqlMode};

fn shape(sql: &str) -> Shape {
    let mut shape = Shape::default();
    Parser::new(Options::default()).shape(sql.as_bytes(), 0, &mut shape).unwrap();
    shape
}

#[test]
fn statements_that_differ_in_values_have_one_key() {
    let one = shape("SELECT c FROM t WHERE id = 5 AND n LIKE 'x'");
    let other = shape(" /* x */ SELECT c FROM t WHERE id = 4711 AND n LIKE 'yyy' -- y");
    assert_eq!(one.key, other.key);
    assert_eq!(other.literals[0].1, Literal::Int(4711));
    assert!(matches!(&other.literals[1].1, Literal::Text(text) if &text.value[..] == b"yyy"));
}

#[test]
fn other_types_names_and_words_have_other_keys() {
    let texts = [
        "select a from t where b = 1",
        "select a from t where b = 0",
        "select a from t where b = '1'",
        "select a from t where b = 1.0",
        "select a from t where b = 1.00",
        "select a from t where b = 1e0",
        "select a from t where b = x'01'",
        "select a from t where b = _latin1'1'",
        "select a from t where b = 18446744073709551615",
        "select a from t where b = DATE'2020-01-01'",
        "select a from t where b = ?",
        "select a from t where b = NULL",
        "select a from t where b = -1",
        "select a from t where c = 1",
        "select a from t where B = 1",
        "select a from `t` where b = 1",
        "select /*+ X() */ a from t where b = 1",
        "select distinct a from t where b = 1",
        // Columns are named by what is written.
        "select A from t where b = 1",
        "select a+b from t where b = 1",
        "select a + b from t where b = 1",
        "select a /* + */ from t where b = 1",
        "select count(*) from t where b = 1",
        "select COUNT(*) from t where b = 1",
    ];
    for (i, one) in texts.iter().enumerate() {
        for other in &texts[..i] {
            assert_ne!(shape(one).key, shape(other).key, "{one}\n{other}");
        }
    }
    let mut ansi = Shape::default();
    let mut parser = Parser::new(Options::in_mode(SqlMode::PIPES_AS_CONCAT));
    parser.shape(b"select 1 || 2", 0, &mut ansi).unwrap();
    assert_ne!(ansi.key, shape("select 1 || 2").key);
}

#[test]
fn literals_of_the_tree_are_found() {
    let sql = "select -5, 'a' 'b', _utf8mb4'c', date '2020-01-01', 0x41, 1.5, null";
    let shape = shape(sql);
    let statement = Parser::new(Options::default()).parse(sql.as_bytes()).unwrap();
    let StatementKind::Query(query) = &statement.kind else { panic!("a query") };
    let QueryBody::Select(select) = &query.body else { panic!("a block") };
    let mut found = 0;
    for item in &select.items {
        let SelectItem::Expr { expr, .. } = item else { panic!("an expression") };
        let literal: &Expr = match &expr.kind {
            ExprKind::Unary(_, operand) => operand,
            _ => expr,
        };
        let ExprKind::Literal(value) = &literal.kind else { panic!("a literal") };
        if *value == Literal::Null {
            assert_eq!(shape.slot(literal.span), None);
            continue;
        }
        let slot = shape.slot(literal.span).unwrap();
        assert_eq!((slot, &shape.literals[slot].1), (found, value));
        found += 1;
    }
    assert_eq!(found, shape.literals.len());
}

#[test]
fn a_shape_ends_with_its_statement() {
    let mut parser = Parser::new(Options::default());
    let mut shape = Shape::default();
    parser.shape(b"select 1; select 'x'", 0, &mut shape).unwrap();
    assert_eq!((shape.end, shape.literals.len()), (9, 1));
    parser.shape(b"select 1; select 'x'", 9, &mut shape).unwrap();
    assert_eq!((shape.end, shape.literals.len()), (20, 1));
    assert!(parser.shape(b"select 'x", 0, &mut shape).is_err());
}
