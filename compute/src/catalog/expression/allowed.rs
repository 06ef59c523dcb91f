//! What expressions of definitions may not have in them.

use firn_mysql_parser::ast::{Call, CastType, ColumnRef, Expr, ExprKind, JsonOn, Over};
use firn_mysql_semantics::error::{Arg, SqlError, code};

use super::calls::printed_name;

/// What an expression is for, with the name that errors give it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Use<'a> {
    /// The default of a column.
    Default(&'a str),
    /// A generated column.
    Generated(&'a str),
    /// A part of an index.
    Index(&'a str),
    /// A CHECK.
    Check(&'a str),
}

/// Functions that no expression of a definition takes.
const NEVER: [&str; 20] = [
    "version",
    "icu_version",
    "last_insert_id",
    "row_count",
    "found_rows",
    "get_lock",
    "release_lock",
    "is_free_lock",
    "is_used_lock",
    "release_all_locks",
    "sleep",
    "benchmark",
    "load_file",
    "source_pos_wait",
    "updatexml",
    "wait_until_sql_thread_after_gtids",
    "values",
    "match",
    "encrypt",
    "name_const",
];

/// Functions whose value depends on more than their arguments: defaults take them.
const CHANGING: [&str; 17] = [
    "now",
    "curdate",
    "curtime",
    "utc_date",
    "utc_time",
    "utc_timestamp",
    "unix_timestamp",
    "rand",
    "uuid",
    "uuid_short",
    "user",
    "current_user",
    "database",
    "connection_id",
    "current_role",
    "roles_graphml",
    "session_user",
];

/// The same, but CHECK takes them as well.
const CHANGING_BUT_CHECKED: [&str; 4] =
    ["sysdate", "random_bytes", "statement_digest", "statement_digest_text"];

impl Use<'_> {
    /// The clause that 1054 names.
    pub(crate) fn clause(self) -> &'static str {
        match self {
            Use::Default(_) => "default value expression",
            Use::Generated(_) => "generated column function",
            Use::Index(_) => "functional index",
            Use::Check(_) => "check constraint",
        }
    }

    fn name(&self) -> &str {
        match self {
            Use::Default(name) | Use::Generated(name) | Use::Index(name) | Use::Check(name) => name,
        }
    }

    fn refuses(self, function: &str) -> bool {
        let one_of = |list: &[&str]| list.contains(&function);
        one_of(&NEVER)
            || match self {
                Use::Default(_) => false,
                Use::Check(_) => one_of(&CHANGING),
                Use::Generated(_) | Use::Index(_) => {
                    one_of(&CHANGING) || one_of(&CHANGING_BUT_CHECKED)
                }
            }
    }

    /// A function that has no place here.
    pub(crate) fn function_refused(self, function: &str) -> SqlError {
        let number = match self {
            Use::Default(_) => code::ER_DEFAULT_VAL_GENERATED_NAMED_FUNCTION_IS_NOT_ALLOWED,
            Use::Generated(_) => code::ER_GENERATED_COLUMN_NAMED_FUNCTION_IS_NOT_ALLOWED,
            Use::Index(_) => code::ER_FUNCTIONAL_INDEX_FUNCTION_IS_NOT_ALLOWED,
            Use::Check(_) => code::ER_CHECK_CONSTRAINT_NAMED_FUNCTION_IS_NOT_ALLOWED,
        };
        // Those without arguments print as calls.
        let shown = match function {
            "version" => "version()",
            "icu_version" => "icu_version()",
            other => other,
        };
        SqlError::new(number, &[Arg::Str(self.name()), Arg::Str(shown)])
    }

    fn refused(self) -> SqlError {
        let number = match self {
            Use::Default(_) => code::ER_DEFAULT_VAL_GENERATED_FUNCTION_IS_NOT_ALLOWED,
            Use::Generated(_) => code::ER_GENERATED_COLUMN_FUNCTION_IS_NOT_ALLOWED,
            Use::Index(_) => code::ER_FUNCTIONAL_INDEX_FUNCTION_IS_NOT_ALLOWED,
            Use::Check(_) => code::ER_CHECK_CONSTRAINT_FUNCTION_IS_NOT_ALLOWED,
        };
        SqlError::new(number, &[self.name().into()])
    }

    fn variable_refused(self) -> SqlError {
        let number = match self {
            Use::Check(_) => code::ER_CHECK_CONSTRAINT_VARIABLES,
            _ => code::ER_DEFAULT_VAL_GENERATED_VARIABLES,
        };
        SqlError::new(number, &[self.name().into()])
    }

    /// A row where a value should be.
    pub(crate) fn row_refused(self) -> SqlError {
        let number = match self {
            Use::Default(_) => code::ER_DEFAULT_VAL_GENERATED_ROW_VALUE,
            Use::Generated(_) => code::ER_GENERATED_COLUMN_ROW_VALUE,
            Use::Index(_) => code::ER_FUNCTIONAL_INDEX_ROW_VALUE_IS_NOT_ALLOWED,
            Use::Check(_) => code::ER_CHECK_CONSTRAINT_ROW_VALUE,
        };
        SqlError::new(number, &[self.name().into()])
    }
}

/// Refuses what has no place in an expression for this use, and gives the columns
/// that it names, in order, and those among them inside of DEFAULT().
///
/// # Errors
/// 1111, 3102, 3758, 3763, 3769, 3770, 3772, 3814, 3815, 3816 and their like.
pub(crate) fn check_allowed<'e>(
    expr: &'e Expr,
    purpose: Use<'_>,
) -> Result<Vec<&'e ColumnRef>, SqlError> {
    let mut walk = Walk { purpose, columns: Vec::new() };
    walk.visit(expr)?;
    if matches!(expr.kind, ExprKind::Row(_)) {
        return Err(purpose.row_refused());
    }
    Ok(walk.columns)
}

struct Walk<'a, 'e> {
    purpose: Use<'a>,
    columns: Vec<&'e ColumnRef>,
}

impl<'e> Walk<'_, 'e> {
    fn all(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) -> Result<(), SqlError> {
        exprs.into_iter().try_for_each(|expr| self.visit(expr))
    }

    fn visit(&mut self, expr: &'e Expr) -> Result<(), SqlError> {
        match &expr.kind {
            ExprKind::Literal(_) => Ok(()),
            ExprKind::Column(column) => {
                self.columns.push(column);
                Ok(())
            }
            ExprKind::DefaultOf(column) => {
                if matches!(self.purpose, Use::Index(_)) {
                    return Err(self.purpose.refused());
                }
                self.columns.push(column);
                Ok(())
            }
            ExprKind::Param(_) | ExprKind::Default => Err(self.purpose.refused()),
            ExprKind::UserVariable(_) | ExprKind::SystemVariable(_) | ExprKind::Assign(_) => {
                Err(self.purpose.variable_refused())
            }
            ExprKind::Unary(_, operand) | ExprKind::Extract(_, operand) => self.visit(operand),
            ExprKind::Binary(binary) => self.all([&binary.left, &binary.right]),
            ExprKind::Logical(_, operands) | ExprKind::Row(operands) => self.all(operands),
            ExprKind::IsNull { expr, .. } | ExprKind::IsTruth { expr, .. } => self.visit(expr),
            ExprKind::Like(like) => {
                self.all([&like.expr, &like.pattern])?;
                self.all(&like.escape)
            }
            ExprKind::Regexp(regexp) => self.all([&regexp.expr, &regexp.pattern]),
            ExprKind::InList(list) => {
                self.visit(&list.expr)?;
                self.all(&list.list)
            }
            ExprKind::Between(between) => self.all([&between.expr, &between.low, &between.high]),
            ExprKind::InQuery(_)
            | ExprKind::Quantified(_)
            | ExprKind::Subquery(_)
            | ExprKind::Exists(_) => Err(self.purpose.refused()),
            ExprKind::Case(case) => {
                self.all(&case.operand)?;
                for (when, then) in &case.branches {
                    self.all([when, then])?;
                }
                self.all(&case.otherwise)
            }
            ExprKind::Cast(cast) => {
                let array_here = matches!(self.purpose, Use::Index(_));
                if cast.array && !array_here {
                    return Err(SqlError::not_supported_yet("CAST-ing data to array of type"));
                }
                let _: &CastType = &cast.to;
                self.visit(&cast.expr)
            }
            ExprKind::ConvertUsing(pair) | ExprKind::Collate(pair) => self.visit(&pair.0),
            ExprKind::Named(pair) => self.visit(&pair.0),
            ExprKind::Call(call) => self.call(call),
            ExprKind::Aggregate(call) if call.over.is_some() => {
                let name = call.kind.name();
                Err(SqlError::new(code::ER_WINDOW_INVALID_WINDOW_FUNC_USE, &[name.into()]))
            }
            ExprKind::Aggregate(_) => Err(SqlError::new(code::ER_INVALID_GROUP_FUNC_USE, &[])),
            ExprKind::Match(_) => Err(self.purpose.function_refused("match")),
            ExprKind::Values(_) => Err(self.purpose.function_refused("values")),
            ExprKind::DateArith(arith) => self.all([&arith.date, &arith.amount]),
            ExprKind::Trim(trim) => {
                self.all(&trim.remove)?;
                self.visit(&trim.expr)
            }
            ExprKind::UnitCall(call) => self.all([&call.first, &call.second]),
            ExprKind::GetFormat(_, expr) => self.visit(expr),
            ExprKind::Char(char) => self.all(&char.0),
            ExprKind::WeightString(weight) => self.visit(&weight.expr),
            ExprKind::JsonPath(path) => {
                self.columns.push(&path.column);
                Ok(())
            }
            ExprKind::JsonValue(value) => {
                self.all([&value.expr, &value.path])?;
                for on in [&value.on_empty, &value.on_error] {
                    if let Some(JsonOn::Default(expr)) = on {
                        self.visit(expr)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn call(&mut self, call: &'e Call) -> Result<(), SqlError> {
        self.all(&call.args)?;
        if let Some(window) = &call.window {
            let _: &Over = &window.over;
            let shown = call.name.as_str().to_ascii_lowercase();
            return Err(SqlError::new(code::ER_WINDOW_INVALID_WINDOW_FUNC_USE, &[(&shown).into()]));
        }
        let name = printed_name(call.name.as_str());
        if call.schema.is_some() {
            return Err(self.purpose.function_refused(&stored_name(call)));
        }
        if name == "name_const" {
            return Err(self.purpose.refused());
        }
        if self.purpose.refuses(&name) {
            return Err(self.purpose.function_refused(&name));
        }
        Ok(())
    }
}

/// A stored function's name as these errors have it.
fn stored_name(call: &Call) -> String {
    let mut out = String::new();
    if let Some(schema) = &call.schema {
        out.push_str(&firn_mysql_parser::quote_name(schema.as_str()));
        out.push('.');
    }
    out.push_str(&firn_mysql_parser::quote_name(call.name.as_str()));
    out
}
