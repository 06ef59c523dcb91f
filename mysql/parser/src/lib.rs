//! MySQL 8.4's SQL as a library: lexer, syntax tree, grammar, printer.
//!
//! ```
//! use firn_mysql_parser::{Options, Parser, print};
//!
//! let mut parser = Parser::new(Options::default());
//! let statement = parser.parse(b"select a+1 as b from t where not c = 'x'")?;
//! assert_eq!(
//!     String::from_utf8_lossy(&print(&statement, Default::default())),
//!     "SELECT `a` + 1 AS `b` FROM `t` WHERE (NOT (`c` = 'x'))"
//! );
//! # Ok::<(), firn_mysql_parser::Error>(())
//! ```
//!
//! * [`Parser`] turns text into [`ast`]; it is meant to be kept, one per session.
//! * [`Parser::shape`] takes the literals out of a text, for a plan cache.
//! * [`print`] turns a tree into text that parses to the same tree.
//! * Refused texts give an [`Error`] with MySQL's number, SQLSTATE and words.
//!
//! What is refused here is what MySQL's own grammar refuses (error 1064), and
//! some things that it notices while parsing. Everything that takes knowledge of
//! tables, types or other statements is the caller's to check: unknown names,
//! numbers of columns, lengths, clauses that do not go together.
//!
//! Parsing takes memory in proportion to the text, and stack in proportion to the
//! limits of [`Options`]: see there.

pub mod ast;
mod error;
mod grammar;
mod lexer;
mod mode;
mod printer;
mod shape;

pub use error::{Error, ErrorKind, Result};
pub use grammar::{Parsed, Parser};
pub use lexer::{is_keyword, keywords};
pub use mode::{Options, SERVER_VERSION, SqlMode};
pub use printer::{print, print_explicit, print_expr, quote_name, quote_text};
pub use shape::Shape;
