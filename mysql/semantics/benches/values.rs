//! What decimals and dates cost: `cargo bench -p firn-mysql-semantics --bench values`.
//!
//! Prints nanoseconds per call, the least of many rounds, over operands that
//! change from call to call. Runs for about five seconds.

#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod measure;

use std::hint::black_box;
use std::time::Duration;

use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::temporal::{DateMode, parse_by_format, parse_datetime, parse_time};

/// Nanoseconds of one call over the inputs, one after another.
fn least<T>(inputs: &[T], mut work: impl FnMut(&T)) -> f64 {
    let all = measure::least(Duration::from_millis(100), || {
        for input in inputs {
            work(black_box(input));
        }
    });
    all / inputs.len() as f64
}

fn report(what: &str, kind: &str, nanoseconds: f64) {
    println!("{what:20} {kind:28} {nanoseconds:9.1}");
}

/// Pairs of numbers of `digits` digits, `scale` of them after the point.
fn pairs(digits: usize, scale: usize) -> Vec<(Decimal, Decimal)> {
    // A linear congruence: the numbers only have to differ.
    let mut state = 42_u64;
    let mut number = || {
        let text: String = (0..digits)
            .map(|at| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let digit = (state >> 33) % 10;
                // No leading zeros, so that all have as many digits.
                char::from(b'0' + if at == 0 { digit.max(1) } else { digit } as u8)
            })
            .collect();
        let (whole, fraction) = text.split_at(digits - scale);
        Decimal::parse(&format!("{whole}.{fraction}")).expect("a number")
    };
    (0..1000).map(|_| (number(), number())).collect()
}

fn decimals() {
    for (digits, scale) in [(9, 2), (18, 4), (38, 10), (65, 30)] {
        let kind = format!("DECIMAL({digits},{scale})");
        let pairs = pairs(digits, scale);
        let each = |what: &str, work: &dyn Fn(&Decimal, &Decimal)| {
            report(what, &kind, least(&pairs, |(a, b)| work(a, b)));
        };
        each("add", &|a, b| {
            let _ = black_box(a.add(b));
        });
        each("multiply", &|a, b| {
            let _ = black_box(a.mul(b));
        });
        each("divide", &|a, b| {
            let _ = black_box(a.div(b, 4, (scale as u8 + 4).min(30)));
        });
        each("compare", &|a, b| {
            black_box(a.cmp(b));
        });
        let texts: Vec<String> = pairs.iter().map(|(a, _)| a.to_string()).collect();
        report(
            "parse",
            &kind,
            least(&texts, |text| {
                black_box(Decimal::parse(text));
            }),
        );
        let mut out = Vec::with_capacity(100);
        report(
            "print",
            &kind,
            least(&pairs, |(a, _)| {
                out.clear();
                a.write_text(&mut out);
                black_box(&out);
            }),
        );
    }
}

fn dates() {
    let texts = |shape: fn(usize) -> String| (0..1000).map(shape).collect::<Vec<_>>();
    let date = |n: usize| format!("{:04}-{:02}-{:02}", 1970 + n % 80, 1 + n % 12, 1 + n % 28);
    let datetime = |n: usize| {
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            1970 + n % 80,
            1 + n % 12,
            1 + n % 28,
            n % 24,
            n % 60,
            n * 7 % 60
        )
    };
    let micros = |n: usize| {
        format!("2024-{:02}-{:02} {:02}:15:16.{:06}", 1 + n % 12, 1 + n % 28, n % 24, n * 997)
    };
    let time = |n: usize| format!("{:02}:{:02}:{:02}", n % 24, n % 60, n * 7 % 60);
    for (kind, texts) in [
        ("YYYY-MM-DD", texts(date)),
        ("YYYY-MM-DD hh:mm:ss", texts(datetime)),
        ("YYYY-MM-DD hh:mm:ss.ffffff", texts(micros)),
    ] {
        report(
            "parse_datetime",
            kind,
            least(&texts, |text| {
                black_box(parse_datetime(text.as_bytes(), DateMode::REAL));
            }),
        );
    }
    let times = texts(time);
    report(
        "parse_time",
        "hh:mm:ss",
        least(&times, |text| {
            black_box(parse_time(text.as_bytes()));
        }),
    );
    let values: Vec<_> = texts(micros)
        .iter()
        .filter_map(|text| parse_datetime(text.as_bytes(), DateMode::REAL).value)
        .collect();
    let mut out = Vec::with_capacity(32);
    report(
        "print a date",
        "YYYY-MM-DD hh:mm:ss.ffffff",
        least(&values, |value| {
            out.clear();
            value.write_text(6, &mut out);
            black_box(&out);
        }),
    );
    report(
        "parse_by_format",
        "%Y-%m-%d %H:%i:%s",
        least(&texts(datetime), |text| {
            let _ = black_box(parse_by_format(text.as_bytes(), b"%Y-%m-%d %H:%i:%s"));
        }),
    );
}

fn main() {
    println!("{:20} {:28} {:>9}", "what", "of", "ns");
    decimals();
    dates();
}
