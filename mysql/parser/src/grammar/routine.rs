//! CREATE and ALTER of stored programs.

use super::Grammar;
use crate::ast::{
    AlterEvent, AlterRoutine, Characteristic, CreateEvent, CreateLoadable, CreateRoutine,
    CreateTrigger, EventStatus, LoadableType, Parameter, ParameterMode, RoutineBody, RoutineKind,
    Schedule, Statement, StatementKind, TriggerEvent, User,
};
use crate::error::Result;
use crate::lexer::T;

impl Grammar<'_> {
    /// A statement of a stored program.
    fn program_body(&mut self) -> Result<Statement> {
        let outer = std::mem::replace(&mut self.in_program, true);
        let body = self.statement()?;
        self.in_program = outer;
        Ok(body)
    }

    pub(super) fn create_procedure(&mut self, definer: Option<User>) -> Result<StatementKind> {
        self.expect(T::PROCEDURE)?;
        let if_not_exists = self.if_not_exists()?;
        let name = self.object_name()?;
        self.expect(T::LParen)?;
        let mut params = Vec::new();
        if !self.at(T::RParen) {
            params = self.list(|g| {
                let mode = match g.eat_any(&[T::IN, T::OUT, T::INOUT]) {
                    Some(T::OUT) => ParameterMode::Out,
                    Some(T::INOUT) => ParameterMode::InOut,
                    _ => ParameterMode::In,
                };
                g.parameter(mode)
            })?;
        }
        self.expect(T::RParen)?;
        let characteristics = self.characteristics(true)?;
        let body = self.routine_body()?;
        Ok(StatementKind::CreateRoutine(Box::new(CreateRoutine {
            kind: RoutineKind::Procedure,
            definer,
            if_not_exists,
            name,
            params,
            returns: None,
            characteristics,
            body,
        })))
    }

    fn parameter(&mut self, mode: ParameterMode) -> Result<Parameter> {
        let name = self.ident()?;
        let data_type = self.data_type()?;
        let collation = if self.eat(T::COLLATE) { Some(self.collation_name()?) } else { None };
        Ok(Parameter { mode, name, data_type, collation })
    }

    fn routine_body(&mut self) -> Result<RoutineBody> {
        if self.eat(T::AS) {
            return self.text().map(RoutineBody::Text);
        }
        self.program_body().map(RoutineBody::Sql)
    }

    /// A stored function, or a loadable one.
    pub(super) fn create_function(&mut self, definer: Option<User>) -> Result<StatementKind> {
        self.expect(T::FUNCTION)?;
        let if_not_exists = self.if_not_exists()?;
        let name = self.object_name()?;
        if self.at(T::RETURNS) && definer.is_none() && name.schema.is_none() {
            return self.loadable(false, if_not_exists, name.name);
        }
        self.expect(T::LParen)?;
        let mut params = Vec::new();
        if !self.at(T::RParen) {
            params = self.list(|g| g.parameter(ParameterMode::In))?;
        }
        self.expect(T::RParen)?;
        self.expect(T::RETURNS)?;
        let data_type = self.data_type()?;
        let collation = if self.eat(T::COLLATE) { Some(self.collation_name()?) } else { None };
        let characteristics = self.characteristics(true)?;
        let body = self.routine_body()?;
        Ok(StatementKind::CreateRoutine(Box::new(CreateRoutine {
            kind: RoutineKind::Function,
            definer,
            if_not_exists,
            name,
            params,
            returns: Some((data_type, collation)),
            characteristics,
            body,
        })))
    }

    /// AGGREGATE FUNCTION … SONAME
    pub(super) fn create_loadable(&mut self) -> Result<StatementKind> {
        self.expect_all(&[T::AGGREGATE, T::FUNCTION])?;
        let if_not_exists = self.if_not_exists()?;
        let name = self.ident()?;
        self.loadable(true, if_not_exists, name)
    }

    fn loadable(
        &mut self,
        aggregate: bool,
        if_not_exists: bool,
        name: crate::ast::Ident,
    ) -> Result<StatementKind> {
        self.expect(T::RETURNS)?;
        let kinds = [T::STRING, T::INT, T::INTEGER, T::REAL, T::DECIMAL, T::DEC];
        let returns = match self.one_of(&kinds)? {
            T::STRING => LoadableType::String,
            T::INT | T::INTEGER => LoadableType::Integer,
            T::REAL => LoadableType::Real,
            _ => LoadableType::Decimal,
        };
        self.expect(T::SONAME)?;
        let library = self.text()?;
        Ok(StatementKind::CreateLoadable(CreateLoadable {
            aggregate,
            if_not_exists,
            name,
            returns,
            library,
        }))
    }

    fn characteristics(&mut self, create: bool) -> Result<Vec<Characteristic>> {
        let mut all = Vec::new();
        loop {
            all.push(match self.kind() {
                T::COMMENT => {
                    self.bump();
                    Characteristic::Comment(self.text()?)
                }
                T::LANGUAGE => {
                    self.bump();
                    if self.at(T::SQL) {
                        let token = self.bump();
                        Characteristic::Language(Self::word("SQL", token))
                    } else {
                        Characteristic::Language(self.ident()?)
                    }
                }
                T::NO => {
                    self.expect_all(&[T::NO, T::SQL])?;
                    Characteristic::NoSql
                }
                T::CONTAINS => {
                    self.expect_all(&[T::CONTAINS, T::SQL])?;
                    Characteristic::ContainsSql
                }
                T::READS => {
                    self.expect_all(&[T::READS, T::SQL, T::DATA])?;
                    Characteristic::ReadsSqlData
                }
                T::MODIFIES => {
                    self.expect_all(&[T::MODIFIES, T::SQL, T::DATA])?;
                    Characteristic::ModifiesSqlData
                }
                T::SQL => Characteristic::Security(self.security()?),
                T::DETERMINISTIC if create => {
                    self.bump();
                    Characteristic::Deterministic(true)
                }
                T::NOT if create => {
                    self.expect_all(&[T::NOT, T::DETERMINISTIC])?;
                    Characteristic::Deterministic(false)
                }
                _ => return Ok(all),
            });
        }
    }

    pub(super) fn alter_routine(&mut self) -> Result<StatementKind> {
        let kind = match self.bump().kind {
            T::PROCEDURE => RoutineKind::Procedure,
            _ => RoutineKind::Function,
        };
        let name = self.object_name()?;
        let characteristics = self.characteristics(false)?;
        let alter = AlterRoutine { kind, name, characteristics };
        Ok(StatementKind::AlterRoutine(Box::new(alter)))
    }

    pub(super) fn drop_routine(&mut self) -> Result<StatementKind> {
        let kind = match self.bump().kind {
            T::PROCEDURE => RoutineKind::Procedure,
            _ => RoutineKind::Function,
        };
        let if_exists = self.if_exists()?;
        Ok(StatementKind::DropRoutine { kind, if_exists, name: self.object_name()? })
    }

    pub(super) fn create_trigger(&mut self, definer: Option<User>) -> Result<StatementKind> {
        self.expect(T::TRIGGER)?;
        let if_not_exists = self.if_not_exists()?;
        let name = self.object_name()?;
        let before = self.one_of(&[T::BEFORE, T::AFTER])? == T::BEFORE;
        let event = match self.one_of(&[T::INSERT, T::UPDATE, T::DELETE])? {
            T::INSERT => TriggerEvent::Insert,
            T::UPDATE => TriggerEvent::Update,
            _ => TriggerEvent::Delete,
        };
        self.expect(T::ON)?;
        let table = self.object_name()?;
        self.expect_all(&[T::FOR, T::EACH, T::ROW])?;
        let mut order = None;
        if let Some(kind) = self.eat_any(&[T::FOLLOWS, T::PRECEDES]) {
            order = Some((kind == T::FOLLOWS, self.ident_or_text()?));
        }
        let body = self.program_body()?;
        Ok(StatementKind::CreateTrigger(Box::new(CreateTrigger {
            definer,
            if_not_exists,
            name,
            before,
            event,
            table,
            order,
            body,
        })))
    }

    pub(super) fn create_event(&mut self, definer: Option<User>) -> Result<StatementKind> {
        self.expect(T::EVENT)?;
        let if_not_exists = self.if_not_exists()?;
        let name = self.object_name()?;
        self.expect_all(&[T::ON, T::SCHEDULE])?;
        let schedule = self.schedule()?;
        let preserve = self.on_completion()?;
        let status = self.event_status()?;
        let comment = if self.eat(T::COMMENT) { Some(self.text()?) } else { None };
        self.expect(T::DO)?;
        let body = self.program_body()?;
        Ok(StatementKind::CreateEvent(Box::new(CreateEvent {
            definer,
            if_not_exists,
            name,
            schedule,
            preserve,
            status,
            comment,
            body,
        })))
    }

    pub(super) fn alter_event(&mut self, definer: Option<User>) -> Result<StatementKind> {
        self.expect(T::EVENT)?;
        let name = self.object_name()?;
        let start = self.here();
        let mut schedule = None;
        if self.at(T::ON) && self.kind_at(1) == T::SCHEDULE {
            self.bump();
            self.bump();
            schedule = Some(self.schedule()?);
        }
        let preserve = self.on_completion()?;
        let mut rename = None;
        if self.eat(T::RENAME) {
            self.expect(T::TO)?;
            rename = Some(self.object_name()?);
        }
        let status = self.event_status()?;
        let comment = if self.eat(T::COMMENT) { Some(self.text()?) } else { None };
        let body = if self.eat(T::DO) { Some(self.program_body()?) } else { None };
        if self.here() == start {
            return Err(self.unexpected());
        }
        Ok(StatementKind::AlterEvent(Box::new(AlterEvent {
            definer,
            name,
            schedule,
            preserve,
            rename,
            status,
            comment,
            body,
        })))
    }

    fn schedule(&mut self) -> Result<Schedule> {
        if self.eat(T::AT) {
            return Ok(Schedule::At(self.expr()?));
        }
        self.expect(T::EVERY)?;
        let amount = self.expr()?;
        let unit = self.interval_unit()?;
        let starts = if self.eat(T::STARTS) { Some(self.expr()?) } else { None };
        let ends = if self.eat(T::ENDS) { Some(self.expr()?) } else { None };
        Ok(Schedule::Every { amount, unit, starts, ends })
    }

    fn on_completion(&mut self) -> Result<Option<bool>> {
        if !self.eat(T::ON) {
            return Ok(None);
        }
        self.expect(T::COMPLETION)?;
        let not = self.eat(T::NOT);
        self.expect(T::PRESERVE)?;
        Ok(Some(!not))
    }

    fn event_status(&mut self) -> Result<Option<EventStatus>> {
        if self.eat(T::ENABLE) {
            return Ok(Some(EventStatus::Enable));
        }
        if !self.eat(T::DISABLE) {
            return Ok(None);
        }
        if self.eat(T::ON) {
            self.one_of(&[T::REPLICA, T::SLAVE])?;
            return Ok(Some(EventStatus::DisableOnReplica));
        }
        Ok(Some(EventStatus::Disable))
    }
}
