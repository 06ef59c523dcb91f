//! Passwords of accounts: set, retained, remembered.

use firn_mysql_parser::ast::{Auth, OldPassword, Secret};
use firn_mysql_protocol::auth::AuthPlugin;
use firn_mysql_semantics::error::{SqlError, code};

use super::account::{AccountName, Record, RequireCurrent};
use super::statement::{AccountContext, RandomPassword};

type Result<T> = std::result::Result<T, SqlError>;

const DAY_MS: u64 = 86_400_000;

/// Passwords of an account that are remembered.
const USED_PASSWORDS_MAX: usize = 1000;

/// Characters of random passwords.
const PASSWORD_CHARS: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+,-./:;<=>?@[]^_{|}~";

/// Whether who changes a password knows the old one, where it has to be known; what was
/// retained goes if that is asked for.
pub(super) fn check_old(
    name: &AccountName,
    record: &mut Record,
    old: &OldPassword,
    cx: &AccountContext<'_>,
) -> Result<()> {
    if old.retain || old.discard {
        cx.access.check_any(&["CREATE USER", "APPLICATION_PASSWORD_ADMIN"])?;
    }
    if old.discard {
        record.second_auth_string.clear();
        return Ok(());
    }
    let own = cx.is_own(name);
    match &old.replace {
        Some(_) if !own => Err(SqlError::new(code::ER_CURRENT_PASSWORD_NOT_REQUIRED, &[])),
        Some(password) if record.is_password(password.as_bytes()) => Ok(()),
        Some(_) => Err(SqlError::new(code::ER_INCORRECT_CURRENT_PASSWORD, &[])),
        None => {
            let wanted = match record.require_current {
                RequireCurrent::Default => cx.require_current,
                RequireCurrent::Yes => true,
                RequireCurrent::Optional => false,
            };
            if own && wanted && !record.auth_string.is_empty() {
                return Err(SqlError::new(code::ER_MISSING_CURRENT_PASSWORD, &[]));
            }
            Ok(())
        }
    }
}

/// Another password: what becomes of the one before.
pub(super) fn changed(
    name: &AccountName,
    record: &mut Record,
    auth: &Auth,
    retain: bool,
    cx: &AccountContext<'_>,
) -> Result<Option<RandomPassword>> {
    let (plugin, before) = (record.plugin.clone(), record.auth_string.clone());
    let generated = authenticate(name, record, auth, cx)?;
    let refused = |number| {
        Err(SqlError::new(number, &[name.user.as_str().into(), name.host.as_str().into()]))
    };
    let switched = plugin != record.plugin;
    if retain {
        if switched {
            return refused(code::ER_PASSWORD_CANNOT_BE_RETAINED_ON_PLUGIN_CHANGE);
        }
        if record.auth_string.is_empty() {
            return refused(code::ER_CURRENT_PASSWORD_CANNOT_BE_RETAINED);
        }
        if before.is_empty() {
            return refused(code::ER_SECOND_PASSWORD_CANNOT_BE_EMPTY);
        }
        record.second_auth_string = before;
    } else if switched || record.auth_string.is_empty() {
        record.second_auth_string.clear();
    }
    Ok(generated)
}

/// PASSWORD HISTORY and PASSWORD REUSE INTERVAL: refuses a password that was used too
/// lately, and remembers a new one.
///
/// Errors: 3638.
fn remember(
    name: &AccountName,
    record: &mut Record,
    password: Option<&[u8]>,
    stored: &[u8],
    cx: &AccountContext<'_>,
) -> Result<()> {
    let count = record.history.unwrap_or(cx.password_history);
    let days = record.reuse_days.unwrap_or(cx.password_reuse_days);
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(USED_PASSWORDS_MAX);
    let newest = record.used_passwords.len().saturating_sub(count);
    let since_ms = cx.now_ms.saturating_sub(days.saturating_mul(DAY_MS));
    let kept =
        |(at, (when, _)): &(usize, (u64, Vec<u8>))| *at >= newest || (days > 0 && *when > since_ms);
    let used = std::mem::take(&mut record.used_passwords);
    let used: Vec<(u64, Vec<u8>)> =
        used.into_iter().enumerate().filter(kept).map(|(_, one)| one).collect();
    if (count == 0 && days == 0) || stored.is_empty() {
        record.used_passwords = used;
        return Ok(());
    }
    if password.is_some_and(|one| used.iter().any(|(_, form)| record.is_stored(form, one))) {
        let names = [name.user.as_str().into(), name.host.as_str().into()];
        return Err(SqlError::new(code::ER_CREDENTIALS_CONTRADICT_TO_HISTORY, &names));
    }
    record.used_passwords = used;
    if record.used_passwords.len() >= USED_PASSWORDS_MAX {
        record.used_passwords.remove(0);
    }
    record.used_passwords.push((cx.now_ms, stored.to_vec()));
    Ok(())
}

/// IDENTIFIED …
pub(super) fn authenticate(
    name: &AccountName,
    record: &mut Record,
    auth: &Auth,
    cx: &AccountContext<'_>,
) -> Result<Option<RandomPassword>> {
    let plugin_name = auth.plugin.as_ref().map_or(record.plugin.as_str(), |one| one.as_str());
    let known = [AuthPlugin::CachingSha2Password, AuthPlugin::NativePassword]
        .into_iter()
        .find(|plugin| plugin.name().eq_ignore_ascii_case(plugin_name));
    let Some(plugin) = known else {
        return Err(SqlError::new(code::ER_PLUGIN_IS_NOT_LOADED, &[plugin_name.into()]));
    };
    let stored = |password: &[u8]| {
        plugin
            .stored_form(password)
            .map_err(|error| SqlError::signal(error.number, error.sqlstate, error.message))
    };
    let mut generated = None;
    let mut plain: Option<Vec<u8>> = None;
    let form = match &auth.secret {
        Secret::None => Vec::new(),
        Secret::Password(password) => {
            plain = Some(password.as_bytes().to_vec());
            stored(password.as_bytes())?
        }
        Secret::Random => {
            let count = cx.random_password_chars.clamp(5, 255);
            let limit = PASSWORD_CHARS.len() as u64;
            let one = |_| Ok(char::from(PASSWORD_CHARS[((cx.random)()? % limit) as usize]));
            let password = (0..count).map(one).collect::<Result<String>>()?;
            let stored = stored(password.as_bytes())?;
            generated = Some(RandomPassword { account: name.clone(), password });
            stored
        }
        Secret::Hash(hash) if hash.is_empty() || is_stored_form(plugin, hash) => hash.to_vec(),
        Secret::Hash(_) => return Err(SqlError::new(code::ER_PASSWORD_FORMAT, &[])),
    };
    if record.plugin != plugin.name() {
        // Forms of the other plugin say nothing of passwords of this one.
        record.plugin = plugin.name().to_owned();
        record.used_passwords.clear();
    }
    remember(name, record, plain.as_deref(), &form, cx)?;
    record.auth_string = form;
    (record.changed_ms, record.expired) = (cx.now_ms, false);
    Ok(generated)
}

/// Whether a hash has the form that the plugin stores.
fn is_stored_form(plugin: AuthPlugin, hash: &[u8]) -> bool {
    match plugin {
        AuthPlugin::CachingSha2Password => {
            hash.len() == 70 && hash.starts_with(b"$A$") && hash.get(6) == Some(&b'$')
        }
        AuthPlugin::NativePassword => {
            hash.len() == 41
                && hash.first() == Some(&b'*')
                && hash.iter().skip(1).all(u8::is_ascii_hexdigit)
        }
    }
}
