//! SHOW GRANTS and SHOW CREATE USER.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use firn_mysql_parser::ast::User;
use firn_mysql_semantics::error::{SqlError, code};
use serde_json::Value;

use super::access::{Access, not_granted};
use super::account::{
    AccountName, Grants, Lifetime, Record, Require, RequireCurrent, TableGrant, backticked,
};
use super::directory::{Directory, cannot};
use super::privilege::Privileges;

type Result<T> = std::result::Result<T, SqlError>;

impl Directory {
    /// The rows of SHOW GRANTS: of the session itself (with its active roles) without
    /// `user`; else of an account, with the roles of USING.
    ///
    /// # Errors
    ///
    /// 1141, 1142, 1470, 3530.
    pub fn show_grants(
        &self,
        user: Option<&User>,
        using: &[User],
        access: &Access,
    ) -> Result<Vec<String>> {
        let current = access.account();
        let name =
            user.map_or_else(|| Ok(current.clone()), |user| AccountName::of(user, current))?;
        if name != *current {
            access.check_any_on_table(Privileges::SELECT, "mysql", "user")?;
        }
        let Some(record) = self.get(&name) else {
            let args = [name.user.as_str().into(), name.host.as_str().into()];
            return Err(SqlError::new(code::ER_NONEXISTING_GRANT, &args));
        };
        if user.is_none() {
            return Ok(lines(&name, access.grants(), record, &record.roles));
        }
        let mut roles = std::collections::BTreeSet::new();
        for role in using {
            let role = AccountName::of(role, current)?;
            if !record.roles.contains_key(&role) {
                return Err(not_granted(&role, &name));
            }
            roles.insert(role);
        }
        let merged = Access::with_roles(self, name.clone(), &roles);
        // What its roles may hand on, it may.
        let mut given = record.roles.clone();
        for role in merged.all_roles() {
            if let Some(role) = self.get(role) {
                let handed = role.roles.iter().filter(|(_, option)| **option);
                given.extend(handed.map(|(name, option)| (name.clone(), *option)));
            }
        }
        Ok(lines(&name, merged.grants(), record, &given))
    }

    /// The text of SHOW CREATE USER; the password in hexadecimal if `hex`
    /// (`print_identified_with_as_hex`).
    ///
    /// # Errors
    ///
    /// 1044, 1396, 1470.
    pub fn show_create_user(&self, user: &User, hex: bool, access: &Access) -> Result<String> {
        let name = AccountName::of(user, access.account())?;
        if name != *access.account() {
            access.check_database(Privileges::SELECT, "mysql")?;
        }
        let none = || cannot("SHOW CREATE USER", std::slice::from_ref(&name));
        let record = self.get(&name).ok_or_else(none)?;
        Ok(create_user(&name, record, hex))
    }
}

impl Record {
    /// ATTRIBUTE as MySQL prints it.
    pub fn attribute_text(&self) -> Option<String> {
        self.attribute.as_ref().map(|attribute| json(&Value::Object(attribute.clone())))
    }

    /// `User_attributes` of `mysql.user`: ATTRIBUTE, when wrong passwords lock, and a
    /// second password.
    pub fn attributes_json(&self) -> Option<String> {
        let mut all = serde_json::Map::new();
        if let Some(attribute) = &self.attribute {
            all.insert("metadata".to_owned(), Value::Object(attribute.clone()));
        }
        if self.failed_attempts > 0 || self.lock_days != Some(0) {
            let days = self.lock_days.map_or(-1, |days| i64::try_from(days).unwrap_or(i64::MAX));
            let locking = serde_json::json!({
                "failed_login_attempts": self.failed_attempts,
                "password_lock_time_days": days,
            });
            all.insert("Password_locking".to_owned(), locking);
        }
        if !self.second_auth_string.is_empty() {
            let second = String::from_utf8_lossy(&self.second_auth_string).into_owned();
            all.insert("additional_password".to_owned(), Value::String(second));
        }
        (!all.is_empty()).then(|| json(&Value::Object(all)))
    }
}

fn lines(
    name: &AccountName,
    grants: &Grants,
    record: &Record,
    roles: &BTreeMap<AccountName, bool>,
) -> Vec<String> {
    let mut lines = Vec::new();
    let with_option = |option: bool| if option { " WITH GRANT OPTION" } else { "" };
    let mut line = |what: &str, on: &str, option: bool| {
        lines.push(format!("GRANT {what} ON {on} TO {name}{}", with_option(option)));
    };
    let usage = |privileges: Privileges| {
        let names = privileges.without(Privileges::GRANT_OPTION).names();
        let list = names.collect::<Vec<_>>().join(", ");
        if list.is_empty() { "USAGE".to_owned() } else { list }
    };
    line(&usage(grants.global), "*.*", grants.global.has(Privileges::GRANT_OPTION));
    for option in [false, true] {
        let names = grants.dynamic.iter().filter(|(_, own)| **own == option);
        let list = names.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(",");
        if !list.is_empty() {
            line(&list, "*.*", option);
        }
    }
    let all_or = |own: Privileges, all: Privileges| {
        let all = all.without(Privileges::GRANT_OPTION);
        if own.has(all) { "ALL PRIVILEGES".to_owned() } else { usage(own) }
    };
    let mut databases: Vec<_> = grants.databases.iter().collect();
    // Escaped or not.
    databases.sort_by_key(|(pattern, _)| pattern.contains(['%', '_']));
    for (pattern, own) in databases {
        let what = all_or(*own, Privileges::DATABASE);
        let on = format!("{}.*", backticked(pattern));
        line(&what, &on, own.has(Privileges::GRANT_OPTION));
    }
    for (database, tables) in &grants.tables {
        for (table, own) in tables {
            let what = on_table(own);
            let on = format!("{}.{}", backticked(database), backticked(table));
            line(&what, &on, own.privileges.has(Privileges::GRANT_OPTION));
        }
    }
    for (kind, all) in [("PROCEDURE", &grants.procedures), ("FUNCTION", &grants.functions)] {
        for (database, routines) in all {
            for (routine, own) in routines {
                let on = format!("{kind} {}.{}", backticked(database), backticked(routine));
                line(&usage(*own), &on, own.has(Privileges::GRANT_OPTION));
            }
        }
    }
    for (of, option) in &record.proxies {
        lines.push(format!("GRANT PROXY ON {of} TO {name}{}", with_option(*option)));
    }
    for option in [false, true] {
        let list = names(roles.iter().filter(|(_, own)| **own == option).map(|one| one.0));
        if !list.is_empty() {
            let admin = if option { " WITH ADMIN OPTION" } else { "" };
            lines.push(format!("GRANT {list} TO {name}{admin}"));
        }
    }
    lines
}

fn names<'a>(of: impl Iterator<Item = &'a AccountName>) -> String {
    of.map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// Privileges on a table and on its columns, in one list.
fn on_table(grant: &TableGrant) -> String {
    let all = Privileges::TABLE.without(Privileges::GRANT_OPTION);
    if grant.privileges.has(all) {
        return "ALL PRIVILEGES".to_owned();
    }
    let mut parts = Vec::new();
    for (privilege, word) in grant.anywhere().without(Privileges::GRANT_OPTION).each() {
        if grant.privileges.has(privilege) {
            parts.push(word.to_owned());
        }
        let columns: Vec<String> = columns_with(&grant.columns, privilege);
        if !columns.is_empty() {
            parts.push(format!("{word} ({})", columns.join(", ")));
        }
    }
    if parts.is_empty() { "USAGE".to_owned() } else { parts.join(", ") }
}

fn columns_with(columns: &BTreeMap<String, Privileges>, privilege: Privileges) -> Vec<String> {
    let with = columns.iter().filter(|(_, own)| own.has(privilege));
    with.map(|(column, _)| backticked(column)).collect()
}

fn create_user(name: &AccountName, record: &Record, hex: bool) -> String {
    let mut out = format!("CREATE USER {name} IDENTIFIED WITH '{}'", record.plugin);
    if !record.auth_string.is_empty() {
        out.push_str(" AS ");
        if hex {
            out.push_str("0x");
            for byte in &record.auth_string {
                put(&mut out, format_args!("{byte:02X}"));
            }
        } else {
            // Salts are of seven bits.
            let text = quoted(&String::from_utf8_lossy(&record.auth_string));
            out.push_str(&text.replace('"', "\\\""));
        }
    }
    if !record.default_roles.is_empty() {
        put(&mut out, format_args!(" DEFAULT ROLE {}", names(record.default_roles.iter())));
    }
    out.push_str(" REQUIRE");
    match &record.require {
        Require::None => out.push_str(" NONE"),
        Require::Ssl => out.push_str(" SSL"),
        Require::X509 => out.push_str(" X509"),
        Require::Items { subject, issuer, cipher } => {
            for (word, text) in [("SUBJECT", subject), ("ISSUER", issuer), ("CIPHER", cipher)] {
                if let Some(text) = text {
                    put(&mut out, format_args!(" {word} {}", quoted(text)));
                }
            }
        }
    }
    let limits = [
        "MAX_QUERIES_PER_HOUR",
        "MAX_UPDATES_PER_HOUR",
        "MAX_CONNECTIONS_PER_HOUR",
        "MAX_USER_CONNECTIONS",
    ];
    if record.limits.iter().any(|limit| *limit > 0) {
        out.push_str(" WITH");
        for (word, limit) in limits.iter().zip(record.limits).filter(|(_, limit)| *limit > 0) {
            put(&mut out, format_args!(" {word} {limit}"));
        }
    }
    match (record.expired, record.lifetime) {
        (true, _) => out.push_str(" PASSWORD EXPIRE"),
        (false, Lifetime::Default) => out.push_str(" PASSWORD EXPIRE DEFAULT"),
        (false, Lifetime::Never) => out.push_str(" PASSWORD EXPIRE NEVER"),
        (false, Lifetime::Days(days)) => {
            put(&mut out, format_args!(" PASSWORD EXPIRE INTERVAL {days} DAY"));
        }
    }
    out.push_str(if record.locked { " ACCOUNT LOCK" } else { " ACCOUNT UNLOCK" });
    match record.history {
        Some(count) => put(&mut out, format_args!(" PASSWORD HISTORY {count}")),
        None => out.push_str(" PASSWORD HISTORY DEFAULT"),
    }
    match record.reuse_days {
        Some(days) => put(&mut out, format_args!(" PASSWORD REUSE INTERVAL {days} DAY")),
        None => out.push_str(" PASSWORD REUSE INTERVAL DEFAULT"),
    }
    out.push_str(match record.require_current {
        RequireCurrent::Default => " PASSWORD REQUIRE CURRENT DEFAULT",
        RequireCurrent::Yes => " PASSWORD REQUIRE CURRENT",
        RequireCurrent::Optional => " PASSWORD REQUIRE CURRENT OPTIONAL",
    });
    if record.failed_attempts > 0 {
        put(&mut out, format_args!(" FAILED_LOGIN_ATTEMPTS {}", record.failed_attempts));
    }
    match record.lock_days {
        Some(0) => {}
        Some(days) => put(&mut out, format_args!(" PASSWORD_LOCK_TIME {days}")),
        None => out.push_str(" PASSWORD_LOCK_TIME UNBOUNDED"),
    }
    if let Some(attribute) = &record.attribute {
        let text = json(&Value::Object(attribute.clone()));
        put(&mut out, format_args!(" ATTRIBUTE {}", quoted(&text)));
    }
    out
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // A String takes everything.
    let _ = out.write_fmt(text);
}

/// A text between quotes.
fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\x1a' => out.push_str("\\Z"),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// JSON as MySQL prints it: shorter names first, a blank behind commas and colons.
pub(super) fn json(value: &Value) -> String {
    match value {
        Value::Array(list) => {
            format!("[{}]", list.iter().map(json).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by(|a, b| a.0.len().cmp(&b.0.len()).then(a.0.cmp(b.0)));
            let one = |(name, value): (&String, &Value)| {
                format!("{}: {}", Value::String(name.clone()), json(value))
            };
            format!("{{{}}}", members.into_iter().map(one).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
