//! REQUIRE, WITH, PASSWORD …, ACCOUNT …, COMMENT and ATTRIBUTE of an account.

use firn_mysql_parser::ast::{self, RequireItem, ResourceLimit, UserOption, UserSettings};
use firn_mysql_semantics::error::{SqlError, code};
use serde_json::{Map, Value};

use super::account::{Lifetime, Record, Require, RequireCurrent};

/// Takes over what a statement says; the rest stays.
pub(super) fn apply_settings(record: &mut Record, settings: &UserSettings) -> Result<(), SqlError> {
    if let Some(require) = &settings.require {
        record.require = required(require);
    }
    for (limit, value) in &settings.limits {
        let at = match limit {
            ResourceLimit::QueriesPerHour => 0,
            ResourceLimit::UpdatesPerHour => 1,
            ResourceLimit::ConnectionsPerHour => 2,
            ResourceLimit::UserConnections => 3,
        };
        record.limits[at] = *value;
    }
    for option in &settings.options {
        match option {
            UserOption::AccountLock => record.locked = true,
            UserOption::AccountUnlock => record.locked = false,
            UserOption::PasswordExpire => record.expired = true,
            UserOption::PasswordExpireDefault => record.lifetime = Lifetime::Default,
            UserOption::PasswordExpireNever => record.lifetime = Lifetime::Never,
            UserOption::PasswordExpireDays(days) => record.lifetime = Lifetime::Days(*days),
            UserOption::PasswordHistory(count) => record.history = *count,
            UserOption::PasswordReuseDays(days) => record.reuse_days = *days,
            UserOption::PasswordRequireCurrent => record.require_current = RequireCurrent::Yes,
            UserOption::PasswordRequireCurrentDefault => {
                record.require_current = RequireCurrent::Default;
            }
            UserOption::PasswordRequireCurrentOptional => {
                record.require_current = RequireCurrent::Optional;
            }
            UserOption::FailedLoginAttempts(count) => record.failed_attempts = *count,
            UserOption::PasswordLockDays(days) => record.lock_days = *days,
        }
    }
    match &settings.attribute {
        Some((true, comment)) => {
            let comment = Value::String(comment.to_string());
            record.attribute.get_or_insert_default().insert("comment".to_owned(), comment);
        }
        Some((false, text)) => {
            let Ok(Value::Object(patch)) = serde_json::from_str(text) else {
                return Err(SqlError::new(code::ER_INVALID_USER_ATTRIBUTE_JSON, &[]));
            };
            merge_patch(record.attribute.get_or_insert_default(), patch);
        }
        None => {}
    }
    Ok(())
}

fn required(require: &ast::Require) -> Require {
    match require {
        ast::Require::None => Require::None,
        ast::Require::Ssl => Require::Ssl,
        ast::Require::X509 => Require::X509,
        ast::Require::Items(items) => {
            let of = |wanted: RequireItem| {
                let found = items.iter().rev().find(|(item, _)| *item == wanted);
                found.map(|(_, text)| text.to_string())
            };
            Require::Items {
                subject: of(RequireItem::Subject),
                issuer: of(RequireItem::Issuer),
                cipher: of(RequireItem::Cipher),
            }
        }
    }
}

/// JSON_MERGE_PATCH of two objects: NULL takes a member away.
fn merge_patch(into: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                into.remove(&name);
            }
            Value::Object(patch) => {
                let member = into.entry(name).or_insert_with(|| Value::Object(Map::new()));
                if !member.is_object() {
                    *member = Value::Object(Map::new());
                }
                if let Value::Object(member) = member {
                    merge_patch(member, patch);
                }
            }
            value => {
                into.insert(name, value);
            }
        }
    }
}
