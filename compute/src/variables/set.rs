//! SET: checking an assignment, and carrying it out.

use firn_mysql_parser::ast::{Isolation, Scope, SetNames, TransactionCharacteristics};
use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::{SqlError, Warnings, code};

use super::assign::{self, NewValue};
use super::definition::{ADMIN, Age, FIXED, NO_DEFAULT, Reach, Shape, VarId, WRITE};
use super::hot::isolation_setting;
use super::session::SessionVariables;
use super::setting::Setting;
use super::sql_mode::SqlMode;
use super::{charsets, id};

type Result<T> = std::result::Result<T, SqlError>;

/// What a SET may look at.
pub struct SetContext<'a> {
    /// A transaction is open.
    pub in_transaction: bool,
    /// Whether the session has one of these privileges (`SYSTEM_VARIABLES_ADMIN` …).
    pub may: &'a dyn Fn(&[&str]) -> bool,
    /// Where warnings go.
    pub warnings: &'a mut Warnings,
}

/// Which value a SET changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The server's.
    Global,
    /// The session's.
    Session,
    /// That of the next transaction alone.
    NextTransaction,
}

/// An assignment that has been checked. Those of one SET are carried out when all of
/// them have been.
#[derive(Debug, Clone)]
pub struct Assignment {
    id: VarId,
    place: Place,
    /// `None`: what the variable shows when it was never set.
    setting: Option<Setting>,
}

/// What SET NAMES and SET CHARACTER SET come to.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    client: &'static Charset,
    results: Option<&'static Charset>,
    connection: &'static Collation,
}

/// What an assignment did that is more than the variable's new value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Which variable.
    pub id: VarId,
    /// Which value of it.
    pub place: Place,
    /// `autocommit` went on: the open transaction has to be committed.
    pub commits: bool,
}

impl SessionVariables {
    /// Checks `SET [scope] name = value`; `at_signs` if it was written `@@name`.
    ///
    /// # Errors
    ///
    /// 1193, 1227, 1228, 1229, 1230, 1231, 1232, 1238, 1568, 1621 and those of
    /// single variables; 1235 for SET PERSIST.
    pub fn check(
        &self,
        id: VarId,
        scope: Option<Scope>,
        at_signs: bool,
        new: &NewValue,
        cx: &mut SetContext<'_>,
    ) -> Result<Assignment> {
        let definition = id.definition();
        let name = definition.name;
        if !definition.is(WRITE) {
            let what = "read only";
            return Err(SqlError::new(
                code::ER_INCORRECT_GLOBAL_LOCAL_VAR,
                &[name.into(), what.into()],
            ));
        }
        let global = matches!(scope, Some(Scope::Global | Scope::Persist | Scope::PersistOnly));
        match definition.reach {
            Reach::Global if !global => {
                return Err(SqlError::new(code::ER_GLOBAL_VARIABLE, &[name.into()]));
            }
            Reach::Session if global => {
                return Err(SqlError::new(code::ER_LOCAL_VARIABLE, &[name.into()]));
            }
            _ => {}
        }
        if global {
            allowed(cx, &["SUPER", "SYSTEM_VARIABLES_ADMIN"])?;
        }
        match scope {
            Some(Scope::Persist) => return Err(SqlError::not_supported_yet("SET PERSIST")),
            Some(Scope::PersistOnly) => {
                return Err(SqlError::not_supported_yet("SET PERSIST_ONLY"));
            }
            _ => {}
        }
        let place = self.place(id, global, scope, at_signs, cx)?;
        let frozen = definition.age == Age::Frozen;
        if !frozen {
            assign::warn_of_age(definition, cx.warnings);
        }
        let setting = match new {
            NewValue::Default if definition.is(NO_DEFAULT) => {
                return Err(SqlError::new(code::ER_NO_DEFAULT, &[name.into()]));
            }
            NewValue::Default => self.default(id, global),
            NewValue::Value(value, ty) => {
                let default = self.default(id, global).unwrap_or(Setting::Null);
                let before = if global { self.globals().get(id) } else { self.setting(id) };
                let strict = self.hot().sql_mode.has(SqlMode::STRICT_ALL_TABLES);
                let warnings = &mut *cx.warnings;
                Some(assign::assigned(id, value, ty, &before, &default, strict, warnings)?)
            }
        };
        if frozen {
            assign::warn_of_age(definition, cx.warnings);
        }
        if !global {
            self.check_session(id, cx)?;
        }
        Ok(Assignment { id, place, setting })
    }

    fn place(
        &self,
        id: VarId,
        global: bool,
        scope: Option<Scope>,
        at_signs: bool,
        cx: &SetContext<'_>,
    ) -> Result<Place> {
        if global {
            return Ok(Place::Global);
        }
        // `SET @@transaction_isolation` is SET TRANSACTION.
        let next = at_signs
            && scope.is_none()
            && matches!(id, id::transaction_isolation | id::transaction_read_only);
        if !next {
            return Ok(Place::Session);
        }
        outside_transaction(cx)?;
        Ok(Place::NextTransaction)
    }

    /// What DEFAULT is: of the session the server's value now, of the server its own
    /// first one.
    fn default(&self, id: VarId, global: bool) -> Option<Setting> {
        match id.definition().reach {
            // It goes off, whatever MySQL's manual says.
            _ if global && id == id::sql_big_selects => Some(Setting::Bool(false)),
            Reach::Both if !global => Some(self.globals().get(id)),
            Reach::Session if matches!(id, id::timestamp | id::pseudo_thread_id) => None,
            _ => Some(self.globals().default_of(id).clone()),
        }
    }

    fn check_session(&self, id: VarId, cx: &SetContext<'_>) -> Result<()> {
        let definition = id.definition();
        if definition.is(FIXED) {
            let args = ["SESSION".into(), definition.name.into(), "GLOBAL".into()];
            return Err(SqlError::new(code::ER_VARIABLE_IS_READONLY, &args));
        }
        if definition.is(ADMIN) {
            allowed(cx, &["SUPER", "SYSTEM_VARIABLES_ADMIN", "SESSION_VARIABLES_ADMIN"])?;
        }
        match id {
            id::sql_log_bin if cx.in_transaction => {
                Err(SqlError::new(code::ER_INSIDE_TRANSACTION_PREVENTS_SWITCH_SQL_LOG_BIN, &[]))
            }
            id::gtid_next if cx.in_transaction => Err(SqlError::new(
                code::ER_VARIABLE_NOT_SETTABLE_IN_TRANSACTION,
                &[id.name().into()],
            )),
            _ => Ok(()),
        }
    }

    /// What gives a variable of the session back the value that it has now.
    pub fn given_back(&self, id: VarId) -> Assignment {
        let of_now = id == id::timestamp && self.facts.timestamp_micros.is_none();
        let setting = (!of_now).then(|| self.setting(id));
        Assignment { id, place: Place::Session, setting }
    }

    /// Carries out what [`SessionVariables::check`] found good.
    pub fn apply(&mut self, assignment: Assignment) -> Change {
        let Assignment { id, place, setting } = assignment;
        let mut change = Change { id, place, commits: false };
        match (place, setting) {
            (Place::Global, Some(setting)) => self.apply_global(id, setting),
            (Place::NextTransaction, Some(setting)) => match id.definition().shape {
                Shape::Bool => self.set_next(None, Some(setting.as_bool())),
                _ => self.set_next(Some(isolation_of(&setting)), None),
            },
            (Place::Session, Some(setting)) => {
                change.commits =
                    id == id::autocommit && setting.as_bool() && !self.hot().autocommit;
                self.store(id, setting);
            }
            (_, None) => {
                self.facts.store_default(id);
            }
        }
        change
    }

    fn apply_global(&self, id: VarId, setting: Setting) {
        if id == id::max_join_size {
            let unlimited = Setting::Bool(setting.as_u64() == u64::MAX);
            self.globals().set(id::sql_big_selects, unlimited);
        }
        self.globals().set(id, setting);
    }

    /// Checks SET NAMES.
    ///
    /// # Errors
    ///
    /// 1115, 1231, 1253, 1273; 1235 for character sets and collations that Firn does
    /// not have.
    pub fn check_names(&self, names: &SetNames, warnings: &mut Warnings) -> Result<Names> {
        let Some(charset) = &names.charset else {
            let globals = self.globals().settings();
            let hot = globals.hot();
            let (client, results) = (hot.character_set_client, hot.character_set_results);
            return Ok(Names { client, results, connection: hot.collation_connection });
        };
        let set = charsets::charset(charset.as_str(), warnings)?;
        let connection = match &names.collation {
            Some(name) => {
                let collation = charsets::collation(name.as_str(), warnings)?;
                if collation.charset() != set {
                    let (name, set) = (collation.name(), set.name());
                    return Err(SqlError::collation_charset_mismatch(name, set));
                }
                collation
            }
            None => {
                let utf8mb4 = self.setting(id::default_collation_for_utf8mb4);
                charsets::default_collation(set, &utf8mb4)
            }
        };
        charsets::check_client(set)?;
        Ok(Names { client: set, results: Some(set), connection })
    }

    /// Checks SET CHARACTER SET: the connection's becomes that of the database.
    ///
    /// # Errors
    ///
    /// 1115, 1231; 1235 for character sets that Firn does not have.
    pub fn check_character_set(&self, names: &SetNames, warnings: &mut Warnings) -> Result<Names> {
        let connection = self.hot().collation_database;
        match &names.charset {
            Some(name) => {
                let set = charsets::charset(name.as_str(), warnings)?;
                charsets::check_client(set)?;
                Ok(Names { client: set, results: Some(set), connection })
            }
            None => {
                let globals = self.globals().settings();
                let hot = globals.hot();
                let (client, results) = (hot.character_set_client, hot.character_set_results);
                Ok(Names { client, results, connection })
            }
        }
    }

    /// Carries out SET NAMES or SET CHARACTER SET.
    pub fn apply_names(&mut self, names: Names) {
        self.put_names(names.client, names.results, names.connection);
    }

    /// SET TRANSACTION: of the next one, of the session, of new sessions.
    ///
    /// # Errors
    ///
    /// 1227, 1568.
    pub fn set_transaction(
        &mut self,
        scope: Option<Scope>,
        wanted: TransactionCharacteristics,
        cx: &mut SetContext<'_>,
    ) -> Result<()> {
        let isolation = wanted.isolation.map(isolation_setting);
        let isolation = isolation.map(|setting| (id::transaction_isolation, setting));
        let read_only = wanted.read_only.map(Setting::Bool);
        let read_only = read_only.map(|setting| (id::transaction_read_only, setting));
        match scope {
            None => {
                outside_transaction(cx)?;
                self.set_next(wanted.isolation, wanted.read_only);
            }
            Some(Scope::Session) => {
                for (id, setting) in isolation.into_iter().chain(read_only) {
                    self.store(id, setting);
                }
            }
            Some(_) => {
                allowed(cx, &["SUPER", "SYSTEM_VARIABLES_ADMIN"])?;
                for (id, setting) in isolation.into_iter().chain(read_only) {
                    self.apply_global(id, setting);
                }
            }
        }
        Ok(())
    }
}

fn isolation_of(setting: &Setting) -> Isolation {
    match setting.as_index() {
        0 => Isolation::ReadUncommitted,
        1 => Isolation::ReadCommitted,
        2 => Isolation::RepeatableRead,
        _ => Isolation::Serializable,
    }
}

fn outside_transaction(cx: &SetContext<'_>) -> Result<()> {
    if cx.in_transaction {
        return Err(SqlError::new(code::ER_CANT_CHANGE_TX_CHARACTERISTICS, &[]));
    }
    Ok(())
}

fn allowed(cx: &SetContext<'_>, privileges: &[&str]) -> Result<()> {
    if (cx.may)(privileges) {
        return Ok(());
    }
    let list = match privileges.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => privileges.join(""),
    };
    Err(SqlError::new(code::ER_SPECIFIC_ACCESS_DENIED_ERROR, &[(&list).into()]))
}
