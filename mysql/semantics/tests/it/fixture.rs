//! Weights and cases of every code point, against hashes of a server's answers.
//!
//! `data/fixture.bin`: for each collation the length of a name, the name, and a 16-bit
//! hash for each page of 256 code points: FNV-1a, folded, of each answer's length and
//! bytes. A name that starts with UPPER or LOWER has the mapped code points, four bytes
//! each; the others have WEIGHT_STRING. Surrogates have nothing.
//! `data/fixture_languages.bin` has the first 256 pages of collations of one language.

use firn_mysql_semantics::collation::Collation;

const FIXTURE: &[u8] = include_bytes!("../../data/fixture.bin");
const LANGUAGES: &[u8] = include_bytes!("../../data/fixture_languages.bin");
const PAGES: usize = 0x1100;

/// FNV-1a of answers.
struct Hash(u64);

impl Hash {
    fn add(&mut self, answer: &[u8]) {
        for byte in std::iter::once(&(answer.len() as u8)).chain(answer) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3);
        }
    }

    fn folded(self) -> u16 {
        let h = self.0 ^ self.0 >> 32;
        (h ^ h >> 16) as u16
    }
}

/// What is asked of each code point.
enum Question {
    Weights,
    Upper,
    Lower,
}

/// Writes the answer for one character.
fn answer(question: &Question, collation: &Collation, text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    match question {
        Question::Weights => return collation.weight_string(text, out).unwrap(),
        Question::Upper => collation.upper(text, out).unwrap(),
        Question::Lower => collation.lower(text, out).unwrap(),
    }
    let mapped = std::str::from_utf8(out).unwrap().chars().next().unwrap();
    out.clear();
    out.extend(u32::from(mapped).to_be_bytes());
}

#[test]
fn every_code_point_weighs_and_maps_as_on_the_server() {
    let questions = compare(FIXTURE, PAGES);
    assert!(questions >= 12, "only {questions} questions in the fixture");
}

#[test]
fn letters_of_languages_weigh_as_on_the_server() {
    assert_eq!(compare(LANGUAGES, 0x100), 15);
}

/// How many questions a fixture has, all of whose answers are the same here.
fn compare(mut rest: &[u8], pages: usize) -> usize {
    let mut questions = 0;
    while let Some((len, tail)) = rest.split_first() {
        let (name, tail) = tail.split_at(usize::from(*len));
        let (hashes, tail) = tail.split_at(pages * 2);
        rest = tail;
        questions += 1;
        let name = std::str::from_utf8(name).unwrap();
        let (question, collation) = match name.split_once(' ') {
            Some(("UPPER", collation)) => (Question::Upper, collation),
            Some((_, collation)) => (Question::Lower, collation),
            None => (Question::Weights, name),
        };
        let collation = Collation::by_name(collation).unwrap();
        let mut out = Vec::new();
        let mut wrong = Vec::new();
        for (page, expected) in hashes.chunks_exact(2).enumerate() {
            // From there on all is unassigned or private: a sample is enough.
            if page > 0x320 && page % 16 != 0 && !(0xE00..0xE02).contains(&page) {
                continue;
            }
            let mut hash = Hash(0xCBF2_9CE4_8422_2325);
            for low in 0..256 {
                match char::from_u32((page << 8 | low) as u32) {
                    Some(c) => {
                        let mut bytes = [0; 4];
                        let text = c.encode_utf8(&mut bytes).as_bytes();
                        answer(&question, collation, text, &mut out);
                        hash.add(&out);
                    }
                    None => hash.add(&[]),
                }
            }
            if hash.folded() != u16::from_le_bytes([expected[0], expected[1]]) {
                wrong.push(format!("{:04X}", page << 8));
            }
        }
        assert!(wrong.is_empty(), "{name}: pages {}", wrong.join(" "));
    }
    questions
}
