//! TIMESTAMP, which is stored in UTC and shown in a session's zone.
//!
//! What is not a moment (`0000-00-00 00:00:00`) is the same in all zones.

use firn_mysql_semantics::temporal::DateTime;
use firn_mysql_semantics::temporal::zone::TimeZone;

const UTC: TimeZone = TimeZone::Offset(0);

/// A TIMESTAMP of a session as it is stored.
#[must_use]
pub fn timestamp_to_utc(local: DateTime, zone: &TimeZone) -> DateTime {
    convert(local, zone, &UTC)
}

/// A stored TIMESTAMP as a session sees it.
#[must_use]
pub fn timestamp_from_utc(stored: DateTime, zone: &TimeZone) -> DateTime {
    convert(stored, &UTC, zone)
}

#[inline]
fn convert(at: DateTime, from: &TimeZone, to: &TimeZone) -> DateTime {
    if let (TimeZone::Offset(from), TimeZone::Offset(to)) = (from, to)
        && from == to
    {
        return at;
    }
    let moment = from.to_utc(at);
    moment.and_then(|utc| to.from_utc(utc.seconds, at.microsecond())).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use firn_mysql_semantics::temporal::Date;

    #[test]
    fn there_and_back() {
        let at = |day, hour| {
            let date = Date::new(2024, 6, day).unwrap();
            DateTime::new(date, hour, 30, 0, 5).unwrap()
        };
        for (zone, utc) in [("+02:00", at(1, 22)), ("Europe/Berlin", at(1, 22)), ("UTC", at(2, 0))]
        {
            let zone = TimeZone::parse(zone).unwrap();
            assert_eq!(timestamp_to_utc(at(2, 0), &zone), utc);
            assert_eq!(timestamp_from_utc(utc, &zone), at(2, 0));
            assert_eq!(timestamp_to_utc(DateTime::ZERO, &zone), DateTime::ZERO);
            assert_eq!(timestamp_from_utc(DateTime::ZERO, &zone), DateTime::ZERO);
        }
    }
}
