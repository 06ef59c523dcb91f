//! STR_TO_DATE over generated formats, with texts that fit them and texts that do not.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use firn_mysql_semantics::expr::Settings;

use crate::answer::{Outcome, ours_with};
use crate::oracle::{ask, connect, difference, number, show};

const LETTERS: &[u8] = b"YYYmmmdddHHiiSSfyMbcDejhIklprTaWwUuVvXxs.@#";

/// A text for one letter, mostly one that it takes.
fn text(letter: u8, rng: &mut SmallRng) -> String {
    let mut below = |limit: u32| rng.random_range(0..limit);
    match letter {
        b'Y' | b'X' | b'x' => match below(5) {
            0 => below(100).to_string(),
            1 => below(12000).to_string(),
            _ => (1990 + below(40)).to_string(),
        },
        b'y' => format!("{:02}", below(100)),
        b'm' | b'c' => below(14).to_string(),
        b'd' | b'e' => format!("{:02}", below(33)),
        b'D' => format!("{}{}", below(33), ["st", "nd", "rd", "th", ""][below(5) as usize]),
        b'H' | b'k' => below(26).to_string(),
        b'h' | b'I' | b'l' => format!("{:02}", below(14)),
        b'i' | b's' | b'S' => format!("{:02}", below(62)),
        b'f' => {
            let digits = 1 + below(7);
            below(10_u32.pow(digits)).to_string()
        }
        b'p' => ["AM", "pm", "Pm", "A", "xm"][below(5) as usize].to_owned(),
        b'r' => {
            let half = ["AM", "PM", "", "x"][below(4) as usize];
            format!("{:02}:{:02}:{:02} {half}", below(14), below(61), below(61))
        }
        b'T' => format!("{:02}:{:02}:{}", below(25), below(61), below(61)),
        b'M' => ["January", "may", "DECEMBER", "Sept", "June"][below(5) as usize].to_owned(),
        b'b' => ["Jan", "feb", "DEC", "Sept", "Ju"][below(5) as usize].to_owned(),
        b'W' => ["Monday", "sunday", "FRIDAY", "Fri", "Saturdays"][below(5) as usize].to_owned(),
        b'a' => ["Mon", "sun", "FRI", "Friday", "xyz"][below(5) as usize].to_owned(),
        b'w' => below(9).to_string(),
        b'j' => below(370).to_string(),
        b'U' | b'u' | b'V' | b'v' => format!("{:02}", below(56)),
        b'.' => [".", "-:", "", "/"][below(4) as usize].to_owned(),
        b'@' => ["abc", "", "T"][below(3) as usize].to_owned(),
        b'#' => below(1000).to_string(),
        _ => String::new(),
    }
}

fn expression(rng: &mut SmallRng) -> String {
    const WHOLE: &[&str] = &[
        "%Y-%m-%d",
        "%d.%m.%Y",
        "%Y-%m-%d %H:%i:%s",
        "%H:%i:%s.%f",
        "%X%V %W",
        "%x %v %a",
        "%Y %U %w",
        "%Y %u %W",
        "%Y %j",
        "%M %D, %Y",
        "%d %H:%i",
        "%h:%i %p",
        "%Y-%m-%d %T",
        "%m/%d/%y %r",
    ];
    let mut format = String::new();
    if rng.random_bool(0.6) {
        format += WHOLE.choose(rng).expect("not empty");
    } else {
        for _ in 0..rng.random_range(1..6) {
            let letter = LETTERS.choose(rng).expect("not empty");
            format += &format!("%{}", char::from(*letter));
            format += ["", " ", "-", ":", "x", "."].choose(rng).expect("not empty");
        }
    }
    let mut value = String::new();
    let mut letters = format.bytes();
    while let Some(byte) = letters.next() {
        if byte == b'%' {
            value += &text(letters.next().expect("a letter"), rng);
        } else if byte == b' ' {
            value += ["", " ", " ", " ", "  "].choose(rng).expect("not empty");
        } else {
            value.push(char::from(byte));
        }
    }
    match rng.random_range(0..12) {
        0 => value += ["x", " ", "5", " x", "-"].choose(rng).expect("not empty"),
        1 => {
            let at = rng.random_range(0..=value.len());
            value.truncate(at);
        }
        2 => {
            let at = rng.random_range(0..=value.len());
            value.insert_str(at, [" ", "-", "+", "x", "0"].choose(rng).expect("not empty"));
        }
        3 => format += ["%", "%q", "%%", "x", "%Y"].choose(rng).expect("not empty"),
        _ => {}
    }
    format!("STR_TO_DATE('{value}', '{format}')")
}

/// `MYSQL_ORACLE=127.0.0.1:3306 EXPRESSIONS=20000 SEED=1 cargo test -p
/// firn-mysql-semantics --test expressions -- --ignored formats --nocapture`
#[test]
#[ignore = "needs a live MySQL"]
fn texts_are_read_by_formats_as_the_server_does() {
    let (count, seed) = (number("EXPRESSIONS", 20_000), number("SEED", 1));
    println!("SEED={seed}");
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut client = connect();
    let (mut different, mut null) = (0, 0);
    for (mode, no_zero_in_date, no_zero_date, allow_invalid_dates) in [
        ("STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE", true, true, false),
        ("NO_ZERO_DATE", false, true, false),
        ("NO_ZERO_IN_DATE", true, false, false),
        ("ALLOW_INVALID_DATES", false, false, true),
        ("", false, false, false),
    ] {
        client.rows(&format!("SET sql_mode='{mode}'")).expect("the server answers");
        for _ in 0..count / 5 {
            let expr = expression(&mut rng);
            let settings = Settings {
                strict: mode.contains("STRICT"),
                no_zero_in_date,
                no_zero_date,
                allow_invalid_dates,
                ..Settings::default()
            };
            let (mine, real) = (ours_with(&expr, settings), ask(&mut client, &expr));
            null += u64::from(matches!(real.outcome, Outcome::Value { text: None, .. }));
            if let Some(what) = difference(&mine, &real) {
                different += 1;
                if different <= 40 {
                    println!(
                        "{what}: [{mode}] {expr}\n  ours   {}\n  theirs {}",
                        show(&mine),
                        show(&real)
                    );
                }
            }
        }
    }
    println!("{null} of {count} NULL");
    assert_eq!(different, 0, "of {count}");
}

#[test]
fn str_to_date_obeys_the_mode() {
    let value = |expr: &str, no_zero_in_date, no_zero_date| {
        let settings = Settings { no_zero_in_date, no_zero_date, ..Settings::default() };
        match ours_with(expr, settings).outcome {
            Outcome::Value { text, .. } => {
                text.map(|text| String::from_utf8(text).expect("digits")).unwrap_or_default()
            }
            Outcome::Error { message, .. } => message,
        }
    };
    // As a server answered: without either mode, with NO_ZERO_IN_DATE, with NO_ZERO_DATE.
    for (expr, lenient, no_zero_in_date, no_zero_date) in [
        ("STR_TO_DATE('2009','%Y-%m-%d')", "2009-00-00", "", ""),
        ("STR_TO_DATE('0000-00-00','%Y-%m-%d')", "0000-00-00", "0000-00-00", ""),
        ("STR_TO_DATE('2009-02-31','%Y-%m-%d')", "", "", ""),
        ("STR_TO_DATE('9','%s')", "00:00:09", "00:00:09", "00:00:09"),
        ("STR_TO_DATE('15 10:11:12','%d %H:%i:%s')", "370:11:12", "", "370:11:12"),
    ] {
        assert_eq!(value(expr, false, false), lenient, "{expr}");
        assert_eq!(value(expr, true, false), no_zero_in_date, "{expr}");
        assert_eq!(value(expr, false, true), no_zero_date, "{expr}");
    }
}
