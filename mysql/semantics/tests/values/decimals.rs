//! Arithmetic of decimals, over all precisions and scales and at their ends.

use crate::server::{Answer, ask, generator};
use firn_mysql_semantics::decimal::{Decimal, DecimalError, Fit, MAX_SCALE, Rounding};
use rand::RngExt as _;
use rand::rngs::SmallRng;

/// A number as SQL and as we read it. Literals end with their point where they
/// have no fraction, which makes them decimals.
struct Operand {
    sql: String,
    value: Decimal,
}

/// At most 65 digits, 30 of them after the point: at random, all nines, a power of
/// ten, or few digits other than 0.
fn operand(rng: &mut SmallRng) -> Operand {
    let precision = match rng.random_range(0..4) {
        0 => rng.random_range(1..10),
        1 => rng.random_range(1..40),
        2 => rng.random_range(60..66),
        _ => rng.random_range(1..66),
    };
    let scale = match rng.random_range(0..5) {
        0 => 0,
        1 => precision.min(30),
        // At the edges of the words that MySQL computes in.
        2 => (9 * rng.random_range(0..4) + rng.random_range(0..2)).min(precision).min(30),
        _ => rng.random_range(0..=precision.min(30)),
    };
    let style = rng.random_range(0..6);
    let digits: String = (0..precision)
        .map(|at| match style {
            0 => '9',
            1 => char::from(if at == 0 { b'1' } else { b'0' }),
            2 if rng.random_bool(0.85) => '0',
            3 if at + 1 < precision => '0',
            _ => char::from(rng.random_range(b'0'..=b'9')),
        })
        .collect();
    // Zeros before the number take room from the server's results.
    let digits = if digits.starts_with('0') && scale < precision {
        format!("1{}", &digits[1..])
    } else {
        digits
    };
    let (whole, fraction) = digits.split_at(precision - scale);
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if rng.random_bool(0.4) { "-" } else { "" };
    let text = format!("{sign}{whole}.{fraction}");
    let value = Decimal::parse(&text).expect("a number");
    Operand { sql: if sign.is_empty() { text } else { format!("({text})") }, value }
}

/// What is computed, with how SQL writes it and the scale that its type has.
struct Case {
    sql: String,
    ours: Result<String, DecimalError>,
    /// A cast saturates with this warning.
    warning: Option<u16>,
}

/// As a column of results shows it: with its type's digits after the point as far
/// as there is room.
fn text(value: &Decimal, scale: u8) -> String {
    value.round(scale.into(), Rounding::HalfUp).as_ref().unwrap_or(value).to_string()
}

fn whole(value: &Decimal) -> Result<String, DecimalError> {
    value
        .to_i64(Rounding::Truncate)
        .map(|whole| whole.to_string())
        .map_err(|_| DecimalError::Overflow)
}

/// One operator on two operands whose types have the scales given.
fn binary(
    operator: u32,
    (a, a_scale): (&Decimal, u8),
    (b, b_scale): (&Decimal, u8),
    increment: u8,
) -> (&'static str, Result<Decimal, DecimalError>, u8) {
    let larger = a_scale.max(b_scale);
    match operator {
        0 => ("+", a.add(b), larger),
        1 => ("-", a.sub(b), larger),
        2 => ("*", a.mul(b), (a_scale + b_scale).min(MAX_SCALE)),
        3 => {
            let scale = (a_scale + increment).min(MAX_SCALE);
            ("/", a.div(b, increment, scale), scale)
        }
        _ => ("MOD", a.rem(b), larger),
    }
}

fn case(rng: &mut SmallRng, increment: u8) -> Case {
    let (a, b) = (operand(rng), operand(rng));
    let plain = |sql, ours| Case { sql, ours, warning: None };
    let (left, right) = ((&a.value, a.value.scale()), (&b.value, b.value.scale()));
    let places: i32 = rng.random_range(-66..32);
    match rng.random_range(0..16) {
        0..8 => {
            let (operator, ours, scale) = binary(rng.random_range(0..5), left, right, increment);
            plain(format!("{} {operator} {}", a.sql, b.sql), ours.map(|value| text(&value, scale)))
        }
        8..11 => {
            // What an operator gave may have more digits than any column.
            let (first, inner, scale) = binary(rng.random_range(0..5), left, right, increment);
            let c = operand(rng);
            let second = rng.random_range(0..5);
            let (second_sql, ..) = binary(second, left, right, increment);
            let sql = format!("({} {first} {}) {second_sql} {}", a.sql, b.sql, c.sql);
            let right = (&c.value, c.value.scale());
            let ours = inner.and_then(|value| binary(second, (&value, scale), right, increment).1);
            let (_, _, whole_scale) = binary(second, (&Decimal::ZERO, scale), right, increment);
            plain(sql, ours.map(|value| text(&value, whole_scale)))
        }
        11 => plain(
            format!("{} DIV {}", a.sql, b.sql),
            a.value.div_integer(&b.value).and_then(|value| whole(&value)),
        ),
        12 | 13 => {
            let (name, rounding) = if rng.random_bool(0.5) {
                ("ROUND", Rounding::HalfUp)
            } else {
                ("TRUNCATE", Rounding::Truncate)
            };
            let to = places.min(i32::from(a.value.scale()));
            let ours = a.value.round(to, rounding).ok_or(DecimalError::Overflow);
            plain(format!("{name}({}, {places})", a.sql), ours.map(|value| value.to_string()))
        }
        14 => {
            let order = a.value.cmp(&b.value);
            let sql = format!("CONCAT({0} < {1}, {0} = {1}, {0} > {1})", a.sql, b.sql);
            let ours =
                [order.is_lt(), order.is_eq(), order.is_gt()].map(|is| u8::from(is).to_string());
            plain(sql, Ok(ours.concat()))
        }
        _ => {
            let precision: u8 = rng.random_range(1..66);
            let scale = rng.random_range(0..=precision.min(30));
            let (value, fit) = a.value.fit(precision, scale);
            Case {
                sql: format!("CAST({} AS DECIMAL({precision},{scale}))", a.sql),
                ours: Ok(value.to_string()),
                warning: (fit == Fit::OutOfRange).then_some(1264),
            }
        }
    }
}

/// Do they differ in zeros at the end alone, where the digits are more than a
/// column has? The server remembers that an operand had more digits before the
/// point and leaves them their room.
fn differs_in_zeros(case: &Case, theirs: &Answer) -> bool {
    let (Ok(ours), [Some(theirs)]) = (&case.ours, theirs.row.as_slice()) else { return false };
    let digits = ours.bytes().filter(u8::is_ascii_digit).count();
    let numbers = (Decimal::parse(ours), Decimal::parse(theirs));
    digits > 65 && matches!(numbers, (Some(ours), Some(theirs)) if ours == theirs)
}

fn difference(case: &Case, theirs: &Answer) -> Option<String> {
    let same = match (&case.ours, &theirs.error) {
        (Ok(ours), None) => {
            let warnings: Vec<u16> = theirs.warnings.iter().map(|(number, _)| *number).collect();
            theirs.row == [Some(ours.clone())] && warnings == Vec::from_iter(case.warning)
        }
        (Err(DecimalError::DivisionByZero), None) => {
            theirs.row == [None] && theirs.warnings.iter().all(|(number, _)| *number == 1365)
        }
        (Err(DecimalError::Overflow), Some((number, _))) => *number == 1690,
        _ => false,
    };
    (!same).then(|| format!("{}: ours {:?}, theirs {theirs:?}", case.sql, case.ours))
}

#[test]
#[ignore = "needs a MySQL server: MYSQL_CLI"]
fn decimals_are_computed_as_the_server_does() {
    let mut rng = generator();
    let rounds =
        std::env::var("FIRN_TEST_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(5000);
    let (mut count, mut different, mut in_zeros) = (0, 0, 0);
    for increment in [4, 0, 1, 9, 30] {
        let cases: Vec<Case> = (0..rounds).map(|_| case(&mut rng, increment)).collect();
        let statements: Vec<String> =
            cases.iter().map(|case| format!("SELECT {}", case.sql)).collect();
        let setup = format!("SET SESSION div_precision_increment={increment};");
        for (case, answer) in cases.iter().zip(ask(&setup, &statements)) {
            count += 1;
            if let Some(text) = difference(case, &answer) {
                if differs_in_zeros(case, &answer) {
                    in_zeros += 1;
                    continue;
                }
                different += 1;
                if different <= 40 {
                    println!("increment {increment}: {text}");
                }
            }
        }
    }
    println!("{in_zeros} of {count} differ in zeros at the end alone");
    assert_eq!(different, 0, "of {count}");
    assert!(in_zeros * 500 < count, "{in_zeros} of {count} differ in zeros at the end");
}
