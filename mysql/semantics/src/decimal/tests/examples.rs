//! Cases whose answers were read off a MySQL server.

use crate::decimal::{Decimal, DecimalError, Fit, MAX_PRECISION, ParseStatus, Rounding};

fn d(text: &str) -> Decimal {
    Decimal::parse(text).unwrap_or_else(|| panic!("{text} is no decimal"))
}

#[test]
fn a_quotient_has_the_room_that_its_first_words_foresee() {
    // As the server prints it, with div_precision_increment = 9.
    let dividend =
        Decimal::parse("-26046961985741528748980373781226578560356.858055405565318961184155");
    let quotient = dividend.unwrap().div(&Decimal::parse("0.000027600").unwrap(), 9, 30).unwrap();
    assert_eq!(
        quotient.to_string(),
        "-943730506729765534383346876131397773925973117.949477004310187831702898550725"
    );
}

#[test]
fn a_difference_has_the_room_that_its_operands_leave() {
    // As the server prints these.
    for (left, right, difference) in [
        (
            "1000000000000000000000000000000000000000000000000000000000000008",
            "1500000000000000000213005007500006309030000000000002054.0000000000",
            "999999998499999999999999999786994992499993690969999999999997954.000000000",
        ),
        (
            "256410256410256410256410256410256410.256410256410256410256410256408",
            "1000000000000000000000000000000000000000000008",
            "-999999999743589743589743589743589743589743597.743589743589743589743589744",
        ),
    ] {
        let number = |text: &str| Decimal::parse(text).unwrap();
        assert_eq!(number(left).sub(&number(right)).unwrap().to_string(), difference);
    }
}

#[test]
fn text_comes_back() {
    for text in [
        "0",
        "0.0",
        "0.000",
        "1",
        "-1",
        "10.50",
        "-0.05",
        "0.5",
        "18446744073709551615",
        "18446744073709551616.1",
        "-340282366920938463463374607431768211455",
        "340282366920938463463374607431768211456",
        "99999999999999999999999999999999999.999999999999999999999999999999",
        "-99999999999999999999999999999999999999999999999999999999999999999",
        "10000000000000000000000000000000000000000000000000000000000000000",
        "0.000000000000000000000000000001",
        "100000000000000000000.000000000000000000000000000001",
    ] {
        assert_eq!(d(text).to_string(), text);
    }
}

#[test]
fn prefixes_are_read_as_far_as_they_are_numbers() {
    for (text, value, consumed, status) in [
        ("", "0", 0, ParseStatus::NoNumber),
        ("  ", "0", 0, ParseStatus::NoNumber),
        ("-", "0", 0, ParseStatus::NoNumber),
        (".", "0", 0, ParseStatus::NoNumber),
        ("abc", "0", 0, ParseStatus::NoNumber),
        ("-.e3", "0", 0, ParseStatus::NoNumber),
        (" \t+12.50x", "12.50", 8, ParseStatus::Exact),
        ("1.", "1", 2, ParseStatus::Exact),
        (".5", "0.5", 2, ParseStatus::Exact),
        ("1e", "1", 1, ParseStatus::Exact),
        ("1e+", "1", 1, ParseStatus::Exact),
        ("1.5e3", "1500", 5, ParseStatus::Exact),
        ("1.5e-3", "0.0015", 6, ParseStatus::Exact),
        ("-0", "0", 2, ParseStatus::Exact),
        ("-0.00", "0.00", 5, ParseStatus::Exact),
        ("00012", "12", 5, ParseStatus::Exact),
        ("1e99999999999999999999", "", 22, ParseStatus::Overflow),
        ("0e99999999999999999999", "0", 22, ParseStatus::Exact),
    ] {
        let parsed = Decimal::parse_prefix(text.as_bytes());
        let shown = if status == ParseStatus::Overflow {
            Decimal::max_of(MAX_PRECISION, 0, false).to_string()
        } else {
            value.to_owned()
        };
        assert_eq!(
            (parsed.value.to_string(), parsed.consumed, parsed.status),
            (shown, consumed, status),
            "{text:?}"
        );
    }
}

#[test]
fn division_rounds_what_its_words_hold() {
    for (a, b, scale, quotient) in [
        ("1", "3", 4, "0.3333"),
        ("2", "3", 4, "0.6667"),
        ("0.3333", "1", 8, "0.33330000"),
        ("10.00", "3.00", 6, "3.333333"),
        ("2.333333", "3", 10, "0.7777776667"),
        // Nine digits are one word: nothing is left to round by.
        ("2.00000", "3", 9, "0.666666666"),
        ("2.00000", "3.0", 9, "0.666666667"),
        ("2.0000", "3", 8, "0.66666667"),
        ("0", "7", 4, "0.0000"),
        ("2.00000000000000000000000000000", "3", 30, "0.666666666666666666666666666667"),
        (
            "20000000000000000000000000000000000000000000000000000000000000",
            "3.00",
            4,
            "6666666666666666666666666666666666666666666666666666666666666.6667",
        ),
        (
            "99999999999999999999999999999999999.999999999999999999999999999999",
            "0.7",
            30,
            "142857142857142857142857142857142857.142857142857142857142857142856",
        ),
    ] {
        assert_eq!(d(a).div(&d(b), 4, scale).unwrap().to_string(), quotient, "{a} / {b}");
    }
    assert_eq!(d("-1").div(&d("0.000"), 4, 4), Err(DecimalError::DivisionByZero));
}

#[test]
fn nine_words_cut_operands_and_products() {
    assert_eq!(
        d("-6949155544291525261105865518610987398082267388409143000264838429")
            .add(&d("195.6339883546453"))
            .unwrap()
            .to_string(),
        "-6949155544291525261105865518610987398082267388409143000264838233.366011646"
    );
    let nines = d("99999999999999999999999999999999999.999999999999999999999999999999");
    for (a, b, product) in [
        (
            nines.clone(),
            nines.clone(),
            "9999999999999999999999999999999999899999999900000000000000000000000000.000000001",
        ),
        (nines, d("1.5"), "149999999999999999999999999999999999.999999999999999999999999999999"),
        (d("1.23456789012345678"), d("1.1111111111111111111"), "1.371742100137174199986282578999"),
        (d("0.000000000000000000000000000005"), d("0.3"), "0.000000000000000000000000000002"),
        (
            d("12345678901234567890123456789012345678901234567890.5"),
            d("1.2345678901234567890123456789012345678901234567890"),
            "15241578753238836750495351562566681934018914903416.720022454154855456663770867",
        ),
    ] {
        assert_eq!(a.mul(&b).unwrap().to_string(), product, "{a} * {b}");
    }
}

#[test]
fn signs_of_zero_never_stay() {
    for zero in [
        d("-0.4").round(0, Rounding::HalfUp).unwrap(),
        d("-0.4").round(0, Rounding::Ceiling).unwrap(),
        d("0.0").neg(),
        d("-1.5").rem(&d("0.5")).unwrap(),
        d("-1").div_integer(&d("2")).unwrap(),
        d("-1").add(&d("1")).unwrap(),
    ] {
        assert!(!zero.is_negative(), "{zero}");
        assert_eq!(zero.signum(), 0);
    }
}

#[test]
fn rounding_goes_as_asked() {
    use Rounding::{Ceiling, Floor, HalfUp, Truncate};
    for (value, scale, rounding, result) in [
        ("2.5", 0, HalfUp, "3"),
        ("-2.5", 0, HalfUp, "-3"),
        ("2.45", 1, HalfUp, "2.5"),
        ("2.44999", 1, HalfUp, "2.4"),
        ("-2.9", 0, Truncate, "-2"),
        ("-2.1", 0, Floor, "-3"),
        ("2.1", 0, Ceiling, "3"),
        ("-2.1", 0, Ceiling, "-2"),
        ("2.0", 0, Ceiling, "2"),
        ("155", -1, HalfUp, "160"),
        ("155", -2, HalfUp, "200"),
        ("155", -3, HalfUp, "0"),
        ("555", -3, HalfUp, "1000"),
        ("555", -3, Truncate, "0"),
        ("1.5", 3, HalfUp, "1.500"),
        ("1.5", -40, HalfUp, "0"),
        ("1.5", -40000, Truncate, "0"),
        (
            "99999999999999999999999999999999999999999999999999.5",
            0,
            HalfUp,
            "100000000000000000000000000000000000000000000000000",
        ),
    ] {
        let rounded = d(value).round(scale, rounding).unwrap();
        assert_eq!(rounded.to_string(), result, "{value} {scale} {rounding:?}");
    }
    assert!(d("1").round(-200, Ceiling).is_none());
}

#[test]
fn a_column_takes_what_fits() {
    for (value, precision, scale, stored, fit) in [
        ("1.5", 4, 2, "1.50", Fit::Exact),
        ("1.555", 4, 2, "1.56", Fit::Rounded),
        ("1.500", 4, 1, "1.5", Fit::Exact),
        ("99.995", 4, 2, "99.99", Fit::OutOfRange),
        ("-100", 4, 2, "-99.99", Fit::OutOfRange),
        ("0.001", 4, 2, "0.00", Fit::Rounded),
        ("-0.001", 4, 2, "0.00", Fit::Rounded),
        ("1e-40", 30, 30, "0.000000000000000000000000000000", Fit::Rounded),
        ("0.5", 1, 1, "0.5", Fit::Exact),
        ("1", 1, 1, "0.9", Fit::OutOfRange),
    ] {
        let value = Decimal::parse_prefix(value.as_bytes()).value;
        let (result, how) = value.fit(precision, scale);
        assert_eq!((result.to_string().as_str(), how), (stored, fit), "{value}");
    }
}

#[test]
fn integers_and_doubles() {
    assert_eq!(d("9223372036854775807.4").to_i64(Rounding::HalfUp), Ok(i64::MAX));
    assert_eq!(d("9223372036854775807.5").to_i64(Rounding::HalfUp), Err(i64::MAX));
    assert_eq!(d("-9223372036854775808").to_i64(Rounding::HalfUp), Ok(i64::MIN));
    assert_eq!(d("-9223372036854775809").to_i64(Rounding::HalfUp), Err(i64::MIN));
    assert_eq!(d("18446744073709551615").to_u64(Rounding::HalfUp), Ok(u64::MAX));
    assert_eq!(d("18446744073709551616").to_u64(Rounding::HalfUp), Err(u64::MAX));
    assert_eq!(d("-0.4").to_u64(Rounding::HalfUp), Ok(0));
    assert_eq!(d("-0.5").to_u64(Rounding::HalfUp), Err(0));
    assert_eq!(Decimal::from(i64::MIN).to_string(), "-9223372036854775808");
    assert_eq!(Decimal::from(u64::MAX).to_string(), "18446744073709551615");
    assert_eq!(Decimal::from_f64(0.1).value.to_string(), "0.1");
    assert_eq!(Decimal::from_f64(-1.5e20).value.to_string(), "-150000000000000000000");
    assert_eq!(Decimal::from_f64(f64::NAN).status, ParseStatus::NoNumber);
    assert_eq!(Decimal::from_f64(1e300).status, ParseStatus::Overflow);
    for text in ["0.1", "123456.789", "-0.000001", "99999999999999999999999999999999.5"] {
        assert_eq!(d(text).to_f64(), text.parse::<f64>().unwrap());
    }
}

#[test]
fn overflow_is_beyond_81_digits() {
    let huge = Decimal::max_of(65, 0, false);
    let more = huge.add(&d("1")).unwrap();
    assert_eq!(more.to_string(), format!("1{}", "0".repeat(65)));
    assert_eq!(huge.mul(&huge), Err(DecimalError::Overflow));
    let most = Decimal::parse(&"9".repeat(81)).unwrap();
    assert_eq!(most.add(&d("1")), Err(DecimalError::Overflow));
    assert_eq!(most.sub(&d("1")).unwrap().to_string(), format!("{}8", "9".repeat(80)));
}

#[test]
fn equal_numbers_are_one_key() {
    use std::hash::{BuildHasher, RandomState};
    let state = RandomState::new();
    for (a, b) in [("1.50", "1.5"), ("0.000", "0"), ("100", "100.00"), ("-7.0", "-7")] {
        let (a, b) = (d(a), d(b));
        assert_eq!(a, b);
        assert_eq!(state.hash_one(&a), state.hash_one(&b));
        let (mut x, mut y) = (Vec::new(), Vec::new());
        a.write_key(&mut x);
        b.write_key(&mut y);
        assert_eq!(x, y);
    }
}

#[test]
fn a_decimal_is_three_words() {
    assert_eq!(size_of::<Decimal>(), 24);
}
