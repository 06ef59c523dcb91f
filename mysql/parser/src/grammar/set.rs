//! SET.

use super::Grammar;
use crate::ast::{
    Isolation, Scope, SetItem, SetNames, SetPassword, SetValue, StatementKind, SystemVariable,
    Text, TransactionCharacteristics, User,
};
use crate::error::{Error, ErrorKind, Result};
use crate::lexer::T;

impl Grammar<'_> {
    pub(super) fn set(&mut self) -> Result<StatementKind> {
        self.expect(T::SET)?;
        match self.kind() {
            T::RESOURCE if self.kind_at(1) == T::GROUP => return self.set_resource_group(),
            T::ROLE if !self.assignment_follows() => {
                self.bump();
                let words = [T::NONE, T::DEFAULT, T::ALL, T::EXCEPT];
                return Ok(StatementKind::SetRole(self.role_choice(&words)?));
            }
            T::DEFAULT if self.kind_at(1) == T::ROLE => {
                self.bump();
                self.bump();
                let roles = self.role_choice(&[T::NONE, T::ALL])?;
                self.expect(T::TO)?;
                return Ok(StatementKind::SetDefaultRole { roles, users: self.list(Self::user)? });
            }
            T::PASSWORD if matches!(self.kind_at(1), T::FOR | T::TO | T::Eq | T::Assign) => {
                return self.set_password();
            }
            _ => {}
        }
        // SET [scope] TRANSACTION stands alone.
        let scoped = matches!(self.kind(), T::GLOBAL | T::SESSION | T::LOCAL);
        let at_transaction = if scoped {
            self.kind_at(1) == T::TRANSACTION && matches!(self.kind_at(2), T::ISOLATION | T::READ)
        } else {
            self.at(T::TRANSACTION) && matches!(self.kind_at(1), T::ISOLATION | T::READ)
        };
        if at_transaction {
            let scope = self.set_scope();
            self.expect(T::TRANSACTION)?;
            let characteristics = self.transaction_characteristics()?;
            return Ok(StatementKind::SetTransaction { scope, characteristics });
        }
        let mut items = self.list(Self::set_item)?;
        if items.len() == 1 {
            match items.remove(0) {
                SetItem::Names(names) => return Ok(StatementKind::SetNames(names)),
                SetItem::CharacterSet(set) => return Ok(StatementKind::SetCharacterSet(set)),
                item => items.push(item),
            }
        }
        Ok(StatementKind::Set(items))
    }

    fn assignment_follows(&self) -> bool {
        matches!(self.kind_at(1), T::Eq | T::Assign | T::Dot)
    }

    fn set_scope(&mut self) -> Option<Scope> {
        let scope = match self.kind() {
            T::GLOBAL => Scope::Global,
            T::SESSION | T::LOCAL => Scope::Session,
            T::PERSIST => Scope::Persist,
            T::PERSIST_ONLY => Scope::PersistOnly,
            _ => return None,
        };
        self.bump();
        Some(scope)
    }

    pub(super) fn set_item(&mut self) -> Result<SetItem> {
        match self.kind() {
            T::At => {
                let name = self.user_variable()?;
                self.one_of(&[T::Eq, T::Assign])?;
                return Ok(SetItem::User { name, value: self.expr()? });
            }
            T::AtAt => {
                let name = self.system_variable()?;
                self.one_of(&[T::Eq, T::Assign])?;
                return Ok(SetItem::Variable { name, at_signs: true, value: self.set_value()? });
            }
            T::NAMES if !matches!(self.kind_at(1), T::Dot) => {
                self.bump();
                if self.at_any(&[T::Eq, T::Assign]) {
                    // `SET NAMES = …` is an error, unless in a program's variable.
                    return Err(self.unexpected());
                }
                return self.set_names(true).map(SetItem::Names);
            }
            T::CHARSET if !self.assignment_follows() => {
                self.bump();
                return self.set_names(false).map(SetItem::CharacterSet);
            }
            T::CHARACTER | T::CHAR => {
                if !self.eat_charset() {
                    return Err(self.unexpected());
                }
                return self.set_names(false).map(SetItem::CharacterSet);
            }
            T::PASSWORD if !matches!(self.kind_at(1), T::Dot) => {
                let StatementKind::SetPassword(password) = self.set_password()? else {
                    return Err(self.unexpected());
                };
                return Ok(SetItem::Password(password));
            }
            _ => {}
        }
        let scope = self.set_scope();
        if self.at_any(&[T::GLOBAL, T::SESSION, T::LOCAL, T::PERSIST, T::PERSIST_ONLY]) {
            return Err(self.unexpected());
        }
        let name = self.set_variable_name(scope)?;
        self.one_of(&[T::Eq, T::Assign])?;
        Ok(SetItem::Variable { name, at_signs: false, value: self.set_value()? })
    }

    fn set_variable_name(&mut self, scope: Option<Scope>) -> Result<SystemVariable> {
        let name = self.system_variable_name(scope)?;
        Ok(name)
    }

    fn set_value(&mut self) -> Result<SetValue> {
        let word = match self.kind() {
            T::DEFAULT if self.kind_at(1) != T::LParen => {
                self.bump();
                return Ok(SetValue::Default);
            }
            T::ON => "ON",
            T::ALL => "ALL",
            // BINARY may begin an expression.
            T::BINARY if matches!(self.kind_at(1), T::End | T::Comma | T::Semicolon) => "BINARY",
            T::ROW if self.kind_at(1) != T::LParen => "ROW",
            T::SYSTEM => "SYSTEM",
            _ => return Ok(SetValue::Expr(self.expr()?)),
        };
        self.bump();
        Ok(SetValue::Word(Text::new_static(word)))
    }

    fn set_names(&mut self, may_collate: bool) -> Result<SetNames> {
        if self.eat(T::DEFAULT) {
            return Ok(SetNames { charset: None, collation: None });
        }
        let charset = Some(self.charset_name()?);
        let mut collation = None;
        if may_collate && self.eat(T::COLLATE) {
            collation = Some(self.collation_name()?);
        }
        Ok(SetNames { charset, collation })
    }

    fn set_password(&mut self) -> Result<StatementKind> {
        self.expect(T::PASSWORD)?;
        let user: Option<User> = if self.eat(T::FOR) { Some(self.user()?) } else { None };
        let password = match self.one_of(&[T::Eq, T::Assign, T::TO])? {
            T::TO => {
                self.expect(T::RANDOM)?;
                None
            }
            _ => Some(self.text()?),
        };
        let old = self.old_password()?;
        if old.discard {
            return Err(Error::at(ErrorKind::Syntax, self.sql, self.behind as usize));
        }
        let set = SetPassword { user, password, replace: old.replace, retain: old.retain };
        Ok(StatementKind::SetPassword(Box::new(set)))
    }

    fn transaction_characteristics(&mut self) -> Result<TransactionCharacteristics> {
        let mut all = TransactionCharacteristics::default();
        loop {
            if self.at(T::ISOLATION) && all.isolation.is_none() {
                self.expect_all(&[T::ISOLATION, T::LEVEL])?;
                all.isolation =
                    Some(match self.one_of(&[T::READ, T::REPEATABLE, T::SERIALIZABLE])? {
                        T::SERIALIZABLE => Isolation::Serializable,
                        T::REPEATABLE => {
                            self.expect(T::READ)?;
                            Isolation::RepeatableRead
                        }
                        _ => match self.one_of(&[T::COMMITTED, T::UNCOMMITTED])? {
                            T::COMMITTED => Isolation::ReadCommitted,
                            _ => Isolation::ReadUncommitted,
                        },
                    });
            } else if self.at(T::READ) && all.read_only.is_none() {
                all.read_only = Some(self.access_mode()?);
            } else {
                return Err(self.unexpected());
            }
            if !self.eat(T::Comma) {
                return Ok(all);
            }
        }
    }

    /// READ ONLY (true) or READ WRITE.
    pub(super) fn access_mode(&mut self) -> Result<bool> {
        self.expect(T::READ)?;
        Ok(self.one_of(&[T::ONLY, T::WRITE])? == T::ONLY)
    }

    fn set_resource_group(&mut self) -> Result<StatementKind> {
        self.expect_all(&[T::RESOURCE, T::GROUP])?;
        let name = self.ident()?;
        let mut threads = Vec::new();
        if self.eat(T::FOR) {
            threads.push(self.number()?);
            while self.eat(T::Comma) || self.at(T::Int) {
                threads.push(self.number()?);
            }
        }
        Ok(StatementKind::SetResourceGroup { name, threads })
    }
}
