//! From the parser's expression to the typed tree.

mod call;
mod cast;
mod comparison;
mod control;
mod fold;
mod json;
mod literal;
mod membership;
mod merge;
mod operator;
mod site;

pub(crate) use merge::merged_type;
pub(crate) use site::Site;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use firn_mysql_parser::ast::{self, ExprKind};

use super::context::Settings;
use super::node::{ColumnOp, Node, Op};
use super::{Result, leaf};
use crate::error::{SqlError, code};
use crate::types::{CollationId, Derivation, SqlType};
use crate::value::Bytes;

/// A column that a name stands for.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its place in the rows that will be evaluated.
    pub index: usize,
    /// Its type.
    pub ty: SqlType,
    /// As error texts print it: `` `test`.`t`.`a` ``.
    pub name: Box<str>,
    /// Of ENUM and SET: the members, in the column's character set.
    pub members: Option<Arc<[Bytes]>>,
}

/// What names mean where an expression stands.
pub trait Scope {
    /// The column of a name.
    ///
    /// # Errors
    ///
    /// 1054, 1052 and such.
    fn column(&self, name: &ast::ColumnRef) -> Result<Column>;

    /// A node for what is no scalar expression by itself: subqueries, aggregates,
    /// window functions, DEFAULT, VALUES. `None` if it has no place here.
    fn special(&self, expr: &ast::Expr) -> Option<Result<Node>> {
        let _ = expr;
        None
    }

    /// The type of a user variable, if it has been set.
    fn user_variable(&self, name: &str) -> Option<SqlType> {
        let _ = name;
        None
    }

    /// The type of a system variable, if there is one of the name.
    fn system_variable(&self, name: &str) -> Option<SqlType> {
        let _ = name;
        None
    }
}

/// A scope without columns.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoColumns;

impl Scope for NoColumns {
    fn column(&self, name: &ast::ColumnRef) -> Result<Column> {
        let mut full = String::new();
        if let Some(qualifier) = &name.qualifier {
            if let Some(schema) = &qualifier.schema {
                full.push_str(schema.as_str());
                full.push('.');
            }
            full.push_str(qualifier.table.as_str());
            full.push('.');
        }
        full.push_str(name.name.as_str());
        Err(SqlError::unknown_column(&full, "field list"))
    }
}

/// Binds the expressions of one statement.
pub struct Binder<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) scope: &'a dyn Scope,
    /// Types of the statement's parameters.
    pub(crate) params: &'a [SqlType],
    /// How many generators of RAND() there are so far.
    pub(crate) generators: Cell<u64>,
    /// What the trees' spans are of.
    text: &'a [u8],
    warnings: RefCell<Vec<SqlError>>,
}

impl<'a> Binder<'a> {
    /// A binder for a statement whose parameters have these types.
    pub fn new(settings: &'a Settings, scope: &'a dyn Scope, params: &'a [SqlType]) -> Binder<'a> {
        let (generators, warnings) = (Cell::new(0), RefCell::default());
        Binder { settings, scope, params, generators, text: b"", warnings }
    }

    /// Binds trees that were parsed from `text`: some warnings name operands as they
    /// are written there.
    #[must_use]
    pub fn with_text(self, text: &'a [u8]) -> Binder<'a> {
        Binder { text, ..self }
    }

    /// The settings that it binds by.
    pub fn settings(&self) -> &Settings {
        self.settings
    }

    /// What binding has to warn of so far: deprecated forms.
    pub fn take_warnings(&self) -> Vec<SqlError> {
        self.warnings.take()
    }

    pub(crate) fn warn(&self, error: SqlError) {
        self.warnings.borrow_mut().push(error);
    }

    /// `left op right`, of two scalars or two rows.
    ///
    /// # Errors
    ///
    /// 1241 for rows of different lengths, 1267 for collations that do not go together.
    pub fn compared(&self, op: super::CompareOp, left: Node, right: Node) -> Result<Node> {
        self.compare(op, left, right)
    }

    /// The type that all of `args` have in common, as the columns of UNION have it;
    /// strings are brought into one character set.
    ///
    /// # Errors
    ///
    /// 1271 for collations that do not go together.
    pub fn merged(&self, args: &mut [Node], operation: &str) -> Result<SqlType> {
        let which: Vec<usize> = (0..args.len()).collect();
        let nullable = args.iter().any(|arg| arg.ty.nullable);
        Ok(merged_type(self, args, &which, operation)?.with_nullable(nullable))
    }

    /// The collation of texts that the session writes.
    pub fn connection(&self) -> CollationId {
        self.settings.connection_collation
    }

    /// The typed form of a scalar expression.
    ///
    /// # Errors
    ///
    /// MySQL's for unknown names, wrong numbers of arguments, collations that do
    /// not go together; 1235 for what is not built yet.
    pub fn bind(&self, expr: &ast::Expr) -> Result<Node> {
        let node = self.bind_any(expr)?;
        if matches!(node.op, Op::Row) {
            return Err(SqlError::operand_columns(1));
        }
        Ok(node)
    }

    /// As [`Binder::bind`], but rows may come out.
    ///
    /// # Errors
    ///
    /// As [`Binder::bind`].
    pub fn bind_any(&self, expr: &ast::Expr) -> Result<Node> {
        match &expr.kind {
            ExprKind::Literal(literal) => self.literal(literal),
            ExprKind::Param(at) => {
                let at = *at as usize;
                let ty = self.params.get(at).copied().unwrap_or(SqlType::NULL);
                Ok(Node::leaf(Op::Param(at), ty))
            }
            ExprKind::Column(name) => {
                let column = self.scope.column(name)?;
                let (index, name, members) = (column.index, column.name, column.members);
                let op = Op::Column(Box::new(ColumnOp { index, name, members }));
                let ascii =
                    !column.ty.kind.is_string() && column.ty.kind != crate::types::TypeKind::Json;
                Ok(Node::leaf(op, column.ty).with_ascii(ascii))
            }
            ExprKind::UserVariable(name) => {
                let name = name.as_str().to_ascii_lowercase();
                let ty = self.scope.user_variable(&name).unwrap_or_else(|| {
                    let mut ty =
                        SqlType::varchar(16_777_215, self.connection(), Derivation::Implicit);
                    ty.kind = crate::types::TypeKind::MediumText;
                    ty
                });
                Ok(Node::leaf(Op::UserVariable(name.into_boxed_str()), ty))
            }
            ExprKind::Assign(assign) => {
                let value = self.bind(&assign.value)?;
                let name = assign.variable.as_str().to_ascii_lowercase();
                let ty = value.ty;
                Ok(Node::new(Op::Assign(name.into_boxed_str()), ty, vec![value]))
            }
            ExprKind::SystemVariable(variable) => self.system_variable(variable),
            ExprKind::Unary(op, operand) => self.unary(*op, operand),
            ExprKind::Binary(binary) => self.binary(binary),
            ExprKind::Logical(op, operands) => self.logical(*op, operands),
            ExprKind::IsNull { expr, negated } => {
                let mut operand = self.bind(expr)?;
                let ty = SqlType::truth().not_null();
                if !*negated && operand.ty.nullable {
                    self.compute_early(&mut operand, true);
                }
                Ok(Node::new(Op::IsNull { negated: *negated }, ty, vec![operand]))
            }
            ExprKind::IsTruth { expr, truth, negated } => self.is_truth(expr, *truth, *negated),
            ExprKind::Like(like) => self.like(like),
            ExprKind::Regexp(regexp) => {
                let args = [&regexp.expr, &regexp.pattern];
                let node = self.call_named("regexp_like", &args)?;
                Ok(if regexp.negated { negation(node) } else { node })
            }
            ExprKind::InList(list) => self.in_list(list),
            ExprKind::Between(between) => self.between(between, between.negated),
            ExprKind::Row(items) => {
                let items = items.iter().map(|item| self.bind_any(item)).collect::<Result<_>>()?;
                Ok(Node::new(Op::Row, SqlType::truth(), items))
            }
            ExprKind::Case(case) => self.case(case),
            ExprKind::Cast(cast) => self.cast(cast),
            ExprKind::ConvertUsing(pair) => {
                self.convert_using(self.bind(&pair.0)?, pair.1.as_str())
            }
            ExprKind::Collate(pair) => self.collate(self.bind(&pair.0)?, pair.1.as_str()),
            // It is of the query, not of its arguments.
            ExprKind::Call(call) if call.name.as_str() == "grouping" && call.schema.is_none() => {
                let none = || Err(SqlError::new(code::ER_INVALID_GROUP_FUNC_USE, &[]));
                self.scope.special(expr).unwrap_or_else(none)
            }
            ExprKind::Call(call) if call.window.is_some() => {
                let name = call.name.as_str();
                let number = code::ER_WINDOW_INVALID_WINDOW_FUNC_USE;
                let none = || Err(SqlError::new(number, &[name.into()]));
                self.scope.special(expr).unwrap_or_else(none)
            }
            ExprKind::Call(call) => self.call(call, expr.span),
            ExprKind::DateArith(arith) => self.date_arith(arith),
            ExprKind::Extract(unit, date) => self.extract(*unit, date),
            ExprKind::Trim(trim) => self.trim(trim),
            ExprKind::UnitCall(call) => self.unit_call(call),
            ExprKind::GetFormat(kind, place) => self.get_format(*kind, place),
            ExprKind::Char(parts) => {
                self.char_call(&parts.0, parts.1.as_ref().map(ast::Ident::as_str))
            }
            ExprKind::WeightString(weight) => self.weight_string(weight),
            ExprKind::JsonPath(path) => self.json_path(path),
            ExprKind::JsonValue(call) => self.json_value(call),
            ExprKind::Named(pair) => self.bind(&pair.0),
            ExprKind::InQuery(_)
            | ExprKind::Quantified(_)
            | ExprKind::Subquery(_)
            | ExprKind::Exists(_)
            | ExprKind::Aggregate(_)
            | ExprKind::Match(_)
            | ExprKind::Default
            | ExprKind::DefaultOf(_)
            | ExprKind::Values(_) => match self.scope.special(expr) {
                Some(node) => node,
                None => Err(not_here(&expr.kind)),
            },
        }
    }

    fn system_variable(&self, variable: &ast::SystemVariable) -> Result<Node> {
        let mut name = String::new();
        match variable.scope {
            Some(ast::Scope::Global) => name.push_str("global."),
            Some(ast::Scope::Session) => name.push_str("session."),
            _ => {}
        }
        if let Some(prefix) = &variable.prefix {
            name.push_str(&prefix.as_str().to_ascii_lowercase());
            name.push('.');
        }
        name.push_str(&variable.name.as_str().to_ascii_lowercase());
        let ty = self.scope.system_variable(&name).ok_or_else(|| {
            SqlError::new(code::ER_UNKNOWN_SYSTEM_VARIABLE, &[variable.name.as_str().into()])
        })?;
        Ok(Node::leaf(Op::SystemVariable(name.into_boxed_str()), ty))
    }

    /// `expr COLLATE name`
    pub(crate) fn collate(&self, operand: Node, name: &str) -> Result<Node> {
        let to = leaf::collation_by_name(name).ok_or_else(|| SqlError::unknown_collation(name))?;
        let mut operand = operand;
        if !operand.ty.kind.is_string() && !operand.is_null_literal() {
            operand = self.as_text(operand);
        }
        // It is the member's text then.
        if matches!(operand.ty.kind, crate::types::TypeKind::Enum | crate::types::TypeKind::Set) {
            let ty = SqlType { kind: crate::types::TypeKind::Varchar, ..operand.ty };
            operand = Node::as_type(operand, ty);
        }
        if !leaf::same_charset(operand.ty.collation, to) {
            let charset = leaf::charset_name(operand.ty.collation);
            return Err(SqlError::collation_charset_mismatch(name, charset));
        }
        let ascii = operand.ascii;
        let mut ty = operand.ty;
        if operand.is_null_literal() {
            ty = SqlType::varchar(0, to, Derivation::Explicit);
        }
        ty.collation = to;
        ty.derivation = Derivation::Explicit;
        if ty.kind == crate::types::TypeKind::Char && !matches!(operand.op, Op::Column(_)) {
            ty.kind = crate::types::TypeKind::Varchar;
        }
        ty.nullable = true;
        Ok(Node::new(Op::Collate, ty, vec![operand]).with_ascii(ascii))
    }

    /// A number or time as the string it prints as, in the connection's set.
    pub(crate) fn as_text(&self, node: Node) -> Node {
        let length = site::text_length(&node);
        // Some numbers are texts of a collation of their own.
        let own = (node.ty.kind.is_integer() || node.ty.kind == crate::types::TypeKind::Bit)
            && node.ty.derivation != Derivation::Numeric;
        let coll = if own { node.ty.collation } else { self.connection() };
        let mut ty =
            SqlType::varchar(length, coll, Derivation::Coercible).with_nullable(node.ty.nullable);
        if node.ty.kind == crate::types::TypeKind::Json {
            ty.kind = crate::types::TypeKind::LongText;
            ty.length = u32::MAX;
            ty.collation = CollationId::UTF8MB4_BIN;
        }
        Node::new(Op::Cast(super::cast::CastTarget::Text { characters: None }), ty, vec![node])
            .with_ascii(true)
    }
}

/// NOT of a truth.
pub(crate) fn negation(node: Node) -> Node {
    let ty = SqlType::truth().with_nullable(node.ty.nullable);
    Node::new(Op::Not, ty, vec![node])
}

fn not_here(kind: &ExprKind) -> SqlError {
    SqlError::not_supported_yet(match kind {
        ExprKind::Aggregate(call) if call.over.is_some() => {
            let name = call.kind.name();
            return SqlError::new(code::ER_WINDOW_INVALID_WINDOW_FUNC_USE, &[name.into()]);
        }
        ExprKind::Aggregate(_) => return SqlError::new(code::ER_INVALID_GROUP_FUNC_USE, &[]),
        ExprKind::Match(_) => "MATCH … AGAINST",
        ExprKind::Default | ExprKind::DefaultOf(_) => "DEFAULT here",
        ExprKind::Values(_) => "VALUES here",
        _ => "a subquery here",
    })
}
