//! How fast texts compare and weigh: `cargo bench -p firn-mysql-semantics --bench text`.
//!
//! Prints nanoseconds per call and per byte, the least of many rounds. Runs for about
//! five seconds.

#![allow(clippy::print_stdout)]

mod measure;

use std::hint::black_box;
use std::time::Duration;

use firn_mysql_semantics::collation::Collation;

fn least(work: impl FnMut()) -> f64 {
    measure::least(Duration::from_millis(40), work)
}

fn main() {
    let ascii =
        "The quick brown fox jumps over the lazy dog, 0123456789 times a day; then it rests.";
    let mixed = "Größe, naïveté, Ελλάδα, Привет мир, 東京都, 한국어, 😀 and plain text as well.";
    println!("{:24} {:22} {:>9} {:>9}", "collation", "what", "ns", "ns/byte");
    for name in [
        "utf8mb4_0900_ai_ci",
        "utf8mb4_0900_as_cs",
        "utf8mb4_general_ci",
        "utf8mb4_unicode_ci",
        "utf8mb4_bin",
        "latin1_swedish_ci",
        "binary",
    ] {
        let collation = Collation::by_name(name).expect("a name of the list");
        for (kind, text) in [("ascii", ascii), ("mixed", mixed)] {
            let text = text.as_bytes();
            let mut cased = Vec::new();
            collation.upper(text, &mut cased).expect("supported");
            let copy = text.to_vec();
            let mut last = text.to_vec();
            if let Some(byte) = last.last_mut() {
                *byte = b'!';
            }
            let mut key = Vec::new();
            let pattern = [b"%", &text[text.len() - 12..], b"%"].concat();
            let report = |what: &str, nanoseconds: f64| {
                let per = nanoseconds / text.len() as f64;
                println!("{name:24} {kind} {what:16} {nanoseconds:9.1} {per:9.2}");
            };
            report(
                "compare same",
                least(|| {
                    let _ = black_box(collation.compare(black_box(text), black_box(&copy[..])));
                }),
            );
            report(
                "compare last",
                least(|| {
                    let _ = black_box(collation.compare(black_box(text), black_box(&last)));
                }),
            );
            report(
                "compare cased",
                least(|| {
                    let _ = black_box(collation.compare(black_box(text), black_box(&cased)));
                }),
            );
            report(
                "sort_key",
                least(|| {
                    key.clear();
                    let _ = black_box(collation.sort_key(black_box(text), &mut key));
                }),
            );
            report(
                "hash",
                least(|| {
                    let _ = black_box(collation.hash(black_box(text), 1));
                }),
            );
            report(
                "like %…%",
                least(|| {
                    let _ =
                        black_box(collation.like(black_box(text), black_box(&pattern), Some(92)));
                }),
            );
            report(
                "upper",
                least(|| {
                    key.clear();
                    let _ = black_box(collation.upper(black_box(text), &mut key));
                }),
            );
        }
    }
}
