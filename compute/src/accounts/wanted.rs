//! What a GRANT or REVOKE names: privileges, and what on.

use firn_mysql_parser::ast::{GrantLevel, GrantOn, Privilege, RoutineKind};
use firn_mysql_semantics::error::{SqlError, code};

use super::privilege::{DYNAMIC, Privileges};
use super::statement::AccountContext;

type Result<T> = std::result::Result<T, SqlError>;

/// What privileges are on.
pub(super) enum Level {
    Global,
    Database(String),
    Table(String, String),
    /// Of a procedure, or else a function; the name as written.
    Routine(bool, String, String),
}

/// Privileges as a statement names them.
pub(super) struct Wanted {
    pub(super) all: bool,
    pub(super) privileges: Privileges,
    /// On columns, names in lower case.
    pub(super) columns: Vec<(String, Privileges)>,
    pub(super) dynamic: Vec<&'static str>,
    /// Names that are none of a dynamic privilege.
    unknown: Vec<String>,
    /// Why they do not go together with the level; said when the accounts are known.
    misuse: Option<SqlError>,
    pub(super) level: Level,
}

impl Wanted {
    /// Finds privileges and level of a statement; they have to go together.
    ///
    /// # Errors
    ///
    /// 1046, 1144.
    pub(super) fn of(
        privileges: &[Privilege],
        on: &GrantOn,
        cx: &mut AccountContext<'_>,
    ) -> Result<Wanted> {
        let level = level(on, cx)?;
        let most = match level {
            Level::Global => Privileges::GLOBAL,
            Level::Database(_) => Privileges::DATABASE,
            Level::Table(..) => Privileges::TABLE,
            Level::Routine(..) => Privileges::ROUTINE,
        };
        let mut wanted = Wanted {
            all: privileges.is_empty(),
            privileges: Privileges::NONE,
            columns: Vec::new(),
            dynamic: Vec::new(),
            unknown: Vec::new(),
            misuse: None,
            level,
        };
        if wanted.all {
            wanted.privileges = most.without(Privileges::GRANT_OPTION);
            if matches!(wanted.level, Level::Global) {
                wanted.dynamic = DYNAMIC.to_vec();
            }
            return Ok(wanted);
        }
        for one in privileges {
            wanted.add(one, most, cx)?;
        }
        Ok(wanted)
    }

    fn add(
        &mut self,
        one: &Privilege,
        most: Privileges,
        cx: &mut AccountContext<'_>,
    ) -> Result<()> {
        let illegal = || Err(SqlError::new(code::ER_ILLEGAL_GRANT_FOR_TABLE, &[]));
        if one.name == "USAGE" {
            return Ok(());
        }
        let Some(privilege) = Privileges::by_name(&one.name) else {
            let known = DYNAMIC.iter().find(|name| name.eq_ignore_ascii_case(&one.name));
            match known {
                Some(name) => self.dynamic.push(name),
                None => self.unknown.push(one.name.to_ascii_uppercase()),
            }
            return Ok(());
        };
        if !one.columns.is_empty() {
            if !matches!(self.level, Level::Table(..)) {
                return illegal();
            }
            for column in &one.columns {
                self.columns.push((column.as_str().to_lowercase(), privilege));
            }
            return Ok(());
        }
        if !most.has(privilege) {
            if matches!(self.level, Level::Database(_)) {
                let args = ["DB GRANT".into(), "GLOBAL PRIVILEGES".into()];
                self.misuse = Some(SqlError::new(code::ER_WRONG_USAGE, &args));
                return Ok(());
            }
            return illegal();
        }
        if privilege == Privileges::SUPER {
            let text = "The SUPER privilege identifier is deprecated";
            cx.warnings.warn(SqlError::with_message(code::ER_WARN_DEPRECATED_SYNTAX, text));
        }
        self.privileges = self.privileges.with(privilege);
        Ok(())
    }

    /// Whether dynamic ones are named below the whole server; if `lenient` that is a
    /// warning.
    ///
    /// # Errors
    ///
    /// 3619.
    pub(super) fn check_level(&mut self, lenient: bool, cx: &mut AccountContext<'_>) -> Result<()> {
        let mut names: Vec<&str> = self.dynamic.clone();
        names.extend(self.unknown.iter().map(String::as_str));
        if matches!(self.level, Level::Global) || names.is_empty() {
            return Ok(());
        }
        let names = names.join(",");
        let error = SqlError::new(code::ER_ILLEGAL_PRIVILEGE_LEVEL, &[(&names).into()]);
        if !lenient {
            return Err(error);
        }
        cx.warnings.warn(error);
        self.dynamic.clear();
        self.unknown.clear();
        Ok(())
    }

    /// Whether all of them are privileges of the level; if `lenient` names that are none
    /// are a warning.
    ///
    /// # Errors
    ///
    /// 1149, 1221.
    pub(super) fn check_names(&self, lenient: bool, cx: &mut AccountContext<'_>) -> Result<()> {
        self.check_misuse()?;
        for name in &self.unknown {
            if !lenient {
                return Err(SqlError::new(code::ER_SYNTAX_ERROR, &[]));
            }
            let name = name.as_str().into();
            cx.warnings.warn(SqlError::new(code::ER_WARN_DA_PRIVILEGE_NOT_REGISTERED, &[name]));
        }
        Ok(())
    }

    /// Whether all of them can be had on the level.
    ///
    /// # Errors
    ///
    /// 1221.
    pub(super) fn check_misuse(&self) -> Result<()> {
        self.misuse.clone().map_or(Ok(()), Err)
    }

    /// Nothing but USAGE.
    pub(super) fn is_usage(&self) -> bool {
        self.privileges.is_empty() && self.columns.is_empty() && self.misuse.is_none()
    }

    /// All privileges on some column.
    pub(super) fn on_columns(&self) -> Privileges {
        self.columns.iter().fold(Privileges::NONE, |all, (_, one)| all.with(*one))
    }

    /// Whether what they are to be granted on is there.
    ///
    /// # Errors
    ///
    /// 1054, 1146, 1305.
    pub(super) fn check_objects(&self, cx: &AccountContext<'_>) -> Result<()> {
        match &self.level {
            Level::Global | Level::Database(_) => Ok(()),
            Level::Table(database, table) => {
                let there = cx.objects.has_table(database, table);
                // A table may be granted before it is made.
                let later = self.columns.is_empty() && self.privileges.has(Privileges::CREATE);
                if !there && !later {
                    return Err(SqlError::no_such_table(database, table));
                }
                let has = |column: &str| cx.objects.has_column(database, table, column);
                match self.columns.iter().find(|(column, _)| !has(column)) {
                    Some((column, _)) => Err(SqlError::unknown_column(column, table)),
                    None => Ok(()),
                }
            }
            Level::Routine(procedure, database, name) => {
                if cx.objects.has_routine(*procedure, database, name) {
                    return Ok(());
                }
                let kind = if *procedure { "PROCEDURE" } else { "FUNCTION" };
                Err(SqlError::does_not_exist(kind, name))
            }
        }
    }

    /// Whether the session may grant and revoke them.
    ///
    /// # Errors
    ///
    /// 1044, 1045, 1142, 1143, 1227, 1370.
    pub(super) fn check_granter(&self, cx: &AccountContext<'_>) -> Result<()> {
        let access = cx.access;
        let need = self.privileges.with(Privileges::GRANT_OPTION);
        match &self.level {
            Level::Global => {
                let statics = !self.privileges.is_empty() || self.dynamic.is_empty();
                if statics && !access.has(need) {
                    return Err(access.denied());
                }
                if self.dynamic.iter().all(|name| access.may_grant_dynamic(name)) {
                    return Ok(());
                }
                Err(super::access::denied("GRANT OPTION"))
            }
            Level::Database(database) => access.check_database(need, database),
            Level::Table(database, table) => {
                let granted = access.on_table(database, table);
                let mut need = need;
                if self.columns.is_empty() || granted.has(self.on_columns()) {
                    need = need.with(self.on_columns());
                }
                access.check_table(need, database, table)?;
                for (column, privilege) in &self.columns {
                    let column = [column.as_str()];
                    access.check_columns(*privilege, database, table, column)?;
                }
                Ok(())
            }
            Level::Routine(procedure, database, name) => {
                access.check_routine(need, *procedure, database, name)
            }
        }
    }
}

fn level(on: &GrantOn, cx: &AccountContext<'_>) -> Result<Level> {
    Ok(match (&on.level, on.routine) {
        (GrantLevel::Object(object), routine) => {
            let database = match &object.schema {
                Some(schema) => schema.as_str().to_owned(),
                None => cx.database()?,
            };
            let name = object.name.as_str().to_owned();
            match routine {
                None => Level::Table(database, name),
                Some(kind) => Level::Routine(kind == RoutineKind::Procedure, database, name),
            }
        }
        (_, Some(_)) => return Err(SqlError::new(code::ER_ILLEGAL_GRANT_FOR_TABLE, &[])),
        (GrantLevel::Global, None) => Level::Global,
        (GrantLevel::CurrentSchema, None) => Level::Database(cx.database()?),
        (GrantLevel::Schema(name), None) => Level::Database(name.as_str().to_owned()),
    })
}
