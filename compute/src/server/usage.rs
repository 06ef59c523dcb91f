//! What accounts with limits have used: `MAX_QUERIES_PER_HOUR` and its like.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_mysql_semantics::error::{SqlError, code};
use parking_lot::Mutex;

use crate::accounts::AccountName;

const HOUR_MS: u64 = 3_600_000;

/// Names of the limits, in the order of [`Record::limits`](crate::accounts::Record).
const NAMES: [&str; 4] =
    ["max_questions", "max_updates", "max_connections_per_hour", "max_user_connections"];
const QUESTIONS: usize = 0;
const UPDATES: usize = 1;
const CONNECTIONS: usize = 2;
const AT_ONCE: usize = 3;

/// What one account has used.
#[derive(Debug, Default)]
struct Used {
    /// When the hour began; by the server's uptime, which no change of the clock moves.
    since_ms: Option<u64>,
    /// In the hour; of connections those that are open, too.
    counts: [u64; 4],
}

/// What all accounts with limits have used.
#[derive(Debug, Default)]
pub(crate) struct Usage(Mutex<BTreeMap<AccountName, Arc<Mutex<Used>>>>);

/// A connection of an account with limits.
#[derive(Debug)]
pub(crate) struct LimitedUse {
    used: Arc<Mutex<Used>>,
    user: Box<str>,
    limits: [u64; 4],
}

impl Usage {
    /// Counts a connection; `None` for accounts without limits. `everybody`: what accounts
    /// may have at once that have no limit of their own; 0 for any number.
    ///
    /// # Errors
    /// 1203 or 1226 if there are too many.
    pub(crate) fn connect(
        &self,
        account: &AccountName,
        limits: [u64; 4],
        everybody: u64,
        uptime_ms: u64,
    ) -> Result<Option<LimitedUse>, SqlError> {
        if limits == [0; 4] && everybody == 0 {
            return Ok(None);
        }
        let used = Arc::clone(self.0.lock().entry(account.clone()).or_default());
        {
            let mut used = used.lock();
            used.begin_hour(uptime_ms);
            if limits[AT_ONCE] == 0 && everybody > 0 && used.counts[AT_ONCE] >= everybody {
                let user = [account.user.as_str().into()];
                return Err(SqlError::new(code::ER_TOO_MANY_USER_CONNECTIONS, &user));
            }
            for at in [AT_ONCE, CONNECTIONS] {
                if limits[at] > 0 && used.counts[at] >= limits[at] {
                    return Err(exceeded(&account.user, at, limits[at]));
                }
            }
            used.counts[CONNECTIONS] += 1;
            used.counts[AT_ONCE] += 1;
        }
        Ok(Some(LimitedUse { used, user: account.user.as_str().into(), limits }))
    }

    /// FLUSH USER_RESOURCES: every hour begins anew.
    pub(crate) fn clear(&self) {
        for used in self.0.lock().values() {
            used.lock().since_ms = None;
        }
    }
}

impl Used {
    fn begin_hour(&mut self, uptime_ms: u64) {
        if self.since_ms.is_none_or(|since_ms| uptime_ms.saturating_sub(since_ms) >= HOUR_MS) {
            self.since_ms = Some(uptime_ms);
            self.counts[..AT_ONCE].fill(0);
        }
    }
}

impl LimitedUse {
    /// Counts a statement.
    ///
    /// # Errors
    /// 1226 if there were too many in this hour.
    pub(crate) fn statement(&self, updates: bool, uptime_ms: u64) -> Result<(), SqlError> {
        let mut used = self.used.lock();
        used.begin_hour(uptime_ms);
        for at in [QUESTIONS, UPDATES] {
            if at == UPDATES && !updates {
                continue;
            }
            used.counts[at] += 1;
            if self.limits[at] > 0 && used.counts[at] > self.limits[at] {
                return Err(exceeded(&self.user, at, self.limits[at]));
            }
        }
        Ok(())
    }
}

fn exceeded(user: &str, at: usize, limit: u64) -> SqlError {
    let arguments = [user.into(), NAMES[at].into(), limit.into()];
    SqlError::new(code::ER_USER_LIMIT_REACHED, &arguments)
}

impl Drop for LimitedUse {
    fn drop(&mut self) {
        let mut used = self.used.lock();
        used.counts[AT_ONCE] = used.counts[AT_ONCE].saturating_sub(1);
    }
}
