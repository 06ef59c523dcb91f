//! Optimizer hints: what stands in `/*+ … */` behind SELECT, INSERT, REPLACE, UPDATE and DELETE.
//!
//! MySQL gives up on a comment at the first hint that it cannot read, with a warning, and takes
//! those before it. Hints for a whole statement are carried out by the session; those for one
//! block of it where the block is bound ([`block`]). What has no meaning here (how tables are
//! joined and how subqueries are turned into joins) is read, and resolved, all the same.

pub(crate) mod block;
mod body;

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};

use self::body::Body;
pub(crate) use self::body::Value;

/// A hint that could be read.
pub(crate) struct Hint {
    /// Its name, in capital letters.
    pub(crate) name: &'static str,
    /// Block of the statement that it stands in, from 1.
    pub(crate) block: u32,
    /// The block that it is for, if it names one.
    pub(crate) of: Option<String>,
    pub(crate) asked: Asked,
}

/// What a hint asks for.
pub(crate) enum Asked {
    /// MAX_EXECUTION_TIME, in milliseconds.
    Time(u64),
    /// SET_VAR
    Set(String, Value),
    /// QB_NAME
    Name(String),
    /// RESOURCE_GROUP
    Group(String),
    /// Something of the block, such as JOIN_FIXED_ORDER().
    Block(String),
    /// The order of tables: JOIN_PREFIX and its like.
    Order(Vec<String>),
    /// Something of tables.
    Tables(Vec<String>),
    /// Something of a table's indexes, of all if none is named.
    Indexes(String, Vec<String>),
}

/// How a hint's body is read.
#[derive(Clone, Copy)]
enum Form {
    Time,
    Set,
    Name,
    Group,
    Block(&'static [&'static str]),
    Order,
    Tables,
    Indexes,
}

const STRATEGIES: &[&str] = &["FIRSTMATCH", "LOOSESCAN", "MATERIALIZATION", "DUPSWEEDOUT"];

const FORMS: &[(&str, Form)] = &[
    ("MAX_EXECUTION_TIME", Form::Time),
    ("SET_VAR", Form::Set),
    ("QB_NAME", Form::Name),
    ("RESOURCE_GROUP", Form::Group),
    ("JOIN_FIXED_ORDER", Form::Block(&[])),
    ("SEMIJOIN", Form::Block(STRATEGIES)),
    ("NO_SEMIJOIN", Form::Block(STRATEGIES)),
    ("SUBQUERY", Form::Block(&["INTOEXISTS", "MATERIALIZATION"])),
    ("JOIN_ORDER", Form::Order),
    ("JOIN_PREFIX", Form::Order),
    ("JOIN_SUFFIX", Form::Order),
    ("BKA", Form::Tables),
    ("NO_BKA", Form::Tables),
    ("BNL", Form::Tables),
    ("NO_BNL", Form::Tables),
    ("HASH_JOIN", Form::Tables),
    ("NO_HASH_JOIN", Form::Tables),
    ("DERIVED_CONDITION_PUSHDOWN", Form::Tables),
    ("NO_DERIVED_CONDITION_PUSHDOWN", Form::Tables),
    ("MERGE", Form::Tables),
    ("NO_MERGE", Form::Tables),
    ("INDEX", Form::Indexes),
    ("NO_INDEX", Form::Indexes),
    ("JOIN_INDEX", Form::Indexes),
    ("NO_JOIN_INDEX", Form::Indexes),
    ("GROUP_INDEX", Form::Indexes),
    ("NO_GROUP_INDEX", Form::Indexes),
    ("ORDER_INDEX", Form::Indexes),
    ("NO_ORDER_INDEX", Form::Indexes),
    ("INDEX_MERGE", Form::Indexes),
    ("NO_INDEX_MERGE", Form::Indexes),
    ("MRR", Form::Indexes),
    ("NO_MRR", Form::Indexes),
    ("NO_ICP", Form::Indexes),
    ("NO_RANGE_OPTIMIZATION", Form::Indexes),
    ("SKIP_SCAN", Form::Indexes),
    ("NO_SKIP_SCAN", Form::Indexes),
];

/// The hints of a comment up to the first that cannot be read, and what is said of that.
pub(crate) fn read(hints: &[ast::Hint], sql: &[u8]) -> (Vec<Hint>, Option<SqlError>) {
    let mut all = Vec::with_capacity(hints.len());
    for hint in hints {
        match read_one(hint) {
            Ok(one) => all.push(one),
            Err(wrong) => return (all, Some(wrong.error(sql))),
        }
    }
    (all, None)
}

/// Where a hint cannot be read.
struct Wrong {
    at: usize,
    what: &'static str,
}

impl Wrong {
    fn syntax(at: usize) -> Self {
        Self { at, what: "Optimizer hint syntax error" }
    }

    /// 1064, with the text from there on.
    fn error(&self, sql: &[u8]) -> SqlError {
        let (before, near) = sql.split_at_checked(self.at).unwrap_or((sql, &[]));
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        // At the end of the comment nothing else is told.
        let near = String::from_utf8_lossy(near);
        let near = near.trim_start();
        let near = if near.starts_with("*/") { "*/" } else { near };
        let line = u64::try_from(line).unwrap_or(u64::MAX);
        SqlError::new(code::ER_PARSE_ERROR, &[self.what.into(), near.into(), line.into()])
    }
}

fn read_one(hint: &ast::Hint) -> Result<Hint, Wrong> {
    let start = || Wrong::syntax(hint.place.start);
    let Some(name) = &hint.name else {
        // Of a hint that has no parentheses these are missed.
        let word = hint.body.find(|c: char| !(c.is_alphanumeric() || c == '_'));
        let word = &hint.body[..word.unwrap_or(hint.body.len())];
        let known = FORMS.iter().any(|(known, _)| known.eq_ignore_ascii_case(word));
        return Err(Wrong::syntax(hint.place.start + if known { word.len() } else { 0 }));
    };
    let known = FORMS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let (name, form) = *known.ok_or_else(start)?;
    let mut body = Body::new(&hint.body, hint.place.body).map_err(Wrong::syntax)?;
    let of = match form {
        Form::Time | Form::Set | Form::Name | Form::Group => None,
        _ => body.block_name().map_err(Wrong::syntax)?,
    };
    let mut of_tables = Vec::new();
    let asked = match form {
        Form::Time => {
            let number = body.number().map_err(Wrong::syntax)?;
            let what = "Unsupported MAX_EXECUTION_TIME";
            let milliseconds: Option<u32> = number.parse().ok();
            let unsupported = Wrong { at: body.place(), what };
            body.end().map_err(Wrong::syntax)?;
            Asked::Time(milliseconds.ok_or(unsupported)?.into())
        }
        Form::Set => {
            let (variable, value) = body.assignment().map_err(Wrong::syntax)?;
            Asked::Set(variable, value)
        }
        Form::Name => Asked::Name(body.word().map_err(Wrong::syntax)?),
        Form::Group => Asked::Group(body.word().map_err(Wrong::syntax)?),
        Form::Block(words) => Asked::Block(body.words_of(words).map_err(Wrong::syntax)?),
        Form::Order => Asked::Order(body.tables(true, &mut of_tables).map_err(Wrong::syntax)?),
        Form::Tables => Asked::Tables(body.tables(false, &mut of_tables).map_err(Wrong::syntax)?),
        Form::Indexes => {
            let (table, of, indexes) = body.indexes().map_err(Wrong::syntax)?;
            of_tables.extend(of);
            Asked::Indexes(table, indexes)
        }
    };
    body.end().map_err(Wrong::syntax)?;
    let of = of.or_else(|| of_tables.pop());
    Ok(Hint { name, block: hint.place.block, of, asked })
}

/// 3126: a hint that was there before, or says the opposite of one.
pub(crate) fn conflicting(hint: &Hint) -> SqlError {
    SqlError::new(code::ER_WARN_CONFLICTING_HINT, &[(&shown(hint)).into()])
}

/// A hint as messages name it.
fn shown(hint: &Hint) -> String {
    let of = hint.of.as_ref().map_or_else(String::new, |of| format!("@`{of}`"));
    let quoted =
        |all: &[String]| all.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(",");
    let body = match &hint.asked {
        Asked::Time(limit_ms) => limit_ms.to_string(),
        Asked::Set(variable, value) => return format!("SET_VAR({variable}={value}) "),
        Asked::Name(name) | Asked::Group(name) => format!("`{name}`"),
        Asked::Block(words) if words.is_empty() => format!("{of} "),
        Asked::Block(words) => format!("{of}  {words}"),
        Asked::Order(tables) => format!("{of} {}", quoted(tables)),
        Asked::Tables(tables) => format!("{}{of} ", quoted(tables)),
        Asked::Indexes(table, indexes) if indexes.is_empty() => format!("`{table}`{of} "),
        Asked::Indexes(table, indexes) => format!("`{table}`{of}  {}", quoted(indexes)),
    };
    format!("{}({body})", hint.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_read_up_to_the_first_that_is_wrong() {
        for (sql, count, near) in [
            ("SELECT /*+ BKA(a, b) bnl() INDEX(t `i j`, k) */ 1", 3, None),
            ("SELECT /*+ SET_VAR(a = 'x') SET_VAR(b=1K) SET_VAR(c = ON) */ 1", 3, None),
            ("SELECT /*+ MAX_EXECUTION_TIME(5) BAD(x) BKA(a) */ 1", 1, Some("BAD(x) BKA(a) */ 1")),
            ("SELECT /*+ MAX_EXECUTION_TIME(abc) */ 1", 0, Some("abc) */ 1")),
            ("SELECT /*+ MAX_EXECUTION_TIME(1.5) */ 1", 0, Some("1.5) */ 1")),
            ("SELECT /*+ MAX_EXECUTION_TIME(4294967296) */ 1", 0, Some(") */ 1")),
            ("SELECT /*+ INDEX(ht ia ib) */ 1", 0, Some("ib) */ 1")),
            ("SELECT /*+ NO_INDEX(ht, ht2) */ 1", 0, Some(", ht2) */ 1")),
            ("SELECT /*+ SEMIJOIN(BAD) */ 1", 0, Some("BAD) */ 1")),
            ("SELECT /*+ NO_BNL */ 1", 0, Some("*/")),
            ("SELECT /*+ SET_VAR(sql_mode='') */ 1", 0, Some("'') */ 1")),
            ("SELECT /*+ */ 1", 0, Some("*/")),
            ("SELECT /*+ JOIN_ORDER(@q a, b@q) */ 1", 1, None),
        ] {
            let mut parser = firn_mysql_parser::Parser::new(Default::default());
            let statement = parser.parse(sql.as_bytes()).expect(sql);
            let ast::StatementKind::Query(query) = statement.kind else { panic!("{sql}") };
            let ast::QueryBody::Select(select) = query.body else { panic!("{sql}") };
            let (hints, error) = read(&select.hints, sql.as_bytes());
            assert_eq!(hints.len(), count, "{sql}");
            let text = error.map(|error| error.to_string());
            let told = text.as_ref().and_then(|text| text.split_once(" near '"));
            let told = told.and_then(|(_, near)| near.rsplit_once("' at line 1"));
            assert_eq!(told.map(|(near, _)| near), near, "{sql}: {text:?}");
        }
    }
}
