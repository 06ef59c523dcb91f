use crate::server::{Answer, ask, generator};
use firn_mysql_semantics::temporal::{
    DateMode, DateTime, DelimiterFault, Interval, IntervalUnit, OffsetError, ParsedDateTime,
    ParsedTime, TimeOrDateTime, datetime_from_number, is_simple_unit, parse_datetime, parse_time,
    take_offset, time_from_number,
};
use rand::RngExt as _;
use rand::rngs::SmallRng;

fn pick<'s>(rng: &mut SmallRng, all: &[&'s str]) -> &'s str {
    all[rng.random_range(0..all.len())]
}

/// Texts like dates and times: whole ones, and ones with a part broken.
fn text(rng: &mut SmallRng) -> String {
    let mut out = String::new();
    let year = match rng.random_range(0..6) {
        0 => format!("{:02}", rng.random_range(0..100)),
        1 => "0000".to_owned(),
        2 => rng.random_range(0..12000).to_string(),
        _ => rng.random_range(1000..3000).to_string(),
    };
    let two = |rng: &mut SmallRng, limit: u32| match rng.random_range(0..8) {
        0 => rng.random_range(0..100).to_string(),
        1 => rng.random_range(0..10).to_string(),
        2 => "00".to_owned(),
        _ => format!("{:02}", rng.random_range(0..limit)),
    };
    let date = |rng: &mut SmallRng| {
        let separator =
            if rng.random_bool(0.8) { "-" } else { pick(rng, &["", "/", ".", ":", "--"]) };
        format!("{year}{separator}{}{separator}{}", two(rng, 13), two(rng, 32))
    };
    let time = |rng: &mut SmallRng| {
        let separator = if rng.random_bool(0.8) { ":" } else { pick(rng, &["", "-", ".", "::"]) };
        let hour =
            if rng.random_bool(0.2) { rng.random_range(0..900).to_string() } else { two(rng, 24) };
        let mut text = hour;
        for _ in 0..rng.random_range(0..3) {
            text += &format!("{separator}{}", two(rng, 60));
        }
        if rng.random_bool(0.4) {
            text += pick(
                rng,
                &[
                    ".",
                    ".1",
                    ".123456",
                    ".999999",
                    ".9999995",
                    ".1234567",
                    ".123456x",
                    ".5",
                    ".4999999999",
                    ".000000",
                ],
            );
        }
        text
    };
    match rng.random_range(0..8) {
        0 => out += &date(rng),
        1 => out += &time(rng),
        2 => {
            let days = rng.random_range(0..40);
            out += &format!("{days} {}", time(rng));
        }
        3 => {
            for _ in 0..rng.random_range(1..16) {
                out.push(char::from(rng.random_range(b'0'..=b'9')));
            }
            out += pick(rng, &["", "", ".5", ".9999999", "T1", "e1"]);
        }
        _ => {
            let date = date(rng);
            let join =
                if rng.random_bool(0.7) { " " } else { pick(rng, &["T", "  ", "-", "", "x", ":"]) };
            out += &format!("{date}{join}{}", time(rng));
        }
    }
    if rng.random_bool(0.1) {
        out += pick(
            rng,
            &[
                "x", " ", "+05:30", "-08:00", "Z", ".", ":", "-", " x", "e5", "+14:01", "-00:00",
                "+5:00",
            ],
        );
    }
    if rng.random_bool(0.05) {
        out.insert_str(0, pick(rng, &[" ", "-", "x", "+"]));
    }
    if rng.random_bool(0.05) && !out.is_empty() {
        let at = rng.random_range(0..out.len());
        out.remove(at);
    }
    out
}

fn shown(text: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    text(&mut out);
    String::from_utf8(out).unwrap()
}

/// The connection's zone is UTC.
fn in_utc(value: DateTime, offset_seconds: i32) -> Option<DateTime> {
    DateTime::from_linear_micros(value.linear_micros() - i64::from(offset_seconds) * 1_000_000)
}

/// What CAST(… AS DATETIME(6)) makes of a text.
fn as_datetime(parsed: &ParsedDateTime) -> Result<Option<String>, OffsetError> {
    let parsed = parsed.without_offset(false, in_utc)?;
    let value = parsed.value.and_then(|value| value.with_nanoseconds(parsed.nanoseconds, false));
    Ok(value.map(|value| shown(|out| value.write_text(6, out))))
}

fn as_time(parsed: &ParsedTime) -> Result<Option<String>, OffsetError> {
    let time = match (parsed.value, parsed.offset_seconds) {
        (None, _) => return Ok(None),
        (Some(TimeOrDateTime::Time(time)), _) => time,
        (Some(TimeOrDateTime::DateTime(value)), None) => value.time(),
        (Some(TimeOrDateTime::DateTime(value)), Some(offset)) => {
            take_offset(value, offset, in_utc)?.time()
        }
    };
    let time = time.with_nanoseconds(parsed.nanoseconds, false);
    Ok(Some(shown(|out| time.write_text(6, out))))
}

const MODES: [(&str, DateMode); 3] = [
    ("STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE", DateMode::REAL),
    (
        "",
        DateMode {
            no_zero_in_date: false,
            no_zero_date: false,
            allow_invalid: false,
            datetime_only: false,
        },
    ),
    (
        "ALLOW_INVALID_DATES",
        DateMode {
            no_zero_in_date: false,
            no_zero_date: false,
            allow_invalid: true,
            datetime_only: false,
        },
    ),
];

struct Differences(usize, usize);

impl Differences {
    fn note(&mut self, what: &str, ours: &dyn std::fmt::Debug, theirs: &Answer) {
        self.0 += 1;
        if self.0 <= 40 {
            println!(
                "{what}: ours {ours:?}, theirs {:?} {:?} {:?}",
                theirs.row, theirs.warnings, theirs.error
            );
        }
    }

    fn check(
        &mut self,
        what: &str,
        ours: Result<Option<String>, OffsetError>,
        warned: bool,
        theirs: &Answer,
    ) {
        self.1 += 1;
        if what.contains("0000") && (what.contains("+05:30") || what.contains("-08:00")) {
            // Year 0 has no offsets.
            return;
        }
        let same = match (&ours, &theirs.error) {
            (Err(OffsetError(shown)), Some((number, message))) => {
                *number == 1292
                    && *message == format!("Truncated incorrect temporal value: '{shown}'")
            }
            (Ok(ours), None) => {
                let their_value = theirs.row.first().cloned().flatten();
                let their_warned =
                    theirs.warnings.iter().any(|(number, _)| !matches!(number, 4095 | 4096));
                *ours == their_value && warned == their_warned
            }
            _ => false,
        };
        if !same {
            self.note(what, &(ours, warned), theirs);
        }
    }

    fn end(self) {
        assert_eq!(self.0, 0, "of {}", self.1);
    }
}

#[test]
#[ignore = "needs a MySQL server: MYSQL_CLI"]
fn texts_become_the_server_s_dates_and_times() {
    let mut rng = generator();
    let mut differences = Differences(0, 0);
    for (mode, flags) in MODES {
        let texts: Vec<String> = (0..3000).map(|_| text(&mut rng)).collect();
        let statements: Vec<String> = texts
            .iter()
            .flat_map(|text| {
                ["DATETIME(6)", "TIME(6)"].map(|ty| format!("SELECT CAST('{text}' AS {ty})"))
            })
            .collect();
        let answers = ask(&format!("SET sql_mode='{mode}', time_zone='+00:00';"), &statements);
        for (text, answers) in texts.iter().zip(answers.chunks(2)) {
            let parsed = parse_datetime(text.as_bytes(), flags);
            let value = as_datetime(&parsed);
            let value_known = matches!(value, Ok(Some(_)));
            let warned = !parsed.warnings.is_empty() || !value_known;
            differences.check(&format!("[{mode}] {text:?} datetime"), value, warned, &answers[0]);
            let told =
                answers[0].warnings.iter().find(|(number, _)| matches!(number, 4095 | 4096)).map(
                    |(number, text)| {
                        let position = text.split("position ").nth(1).unwrap();
                        (*number, position.split(' ').next().unwrap().parse().unwrap())
                    },
                );
            let ours = parsed.odd_delimiter.map(|odd| match odd.fault {
                DelimiterFault::Unusual { .. } => (4095_u16, odd.position),
                DelimiterFault::Superfluous => (4096, odd.position),
            });
            // MySQL says nothing of a point after a single digit.
            let known = value_known && text.as_bytes().get(1) != Some(&b'.');
            if known && ours != told {
                differences.note(&format!("{text:?} delimiter"), &ours, &answers[0]);
            }
            let parsed = parse_time(text.as_bytes());
            let value = as_time(&parsed);
            let warned = !parsed.warnings.is_empty()
                || parsed.is_other
                || (value == Ok(None) && parsed.value.is_some());
            differences.check(&format!("[{mode}] {text:?} time"), value, warned, &answers[1]);
        }
    }
    differences.end();
}

#[test]
#[ignore = "needs a MySQL server: MYSQL_CLI"]
fn numbers_become_the_server_s_dates_and_times() {
    let mut rng = generator();
    let mut differences = Differences(0, 0);
    for (mode, flags) in MODES {
        let numbers: Vec<i64> = (0..2000)
            .map(|_| {
                let date = rng.random_range(0..3000) * 10_000
                    + rng.random_range(0..14) * 100
                    + rng.random_range(0..33);
                let time = rng.random_range(0..25) * 10_000
                    + rng.random_range(0..61) * 100
                    + rng.random_range(0..61);
                match rng.random_range(0..8) {
                    0 => date,
                    1 => date % 1_000_000,
                    2 => date * 1_000_000 + time,
                    3 => date % 1_000_000 * 1_000_000 + time,
                    4 => time * if rng.random_bool(0.5) { 1 } else { -1 },
                    5 => rng.random_range(-9_000_000..9_000_000),
                    6 => {
                        let digits = rng.random_range(1..17);
                        rng.random_range(0..10_i64.pow(digits))
                    }
                    _ => rng.random(),
                }
            })
            .collect();
        let statements: Vec<String> = numbers
            .iter()
            .flat_map(|n| ["DATETIME(6)", "TIME(6)"].map(|ty| format!("SELECT CAST({n} AS {ty})")))
            .collect();
        let answers = ask(&format!("SET sql_mode='{mode}';"), &statements);
        for (number, answers) in numbers.iter().zip(answers.chunks(2)) {
            let parsed = datetime_from_number(*number, 0, flags);
            let value = as_datetime(&parsed);
            let warned = !parsed.warnings.is_empty();
            differences.check(&format!("[{mode}] {number} datetime"), value, warned, &answers[0]);
            let parsed = time_from_number(*number, 0);
            let value = if parsed.warnings.is_empty() { as_time(&parsed) } else { Ok(None) };
            let warned = !parsed.warnings.is_empty();
            differences.check(&format!("[{mode}] {number} time"), value, warned, &answers[1]);
        }
    }
    differences.end();
}

/// A date at random: the calendar's whole range, often at its ends.
fn datetime(rng: &mut SmallRng) -> String {
    let year = match rng.random_range(0..4) {
        0 => rng.random_range(1..10),
        1 => rng.random_range(9990..10000),
        _ => rng.random_range(1..10000),
    };
    let month = rng.random_range(1..13);
    let day = match rng.random_range(0..3) {
        0 => 28,
        1 if month != 2 => 30,
        _ => rng.random_range(1..29),
    };
    let fraction = if rng.random_bool(0.3) {
        format!(".{:06}", rng.random_range(0..1_000_000))
    } else {
        String::new()
    };
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}{fraction}",
        rng.random_range(0..24),
        rng.random_range(0..60),
        rng.random_range(0..60)
    )
}

const UNITS: [(&str, IntervalUnit); 20] = [
    ("MICROSECOND", IntervalUnit::Microsecond),
    ("SECOND", IntervalUnit::Second),
    ("MINUTE", IntervalUnit::Minute),
    ("HOUR", IntervalUnit::Hour),
    ("DAY", IntervalUnit::Day),
    ("WEEK", IntervalUnit::Week),
    ("MONTH", IntervalUnit::Month),
    ("QUARTER", IntervalUnit::Quarter),
    ("YEAR", IntervalUnit::Year),
    ("SECOND_MICROSECOND", IntervalUnit::SecondMicrosecond),
    ("MINUTE_MICROSECOND", IntervalUnit::MinuteMicrosecond),
    ("MINUTE_SECOND", IntervalUnit::MinuteSecond),
    ("HOUR_MICROSECOND", IntervalUnit::HourMicrosecond),
    ("HOUR_SECOND", IntervalUnit::HourSecond),
    ("HOUR_MINUTE", IntervalUnit::HourMinute),
    ("DAY_MICROSECOND", IntervalUnit::DayMicrosecond),
    ("DAY_SECOND", IntervalUnit::DaySecond),
    ("DAY_MINUTE", IntervalUnit::DayMinute),
    ("DAY_HOUR", IntervalUnit::DayHour),
    ("YEAR_MONTH", IntervalUnit::YearMonth),
];

#[test]
#[ignore = "needs a MySQL server: MYSQL_CLI"]
fn intervals_are_added_as_the_server_does() {
    let mut rng = generator();
    let mut differences = Differences(0, 0);
    let cases: Vec<(String, String, IntervalUnit, &str)> = (0..6000)
        .map(|_| {
            let (name, unit) = UNITS[rng.random_range(0..UNITS.len())];
            let amount = if is_simple_unit(unit) {
                let digits = rng.random_range(1..20);
                rng.random_range(-10_i64.pow(digits.min(18))..10_i64.pow(digits.min(18)))
                    .to_string()
            } else {
                let mut text = pick(&mut rng, &["", "", "-", " -", "x"]).to_owned();
                for at in 0..rng.random_range(1..6) {
                    if at > 0 {
                        text += pick(&mut rng, &[":", " ", ".", "-", ", "]);
                    }
                    let limit = 10_i64.pow(rng.random_range(1..8));
                    text += &rng.random_range(0..limit).to_string();
                }
                text
            };
            (datetime(&mut rng), amount, unit, name)
        })
        .collect();
    let statements: Vec<String> = cases
        .iter()
        .map(|(date, amount, unit, name)| {
            let quote = if is_simple_unit(*unit) { "" } else { "'" };
            format!("SELECT CAST('{date}' AS DATETIME(6)) + INTERVAL {quote}{amount}{quote} {name}")
        })
        .collect();
    let answers = ask("SET sql_mode='';", &statements);
    for ((case, statement), answer) in cases.iter().zip(&statements).zip(&answers) {
        let (date, amount, unit, _) = case;
        let start = parse_datetime(date.as_bytes(), DateMode::REAL).value.unwrap();
        let interval = if is_simple_unit(*unit) {
            Interval::of_number(*unit, amount.parse().unwrap(), 0)
        } else {
            Interval::of_text(*unit, amount.as_bytes())
        };
        let result = interval.and_then(|interval| start.add_interval(&interval));
        let warned = result.is_none();
        let value = result.map(|value| shown(|out| value.write_text(6, out)));
        differences.check(statement, Ok(value), warned, answer);
    }
    differences.end();
}
