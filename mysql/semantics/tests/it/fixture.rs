//! Weights and cases of every code point, against hashes of a server's answers.
//!
//! `data/fixture.bin`: for each collation the length of a name, the name, and a 16-bit
//! hash for each page of 256 code points: FNV-1a, folded, of each answer's length and
//! bytes. A name that starts with UPPER or LOWER has the mapped code points, four bytes
//! each; the others have WEIGHT_STRING. Surrogates have nothing.

use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::collation::Collation;

const FIXTURE: &[u8] = include_bytes!("../../data/fixture.bin");
const PAGES: usize = 0x1100;

fn hash(answers: &[Vec<u8>]) -> u16 {
    let mut h = 0xCBF2_9CE4_8422_2325u64;
    for answer in answers {
        for byte in std::iter::once(answer.len() as u8).chain(answer.iter().copied()) {
            h = (h ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
        }
    }
    h ^= h >> 32;
    (h ^ h >> 16) as u16
}

/// What the fixture of this name asks, of one character.
fn answer(question: &str, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match question.split_once(' ') {
        Some((function, name)) => {
            let collation = Collation::by_name(name).unwrap();
            let mut mapped = Vec::new();
            match function {
                "UPPER" => collation.upper(text, &mut mapped).unwrap(),
                "LOWER" => collation.lower(text, &mut mapped).unwrap(),
                other => panic!("{other}?"),
            }
            Charset::utf8mb4()
                .for_each_char(&mapped, |unit| out.extend(unit.code.to_be_bytes()))
                .unwrap();
        }
        None => Collation::by_name(question).unwrap().weight_string(text, &mut out).unwrap(),
    }
    out
}

#[test]
fn every_code_point_weighs_and_maps_as_on_the_server() {
    let mut rest = FIXTURE;
    let mut questions = 0;
    while let Some((len, tail)) = rest.split_first() {
        let (name, tail) = tail.split_at(usize::from(*len));
        let (hashes, tail) = tail.split_at(PAGES * 2);
        rest = tail;
        questions += 1;
        let question = std::str::from_utf8(name).unwrap();
        let mut wrong = Vec::new();
        for (page, expected) in hashes.chunks_exact(2).enumerate() {
            let answers: Vec<Vec<u8>> = (0..256)
                .map(|low| {
                    let code = (page << 8 | low) as u32;
                    char::from_u32(code).map_or_else(Vec::new, |c| {
                        answer(question, c.encode_utf8(&mut [0; 4]).as_bytes())
                    })
                })
                .collect();
            if hash(&answers) != u16::from_le_bytes([expected[0], expected[1]]) {
                wrong.push(format!("{:04X}", page << 8));
            }
        }
        assert!(wrong.is_empty(), "{question}: pages {}", wrong.join(" "));
    }
    assert!(questions >= 12, "only {questions} questions in the fixture");
}
