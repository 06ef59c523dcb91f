//! Collations against a real server.
//!
//! `MYSQL_CLI='mysql -h127.0.0.1 -uroot' cargo test -p firn-mysql-semantics --release
//! --test it -- --ignored oracle --nocapture`. `TEXT_SEED` and `TEXT_CASES` set the seed
//! and how many cases each collation gets; `TEXT_COLLATION` picks those whose names
//! contain it.

#![allow(clippy::print_stdout)]

use std::cmp::Ordering;
use std::fmt::Write as _;

use firn_mysql_semantics::charset::{Charset, convert};
use firn_mysql_semantics::collation::Collation;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::server::{ask, hex, setting};

fn chosen() -> Vec<&'static Collation> {
    let name = std::env::var("TEXT_COLLATION").unwrap_or_default();
    let all = Collation::all().iter();
    all.filter(|one| one.is_supported() && one.name().contains(&name)).collect()
}

fn weight(collation: &Collation, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    collation.weight_string(text, &mut out).unwrap();
    out
}

/// WEIGHT_STRING, UPPER and LOWER of each code point that the collation's set has.
#[test]
#[ignore = "needs a MySQL server: MYSQL_CLI"]
fn oracle_every_code_point() {
    for collation in chosen() {
        let set = collation.charset();
        if set.is_binary() {
            continue;
        }
        let mut sql = String::from("SET SESSION group_concat_max_len=100000000;\n");
        let most = if set.name() == "utf8mb4" { 0x11_00 } else { 0x1_00 };
        let pages: Vec<u32> = (0..most).filter(|page| !(0xD8..0xE0).contains(page)).collect();
        for page in &pages {
            let first = page << 8;
            let _ = writeln!(
                sql,
                "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i+1 FROM n WHERE i<{}), \
                 t(i,c) AS (SELECT i, CONVERT(CHAR(i USING utf32) USING {}) COLLATE {} FROM n) \
                 SELECT GROUP_CONCAT(CONCAT_WS('/', HEX(c), HEX(WEIGHT_STRING(c)), \
                 HEX(TRIM(UPPER(CONCAT('  ', c, '  ')))), HEX(TRIM(LOWER(CONCAT('  ', c, '  '))))) ORDER BY i) FROM t;",
                first + 255,
                set.name(),
                collation.name(),
            );
        }
        let mut wrong = Vec::new();
        let mut asked = 0;
        for (page, line) in pages.iter().zip(ask(&sql)) {
            for (low, answer) in line.split(',').enumerate() {
                let code = page << 8 | low as u32;
                let utf8 = char::from_u32(code).unwrap().to_string();
                let mut text = Vec::new();
                convert(utf8.as_bytes(), Charset::utf8mb4(), set, &mut text).unwrap();
                let (mut upper, mut lower) = (Vec::new(), Vec::new());
                // The blanks, which are cut off again, give room to what grows.
                if code != 0x20 {
                    collation.upper(&text, &mut upper).unwrap();
                    collation.lower(&text, &mut lower).unwrap();
                }
                let mine = format!(
                    "{}/{}/{}/{}",
                    hex(&text),
                    hex(&weight(collation, &text)),
                    hex(&upper),
                    hex(&lower)
                );
                asked += 1;
                if mine != answer {
                    wrong.push(format!("U+{code:04X}: {mine}, the server {answer}"));
                }
            }
        }
        println!("{}: {asked} code points, {} differ", collation.name(), wrong.len());
        let some = &wrong[..wrong.len().min(20)];
        assert!(wrong.is_empty(), "{}: {}\n{}", collation.name(), wrong.len(), some.join("\n"));
    }
}

/// Characters that have something to do with each other.
const FAMILIES: [&str; 20] = [
    "aAàÀáÂäåªⒶａ",
    "sSßẞſšŠ",
    "cCçčČhH",
    "eEéêëĚ",
    "iIıİíl",
    "oOöøØœŒ",
    " \u{a0}\u{3000}\u{2003}",
    "\t\n\u{1}\u{7f}\u{0}\u{ad}\u{200b}",
    "-_%|\\!~",
    "0123४٤⁴",
    "\u{301}\u{308}\u{30a}\u{345}",
    "яЯёЁйЙ",
    "한가각가",
    "中国人豈\u{f900}\u{2f800}",
    "カｶかがパハ゛",
    "😀😁🏳",
    "æÆﬁﬀ㎏",
    "เกแไ",
    "\u{fdfa}\u{10ffff}\u{e000}\u{d7a4}\u{17000}",
    "αΑάςσΣ",
];

struct Words<'r> {
    rng: &'r mut SmallRng,
    families: Vec<Vec<char>>,
}

impl Words<'_> {
    fn char(&mut self) -> char {
        let family = if self.rng.random_bool(0.4) {
            self.rng.random_range(0..self.families.len().min(4))
        } else {
            self.rng.random_range(0..self.families.len())
        };
        let family = &self.families[family];
        family[self.rng.random_range(0..family.len())]
    }

    fn word(&mut self) -> Vec<char> {
        (0..self.rng.random_range(0..7)).map(|_| self.char()).collect()
    }

    /// Another word much like it.
    fn like(&mut self, word: &[char]) -> Vec<char> {
        let mut word = word.to_vec();
        for _ in 0..self.rng.random_range(0..3) {
            let at = self.rng.random_range(0..=word.len());
            match self.rng.random_range(0..5) {
                0 if at < word.len() => {
                    word.remove(at);
                }
                1 => word.insert(at, self.char()),
                2 => word.push(' '),
                _ if at < word.len() => {
                    let kin = self.families.iter().find(|f| f.contains(&word[at])).cloned();
                    if let Some(kin) = kin {
                        word[at] = kin[self.rng.random_range(0..kin.len())];
                    }
                }
                _ => {}
            }
        }
        word
    }

    fn pattern(&mut self, word: &[char]) -> Vec<char> {
        let mut word = self.like(word);
        for _ in 0..self.rng.random_range(0..4) {
            let at = self.rng.random_range(0..=word.len());
            match self.rng.random_range(0..6) {
                0 | 1 => word.insert(at, '%'),
                2 => word.insert(at, '!'),
                3 if at < word.len() => word[at] = '%',
                _ if at < word.len() => word[at] = '_',
                _ => word.push('%'),
            }
        }
        word
    }
}

fn encode(word: &[char], set: &Charset) -> Vec<u8> {
    let text: String = word.iter().collect();
    let mut out = Vec::new();
    convert(text.as_bytes(), Charset::utf8mb4(), set, &mut out).unwrap();
    out
}

/// Comparison, equality, LIKE, INSTR, cases and weights of random texts.
#[test]
#[ignore = "needs a MySQL server: MYSQL_CLI"]
fn oracle_random_texts() {
    let seed = setting("TEXT_SEED", 1);
    let cases = setting("TEXT_CASES", 20_000) as usize;
    println!("seed {seed}, {cases} cases a collation");
    let mut failed = Vec::new();
    for collation in chosen() {
        let set = collation.charset();
        let mut rng = SmallRng::seed_from_u64(seed ^ u64::from(collation.id()) << 32);
        let fits = |c: &char| {
            let mut out = Vec::new();
            let text = c.to_string();
            convert(text.as_bytes(), Charset::utf8mb4(), set, &mut out).is_ok_and(|lost| lost == 0)
        };
        let families = FAMILIES.iter().map(|f| f.chars().filter(fits).collect::<Vec<char>>());
        let families = families.filter(|f| !f.is_empty()).collect();
        let mut words = Words { rng: &mut rng, families };
        let mut texts = Vec::new();
        for _ in 0..cases {
            let a = words.word();
            let b = words.like(&a);
            let pattern = words.pattern(&a);
            texts.push([encode(&a, set), encode(&b, set), encode(&pattern, set)]);
        }
        let mut sql = String::new();
        for batch in texts.chunks(2_000) {
            let c = |name: &str| match set.is_binary() {
                true => name.to_owned(),
                false => {
                    format!("CONVERT({name} USING {}) COLLATE {}", set.name(), collation.name())
                }
            };
            let _ = write!(
                sql,
                "SELECT CONCAT_WS(' ', a<b, a=b, a LIKE p ESCAPE '!', INSTR(a,b), INSTR(b,a), \
                 CHAR_LENGTH(a), HEX(UPPER(a)), HEX(LOWER(a)), HEX(WEIGHT_STRING(a))) \
                 FROM (SELECT {} a, {} b, {} p, n FROM (VALUES ",
                c("x"),
                c("y"),
                c("z"),
            );
            for (n, [a, b, p]) in batch.iter().enumerate() {
                let comma = if n == 0 { "" } else { "," };
                let _ = write!(sql, "{comma}ROW({n},X'{}',X'{}',X'{}')", hex(a), hex(b), hex(p));
            }
            sql.push_str(") v(n,x,y,z)) t ORDER BY n;\n");
        }
        let answers = ask(&sql);
        assert_eq!(answers.len(), texts.len(), "{}", collation.name());
        let mut wrong = Vec::new();
        let (mut equal, mut liked) = (0, 0);
        for ([a, b, p], answer) in texts.iter().zip(&answers) {
            let order = collation.compare(a, b).unwrap();
            let found =
                |text, part| collation.find(text, part).unwrap().map_or(0, |found| found.chars + 1);
            let (mut upper, mut lower) = (Vec::new(), Vec::new());
            collation.upper(a, &mut upper).unwrap();
            collation.lower(a, &mut lower).unwrap();
            let like = collation.like(a, p, Some(u32::from(b'!'))).unwrap();
            let mine = format!(
                "{} {} {} {} {} {} {} {} {}",
                u8::from(order == Ordering::Less),
                u8::from(order == Ordering::Equal),
                u8::from(like),
                found(a, b),
                found(b, a),
                set.char_length(a).unwrap(),
                hex(&upper),
                hex(&lower),
                hex(&weight(collation, a)),
            );
            equal += usize::from(order == Ordering::Equal);
            liked += usize::from(like);
            if mine != *answer {
                wrong.push(format!(
                    "{} {} {}\n   we: {mine}\n   it: {answer}",
                    hex(a),
                    hex(b),
                    hex(p)
                ));
            }
            let (mut x, mut y) = (Vec::new(), Vec::new());
            collation.sort_key(a, &mut x).unwrap();
            collation.sort_key(b, &mut y).unwrap();
            assert_eq!(x.cmp(&y), order, "keys in {}: {} {}", collation.name(), hex(a), hex(b));
            if order == Ordering::Equal {
                assert_eq!(collation.hash(a, 7), collation.hash(b, 7), "{} {}", hex(a), hex(b));
            }
        }
        println!(
            "{}: {} texts ({equal} equal, {liked} like), {} differ",
            collation.name(),
            texts.len(),
            wrong.len()
        );
        if !wrong.is_empty() {
            println!("{}", wrong[..wrong.len().min(6)].join("\n"));
            failed.push(collation.name());
        }
    }
    assert!(failed.is_empty(), "differ: {failed:?}");
}

/// The lists of sets and collations are the server's.
#[test]
#[ignore = "needs a MySQL server: MYSQL_CLI"]
fn oracle_lists() {
    let rows =
        ask("SELECT CONCAT_WS(' ', ID, COLLATION_NAME, CHARACTER_SET_NAME, IS_DEFAULT, SORTLEN, \
         PAD_ATTRIBUTE) FROM information_schema.COLLATIONS ORDER BY ID");
    let mine: Vec<String> = Collation::all()
        .iter()
        .map(|one| {
            format!(
                "{} {} {} {} {} {}",
                one.id(),
                one.name(),
                one.charset().name(),
                if one.is_default() { "Yes" } else { "" },
                one.sort_len(),
                match one.pad_attribute() {
                    firn_mysql_semantics::collation::PadAttribute::PadSpace => "PAD SPACE",
                    firn_mysql_semantics::collation::PadAttribute::NoPad => "NO PAD",
                }
            )
        })
        .collect();
    assert_eq!(mine, rows);
}
