//! JSON documents: `cargo bench -p firn-mysql-semantics --bench json`.
//!
//! Prints nanoseconds per call and megabytes of text per second, the least of many
//! rounds, beside serde_json, whose values are trees in memory. Runs for about six
//! seconds.

#![allow(clippy::print_stdout)]

mod measure;

use std::hint::black_box;
use std::time::Duration;

use firn_mysql_semantics::json::{self, Path};

fn least(work: impl FnMut()) -> f64 {
    measure::least(Duration::from_millis(200), work)
}

/// An order of a shop, of about 1 KB a copy of its lines.
fn order(lines: usize) -> String {
    let line = |i: usize| {
        format!(
            r#"{{"sku": "A-{i:05}", "name": "Thing number {i}", "price": {}.99, "count": {}, "tags": ["blue", "gr\u00f6\u00dfe"], "gift": false}}"#,
            i * 7 % 90,
            i % 5 + 1
        )
    };
    let lines: Vec<_> = (0..lines).map(line).collect();
    format!(
        r#"{{"id": 4711, "customer": {{"name": "Ada Lovelace", "email": "ada@example.org", "address": {{"street": "12 St James's Square", "city": "London", "zip": null}}}}, "total": 1234.5, "placed": "2026-01-02T03:04:05Z", "lines": [{}]}}"#,
        lines.join(", ")
    )
}

fn row(what: &str, text_bytes: usize, ours: f64, theirs: f64) {
    let rate = |ns: f64| text_bytes as f64 * 1000.0 / ns;
    println!(
        "{what:36} {ours:10.0} {:8.0} {theirs:10.0} {:8.0} {:6.2}",
        rate(ours),
        rate(theirs),
        theirs / ours
    );
}

fn main() {
    println!(
        "{:36} {:>10} {:>8} {:>10} {:>8} {:>6}",
        "", "ns", "MB/s", "serde ns", "MB/s", "ratio"
    );
    for lines in [6, 600] {
        let text = order(lines);
        let buf = json::parse(&text).expect("a document");
        let tree: serde_json::Value = serde_json::from_str(&text).expect("a document");
        let bytes = text.len();
        println!("{bytes} bytes of text, {} of binary form", buf.as_bytes().len());
        row(
            "parse",
            bytes,
            least(|| drop(black_box(json::parse(black_box(&text))))),
            least(|| drop(black_box(serde_json::from_str::<serde_json::Value>(black_box(&text))))),
        );
        let mut printed = String::new();
        row(
            "print",
            bytes,
            least(|| {
                printed.clear();
                let root = buf.root().expect("a document");
                root.print_to(&mut printed).expect("a document");
                black_box(&printed);
            }),
            least(|| drop(black_box(serde_json::to_string(black_box(&tree))))),
        );
        let path = Path::parse("$.lines[5].name").expect("a path");
        row(
            "find $.lines[5].name in stored form",
            bytes,
            least(|| {
                let root = json::JsonRef::open(black_box(buf.as_bytes())).expect("a document");
                black_box(json::find(root, &path)).ok();
            }),
            least(|| {
                black_box(black_box(&tree).pointer("/lines/5/name"));
            }),
        );
        row(
            "JSON_EXTRACT, the same",
            bytes,
            least(|| {
                let root = json::JsonRef::open(black_box(buf.as_bytes())).expect("a document");
                drop(black_box(json::extract(root, std::slice::from_ref(&path))));
            }),
            least(|| drop(black_box(black_box(&tree).pointer("/lines/5/name").cloned()))),
        );
        let value = json::parse("1").expect("a document");
        let total = Path::parse("$.total").expect("a path");
        row(
            "JSON_SET $.total",
            bytes,
            least(|| {
                let root = json::JsonRef::open(black_box(buf.as_bytes())).expect("a document");
                let new = value.root().expect("a document");
                drop(black_box(json::set(root, &total, new, json::SetMode::Set)));
            }),
            least(|| {
                let mut tree = black_box(&tree).clone();
                tree["total"] = 1.into();
                drop(black_box(tree));
            }),
        );
    }
}
