//! Tests of the parser through its public face.

mod depth;
mod errors;
mod expressions;
mod fuzz;
mod gate;
mod generate;
mod oracle;
mod queries;
mod shape;
mod statements;

use firn_mysql_parser::{Options, Parser, SqlMode, print, print_expr};

/// The canonical text of a statement, which must parse to the same tree.
pub fn canonical_in(sql: &str, mode: SqlMode) -> String {
    let mut parser = Parser::new(Options::in_mode(mode));
    let statement = parser.parse(sql.as_bytes()).unwrap_or_else(|e| panic!("{sql}\n{e}"));
    let text = print(&statement, mode);
    let shown = String::from_utf8_lossy(&text).into_owned();
    let again = parser.parse(&text).unwrap_or_else(|e| panic!("{sql}\nprinted {shown}\n{e}"));
    assert_eq!(again, statement, "{sql}\nprinted {shown}");
    assert_eq!(print(&again, mode), text, "{sql}");
    shown
}

/// As [`canonical_in`], in the default mode.
pub fn canonical(sql: &str) -> String {
    canonical_in(sql, SqlMode::DEFAULT)
}

/// The canonical text of an expression, without the quotes of names.
pub fn expr_in(sql: &str, mode: SqlMode) -> String {
    let mut parser = Parser::new(Options::in_mode(mode));
    let expr = parser.parse_expr(sql.as_bytes()).unwrap_or_else(|e| panic!("{sql}\n{e}"));
    let text = print_expr(&expr, mode);
    let shown = String::from_utf8_lossy(&text).into_owned();
    let again = parser.parse_expr(&text).unwrap_or_else(|e| panic!("{sql}\nprinted {shown}\n{e}"));
    assert_eq!(again, expr, "{sql}\nprinted {shown}");
    shown.replace('`', "")
}

/// Asserts that each statement is accepted and prints back to the same tree.
pub fn accepted(statements: &[&str]) {
    for sql in statements {
        canonical(sql);
    }
}

/// Asserts that each statement is a syntax error.
pub fn refused(statements: &[&str]) {
    let mut parser = Parser::new(Options::default());
    for sql in statements {
        match parser.parse(sql.as_bytes()) {
            Ok(statement) => panic!("accepted {sql}\n{statement:?}"),
            Err(e) => assert_eq!(e.code(), 1064, "{sql}\n{e}"),
        }
    }
}
