//! Expressions within expressions, as deep as the parser takes them: operators that look
//! at an operand more than once must not take time that grows with a power of the depth.

use std::time::{Duration, Instant};

use firn_mysql_semantics::expr::Settings;

use crate::answer::{ours, ours_with};

/// Far below what powers of two would take, far above what a loaded machine needs.
const LIMIT: Duration = Duration::from_secs(10);

const SHAPES: &[&str] = &[
    "GREATEST(#, 1)",
    "LEAST(#, 'a')",
    "GREATEST(#, c_date)",
    "NULLIF(#, 2)",
    "NULLIF(2, #)",
    "(# BETWEEN 0 AND 2)",
    "(1 BETWEEN # AND #)",
    "(# IN (5, 'a', 1.5))",
    "(# IN (c_int, c_dec, 1.5))",
    "(# NOT IN ('x', 'y'))",
    "((#, 1) IN ((1, 2), (3, 4)))",
    "((#, 1) < (1, 2))",
    "(# <=> 1)",
    "(1 <=> #)",
    "(# = 1)",
    "(# IS NULL)",
    "((# = 1) IS NULL)",
    "(# IS NOT TRUE)",
    "(# XOR 1)",
    "CASE # WHEN 5 THEN 2 WHEN 6 THEN 'a' ELSE 4 END",
    "CASE WHEN # THEN # ELSE 1 END",
    "COALESCE(NULL, #, 'a')",
    "IFNULL(#, 1.5)",
    "IF(#, #, 'a')",
    "FIELD(#, 1, 2)",
    "FIELD(1, #, 2)",
    "INTERVAL(#, 1, 2)",
    "ELT(#, 'a', 'b')",
    "STRCMP(#, 'a')",
    "CONCAT(#, 'a')",
    "LEFT(#, 5)",
    "SUBSTRING(#, 1, 2)",
    "ROUND(#, 1)",
    "TRUNCATE(#, 1)",
    "FORMAT(#, 1)",
    "MAKE_SET(#, 'a')",
    "CAST(# AS YEAR)",
    "CAST(# AS DECIMAL(10, 2))",
    "CAST(# AS DATETIME)",
    "CAST(# AS CHAR)",
    "CAST(# AS SIGNED)",
    "CONVERT(# USING latin1)",
    "(# + INTERVAL 1 DAY)",
    "TIMESTAMPDIFF(DAY, #, #)",
    "ADDTIME(#, 1)",
    "TIMEDIFF(#, 1)",
    "TIME(#)",
    "TIMESTAMP(#, 1)",
    "UNIX_TIMESTAMP(#)",
    "STR_TO_DATE(#, '%Y')",
    "EXTRACT(DAY FROM #)",
    "DATE_FORMAT(#, '%Y')",
    "(- #)",
    "(~ #)",
    "(# & 1)",
    "(# + 1)",
    "(# DIV 2)",
    "(# LIKE 'a')",
    "(NOT #)",
    "(# AND 1)",
    "REPEAT(#, 1)",
    "REPLACE(#, 'a', 'b')",
    "INSERT('abc', #, 1, 'x')",
    "LENGTH(HEX(#))",
    "JSON_ARRAY(#)",
];

fn nested(shape: &str, depth: usize) -> String {
    // The first place goes deeper, others are shallow.
    (0..depth).fold("1".to_owned(), |inner, _| shape.replacen('#', &inner, 1).replace('#', "c_int"))
}

#[test]
fn deep_expressions_take_little_time() {
    let mut slow = String::new();
    for shape in SHAPES {
        // What the parser finds too deep is an error, which is quick.
        let began = Instant::now();
        for depth in [12, 24, 48] {
            if began.elapsed() < LIMIT {
                ours(&nested(shape, depth));
            }
        }
        if began.elapsed() >= LIMIT {
            slow.push_str(&format!("{shape}: {:?}\n", began.elapsed()));
        }
    }
    assert!(slow.is_empty(), "{slow}");
}

#[test]
fn texts_that_grow_with_the_depth_end_at_the_limit_of_packets() {
    for shape in ["HEX(#)", "QUOTE(#)", "JSON_QUOTE(#)", "TO_BASE64(#)", "WEIGHT_STRING(#)"] {
        // Packets of 64 KiB are enough to see it.
        let settings = Settings { max_allowed_packet_bytes: 1 << 16, ..Settings::default() };
        let began = Instant::now();
        ours_with(&nested(shape, 48), settings);
        assert!(began.elapsed() < LIMIT, "{shape}: {:?}", began.elapsed());
    }
}

/// `DEEP=12 cargo test … deep::measure -- --ignored --nocapture`
#[test]
#[ignore = "prints how long each shape takes"]
fn measure() {
    let depth = std::env::var("DEEP").ok().and_then(|n| n.parse().ok()).unwrap_or(10);
    for shape in SHAPES {
        let expr = nested(shape, depth);
        let began = Instant::now();
        ours(&expr);
        println!("{:>10.3} ms {shape}", began.elapsed().as_secs_f64() * 1e3);
    }
}
