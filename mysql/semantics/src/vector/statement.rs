//! What the expressions of a plan share while a statement runs.

use std::sync::Arc;

use datafusion_common::DataFusionError;
use parking_lot::{Mutex, RwLock};

use crate::error::{Condition, Level, MAX_ERROR_COUNT, SqlError, Warnings, code};
use crate::expr::{Request, Session, Settings};
use crate::functions::random::Generator;
use crate::types::SqlType;
use crate::value::Value;

/// A session that the threads of a plan share. It is locked for single questions.
pub type SharedSession = crate::expr::Apart;

/// The place where the expressions of one plan find the statement that runs. The plan
/// is made once; each run of it begins with [`Statement::begin`] and ends with
/// [`Statement::finish`]. One run at a time.
#[derive(Debug, Default)]
pub struct Statement {
    current: RwLock<Option<Arc<Execution>>>,
}

impl Statement {
    /// One that does not run yet.
    pub fn new() -> Arc<Statement> {
        Arc::new(Statement::default())
    }

    /// What the expressions see from now on. Whatever ran before is over.
    pub fn begin(&self, execution: Execution) {
        *self.current.write() = Some(Arc::new(execution));
    }

    /// Ends the run. Gives its warnings; none if nothing ran.
    pub fn finish(&self) -> Warnings {
        match self.current.write().take() {
            Some(execution) => {
                let limit = execution.warning_limit;
                std::mem::replace(&mut *execution.warnings.lock(), Warnings::new(limit))
            }
            None => Warnings::default(),
        }
    }

    /// The run that goes on.
    ///
    /// # Errors
    ///
    /// 1105 if there is none.
    pub fn current(&self) -> Result<Arc<Execution>, SqlError> {
        self.current.read().clone().ok_or_else(|| {
            SqlError::with_message(
                code::ER_UNKNOWN_ERROR,
                "the statement of this plan is not running",
            )
        })
    }
}

/// One run of a statement: what its expressions read, and where their warnings go.
pub struct Execution {
    pub(super) settings: Settings,
    pub(super) params: Box<[Value]>,
    pub(super) session: SharedSession,
    pub(super) warnings: Mutex<Warnings>,
    pub(super) warning_limit: usize,
    /// Generators of RAND(), by slot.
    pub(super) random: Mutex<Vec<Option<Generator>>>,
}

impl std::fmt::Debug for Execution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Execution").field("params", &self.params.len()).finish_non_exhaustive()
    }
}

impl Execution {
    /// A run with these settings, parameters by position, and session.
    pub fn new(settings: Settings, params: Vec<Value>, session: SharedSession) -> Execution {
        Execution {
            settings,
            params: params.into_boxed_slice(),
            session,
            warnings: Mutex::new(Warnings::default()),
            warning_limit: MAX_ERROR_COUNT,
            random: Mutex::default(),
        }
    }

    /// The same, keeping at most so many warnings (`max_error_count`).
    #[must_use]
    pub fn with_warning_limit(mut self, limit: usize) -> Execution {
        self.warning_limit = limit;
        self.warnings = Mutex::new(Warnings::new(limit));
        self
    }

    /// Adds a condition to the statement's.
    pub fn warn(&self, level: Level, error: SqlError) {
        self.warnings.lock().push(level, error);
    }

    /// The conditions so far.
    pub fn conditions(&self) -> Vec<Condition> {
        self.warnings.lock().kept().to_vec()
    }
}

/// A session asked under its lock, one question at a time.
pub(super) struct Locked<'a>(pub(super) &'a SharedSession);

impl Session for Locked<'_> {
    fn user_variable(&self, name: &str) -> Option<(Value, SqlType)> {
        self.0.lock().user_variable(name)
    }
    fn set_user_variable(&mut self, name: &str, value: Value, ty: SqlType) {
        self.0.lock().set_user_variable(name, value, ty);
    }
    fn system_variable(&self, name: &str) -> Option<(Value, SqlType)> {
        self.0.lock().system_variable(name)
    }
    fn statement_time_micros(&self) -> i64 {
        self.0.lock().statement_time_micros()
    }
    fn clock_micros(&self) -> i64 {
        self.0.lock().clock_micros()
    }
    fn zone_offset_seconds(&self, at_micros: i64) -> i32 {
        self.0.lock().zone_offset_seconds(at_micros)
    }
    fn random_seeds(&mut self) -> (u32, u32) {
        self.0.lock().random_seeds()
    }
    fn connection_id(&self) -> u64 {
        self.0.lock().connection_id()
    }
    fn user(&self) -> Box<str> {
        self.0.lock().user()
    }
    fn current_user(&self) -> Box<str> {
        self.0.lock().current_user()
    }
    fn last_insert_id(&self) -> u64 {
        self.0.lock().last_insert_id()
    }
    fn set_last_insert_id(&mut self, id: u64) {
        self.0.lock().set_last_insert_id(id);
    }
    fn row_count(&self) -> i64 {
        self.0.lock().row_count()
    }
    fn found_rows(&self) -> u64 {
        self.0.lock().found_rows()
    }
    fn version(&self) -> Box<str> {
        self.0.lock().version()
    }
    fn is_interrupted(&self) -> bool {
        self.0.lock().is_interrupted()
    }
    fn request(&mut self, request: Request<'_>) -> crate::expr::Result<Value> {
        self.0.lock().request(request)
    }
}

/// MySQL's error in what a plan ended with, if it is one.
pub fn sql_error(error: &DataFusionError) -> Option<&SqlError> {
    match error.find_root() {
        DataFusionError::External(inner) => inner.downcast_ref::<SqlError>(),
        _ => None,
    }
}

/// An error of MySQL's as plans carry it.
pub fn plan_error(error: SqlError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
