//! JSON_TABLE: the rows of a document as a table in FROM.

use std::sync::Arc;

use firn_mysql_parser::ast::{self, ExprKind, JsonOn, Literal};
use firn_mysql_protocol::ColumnFlags;
use firn_mysql_semantics::error::{SqlError, Warnings, code};
use firn_mysql_semantics::expr::{Binder, Node, Op, Result};
use firn_mysql_semantics::json::{self, Argument, JsonBuf, Path, TableColumn, TablePlan};
use firn_mysql_semantics::{SqlType, TypeKind};

use super::from::From;
use super::statement::Statement;
use super::{
    Block, Derived, FoundTable, ScopeColumn, StatementScope, TableSource, Used, columns_of,
};
use crate::catalog::show::written_type;
use crate::catalog::{TypeSite, Typed};
use crate::table::members_of;

/// NESTED PATHs within one JSON_TABLE have to be fewer than these.
const NESTED_MAX: usize = 15;

/// As errors about the document and about paths name the function.
const FUNCTION: &str = "json_table";

/// JSON_TABLE, bound.
pub(crate) struct JsonTable {
    /// The document, over the row around.
    pub(crate) document: Node,
    /// The document is of tables before it: it is another one for each of their rows.
    pub(crate) lateral: bool,
    /// Which rows and cells a document gives.
    pub(crate) plan: TablePlan,
    /// What becomes of the cells, in their order.
    pub(crate) columns: Vec<JsonColumn>,
}

/// A column of JSON_TABLE.
pub(crate) struct JsonColumn {
    /// Its name.
    pub(crate) name: Box<str>,
    /// As errors call it that name the table as well.
    pub(crate) full_name: Box<str>,
    /// Its type.
    pub(crate) ty: SqlType,
    /// Of ENUM and SET: the members, in its character set.
    pub(crate) members: Box<[Box<[u8]>]>,
    /// ON EMPTY
    pub(crate) on_empty: Instead,
    /// ON ERROR
    pub(crate) on_error: Instead,
}

/// What stands in place of a value.
pub(crate) enum Instead {
    /// NULL
    Null,
    /// An error.
    Error,
    /// This document.
    Default(JsonBuf),
}

/// What is gathered of COLUMNS, nested ones in their places.
#[derive(Default)]
struct Columns {
    scope: Vec<ScopeColumn>,
    columns: Vec<JsonColumn>,
    nested: usize,
}

impl From {
    /// Adds a JSON_TABLE.
    pub(super) fn json_table(
        &mut self,
        statement: &Statement<'_>,
        block: &Block,
        table: &ast::JsonTable,
    ) -> Result<()> {
        let alias: Arc<str> = Arc::from(table.alias.as_str());
        let document = {
            let seen = &self.tables[self.hidden..];
            let clause = "a table function argument";
            let scope = StatementScope::of_tables(*statement, block, seen, clause);
            let binder = Binder::new(statement.settings, &scope, statement.params);
            let document = binder.bind(&table.expr)?;
            binder.take_warnings().into_iter().for_each(|warning| block.warn(warning));
            document
        };
        if asks(&document) {
            return Err(SqlError::new(code::ER_WRONG_ARGUMENTS, &["JSON_TABLE".into()]));
        }
        let mut lateral = false;
        columns_of(&document, &mut |place| lateral |= place < self.len);
        let mut columns = Columns::default();
        let plan = columns.plan(statement, block, table, &table.path, &table.columns)?;
        let rows = JsonTable { document, lateral, plan, columns: columns.columns };
        let found = FoundTable {
            schema: Arc::from(""),
            name: Arc::from(FUNCTION),
            columns: columns.scope.into(),
            source: TableSource::Derived(Box::new(Derived::JsonTable(Box::new(rows)))),
            used: Used::default(),
        };
        self.push(found, alias, Vec::new())?;
        Ok(())
    }
}

/// Whether there is a subquery in an expression.
fn asks(node: &Node) -> bool {
    matches!(node.op, Op::Subquery { .. }) || node.args.iter().any(asks)
}

fn path(expr: &ast::Expr) -> Result<Path> {
    let argument = Argument { function: FUNCTION, number: 2 };
    Path::parse(&text(expr)?).map_err(|error| error.to_sql(argument))
}

/// A literal that is a text.
fn text(expr: &ast::Expr) -> Result<String> {
    match &expr.kind {
        ExprKind::Literal(Literal::Text(text)) => {
            Ok(String::from_utf8_lossy(&text.value).into_owned())
        }
        _ => Err(SqlError::not_supported_yet(
            "non-string DEFAULT value for a column in a JSON_TABLE expression",
        )),
    }
}

fn instead(on: Option<&JsonOn>, name: &str, ty: &SqlType) -> Result<Instead> {
    let written = match on {
        None | Some(JsonOn::Null) => return Ok(Instead::Null),
        Some(JsonOn::Error) => return Ok(Instead::Error),
        Some(JsonOn::Default(written)) => text(written)?,
    };
    let wrong =
        |error: json::JsonError| error.to_sql(Argument { function: "JSON_TABLE", number: 1 });
    let document = json::parse(&written).map_err(wrong)?;
    if ty.kind != TypeKind::Json && document.root().map_err(wrong)?.is_container() {
        return Err(SqlError::new(code::ER_INVALID_DEFAULT, &[name.into()]));
    }
    Ok(Instead::Default(document))
}

impl Columns {
    /// A path and what is below it.
    fn plan(
        &mut self,
        statement: &Statement<'_>,
        block: &Block,
        table: &ast::JsonTable,
        to: &ast::Expr,
        list: &[ast::JsonColumn],
    ) -> Result<TablePlan> {
        let path = path(to)?;
        let mut columns = Vec::with_capacity(list.len());
        for column in list {
            columns.push(self.column(statement, block, table, column)?);
        }
        Ok(TablePlan { path, columns })
    }

    fn column(
        &mut self,
        statement: &Statement<'_>,
        block: &Block,
        table: &ast::JsonTable,
        column: &ast::JsonColumn,
    ) -> Result<TableColumn> {
        match column {
            ast::JsonColumn::Ordinality(name) => {
                let typed = Typed::plain(SqlType::bigint(10));
                self.add(table, name, &typed, None, None)?;
                Ok(TableColumn::Ordinality)
            }
            ast::JsonColumn::Path {
                name,
                data_type,
                collation,
                exists,
                path: to,
                on_empty,
                on_error,
            } => {
                let (mut warnings, mut late) = (Warnings::default(), Vec::new());
                let site = TypeSite {
                    column: name.as_str(),
                    table: statement.settings.connection_collation,
                    collate: collation.as_ref(),
                    strict: statement.settings.strict,
                    warnings: &mut warnings,
                    late: &mut late,
                };
                let typed = site.typed(data_type)?;
                let early = warnings.kept().iter().map(|one| one.error.clone());
                let late = late.into_iter().map(|(_, error)| error);
                early.chain(late).for_each(|warning| block.warn(warning));
                if let Some(names) = statement.names {
                    names.data_type(column, written_type(&typed));
                }
                let to = path(to)?;
                self.add(table, name, &typed, on_empty.as_ref(), on_error.as_ref())?;
                Ok(if *exists { TableColumn::Exists(to) } else { TableColumn::Value(to) })
            }
            ast::JsonColumn::Nested { path, columns } => {
                self.nested += 1;
                if self.nested >= NESTED_MAX {
                    let most = NESTED_MAX as u64 + 1;
                    let arguments = [most.into(), table.alias.as_str().into()];
                    return Err(SqlError::new(code::ER_JT_MAX_NESTED_PATH, &arguments));
                }
                Ok(TableColumn::Nested(self.plan(statement, block, table, path, columns)?))
            }
        }
    }

    fn add(
        &mut self,
        table: &ast::JsonTable,
        name: &ast::Ident,
        typed: &Typed,
        on_empty: Option<&JsonOn>,
        on_error: Option<&JsonOn>,
    ) -> Result<()> {
        let name = name.as_str();
        if self.scope.iter().any(|other| super::scope::same(other, name)) {
            return Err(SqlError::new(code::ER_DUP_FIELDNAME, &[name.into()]));
        }
        let ty = typed.ty.with_nullable(true);
        let members = members_of(&ty, &typed.members);
        let list = members.as_deref().unwrap_or_default();
        self.columns.push(JsonColumn {
            name: name.into(),
            full_name: format!("{}.{name}", table.alias.as_str()).into(),
            ty,
            members: list.iter().map(|member| Box::from(&member[..])).collect(),
            on_empty: instead(on_empty, name, &ty)?,
            on_error: instead(on_error, name, &ty)?,
        });
        let mut flags = ColumnFlags::EMPTY;
        flags.set(ColumnFlags::ZEROFILL, ty.kind == TypeKind::Year);
        self.scope.push(ScopeColumn {
            printed: None,
            name: Arc::from(name),
            ty,
            members,
            flags,
            zerofill: None,
            named: true,
            starred: true,
            origin: None,
        });
        Ok(())
    }
}
