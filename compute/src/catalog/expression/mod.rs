//! Expressions of definitions: the text that the catalog keeps.
//!
//! It is the one that MySQL's SHOW CREATE TABLE prints, and it means the same in
//! every session: literals carry their character set, names are in backquotes, every
//! operator has its parentheses, and it is read in the default sql_mode.

mod allowed;
mod calls;
mod condition;
mod json_table;
mod literal;
mod print;
mod query;
mod resolved;
mod types;
mod window;

pub(crate) use allowed::{Use, check_allowed};
pub(crate) use print::{canonical, is_truth};
pub(crate) use query::{canonical_query, numbered_query};
pub(crate) use resolved::{Resolutions, ResolvedColumn};

use firn_mysql_parser::ast::Expr;
use firn_mysql_parser::{Options, Parser};
use firn_mysql_semantics::error::{SqlError, code};

/// The tree of an expression that a descriptor keeps.
///
/// # Errors
/// An internal error if the text is damaged.
pub fn parse(text: &str) -> Result<Expr, SqlError> {
    Parser::new(Options::default()).parse_expr(text.as_bytes()).map_err(|error| {
        SqlError::with_message(
            code::ER_INTERNAL_ERROR,
            format!("an expression of the catalog cannot be read: {error}: {text}"),
        )
    })
}
