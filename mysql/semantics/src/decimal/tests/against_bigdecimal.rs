//! Random numbers against another implementation.

use crate::decimal::{Decimal, Rounding};
use bigdecimal::{BigDecimal, RoundingMode};
use rand::RngExt as _;
use rand::rngs::SmallRng;
use std::str::FromStr as _;

/// A decimal's text of up to 65 digits: often short, often at a border.
fn text(rng: &mut SmallRng) -> String {
    let precision: usize = match rng.random_range(0..4) {
        0 => rng.random_range(1..=5),
        1 => rng.random_range(17..=21),
        2 => rng.random_range(36..=41),
        _ => rng.random_range(1..=65),
    };
    let scale = rng.random_range(0..=precision.min(30));
    let kind = rng.random_range(0..4);
    let mut digits: String = (0..precision)
        .map(|at| match kind {
            0 => '9',
            1 if at > 0 => '0',
            _ => char::from(rng.random_range(b'0'..=b'9')),
        })
        .collect();
    if scale > 0 {
        digits.insert(precision - scale, '.');
    }
    if digits.starts_with('.') {
        digits.insert(0, '0');
    }
    if rng.random_bool(0.4) { format!("-{digits}") } else { digits }
}

fn big(decimal: &Decimal) -> BigDecimal {
    BigDecimal::from_str(&decimal.to_string()).unwrap()
}

fn run(rounds: u32, mut one: impl FnMut(&mut SmallRng)) {
    let mut rng = crate::random::generator();
    for _ in 0..rounds {
        one(&mut rng);
    }
}

#[test]
fn arithmetic_and_order_agree() {
    run(20_000, |rng| {
        let (a, b) = (text(rng), text(rng));
        let (x, y) = (Decimal::parse(&a).unwrap(), Decimal::parse(&b).unwrap());
        let (p, q) = (BigDecimal::from_str(&a).unwrap(), BigDecimal::from_str(&b).unwrap());
        assert_eq!(big(&x), p, "{a}");
        assert_eq!(x.cmp(&y), p.cmp(&q), "{a} <=> {b}");
        // Nine words of nine digits have no room for all digits after the point.
        let cut = |whole: BigDecimal, ours: &Decimal| {
            whole.with_scale_round(i64::from(ours.scale()), RoundingMode::Down)
        };
        let (sum, difference) = (x.add(&y).unwrap(), x.sub(&y).unwrap());
        assert!(sum.scale() >= 9 || sum.scale() == x.scale().max(y.scale()), "{a} + {b}");
        assert_eq!(big(&sum), cut(p.clone(), &sum) + cut(q.clone(), &sum), "{a} + {b}");
        let cut_both = cut(p.clone(), &difference) - cut(q.clone(), &difference);
        assert_eq!(big(&difference), cut_both, "{a} - {b}");
        if let Ok(product) = x.mul(&y) {
            let (whole, ours) = (&p * &q, big(&product));
            let words = |digits: u8| digits.div_ceil(9);
            let needed = words(x.integer_digits() + y.integer_digits())
                + words(x.scale())
                + words(y.scale());
            if needed <= 9 {
                let scale = i64::from((x.scale() + y.scale()).min(30));
                let rounded = whole.with_scale_round(scale, RoundingMode::HalfUp);
                assert_eq!(ours, rounded, "{a} * {b}");
            }
        }
        if !y.is_zero() {
            let rest = x.rem(&y).unwrap();
            assert_eq!(big(&rest), cut(&p % &q, &rest), "{a} % {b}");
            let scale = (x.scale() + 4).min(30);
            let quotient = x.div(&y, 4, scale).unwrap();
            // Off by less than a unit of the last digit, cut off or rounded.
            let left = &p - &q * big(&quotient);
            let unit = BigDecimal::new(1.into(), i64::from(quotient.scale()));
            assert!(left.abs() < q.abs() * unit, "{a} / {b} = {quotient}");
            if let Ok(whole) = x.div_integer(&y) {
                assert_eq!(whole.scale(), 0);
                let left = (&p - &q * big(&whole)).abs();
                assert!(left < q.abs(), "{a} DIV {b} = {whole}");
            }
        }
    });
}

#[test]
fn rounding_agrees() {
    run(20_000, |rng| {
        let a = text(rng);
        let (x, p) = (Decimal::parse(&a).unwrap(), BigDecimal::from_str(&a).unwrap());
        let scale = rng.random_range(-70..=30);
        for (ours, theirs) in [
            (Rounding::HalfUp, RoundingMode::HalfUp),
            (Rounding::Truncate, RoundingMode::Down),
            (Rounding::Ceiling, RoundingMode::Ceiling),
            (Rounding::Floor, RoundingMode::Floor),
        ] {
            let rounded = x.round(scale, ours).unwrap();
            let expected = p.with_scale_round(i64::from(scale), theirs);
            assert_eq!(big(&rounded), expected, "{a} to {scale} {ours:?}");
        }
    });
}

#[test]
fn byte_forms_come_back_and_keys_keep_the_order() {
    run(20_000, |rng| {
        let (x, y) = (Decimal::parse(&text(rng)).unwrap(), Decimal::parse(&text(rng)).unwrap());
        let (mut key_x, mut key_y, mut compact) = (Vec::new(), Vec::new(), Vec::new());
        x.write_key(&mut key_x);
        y.write_key(&mut key_y);
        assert_eq!(key_x.cmp(&key_y), x.cmp(&y), "{x} {y}");
        let len = key_x.len();
        key_x.extend_from_slice(&key_y);
        assert_eq!(Decimal::read_key(&key_x), Ok((x.clone(), len)));
        x.write_compact(&mut compact);
        let back = Decimal::read_compact(&compact).unwrap();
        assert_eq!((back.to_string(), back.scale()), (x.to_string(), x.scale()));
    });
}

#[test]
fn bytes_at_random_are_refused_or_are_numbers() {
    run(50_000, |rng| {
        let len = rng.random_range(0..50);
        let bytes: Vec<u8> = (0..len).map(|_| rng.random()).collect();
        if let Ok((value, used)) = Decimal::read_key(&bytes) {
            assert!(used <= bytes.len() && value.precision() <= 82);
        }
        if let Ok(value) = Decimal::read_compact(&bytes) {
            let mut again = Vec::new();
            value.write_compact(&mut again);
            assert_eq!(again, bytes);
        }
        let parsed = Decimal::parse_prefix(&bytes);
        assert!(parsed.consumed <= bytes.len());
    });
}

#[test]
fn doubles_go_both_ways() {
    run(50_000, |rng| {
        let value = f64::from_bits(rng.random());
        let parsed = Decimal::from_f64(value);
        if value.abs() < 1e65 && value.abs() > 1e-40 {
            assert_eq!(parsed.value.to_f64(), value, "{value:e}");
        }
        let a = text(rng);
        assert_eq!(Decimal::parse(&a).unwrap().to_f64(), a.parse::<f64>().unwrap(), "{a}");
    });
}
