//! SIGNAL, RESIGNAL, GET DIAGNOSTICS.

use super::Grammar;
use crate::ast::{
    Diagnostics, DiagnosticsItem, DiagnosticsTarget, Expr, ExprKind, GetDiagnostics, Signal,
    SignalCondition, StatementItem, StatementKind,
};
use crate::error::Result;
use crate::lexer::T;

impl Grammar<'_> {
    /// SIGNAL and RESIGNAL.
    pub(super) fn signal(&mut self) -> Result<StatementKind> {
        let resignal = self.bump().kind == T::RESIGNAL;
        let condition = if self.at(T::SQLSTATE) {
            Some(SignalCondition::Sqlstate(self.sqlstate()?))
        } else if self.at_name() {
            Some(SignalCondition::Name(self.ident()?))
        } else if resignal {
            None
        } else {
            return Err(self.unexpected());
        };
        let mut set = Vec::new();
        if self.eat(T::SET) {
            set = self.list(|g| {
                let item = g.diagnostics_item()?;
                if item == DiagnosticsItem::ReturnedSqlstate {
                    return Err(g.unexpected());
                }
                g.expect(T::Eq)?;
                Ok((item, g.simple_value()?))
            })?;
        }
        let signal = Box::new(Signal { condition, set });
        Ok(if resignal { StatementKind::Resignal(signal) } else { StatementKind::Signal(signal) })
    }

    /// A literal, a variable, or a name: no operators.
    fn simple_value(&mut self) -> Result<Expr> {
        match self.kind() {
            T::At | T::AtAt => self.primary(),
            _ if self.at_name() => {
                let start = self.here();
                let kind = ExprKind::Column(self.column_ref()?);
                Ok(Expr { kind, span: self.span_from(start) })
            }
            _ => self.literal_expr(),
        }
    }

    fn diagnostics_item(&mut self) -> Result<DiagnosticsItem> {
        let item = match self.kind() {
            T::CLASS_ORIGIN => DiagnosticsItem::ClassOrigin,
            T::SUBCLASS_ORIGIN => DiagnosticsItem::SubclassOrigin,
            T::RETURNED_SQLSTATE => DiagnosticsItem::ReturnedSqlstate,
            T::MESSAGE_TEXT => DiagnosticsItem::MessageText,
            T::MYSQL_ERRNO => DiagnosticsItem::MysqlErrno,
            T::CONSTRAINT_CATALOG => DiagnosticsItem::ConstraintCatalog,
            T::CONSTRAINT_SCHEMA => DiagnosticsItem::ConstraintSchema,
            T::CONSTRAINT_NAME => DiagnosticsItem::ConstraintName,
            T::CATALOG_NAME => DiagnosticsItem::CatalogName,
            T::SCHEMA_NAME => DiagnosticsItem::SchemaName,
            T::TABLE_NAME => DiagnosticsItem::TableName,
            T::COLUMN_NAME => DiagnosticsItem::ColumnName,
            T::CURSOR_NAME => DiagnosticsItem::CursorName,
            _ => return Err(self.unexpected()),
        };
        self.bump();
        Ok(item)
    }

    pub(super) fn get_diagnostics(&mut self) -> Result<StatementKind> {
        self.expect(T::GET)?;
        let stacked = self.eat_any(&[T::CURRENT, T::STACKED]) == Some(T::STACKED);
        self.expect(T::DIAGNOSTICS)?;
        let what = if self.eat(T::CONDITION) {
            let number = match self.kind() {
                T::At | T::AtAt => self.primary()?,
                _ if self.at_name() => self.stable_integer()?,
                _ => self.literal_expr()?,
            };
            let items = self.list(|g| {
                let target = g.diagnostics_target()?;
                g.expect(T::Eq)?;
                Ok((target, g.diagnostics_item()?))
            })?;
            Diagnostics::Condition(Box::new(number), items)
        } else {
            Diagnostics::Statement(self.list(|g| {
                let target = g.diagnostics_target()?;
                g.expect(T::Eq)?;
                Ok((
                    target,
                    match g.one_of(&[T::NUMBER, T::ROW_COUNT])? {
                        T::NUMBER => StatementItem::Number,
                        _ => StatementItem::RowCount,
                    },
                ))
            })?)
        };
        Ok(StatementKind::GetDiagnostics(Box::new(GetDiagnostics { stacked, what })))
    }

    fn diagnostics_target(&mut self) -> Result<DiagnosticsTarget> {
        if self.at(T::At) {
            return self.user_variable().map(DiagnosticsTarget::User);
        }
        self.ident().map(DiagnosticsTarget::Local)
    }
}
