//! Statements of the tests, changed in a few bytes.

use crate::differential::Random;

/// Statements that tests record, whatever they are about.
pub(super) fn corpus() -> Vec<Vec<u8>> {
    let root = env!("CARGO_MANIFEST_DIR");
    let files = [
        "tests/it/queries.txt",
        "tests/it/recorded.txt",
        "tests/it/windows.txt",
        "tests/data/differential/recorded.txt",
        "tests/data/differential/queries.txt",
    ];
    let mut all = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(format!("{root}/{file}")).expect("the file is there");
        let sql = text.lines().filter_map(|line| match line.split_once("> ") {
            Some(("" | "a" | "b" | "c", sql)) => Some(sql.as_bytes().to_vec()),
            _ => None,
        });
        all.extend(sql);
    }
    all
}

/// What breaks lexers, numbers and nesting.
const PIECES: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98\x80",
    b"'",
    b"\"",
    b"`",
    b"/*",
    b"*/",
    b"/*!",
    b"--",
    b"-- ",
    b"#",
    b";",
    b"\\",
    b"(",
    b")",
    b",",
    b".",
    b"..",
    b"@",
    b"@@",
    b":=",
    b"->",
    b"->>",
    b"0x",
    b"x'",
    b"b'",
    b"N'",
    b"_utf8mb4",
    b"1e999",
    b"1e-999",
    b"99999999999999999999999999999999999999999999999999999999999999999999999999999999999999",
    b"0.00000000000000000000000000000000000000000000000000000000000000000000000000000000001",
    b"18446744073709551616",
    b"-9223372036854775808",
    b" NULL ",
    b" SELECT ",
    b" FROM ",
    b" WHERE ",
    b" UNION ",
    b" GROUP BY ",
    b" OVER ()",
    b" IN ",
    b" NOT ",
    b" INTERVAL ",
    b" COLLATE ",
    b" CAST(",
    b" CASE ",
    b" END ",
    b" JSON ",
    b" LIMIT ",
    b" WITH ",
    b" LATERAL ",
    b"?",
    b"\\N",
    b"\n",
    b"\r\n",
    b"\t",
    b"*",
    b"= ANY ",
    b"EXISTS ",
];

/// One of the corpus after a few changes.
pub(super) fn mutated(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut out = random.of(corpus).clone();
    for _ in 0..random.between(1, 4) {
        let at = random.below(out.len() + 1);
        let end = (at + random.between(1, 12)).min(out.len());
        match random.below(9) {
            0 if at < out.len() => out[at] ^= 1 << random.below(8),
            1 => out.insert(at, u8::try_from(random.below(256)).expect("a byte")),
            2 => drop(out.drain(at.min(end)..end)),
            3 => {
                let copy = out[at.min(end)..end].to_vec();
                let times = random.between(1, 40);
                out.splice(at..at, copy.repeat(times));
            }
            4 => {
                let other = random.of(corpus);
                let from = random.below(other.len() + 1);
                out.truncate(at);
                out.extend_from_slice(&other[from..]);
            }
            5 => out.truncate(at),
            _ => {
                let piece = *random.of(PIECES);
                out.splice(at..at, piece.iter().copied());
            }
        }
    }
    out
}
