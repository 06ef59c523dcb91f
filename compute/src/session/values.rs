//! What a session answers to the expressions of its statements.

use std::cell::{Cell, RefCell};

use firn_engine::Env;
use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, Warnings, code};
use firn_mysql_semantics::expr::{
    Apart, Binder, Column, Cx, NoColumns, Request, Row, Scope, Session,
};
use firn_mysql_semantics::types::SqlType;
use firn_mysql_semantics::value::Value;

use super::moment::Moment;
use super::services::Services;
use super::user_variables::UserVariables;
use crate::accounts::Access;
use crate::variables::{SessionVariables, id};

type Result<T> = std::result::Result<T, SqlError>;

/// RAND() counts in this many.
const RANDOM_MODULUS: u32 = 0x3FFF_FFFF;

/// The values of a session: variables, and what its functions tell.
pub struct SessionValues {
    /// System variables, and what they show of the session.
    pub variables: SessionVariables,
    /// `@name`
    pub user_variables: UserVariables,
    /// ROW_COUNT()
    pub row_count: i64,
    /// FOUND_ROWS()
    pub found_rows: u64,
    /// What the statement gave LAST_INSERT_ID(…).
    pub given_id: Option<u64>,
    user: Box<str>,
    current_user: Box<str>,
    env: Env,
    /// Why a `@name := …` within an expression could not be kept.
    failure: Option<SqlError>,
    /// The server around; none in a session that has no server.
    services: Option<Services>,
}

impl SessionValues {
    /// Of a session that begins: `user` is what USER() says, `current_user` the
    /// account in force.
    pub fn new(
        env: Env,
        variables: SessionVariables,
        user: &str,
        current_user: &str,
    ) -> SessionValues {
        SessionValues {
            variables,
            user_variables: UserVariables::default(),
            row_count: -1,
            found_rows: 0,
            given_id: None,
            user: user.into(),
            current_user: current_user.into(),
            env,
            failure: None,
            services: None,
        }
    }

    /// The same on a server.
    pub(crate) fn served_by(mut self, services: Services) -> SessionValues {
        self.services = Some(services);
        self
    }

    /// Who the session is: after COM_CHANGE_USER.
    pub fn set_identity(&mut self, user: &str, current_user: &str) {
        self.user = user.into();
        self.current_user = current_user.into();
    }

    /// What the session may do now.
    pub(crate) fn set_access(&mut self, access: &Access) {
        if let Some(services) = &mut self.services {
            services.set_access(access);
        }
    }

    /// As it began: COM_RESET_CONNECTION, COM_CHANGE_USER.
    pub fn reset(&mut self) {
        self.variables.reset();
        self.user_variables.clear();
        (self.row_count, self.found_rows, self.failure) = (-1, 0, None);
        if let Some(services) = &mut self.services {
            services.reset();
        }
    }

    /// A statement begins: its time is now.
    pub fn begin_statement(&mut self) {
        self.variables.facts.statement_time_micros = self.now_micros();
        self.failure = None;
    }

    /// What an assignment within the statement's expressions failed with, if one did:
    /// to be looked at when they have run.
    ///
    /// # Errors
    ///
    /// 3170.
    pub fn check_assignments(&mut self) -> Result<()> {
        self.failure.take().map_or(Ok(()), Err)
    }

    /// Binds and runs an expression that has no columns, as SET and others take them.
    ///
    /// # Errors
    ///
    /// Those of the expression; 1235 for subqueries.
    pub fn evaluate(
        &mut self,
        expr: &ast::Expr,
        warnings: &mut Warnings,
    ) -> Result<(Value, SqlType)> {
        let settings = self.variables.expressions().clone();
        let node = {
            let scope = VariablesScope::new(self);
            let binder = Binder::new(&settings, &scope, &[]);
            let node = binder.bind(expr).map_err(|error| scope.explain(error))?;
            for warning in binder.take_warnings() {
                warnings.warn(warning);
            }
            node
        };
        let mut cx = Cx::new(&settings, self, warnings);
        let value = node.run(&mut cx, Row::default())?.into_owned();
        self.check_assignments()?;
        Ok((value, node.ty))
    }

    fn now_micros(&self) -> i64 {
        i64::try_from(self.env.unix_ms()).unwrap_or(i64::MAX / 1000).saturating_mul(1000)
    }
}

impl Session for SessionValues {
    fn user_variable(&self, name: &str) -> Option<(Value, SqlType)> {
        self.user_variables.get(name).cloned()
    }

    fn set_user_variable(&mut self, name: &str, value: Value, ty: SqlType) {
        if let Err(error) = self.user_variables.set(name, value, ty) {
            self.failure.get_or_insert(error);
        }
    }

    fn system_variable(&self, name: &str) -> Option<(Value, SqlType)> {
        self.variables.get_by_name(name).ok()
    }

    fn statement_time_micros(&self) -> i64 {
        self.variables.statement_time_micros()
    }

    fn clock_micros(&self) -> i64 {
        self.now_micros()
    }

    fn zone_offset_seconds(&self, at_micros: i64) -> i32 {
        self.variables.zone().offset_at(at_micros.div_euclid(1_000_000))
    }

    fn random_seeds(&mut self) -> (u32, u32) {
        let chosen = self.variables.facts.rand_seeds.take();
        let (first, second) = chosen.unwrap_or_else(|| {
            let random = self.env.random_u64();
            (random as u32, (random >> 32) as u32)
        });
        (first % RANDOM_MODULUS, second % RANDOM_MODULUS)
    }

    fn connection_id(&self) -> u64 {
        self.variables.facts.connection_id
    }

    fn user(&self) -> Box<str> {
        self.user.clone()
    }

    fn current_user(&self) -> Box<str> {
        self.current_user.clone()
    }

    fn last_insert_id(&self) -> u64 {
        self.variables.facts.last_insert_id
    }

    fn set_last_insert_id(&mut self, id: u64) {
        self.given_id = Some(id);
        self.variables.facts.last_insert_id = id;
    }

    fn row_count(&self) -> i64 {
        self.row_count
    }

    fn found_rows(&self) -> u64 {
        self.found_rows
    }

    fn version(&self) -> Box<str> {
        self.variables.globals().get(id::version).as_text().into()
    }

    fn apart(&self) -> Option<Apart> {
        Some(Moment::of(self))
    }

    fn is_interrupted(&self) -> bool {
        self.services.as_ref().is_some_and(Services::is_interrupted)
    }

    fn request(&mut self, request: Request<'_>) -> Result<Value> {
        match &mut self.services {
            Some(services) => match request {
                Request::LoadFile { path } => {
                    services.load_file(path, self.variables.hot().max_allowed_packet)
                }
                request => services.request(request),
            },
            None => Err(SqlError::not_supported_yet(request.function())),
        }
    }
}

/// The names of expressions without columns: user and system variables.
pub struct VariablesScope<'a> {
    session: &'a SessionValues,
    refused: RefCell<Option<SqlError>>,
    asked: Cell<bool>,
}

impl<'a> VariablesScope<'a> {
    /// Those of a session.
    pub fn new(session: &'a SessionValues) -> VariablesScope<'a> {
        VariablesScope { session, refused: RefCell::default(), asked: Cell::new(false) }
    }

    /// Whether anything depends on a variable.
    pub fn were_asked(&self) -> bool {
        self.asked.get()
    }

    /// What binding failed with: a binder says of every variable that has no value
    /// that it is unknown.
    pub fn explain(&self, error: SqlError) -> SqlError {
        match self.refused.take() {
            Some(refused) if error.number() == code::ER_UNKNOWN_SYSTEM_VARIABLE => refused,
            _ => error,
        }
    }
}

impl Scope for VariablesScope<'_> {
    fn column(&self, name: &ast::ColumnRef) -> Result<Column> {
        NoColumns.column(name)
    }

    fn user_variable(&self, name: &str) -> Option<SqlType> {
        self.asked.set(true);
        self.session.user_variables.get(name).map(|(_, ty)| *ty)
    }

    fn system_variable(&self, name: &str) -> Option<SqlType> {
        self.asked.set(true);
        match self.session.variables.get_by_name(name) {
            Ok((_, ty)) => Some(ty),
            Err(error) => {
                self.refused.borrow_mut().get_or_insert(error);
                None
            }
        }
    }
}
