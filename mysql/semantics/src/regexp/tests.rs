use super::*;

fn new(pattern: &str, match_type: &str) -> Result<Regexp, RegexpError> {
    Regexp::new(pattern, Mode::default().with_match_type(match_type)?)
}

fn like(text: &str, pattern: &str, match_type: &str) -> bool {
    new(pattern, match_type).unwrap().is_match(text).unwrap()
}

fn error(pattern: &str) -> RegexpError {
    match new(pattern, "") {
        Err(error) => error,
        Ok(_) => panic!("{pattern} is fine"),
    }
}

#[test]
fn patterns_match_as_the_server_s() {
    for (text, pattern, match_type, expected) in [
        ("Michael!", ".*", "", true),
        ("new*\n*line", "new\\*.\\*line", "", false),
        ("new*\n*line", "new\\*.\\*line", "n", true),
        ("a\nb", "^b$", "", false),
        ("a\nb", "^b$", "m", true),
        ("a\n", "^a$", "", true),
        ("a\r\nb", "^a.b$", "n", true),
        ("a\r\nb", "^a..b$", "n", false),
        ("a\rb", "a.b", "u", true),
        ("ABC", "abc", "", false),
        ("ABC", "abc", "i", true),
        ("ABC", "abc", "ic", false),
        ("ABC", "(?i)a(?-i)BC", "", true),
        ("ABC", "(?i:a)bc", "", false),
        ("abab", "^(ab)\\1$", "", true),
        ("foobar", "(?<=foo)bar", "", true),
        ("aaa", "^a++a", "", false),
        ("a.c", "\\Qa.c\\E", "", true),
        ("abbb", "^\\Qab\\E+$", "", true),
        ("x7", "[[:alpha:]][[:digit:]]", "", true),
        ("é", "^\\w$", "", true),
        ("]", "[]]", "", true),
        ("-", "[a-]", "", true),
        ("b", "^[a-c&&[^b]]$", "", false),
        ("b", "^[a-c--[a]]$", "", true),
        ("\u{b}", "\\v", "", true),
        ("g", "\\h", "", false),
        ("😀", "^.$", "", true),
        ("☃", "\\u2603", "", true),
    ] {
        assert_eq!(like(text, pattern, match_type), expected, "{text:?} {pattern} {match_type}");
    }
}

#[test]
fn wrong_patterns_have_the_server_s_numbers() {
    for (pattern, number) in [
        ("", 3685),
        ("*a", 3688),
        ("a{", 3692),
        ("a{3,2}", 3693),
        ("(a", 3691),
        ("a)", 3691),
        ("[a", 3696),
        ("[b-a]", 3697),
        ("\\", 3689),
        ("(a)\\2", 3694),
        ("(?<=a+)b", 3695),
        ("(?q)", 3900),
        ("[[:nope:]]", 3685),
    ] {
        assert_eq!(error(pattern).number(), number, "{pattern}");
    }
    assert_eq!(error("ab**"), RegexpError::Syntax { line: 1, character: 4 });
    assert_eq!(Mode::default().with_match_type("z"), Err(RegexpError::InvalidFlag));
}

#[test]
fn occurrences_are_found_from_a_position() {
    let cat = new("c?at", "").unwrap();
    let at = |position, occurrence| {
        cat.find("a cat at", position, occurrence).unwrap().map(|found| (found.start, found.end))
    };
    assert_eq!(at(1, 1), Some((2, 5)));
    assert_eq!(at(1, 2), Some((6, 8)));
    assert_eq!(at(4, 1), Some((3, 5)));
    assert_eq!(at(1, 3), None);
    assert_eq!(at(9, 1), None);
    assert_eq!(cat.find("cat", 5, 1), Err(RegexpError::OutOfBounds));
    assert_eq!(cat.find("cat", 0, 1), Err(RegexpError::OutOfBounds));
    assert_eq!(cat.find("cat", i64::MIN, 1), Err(RegexpError::OutOfBounds));
    let empty = new("x*", "").unwrap();
    assert_eq!(empty.find("éa", 1, 2).unwrap(), Some(Match { start: 2, end: 2 }));
}

#[test]
fn replacements_take_groups() {
    let replace = |text: &str, pattern: &str, with: &str, position, occurrence| {
        let mut out = String::new();
        new(pattern, "")
            .and_then(|regexp| regexp.replace(text, with, position, occurrence, 1000, &mut out))
            .map(|()| out)
    };
    assert_eq!(replace("a b c", "b", "X", 1, 0).unwrap(), "a X c");
    assert_eq!(replace("abc def ghi", "[a-z]+", "X", 1, 3).unwrap(), "abc def X");
    assert_eq!(replace("ab", "(a)(b)", "$2$1", 1, 0).unwrap(), "ba");
    assert_eq!(replace("ab", "(?<x>a)", "<${x}\\$>", 1, 0).unwrap(), "<a$>b");
    assert_eq!(replace("ab", "x*", "-", 1, 0).unwrap(), "-a-b-");
    assert_eq!(replace("", "^", "-", 1, 0).unwrap(), "");
    assert_eq!(replace("é", "x*", "-", 1, 0).unwrap(), "-é-");
    assert_eq!(replace("ab", "(a)", "$2", 1, 0), Err(RegexpError::OutOfBounds));
    assert_eq!(replace("ab", "a", "$x", 1, 0), Err(RegexpError::InvalidGroupName));
    assert_eq!(replace(&"a".repeat(99), "a", &"b".repeat(99), 1, 0), Err(RegexpError::TooBig));
}

#[test]
fn catastrophes_end() {
    // Linear.
    assert!(!like(&"a".repeat(5_000), "^(a+)+$b", ""));
    // Backtracking, up to the limit.
    let slow = new("^(a|aa)+(?!a|b)\\1", "").unwrap();
    assert_eq!(slow.is_match(&("a".repeat(64) + "b")), Err(RegexpError::Timeout));
    // Texts that are long need no stack.
    let long = "ab".repeat(200_000);
    assert!(like(&long, "^(?:a|b)*$", ""));
    assert!(new("^(?:(?=a)a|b)*$", "").unwrap().is_match(&long).is_ok_and(|found| found));
    assert_eq!(error(&"(".repeat(100_000)), RegexpError::TooBig);
    assert_eq!(error(&"(".repeat(1_000)), RegexpError::Internal);
    assert_eq!(error("(?:(?:a{1000}){1000}){1000}"), RegexpError::TooBig);
    assert!(new(&format!("{}a{}", "(".repeat(30), ")".repeat(30)), "").is_ok());
}

#[test]
fn any_pattern_is_compiled_or_refused() {
    use rand::{RngExt, SeedableRng};
    const PIECES: [&str; 42] = [
        "a",
        "b",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "*",
        "+",
        "?",
        "|",
        "^",
        "$",
        ".",
        "\\",
        "-",
        "&",
        "(?",
        "(?:",
        "(?=",
        "(?<",
        "(?<n>",
        "\\k<n>",
        "\\1",
        "\\d",
        "[^",
        "[:alpha:]",
        "&&",
        "--",
        "{2}",
        "{1,3}",
        "\\p{L}",
        "\\x{41}",
        "\\Q",
        "\\E",
        "é",
        "#",
        " ",
        ":",
        ",",
        "i",
    ];
    let mut rng = rand::rngs::SmallRng::seed_from_u64(11);
    let mut compiled = 0;
    for _ in 0..20_000 {
        let pattern: String = (0..rng.random_range(1..9))
            .map(|_| PIECES[rng.random_range(0..PIECES.len())])
            .collect();
        if let Ok(regexp) = new(&pattern, "") {
            compiled += 1;
            for text in ["", "ab", "a\nb\r\n", "é(1)"] {
                let _ = regexp.is_match(text);
                let _ = regexp.find(text, 1, 2);
            }
        }
    }
    assert!(compiled > 1_000, "{compiled}");
}
