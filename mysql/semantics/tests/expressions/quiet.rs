//! Conditions that say of themselves that they neither warn nor fail.

use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::generate::Generator;
use crate::oracle::number;
use crate::vector_batch::{bound, by_row, rows, settings};

/// Conditions as joins have them.
const QUIET: &[&str] = &[
    "c_int = 5 AND c_vc = 'abc'",
    "c_int = 1 OR c_dec BETWEEN 1 AND 1 + 10",
    "c_bin IN ('a', 'b', NULL) OR c_int IN (1, 2, 3)",
    "c_date >= '2024-02-29' AND c_dt < TIMESTAMP'2024-02-29 12:00:00'",
    "c_date IN ('2024-02-29', DATE'9999-12-31')",
    "c_vc LIKE 'a%' OR c_bin NOT LIKE '_'",
    "c_int IS NULL OR NOT c_tiny > c_small",
    "c_double < c_dec OR c_float = c_int",
    "c_vc IS NULL OR c_int XOR c_tiny",
    "c_time = c_time OR c_int <=> c_big",
];

/// What may warn, or fail, for some row, or always.
const LOUD: &[&str] = &[
    "c_vc = 5",
    "c_int = 'abc'",
    "c_int + 1 > 5",
    "c_int = 9223372036854775807 + 10",
    "c_int = 1 / 0",
    "c_vc > c_date",
    "c_int = 1 AND c_vc",
    "c_int = RAND()",
    "c_vc = DATE'2024-02-29'",
    "CONCAT(c_vc, 'x') = 'ax'",
];

#[test]
fn quiet_conditions_never_warn() {
    let (settings, seed) = (settings(), number("SEED", 1));
    println!("SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expressions");
    let mut exprs: Vec<String> = QUIET.iter().map(|&expr| expr.to_owned()).collect();
    for file in ["recorded.txt", "mended.txt"] {
        let text = std::fs::read_to_string(path.join(file)).expect("the file can be read");
        let own = text.lines().filter(|line| !line.starts_with("    ") && !line.starts_with('#'));
        exprs.extend(own.map(str::to_owned));
    }
    for depth in 1..=2 {
        let mut generator = Generator::new(seed.wrapping_add(depth)).with_rare_columns(25);
        exprs.extend((0..number("EXPRESSIONS", 2_000)).map(|_| generator.expression(depth as u32)));
    }
    let mut quiet = 0;
    for (at, expr) in exprs.iter().enumerate() {
        let Ok(node) = bound(expr, &settings, &[]) else { continue };
        if !node.is_quiet() {
            assert!(at >= QUIET.len(), "{expr} is not taken to be quiet");
            continue;
        }
        quiet += 1;
        let mut some = rows(&mut random, 40);
        some.insert(0, crate::answer::columns().into_iter().map(|cell| cell.value).collect());
        let given = by_row(&node, expr, &settings, &some);
        assert!(given.values.is_ok(), "{expr} fails: {:?}", given.values);
        assert!(given.warnings.is_empty(), "{expr} warns");
    }
    assert!(quiet > 100, "{quiet} of {}", exprs.len());
}

#[test]
fn what_may_warn_is_not_quiet() {
    for expr in LOUD {
        let node = bound(expr, &settings(), &[]).unwrap_or_else(|error| panic!("{expr}: {error}"));
        assert!(!node.is_quiet(), "{expr}");
    }
}
