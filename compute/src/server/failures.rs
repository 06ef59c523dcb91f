//! Wrong passwords, and accounts that are blocked after too many: FAILED_LOGIN_ATTEMPTS
//! and PASSWORD_LOCK_TIME. What is counted is forgotten when the server ends. Days are those
//! of its uptime: who can set the clock forward must not be able to open an account.

use std::collections::BTreeMap;

use firn_mysql_semantics::error::{SqlError, code};
use parking_lot::Mutex;

use crate::accounts::{AccountName, Record};

const DAY_MS: u64 = 86_400_000;

/// Wrong passwords of one account.
#[derive(Debug, Clone, Copy, Default)]
struct Failed {
    /// One after the other.
    count: u64,
    /// When it was blocked, by the server's uptime.
    blocked_ms: Option<u64>,
}

/// Wrong passwords of accounts that count them.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<BTreeMap<AccountName, Failed>>);

impl Failures {
    /// A client gave an account's password, or a wrong one.
    ///
    /// # Errors
    /// 3955 if the account is blocked, now or since an earlier one.
    pub(crate) fn proved(
        &self,
        name: &AccountName,
        record: &Record,
        host: &str,
        right: bool,
        uptime_ms: u64,
    ) -> Result<(), SqlError> {
        let mut all = self.0.lock();
        if record.failed_attempts == 0 || record.lock_days == Some(0) {
            all.remove(name);
            return Ok(());
        }
        let failed = all.entry(name.clone()).or_default();
        let left = |since_ms: u64| {
            let past = uptime_ms.saturating_sub(since_ms) / DAY_MS;
            record.lock_days.map(|days| days.saturating_sub(past))
        };
        // The days are over.
        if failed.blocked_ms.is_some_and(|since_ms| left(since_ms) == Some(0)) {
            *failed = Failed::default();
        }
        if failed.blocked_ms.is_none() {
            if right {
                all.remove(name);
                return Ok(());
            }
            failed.count += 1;
            if failed.count < record.failed_attempts {
                return Ok(());
            }
            failed.blocked_ms = Some(uptime_ms);
        }
        let days = |days: Option<u64>| days.map_or("unlimited".to_owned(), |days| days.to_string());
        let (whole, left) = (days(record.lock_days), days(failed.blocked_ms.and_then(left)));
        let arguments = [
            name.user.as_str().into(),
            host.into(),
            whole.as_str().into(),
            left.as_str().into(),
            record.failed_attempts.into(),
        ];
        let number = code::ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK;
        Err(SqlError::new(number, &arguments))
    }

    /// An account begins anew.
    pub(crate) fn forget(&self, name: &AccountName) {
        self.0.lock().remove(name);
    }

    /// FLUSH PRIVILEGES: all do.
    pub(crate) fn clear(&self) {
        self.0.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_blocked_for_days_and_then_begins_anew() {
        let name = AccountName::new("u", "%");
        let record = Record { failed_attempts: 2, lock_days: Some(3), ..Record::default() };
        let all = Failures::default();
        let at = |right, day: u64| {
            let told = all.proved(&name, &record, "h", right, day * DAY_MS + 5);
            told.map_err(|error| error.message().to_owned())
        };
        assert_eq!(at(false, 10), Ok(()));
        assert_eq!(at(true, 10), Ok(()));
        assert_eq!(at(false, 10), Ok(()));
        let text = |left: u64| {
            let blocked = "Access denied for user 'u'@'h'. Account is blocked for 3 day(s)";
            let due = "due to 2 consecutive failed logins.";
            Err(format!("{blocked} ({left} day(s) remaining) {due}"))
        };
        assert_eq!(at(false, 10), text(3));
        assert_eq!(at(true, 10), text(3));
        assert_eq!(at(true, 12), text(1));
        assert_eq!(at(false, 13), Ok(()));
        assert_eq!(at(true, 13), Ok(()));
    }

    #[test]
    fn an_unbounded_block_ends_by_hand_alone() {
        let name = AccountName::new("u", "%");
        let record = Record { failed_attempts: 1, lock_days: None, ..Record::default() };
        let all = Failures::default();
        let told = all.proved(&name, &record, "h", false, 0).unwrap_err();
        assert_eq!(told.number(), 3955);
        assert!(told.message().contains("for unlimited day(s) (unlimited day(s) remaining)"));
        assert!(all.proved(&name, &record, "h", true, 5000 * DAY_MS).is_err());
        all.forget(&name);
        assert!(all.proved(&name, &record, "h", true, 5000 * DAY_MS).is_ok());
    }
}
