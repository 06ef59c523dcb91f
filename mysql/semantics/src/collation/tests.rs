use std::cmp::Ordering::{self, Equal, Greater, Less};

use super::*;

fn named(name: &str) -> &'static Collation {
    Collation::by_name(name).unwrap()
}

fn compare(name: &str, a: &str, b: &str) -> Ordering {
    named(name).compare(a.as_bytes(), b.as_bytes()).unwrap()
}

fn key(collation: &Collation, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    collation.sort_key(text, &mut out).unwrap();
    out
}

fn order_key(collation: &Collation, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    collation.order_key(text, &mut out).unwrap();
    out
}

#[test]
fn all_collations_have_their_numbers() {
    assert_eq!(Collation::all().len(), 286);
    assert_eq!(Collation::by_id(255).unwrap().name(), "utf8mb4_0900_ai_ci");
    assert_eq!(Collation::by_id(8).unwrap().name(), "latin1_swedish_ci");
    assert_eq!(Collation::by_id(63), Some(Collation::binary()));
    assert_eq!(Collation::by_id(0), None);
    assert_eq!(Collation::by_id(u16::MAX), None);
    assert_eq!(named("utf8_general_ci").id(), 33);
    assert_eq!(named("UTF8MB4_BIN").id(), 46);
    assert_eq!(Collation::by_name("utf8é"), None);
    assert_eq!(named("utf8mb4_0900_ai_ci").pad_attribute(), PadAttribute::NoPad);
    assert_eq!(named("utf8mb4_general_ci").pad_attribute(), PadAttribute::PadSpace);
    for one in Collation::all() {
        assert_eq!(Collation::by_id(one.id()), Some(one));
        assert_eq!(Collation::by_name(one.name()), Some(one));
    }
}

#[test]
fn collations_of_the_working_sets_work() {
    for name in [
        "utf8mb4_0900_ai_ci",
        "utf8mb4_0900_as_ci",
        "utf8mb4_0900_as_cs",
        "utf8mb4_0900_bin",
        "utf8mb4_bin",
        "utf8mb4_general_ci",
        "utf8mb4_unicode_ci",
        "utf8mb4_unicode_520_ci",
        "utf8mb3_bin",
        "utf8mb3_general_ci",
        "utf8mb3_unicode_ci",
        "utf8mb3_unicode_520_ci",
        "latin1_swedish_ci",
        "latin1_general_ci",
        "latin1_bin",
        "ascii_general_ci",
        "ascii_bin",
        "gbk_chinese_ci",
        "gbk_bin",
        "binary",
        "ucs2_general_ci",
        "utf16_unicode_ci",
        "utf16le_bin",
        "utf32_unicode_520_ci",
        "utf8mb4_esperanto_ci",
        "utf8mb3_swedish_ci",
        "utf16_german2_ci",
    ] {
        assert!(named(name).is_supported(), "{name}");
    }
    for name in ["utf8mb4_czech_ci", "utf8mb4_turkish_ci", "utf8mb4_croatian_ci"] {
        assert!(!named(name).is_supported(), "{name}");
    }
    let swedish = named("utf8mb4_sv_0900_ai_ci");
    assert_eq!(swedish.compare(b"a", b"b"), Err(NotSupported("utf8mb4_sv_0900_ai_ci")));
    assert_eq!(swedish.sort_key(b"a", &mut Vec::new()), swedish.supported());
    assert_eq!(swedish.like(b"a", b"b", None).is_err(), swedish.hash(b"a", 0).is_err());
}

#[test]
fn accents_and_cases() {
    for (name, accent, case) in [
        ("utf8mb4_0900_ai_ci", Equal, Equal),
        ("utf8mb4_0900_as_ci", Less, Equal),
        ("utf8mb4_0900_as_cs", Less, Less),
        ("utf8mb4_general_ci", Equal, Equal),
        ("utf8mb4_unicode_ci", Equal, Equal),
        ("utf8mb4_unicode_520_ci", Equal, Equal),
        ("utf8mb4_bin", Less, Greater),
        ("utf8mb4_0900_bin", Less, Greater),
    ] {
        assert_eq!(compare(name, "résumé", "résumé"), Equal, "{name}");
        assert_eq!(compare(name, "resume", "résumé"), accent, "{name}");
        assert_eq!(compare(name, "résumé", "Résumé"), case, "{name}");
        assert_eq!(compare(name, "a", "b"), Less, "{name}");
        assert_eq!(compare(name, "ab", "a"), Greater, "{name}");
    }
    assert_eq!(compare("utf8mb4_0900_ai_ci", "ß", "ss"), Equal);
    assert_eq!(compare("utf8mb4_general_ci", "ß", "s"), Equal);
    assert_eq!(compare("utf8mb4_0900_ai_ci", "😀", "😁"), Less);
    assert_eq!(compare("utf8mb4_general_ci", "😀", "😁"), Equal);
}

#[test]
fn blanks_at_the_end() {
    assert_eq!(compare("utf8mb4_0900_ai_ci", "a", "a "), Less);
    for name in ["utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_bin", "utf8mb3_bin"] {
        assert_eq!(compare(name, "a", "a  "), Equal, "{name}");
        assert_eq!(compare(name, "", "  "), Equal, "{name}");
        assert_eq!(compare(name, "a", "a b"), Less, "{name}");
    }
    // A tab weighs less than the blank that the shorter text goes on with.
    for name in ["utf8mb4_general_ci", "latin1_swedish_ci", "utf8mb4_bin", "ascii_general_ci"] {
        assert_eq!(compare(name, "a", "a\t"), Greater, "{name}");
        assert_eq!(compare(name, "a\t", "a "), Less, "{name}");
    }
    assert_eq!(compare("binary", "a", "a "), Less);
}

#[test]
fn the_server_s_weight_strings() {
    for (name, text, weights) in [
        ("utf8mb4_0900_ai_ci", "aB", &[0x1C, 0x47, 0x1C, 0x60][..]),
        ("utf8mb4_0900_as_cs", "á", &[0x1C, 0x47, 0, 0, 0, 0x20, 0, 0x24, 0, 0, 0, 2, 0, 2]),
        ("utf8mb4_general_ci", "ab", &[0, 0x41, 0, 0x42]),
        ("utf8mb4_unicode_ci", "ab", &[0x0E, 0x33, 0x0E, 0x4A]),
        ("utf8mb4_bin", "a", &[0, 0, 0x61]),
        ("latin1_swedish_ci", "ab", b"AB"),
    ] {
        let mut out = Vec::new();
        named(name).weight_string(text.as_bytes(), &mut out).unwrap();
        assert_eq!(out, weights, "{name} {text}");
    }
}

#[test]
fn half_surrogates_of_ucs2_weigh_as_on_the_server() {
    for (name, weights) in [
        ("ucs2_general_ci", &[0xD8, 0][..]),
        ("ucs2_unicode_ci", &[0xFB, 0xC1, 0xD8, 0]),
        ("ucs2_unicode_520_ci", &[0xFB, 0xC1, 0xD8, 0]),
    ] {
        let mut out = Vec::new();
        named(name).weight_string(b"\xd8\x00", &mut out).unwrap();
        assert_eq!(out, weights, "{name}");
    }
}

#[test]
fn like_takes_characters_one_by_one() {
    let like = |name: &str, text: &str, pattern: &str| {
        named(name).like(text.as_bytes(), pattern.as_bytes(), Some(u32::from(b'\\'))).unwrap()
    };
    let ai = "utf8mb4_0900_ai_ci";
    for (text, pattern, expected) in [
        ("", "", true),
        ("a", "", false),
        ("", "%", true),
        ("abc", "ABC", true),
        ("abc", "a%", true),
        ("abc", "%c", true),
        ("abc", "%b%", true),
        ("abc", "_b_", true),
        ("abc", "____", false),
        ("é", "_", true),
        ("résumé", "r%s_m%e", true),
        ("ß", "ss", false),
        ("a%c", "a\\%c", true),
        ("abc", "a\\%c", false),
        ("a\\", "a\\", true),
        ("abc ", "abc", false),
        ("aXbXcXd", "a%X%d", true),
        ("aaaaaaaaab", "%a%a%a%c", false),
    ] {
        assert_eq!(like(ai, text, pattern), expected, "{text} {pattern}");
    }
    assert!(!like("utf8mb4_bin", "abc", "ABC"));
    assert!(like("latin1_swedish_ci", "abc", "A_C"));
    assert!(!named(ai).like(b"a%", b"a\\%", None).unwrap());
    assert!(named(ai).like(b"a\\x", b"a\\%", None).unwrap());
}

#[test]
fn a_pattern_of_many_percents_takes_no_exponential_time() {
    let text = "a".repeat(4_000);
    let pattern = "%a".repeat(1_000) + "b";
    let like = named("utf8mb4_0900_ai_ci").like(text.as_bytes(), pattern.as_bytes(), None);
    assert_eq!(like, Ok(false));
}

#[test]
fn a_part_is_found_as_on_the_server() {
    let find = |name: &str, text: &str, part: &str| {
        named(name).find(text.as_bytes(), part.as_bytes()).unwrap().map(|at| (at.offset, at.chars))
    };
    assert_eq!(find("utf8mb4_0900_ai_ci", "éxABC", "abc"), Some((3, 2)));
    assert_eq!(find("utf8mb4_0900_ai_ci", "é", "e"), Some((0, 0)));
    assert_eq!(find("utf8mb4_0900_as_cs", "xä", "a"), Some((1, 1)));
    assert_eq!(find("utf8mb4_0900_as_cs", "xa", "ä"), None);
    assert_eq!(find("utf8mb4_general_ci", "é", "e"), Some((0, 0)));
    assert_eq!(find("utf8mb4_bin", "é", "e"), None);
    assert_eq!(find("utf8mb4_0900_ai_ci", "abc", ""), Some((0, 0)));
    assert_eq!(find("utf8mb4_0900_ai_ci", "", "a"), None);
    assert_eq!(find("utf8mb4_bin", "xABC", "abc"), None);
    assert_eq!(find("latin1_swedish_ci", "xABC", "abc"), Some((1, 1)));
}

#[test]
fn cases_map_one_to_one() {
    let map = |name: &str, text: &str| {
        let (mut upper, mut lower) = (Vec::new(), Vec::new());
        named(name).upper(text.as_bytes(), &mut upper).unwrap();
        named(name).lower(text.as_bytes(), &mut lower).unwrap();
        (String::from_utf8(upper).unwrap(), String::from_utf8(lower).unwrap())
    };
    assert_eq!(map("utf8mb4_0900_ai_ci", "aÉß").0, "AÉß");
    assert_eq!(map("utf8mb4_0900_ai_ci", "aÉß").1, "aéß");
    assert_eq!(map("utf8mb4_general_ci", "Привет").0, "ПРИВЕТ");
    assert_eq!(map("binary", "aB"), ("aB".to_owned(), "aB".to_owned()));
}

/// Pieces that are equal to each other, less than a blank, or nothing at all.
const PIECES: [&str; 22] = [
    "a",
    "A",
    "á",
    "b",
    " ",
    " ",
    "  ",
    "\t",
    "\u{1}",
    "\u{a0}",
    "\u{3000}",
    "ß",
    "ss",
    "\u{301}",
    "\u{ad}",
    "한",
    "\u{1112}",
    "中",
    "\u{f900}",
    "😀",
    "\u{10ffff}",
    "é",
];

#[test]
fn keys_and_hashes_agree_with_comparison() {
    use rand::{RngExt, SeedableRng};
    for collation in Collation::all().iter().filter(|one| one.is_supported()) {
        let seed = u64::from(collation.id());
        let mut rng = rand::rngs::SmallRng::seed_from_u64(seed);
        let mut texts: Vec<Vec<u8>> = (0..60)
            .map(|n| {
                let few = if n % 2 == 0 { PIECES.len() } else { 8 };
                let piece = |_| PIECES[rng.random_range(0..few)];
                // Long enough now and then to be looked at in blocks.
                let pieces = if n % 3 == 0 { 40 } else { 4 };
                let text: String = (0..pieces).map(piece).collect();
                let mut out = Vec::new();
                let (utf8, set) = (Charset::utf8mb4(), collation.charset());
                crate::charset::convert(text.as_bytes(), utf8, set, &mut out).unwrap();
                out
            })
            .collect();
        // Bytes that are no characters have a place as well.
        texts.push(b"a\xff".to_vec());
        texts.push(b"a\xfe".to_vec());
        texts.push(b"\xc3".to_vec());
        for a in &texts {
            for b in &texts {
                let order = collation.compare(a, b).unwrap();
                let what = format!("{} {a:x?} {b:x?}", collation.name());
                assert_eq!(order, collation.compare(b, a).unwrap().reverse(), "{what}");
                assert_eq!(order, key(collation, a).cmp(&key(collation, b)), "{what}");
                assert_eq!(order, order_key(collation, a).cmp(&order_key(collation, b)), "{what}");
                assert_eq!(order == Equal, collation.equal(a, b).unwrap(), "{what}");
                if order == Equal {
                    assert_eq!(collation.hash(a, 1), collation.hash(b, 1), "{what}");
                }
            }
        }
    }
}

#[test]
fn a_long_run_of_blanks_has_its_place() {
    let collation = named("utf8mb4_general_ci");
    let runs = [1, 2, 253, 254, 255, 256, 509, 510, 511, 70_000];
    for x in runs {
        for y in runs {
            for tail in ["b", "\t"] {
                let text = |run: usize| "a".to_owned() + &" ".repeat(run) + tail;
                let (a, b) = (text(x), text(y));
                let order = collation.compare(a.as_bytes(), b.as_bytes()).unwrap();
                let keys = key(collation, a.as_bytes()).cmp(&key(collation, b.as_bytes()));
                assert_eq!(keys, order, "{x} {y} {tail:?}");
                assert_eq!(order == Equal, x == y);
            }
        }
    }
}
