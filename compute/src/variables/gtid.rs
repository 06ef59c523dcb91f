//! The texts of `gtid_next` and `gtid_purged`. Firn has no binary log: they are
//! checked, kept and shown, so that dumps can be restored, and have no effect.

use firn_mysql_semantics::error::{SqlError, code};

fn is_uuid(text: &str) -> bool {
    let parts = text.trim().split('-').map(str::len);
    parts.eq([8, 4, 4, 4, 12])
        && text.trim().bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|number| (1..i64::MAX as u64).contains(number))
}

/// `UUID:1-5:7, UUID:…`, perhaps with a plus before it.
pub(super) fn is_set(text: &str) -> bool {
    let text = text.trim().trim_start_matches('+');
    text.split(',').filter(|part| !part.trim().is_empty()).all(|part| {
        let mut parts = part.split(':');
        let known = parts.next().is_some_and(is_uuid);
        let mut ranges = 0;
        let good = parts.all(|range| {
            ranges += 1;
            match range.split_once('-') {
                Some((from, to)) => number(from).is_some() && number(to).is_some(),
                None => number(range).is_some(),
            }
        });
        known && good && ranges > 0
    })
}

/// AUTOMATIC and ANONYMOUS, as they are written then.
///
/// # Errors
///
/// 1774 for what is none; 1235 for a transaction's own number.
pub(super) fn next(text: &str) -> Result<&'static str, SqlError> {
    for word in ["AUTOMATIC", "ANONYMOUS"] {
        if text.eq_ignore_ascii_case(word) {
            return Ok(word);
        }
    }
    match text.rsplit_once(':') {
        Some((uuid, at)) if is_uuid(uuid) && number(at).is_some() => {
            Err(SqlError::not_supported_yet("SET gtid_next to a number"))
        }
        _ => Err(SqlError::new(code::ER_MALFORMED_GTID_SPECIFICATION, &[text.into()])),
    }
}
