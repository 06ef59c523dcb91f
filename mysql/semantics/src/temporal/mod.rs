//! Dates and times as MySQL has them: [`Date`], [`Time`], [`DateTime`], each one
//! packed integer, with zero dates, sql_mode, every form of text that MySQL takes,
//! fractions of seconds, and arithmetic.
//!
//! Nothing here warns: reading says what was wrong ([`TemporalWarnings`]), and the
//! caller, who knows the statement, makes warnings or errors of it.

mod date;
mod datetime;
pub(crate) mod format;
mod interval;
mod mode;
mod offset;
mod parse;
mod parse_time;
mod print;
#[cfg(test)]
mod tests;
mod time;
pub mod zone;

pub use date::{Date, WeekMode, days_in_month, is_leap_year};
pub use datetime::DateTime;
pub use format::{FormatMismatch, FormatParts, Formatted, parse_by_format};
pub use interval::{
    Interval, IntervalUnit, is_simple_unit, is_unit_of_dates, timestamp_diff, unit_has_microseconds,
};
pub use mode::{DateMode, DelimiterFault, OddDelimiter, TemporalWarnings};
pub use offset::{OffsetError, take_offset};
pub use parse::{ParsedDateTime, datetime_from_number, parse_datetime};
pub use parse_time::{ParsedTime, TimeOrDateTime, parse_time, time_from_number};
pub use time::Time;
