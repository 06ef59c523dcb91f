use super::*;
use rand::RngExt as _;

fn double(value: f64) -> String {
    let mut out = Vec::new();
    write_double(value, &mut out);
    String::from_utf8(out).unwrap()
}

fn float(value: f32) -> String {
    let mut out = Vec::new();
    write_float(value, &mut out);
    String::from_utf8(out).unwrap()
}

fn fixed(value: f64, decimals: u8) -> String {
    let mut out = Vec::new();
    write_double_fixed(value, decimals, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn doubles_print_as_mysql_prints_them() {
    for (value, text) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (0.1, "0.1"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (100.0, "100"),
        (1e14, "100000000000000"),
        (1e15, "1e15"),
        (1.5e15, "1.5e15"),
        (123456789012345680.0, "1.2345678901234568e17"),
        (1e-14, "0.00000000000001"),
        (1e-15, "0.000000000000001"),
        (1e-16, "1e-16"),
        (f64::MAX, "1.7976931348623157e308"),
        (5e-324, "5e-324"),
    ] {
        assert_eq!(double(value), text);
    }
}

#[test]
fn floats_have_six_digits() {
    for (value, text) in [
        (0.1_f32, "0.1"),
        (16_777_216.0, "16777200"),
        (1.0 / 3.0, "0.333333"),
        (f32::MAX, "3.40282e38"),
        (123_456.7, "123457"),
    ] {
        assert_eq!(float(value), text);
    }
}

#[test]
fn fixed_decimals_are_padded_or_rounded() {
    for (value, decimals, text) in [
        (0.1, 3, "0.100"),
        (0.0, 2, "0.00"),
        (1e22, 1, "10000000000000000000000.0"),
        (123456.785, 2, "123456.79"),
        (0.5, 0, "0"),
        (1.5, 0, "2"),
        (0.001, 2, "0.00"),
        (99.999, 2, "100.00"),
    ] {
        assert_eq!(fixed(value, decimals), text, "{value} {decimals}");
    }
    assert!(fixed(f64::MAX, 30).len() < 345);
}

#[test]
fn doubles_read_back() {
    let mut rng = crate::random::generator();
    for _ in 0..100_000 {
        let value = f64::from_bits(rng.random());
        if !value.is_finite() {
            continue;
        }
        let text = double(value);
        let read = parse_double_prefix(text.as_bytes());
        assert_eq!((read.value, read.consumed), (value, text.len()), "{text}");
    }
}

#[test]
fn prefixes_of_doubles() {
    for (text, value, consumed, status) in [
        ("1.5abc", 1.5, 3, NumberStatus::Read),
        ("  -1e2 ", -100.0, 6, NumberStatus::Read),
        ("1e", 1.0, 1, NumberStatus::Read),
        ("1e+x", 1.0, 1, NumberStatus::Read),
        (".5", 0.5, 2, NumberStatus::Read),
        ("5.", 5.0, 2, NumberStatus::Read),
        (".", 0.0, 0, NumberStatus::NoNumber),
        ("inf", 0.0, 0, NumberStatus::NoNumber),
        ("nan", 0.0, 0, NumberStatus::NoNumber),
        ("0x10", 0.0, 1, NumberStatus::Read),
        ("1e400", f64::MAX, 5, NumberStatus::OutOfRange),
        ("-1e400", f64::MIN, 6, NumberStatus::OutOfRange),
        ("1e-400", 0.0, 6, NumberStatus::Read),
    ] {
        let read = parse_double_prefix(text.as_bytes());
        assert_eq!((read.value, read.consumed, read.status), (value, consumed, status), "{text}");
    }
}

#[test]
fn prefixes_of_integers() {
    let read = |text: &str| {
        let read = parse_integer_prefix(text.as_bytes());
        (read.value.wrapping_i64(), read.consumed, read.status)
    };
    assert_eq!(read(" 12x"), (12, 3, NumberStatus::Read));
    assert_eq!(read("-5.9"), (-5, 2, NumberStatus::Read));
    assert_eq!(read("x"), (0, 0, NumberStatus::NoNumber));
    assert_eq!(read("18446744073709551615"), (-1, 20, NumberStatus::Read));
    assert_eq!(read("18446744073709551616"), (-1, 20, NumberStatus::OutOfRange));
    assert_eq!(read("-9223372036854775808"), (i64::MIN, 20, NumberStatus::Read));
    assert_eq!(read("-9223372036854775809"), (i64::MIN, 20, NumberStatus::OutOfRange));
}

#[test]
fn columns_of_integers_round_texts() {
    use RoundedInteger::{Signed, Unsigned};
    let read = |text: &str, unsigned| {
        let read = parse_integer_rounded(text.as_bytes(), unsigned);
        (read.value, read.status)
    };
    assert_eq!(read("1.5", false), (Signed(2), NumberStatus::Read));
    assert_eq!(read("-1.5", false), (Signed(-2), NumberStatus::Read));
    assert_eq!(read("15e2x", false), (Signed(1500), NumberStatus::Read));
    assert_eq!(read("-1", true), (Unsigned(0), NumberStatus::OutOfRange));
    assert_eq!(read("1e30", true), (Unsigned(u64::MAX), NumberStatus::OutOfRange));
    assert_eq!(read("", true), (Unsigned(0), NumberStatus::NoNumber));
}

#[test]
fn ranges_of_the_widths() {
    for (bytes, min, max, unsigned_max) in [
        (1, -128, 127, 255),
        (2, -32768, 32767, 65535),
        (3, -8_388_608, 8_388_607, 16_777_215),
        (4, -2_147_483_648, 2_147_483_647, 4_294_967_295),
        (8, i64::MIN, i64::MAX as u64, u64::MAX),
    ] {
        assert_eq!(IntegerRange::new(bytes, false), IntegerRange { min, max });
        assert_eq!(IntegerRange::new(bytes, true), IntegerRange { min: 0, max: unsigned_max });
    }
    let tiny = IntegerRange::new(1, false);
    assert_eq!(
        (tiny.fit_i64(-129), tiny.fit_i64(128), tiny.fit_u64(200)),
        (Err(-128), Err(127), Err(127))
    );
    assert_eq!(IntegerRange::new(8, true).fit_i64(-1), Err(0));
}

#[test]
fn doubles_become_integers_by_rounding_to_even() {
    assert_eq!(double_to_i64(2.5), Ok(2));
    assert_eq!(double_to_i64(-3.5), Ok(-4));
    assert_eq!(double_to_i64(1e19), Err(i64::MAX));
    assert_eq!(double_to_i64(-9_223_372_036_854_775_808.0), Ok(i64::MIN));
    assert_eq!(double_to_u64(-0.4), Ok(0));
    assert_eq!(double_to_u64(-0.6), Err(0));
    assert_eq!(double_to_u64(1.8446744073709552e19), Err(u64::MAX));
}

#[test]
fn literals() {
    assert_eq!(hex_literal(b"ABC"), Some(vec![0x0a, 0xbc]));
    assert_eq!(hex_literal(b"4d"), Some(vec![0x4d]));
    assert_eq!(hex_literal(b"4g"), None);
    assert_eq!(bit_literal(b"101"), Some(vec![5]));
    assert_eq!(bit_literal(b"100000001"), Some(vec![1, 1]));
    assert_eq!(bit_literal(b"102"), None);
    assert_eq!(number_of_bytes(&[1, 0]), 256);
    assert_eq!(number_of_bytes(&[9, 0, 0, 0, 0, 0, 0, 0, 1]), 1);
    let mut out = Vec::new();
    bit_bytes(0x105, 9, &mut out);
    hex_literal_text(&[0xff], &mut out);
    assert_eq!(out, [1, 5, b'F', b'F']);
    assert_eq!((bit_width_mask(1), bit_width_mask(64)), (1, u64::MAX));
}

#[test]
fn years() {
    for (number, year) in [
        (0, Some(0)),
        (1, Some(2001)),
        (69, Some(2069)),
        (70, Some(1970)),
        (99, Some(1999)),
        (100, None),
        (1900, None),
        (1901, Some(1901)),
        (2155, Some(2155)),
        (2156, None),
        (-1, None),
    ] {
        assert_eq!(year_from_number(number), year, "{number}");
    }
    assert_eq!(year_from_text(b"0"), Some((2000, true)));
    assert_eq!(year_from_text(b"0000"), Some((0, true)));
    assert_eq!(year_from_text(b"12x"), Some((2012, false)));
    assert_eq!(year_from_text(b"x"), None);
}

#[test]
fn sets() {
    let members: [&[u8]; 3] = [b"a", b"b", b"c"];
    let find = |name: &[u8]| members.iter().position(|member| *member == name);
    assert_eq!(set_from_text(b"c,a", find), ParsedSet { bits: 5, complete: true });
    assert_eq!(set_from_text(b"a,x", find), ParsedSet { bits: 1, complete: false });
    assert_eq!(set_from_text(b"", find), ParsedSet { bits: 0, complete: true });
    let mut out = Vec::new();
    write_set(6, members, &mut out);
    assert_eq!(out, b"b,c");
    assert_eq!((set_mask(3), set_mask(64)), (7, u64::MAX));
    assert_eq!((enum_by_number(3, 3), enum_by_number(4, 3)), (Some(3), None));
}
