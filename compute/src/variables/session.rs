//! The variables of a session.

use std::sync::Arc;

use firn_mysql_parser as parser;
use firn_mysql_parser::ast::{Isolation, Scope};
use firn_mysql_protocol::StatusFlags;
use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr;
use firn_mysql_semantics::temporal::zone::TimeZone;
use firn_mysql_semantics::types::{CollationId, SqlType};
use firn_mysql_semantics::value::Value;

use super::charsets;
use super::definition::{Reach, VarId};
use super::globals::{GlobalVariables, Settings};
use super::hot::Hot;
use super::id;
use super::own::Facts;
use super::setting::{Setting, sql_type};
use super::sql_mode::SqlMode;

type Result<T> = std::result::Result<T, SqlError>;

/// The variables of a session: the globals as they were when it began, and what is
/// different now.
#[derive(Debug)]
pub struct SessionVariables {
    globals: Arc<GlobalVariables>,
    base: Arc<Settings>,
    /// By variable.
    changed: Vec<(VarId, Setting)>,
    hot: Hot,
    /// What SYSTEM is.
    system_zone: TimeZone,
    expressions: expr::Settings,
    /// What the session itself knows and variables show.
    pub facts: Facts,
    next_isolation: Option<Isolation>,
    next_read_only: Option<bool>,
}

impl SessionVariables {
    /// What those of an idle session take that changed nothing, in bytes.
    pub const MEMORY_BYTES: usize = size_of::<SessionVariables>();

    /// What they take now, in bytes, without the texts of settings.
    pub fn memory_bytes(&self) -> usize {
        let changed = self.changed.len() * size_of::<(VarId, Setting)>();
        Self::MEMORY_BYTES + changed
    }

    /// Those of a session that begins.
    pub fn new(globals: Arc<GlobalVariables>, connection_id: u64) -> SessionVariables {
        let base = globals.settings();
        let hot = base.hot().clone();
        let system_zone = TimeZone::parse(base.get(id::system_time_zone).as_text());
        let mut variables = SessionVariables {
            globals,
            base,
            changed: Vec::new(),
            hot,
            system_zone: system_zone.unwrap_or(TimeZone::UTC),
            expressions: expr::Settings::default(),
            facts: Facts::new(connection_id),
            next_isolation: None,
            next_read_only: None,
        };
        variables.refresh_expressions();
        variables
    }

    /// As when the session began, with the globals of now: what COM_RESET_CONNECTION
    /// and COM_CHANGE_USER leave.
    pub fn reset(&mut self) {
        let mut database = self.expressions.database.take();
        *self = SessionVariables::new(Arc::clone(&self.globals), self.facts.connection_id);
        std::mem::swap(&mut self.expressions.database, &mut database);
    }

    /// The server's.
    pub fn globals(&self) -> &Arc<GlobalVariables> {
        &self.globals
    }

    /// Those that statements look at.
    pub fn hot(&self) -> &Hot {
        &self.hot
    }

    /// The session's setting of a variable; the server's of a global one.
    pub fn setting(&self, id: VarId) -> Setting {
        if id.definition().reach == Reach::Global {
            return self.globals.get(id);
        }
        if let Some(own) = self.facts.setting(id) {
            return own;
        }
        match self.changed.binary_search_by_key(&id, |(id, _)| *id) {
            Ok(at) => self.changed[at].1.clone(),
            Err(_) => self.base.get(id).clone(),
        }
    }

    /// `@@name`, `@@global.name`, `@@session.name`: value and type.
    ///
    /// # Errors
    ///
    /// 1238 if there is no value of that scope.
    pub fn get(&self, id: VarId, scope: Option<Scope>) -> Result<(Value, SqlType)> {
        let definition = id.definition();
        let global = match (scope, definition.reach) {
            (Some(Scope::Session), Reach::Global) => return Err(wrong_scope(id, "GLOBAL")),
            (None | Some(Scope::Session), _) => false,
            (Some(_), Reach::Session) => return Err(wrong_scope(id, "SESSION")),
            (Some(_), _) => true,
        };
        let setting = if global { self.globals.get(id) } else { self.setting(id) };
        let ty = sql_type(&definition.shape).with_nullable(true);
        Ok((setting.value(&definition.shape), ty))
    }

    /// As [`SessionVariables::get`], of a name that may have `global.` or `session.`
    /// before it, as expressions name it.
    ///
    /// # Errors
    ///
    /// 1193, and as there.
    pub fn get_by_name(&self, name: &str) -> Result<(Value, SqlType)> {
        let (scope, bare) = match name.split_once('.') {
            Some(("global", name)) => (Some(Scope::Global), name),
            Some(("session", name)) => (Some(Scope::Session), name),
            _ => (None, name),
        };
        let id = VarId::by_name(bare).ok_or_else(|| unknown(bare))?;
        self.get(id, scope)
    }

    /// Sets one that has been checked, and what goes with it.
    pub(super) fn store(&mut self, id: VarId, setting: Setting) {
        if self.facts.store(id, &setting) {
            return;
        }
        if let Some(partner) = charsets::partner(id) {
            let utf8mb4 = self.setting(id::default_collation_for_utf8mb4);
            let of_partner = charsets::of_partner(id, &setting, &utf8mb4);
            self.put(partner, of_partner);
        }
        if id == id::max_join_size {
            self.put(id::sql_big_selects, Setting::Bool(setting.as_u64() == u64::MAX));
        }
        self.put(id, setting);
        self.refresh_expressions();
    }

    fn put(&mut self, id: VarId, setting: Setting) {
        self.hot.refresh(id, &setting);
        let as_before = *self.base.get(id) == setting;
        match self.changed.binary_search_by_key(&id, |(id, _)| *id) {
            Ok(at) if as_before => drop(self.changed.remove(at)),
            Ok(at) => self.changed[at].1 = setting,
            Err(_) if as_before => {}
            Err(at) => {
                // Most sessions change a handful.
                self.changed.reserve_exact(1);
                self.changed.insert(at, (id, setting));
            }
        }
    }

    fn refresh_expressions(&mut self) {
        let mode = self.hot.sql_mode;
        let small = |id| u8::try_from(self.setting(id).as_u64()).unwrap_or(u8::MAX);
        self.expressions = expr::Settings {
            strict: mode.is_strict(),
            error_for_division_by_zero: mode.has(SqlMode::ERROR_FOR_DIVISION_BY_ZERO),
            no_unsigned_subtraction: mode.has(SqlMode::NO_UNSIGNED_SUBTRACTION),
            no_zero_date: mode.has(SqlMode::NO_ZERO_DATE),
            no_zero_in_date: mode.has(SqlMode::NO_ZERO_IN_DATE),
            allow_invalid_dates: mode.has(SqlMode::ALLOW_INVALID_DATES),
            truncate_fractions: mode.has(SqlMode::TIME_TRUNCATE_FRACTIONAL),
            div_precision_increment: small(id::div_precision_increment),
            max_allowed_packet_bytes: self.hot.max_allowed_packet,
            connection_collation: CollationId(self.hot.collation_connection.id()),
            client_charset: CollationId(self.hot.character_set_client.default_collation().id()),
            week_format: small(id::default_week_format),
            database: self.expressions.database.take(),
        };
    }

    /// What expressions are bound and run with.
    pub fn expressions(&self) -> &expr::Settings {
        &self.expressions
    }

    /// How statements are read.
    pub fn parser_options(&self) -> parser::Options {
        parser::Options::in_mode(self.hot.sql_mode.parser_mode())
    }

    /// The database in use.
    pub fn database(&self) -> Option<&str> {
        self.expressions.database.as_deref()
    }

    /// USE: a database and its collation. Without one, collation and character set
    /// are the server's.
    pub fn set_database(&mut self, database: Option<(&str, &'static Collation)>) {
        self.expressions.database = database.map(|(name, _)| name.into());
        let collation = database.map_or(self.hot.collation_server, |(_, collation)| collation);
        self.put(id::collation_database, Setting::text(collation.name()));
        self.put(id::character_set_database, Setting::text(collation.charset().name()));
    }

    /// The flags that go with every OK: those that variables decide.
    pub fn status_flags(&self) -> StatusFlags {
        let mut flags = StatusFlags::EMPTY;
        flags.set(StatusFlags::AUTOCOMMIT, self.hot.autocommit);
        let no_escapes = self.hot.sql_mode.has(SqlMode::NO_BACKSLASH_ESCAPES);
        flags.set(StatusFlags::NO_BACKSLASH_ESCAPES, no_escapes);
        flags
    }

    /// The session's zone.
    pub fn zone(&self) -> &TimeZone {
        self.hot.time_zone.as_ref().unwrap_or(&self.system_zone)
    }

    /// When the statement began, or what `timestamp` was set to: microseconds since
    /// 1970 in UTC.
    pub fn statement_time_micros(&self) -> i64 {
        self.facts.timestamp_micros.unwrap_or(self.facts.statement_time_micros)
    }

    /// Level and READ ONLY of a transaction that begins now: those set for the next
    /// one, which are used up, else the session's.
    pub fn begin_transaction(&mut self) -> (Isolation, bool) {
        let isolation = self.next_isolation.take().unwrap_or(self.hot.transaction_isolation);
        let read_only = self.next_read_only.take().unwrap_or(self.hot.transaction_read_only);
        (isolation, read_only)
    }

    pub(super) fn set_next(&mut self, isolation: Option<Isolation>, read_only: Option<bool>) {
        self.next_isolation = isolation.or(self.next_isolation);
        self.next_read_only = read_only.or(self.next_read_only);
    }

    /// Whether a change of the variable is told to clients that track changes.
    pub fn is_tracked(&self, id: VarId) -> bool {
        let tracked = self.setting(id::session_track_system_variables);
        let mut names = tracked.as_text().split(',').map(str::trim);
        names.any(|name| name == "*" || name.eq_ignore_ascii_case(id.name()))
    }

    /// The connection's character set and collation, as a handshake asks for them:
    /// SET NAMES without a statement. Sets that cannot be a client's are passed over.
    pub fn set_handshake_collation(&mut self, collation: &'static Collation) {
        let set: &'static Charset = collation.charset();
        if charsets::check_client(set).is_err() || !collation.is_supported() {
            return;
        }
        self.put_names(set, Some(set), collation);
    }

    /// Client, results, connection.
    pub(super) fn put_names(
        &mut self,
        client: &'static Charset,
        results: Option<&'static Charset>,
        connection: &'static Collation,
    ) {
        self.put(id::character_set_client, Setting::text(client.name()));
        let results = results.map_or(Setting::Null, |set| Setting::text(set.name()));
        self.put(id::character_set_results, results);
        self.put(id::collation_connection, Setting::text(connection.name()));
        self.put(id::character_set_connection, Setting::text(connection.charset().name()));
        self.refresh_expressions();
    }
}

pub(super) fn unknown(name: &str) -> SqlError {
    SqlError::new(code::ER_UNKNOWN_SYSTEM_VARIABLE, &[name.into()])
}

fn wrong_scope(id: VarId, what: &str) -> SqlError {
    SqlError::new(code::ER_INCORRECT_GLOBAL_LOCAL_VAR, &[id.name().into(), what.into()])
}
