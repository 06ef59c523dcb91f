//! The vector form gives what the row form gives: values, errors and warnings.

use std::sync::Arc;

use firn_mysql_semantics::Value;
use firn_mysql_semantics::expr::Settings;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::generate::Generator;
use crate::oracle::number;
use crate::vector_batch::{batch, bound, by_row, by_vector, difference, rows, settings, truths};

/// Checks one expression over rows; says what differs.
fn check(expr: &str, settings: &Settings, rows: &[Vec<Value>]) -> Option<String> {
    let node = bound(expr, settings, &[]).ok()?;
    let batch = batch(rows);
    let mine = by_row(&node, expr, settings, rows);
    let (theirs, _) = by_vector(&node, expr, settings, &batch);
    if let Some(what) = difference(&node, &mine, &theirs) {
        return Some(format!("{expr}\n    {what}"));
    }
    let (mine, theirs) = truths(&node, settings, rows, &batch);
    let what = difference(&node, &mine, &theirs)?;
    Some(format!("{expr} as a truth\n    {what}"))
}

/// As [`check`], of the table's own row and of others by chance, of which the first
/// ones may fail.
fn check_rows(expr: &str, random: &mut SmallRng) -> Option<String> {
    let settings = settings();
    let mut some = rows(random, 6);
    some.insert(0, crate::answer::columns().into_iter().map(|cell| cell.value).collect());
    // An error ends the batch, so single rows say more of some expressions.
    let own = some.get(..1)?;
    check(expr, &settings, own).or_else(|| check(expr, &settings, &some))
}

fn seed() -> u64 {
    let seed = number("SEED", 1);
    println!("SEED={seed}");
    seed
}

fn report(wrong: Vec<String>, all: usize) {
    let shown = wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {all} differ\n{shown}", wrong.len());
}

#[test]
fn recorded_expressions_give_the_same_in_both_forms() {
    let mut random = SmallRng::seed_from_u64(seed());
    let (mut wrong, mut all) = (Vec::new(), 0);
    for file in ["recorded.txt", "json.txt", "mended.txt"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expressions");
        let text = std::fs::read_to_string(path.join(file)).expect("the file can be read");
        let exprs = text.lines().filter(|line| !line.starts_with("    ") && !line.starts_with('#'));
        for expr in exprs {
            all += 1;
            wrong.extend(check_rows(expr, &mut random));
        }
    }
    assert!(all > 3_000, "{all} expressions");
    report(wrong, all);
}

/// `EXPRESSIONS=100000 SEED=1 DEPTH=3 cargo test -p firn-mysql-semantics --features
/// vector --test expressions vector::generated`
#[test]
fn generated_expressions_give_the_same_in_both_forms() {
    let seed = seed();
    let count = number("EXPRESSIONS", 400);
    let mut random = SmallRng::seed_from_u64(seed);
    let mut wrong = Vec::new();
    for depth in 1..=number("DEPTH", 2) {
        let mut generator = Generator::new(seed.wrapping_add(depth)).with_rare_columns(25);
        for _ in 0..count {
            wrong.extend(check_rows(&generator.expression(depth as u32), &mut random));
        }
    }
    report(wrong, count as usize);
}

/// Expressions of which all runs as kernels, over columns of all lanes.
const KERNELS: &[&str] = &[
    "c_int + 1",
    "c_int + c_small",
    "c_big + c_big",
    "c_big - c_int",
    "c_big + -1",
    "c_big - 1",
    "c_big - -5",
    "1 - c_big",
    "c_vc LIKE 'abc%'",
    "c_vc NOT LIKE 'A%'",
    "c_big * 2",
    "c_int * c_int",
    "c_intu + 1",
    "c_intu - 5",
    "c_bigu + c_bigu",
    "c_bigu - c_intu",
    "c_bigu * 3",
    "c_bigu - c_int",
    "c_int DIV c_small",
    "c_big DIV c_tiny",
    "c_int % c_tiny",
    "c_bigu % 7",
    "c_big % -1",
    "- c_int",
    "- c_big",
    "c_int & 255",
    "c_bigu | c_int",
    "c_int ^ -1",
    "c_int << 3",
    "c_bigu >> c_tinyu",
    "~ c_int",
    "c_double + 1",
    "c_double * c_int",
    "c_double - c_float",
    "c_double / c_int",
    "c_double % 3",
    "c_double / 0",
    "- c_double",
    "c_dec + 1",
    "c_dec + c_int",
    "c_dec - 1.25",
    "c_dec * c_dec",
    "c_dec * 2 + 1.5",
    "- c_dec",
    "c_dec / c_int",
    "c_int / c_small",
    "c_int / 3",
    "c_big / c_tiny + 1",
    "c_dec % 7",
    "c_dec % c_dec",
    "c_dec + c_double",
    "c_double < c_dec",
    "CAST(c_dec AS SIGNED)",
    "CAST(c_dec AS UNSIGNED)",
    "CAST(c_double AS SIGNED)",
    "CAST(c_double AS UNSIGNED)",
    "CAST(c_float AS SIGNED)",
    "CAST(c_dec AS DECIMAL(8,1))",
    "CAST(c_dec AS DECIMAL(30,10))",
    "CAST(c_int AS DECIMAL(12,2)) * 2",
    "CAST(c_tiny AS DECIMAL(2,0))",
    "CAST(c_dec AS DOUBLE)",
    "c_int = 5",
    "c_tiny > 200",
    "c_tiny > -200",
    "c_tinyu < -1",
    "c_int < c_big",
    "c_big >= c_bigu",
    "c_bigu <> 18446744073709551615",
    "7 <= c_int",
    "c_int <=> c_small",
    "c_int <=> NULL",
    "c_double < 0.5e0",
    "c_double = c_int",
    "c_float >= c_double",
    "c_dec < 12.5",
    "c_dec = 1.50",
    "c_dec > 0.0001",
    "c_dec >= c_int",
    "c_dec <> c_dec",
    "c_int < 1.5",
    "c_vc = 'abc'",
    "c_vc < c_bin COLLATE utf8mb4_0900_ai_ci",
    "c_bin = 'aBc'",
    "c_bin > 'a'",
    "c_gen <> 'ABC'",
    "c_latin = _latin1'caf\u{e9}'",
    "c_vb >= _binary'A'",
    "c_vb = c_vb",
    "c_date = '2024-02-29'",
    "c_date < DATE'2024-02-29'",
    "c_date >= TIMESTAMP'2024-02-29 12:00:00'",
    "c_dt > '2020-01-01'",
    "c_dt < c_ts",
    "c_dt >= c_date",
    "c_dt BETWEEN '2000-01-01' AND '2030-12-31 23:59:59'",
    "c_time < TIME'10:00:00'",
    "c_time = c_time",
    "c_int BETWEEN 1 AND 100",
    "c_int NOT BETWEEN c_tiny AND c_small",
    "c_double BETWEEN -1e0 AND c_double",
    "c_int IN (1, 2, 3)",
    "c_int NOT IN (1, 2, NULL)",
    "c_int IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, -1, -7)",
    "c_vc IN ('a', 'ABC', 'x')",
    "c_dec IN (1.5, 0, -1.5)",
    "c_date IN ('2024-02-29', DATE'9999-12-31')",
    "c_dt NOT IN ('2024-02-29', '2019-12-31 23:59:59.987', NULL)",
    "c_time IN ('-12:34:56.78', '838:59:59')",
    "c_int IN ('1', '3')",
    "c_bigu IN (-1, 5, 18446744073709551615)",
    "c_big NOT IN (18446744073709551615, -1, 1)",
    "c_vc LIKE 'a%'",
    "c_vc LIKE '%b%'",
    "c_vc LIKE '%C'",
    "c_vc NOT LIKE 'a_c'",
    "c_vc LIKE '%b%c%'",
    "c_vc LIKE '%_b%'",
    "c_vc LIKE '\u{e9}%'",
    "c_vc LIKE 'a!%b' ESCAPE '!'",
    "c_bin LIKE '%b%'",
    "c_bin LIKE '%b%b'",
    "c_vc LIKE '%b%b'",
    "c_bin LIKE 'a%a'",
    "c_bin LIKE 'b%'",
    "c_bin LIKE '%bé'",
    "c_bin LIKE 'abc%'",
    "c_bin NOT LIKE 'aBc'",
    "c_bin LIKE '%'",
    "c_vb LIKE '%'",
    "c_bin LIKE '%\u{e9}%'",
    "c_bin LIKE 'a%c'",
    "c_bin LIKE '_'",
    "c_gen LIKE '%bc%'",
    "c_latin LIKE '%AF%'",
    "c_latin LIKE _latin1 x'25e9'",
    "c_vb LIKE '%A'",
    "c_vb LIKE x'25ff25'",
    "c_text LIKE '%text'",
    "c_int IS NULL",
    "c_vc IS NOT NULL",
    "c_date IS NULL",
    "(c_int + 1) IS NULL",
    "(c_int > 1) IS TRUE",
    "c_int IS NOT FALSE",
    "c_double IS TRUE",
    "c_dec IS FALSE",
    "c_int > 1 AND c_double < 5",
    "c_int > 1 OR c_vc LIKE '%b%'",
    "c_int XOR c_tiny",
    "NOT c_int",
    "NOT (c_int > 1 AND c_null = 1)",
    "c_int AND c_dec AND c_double",
    "c_int = 0 OR 10 DIV c_int > 1",
    "c_int <> 0 AND 10 / c_double > 1",
    "(c_int > 1) + (c_tiny > 1)",
    "IF(c_int > 1, c_small, c_tiny)",
    "IF(c_int > 1, 5, NULL)",
    "CASE WHEN c_int > 1 THEN c_double WHEN c_tiny = 1 THEN 0.5e0 ELSE c_int END",
    "CASE WHEN c_vc LIKE 'a%' THEN c_vc WHEN c_int IS NULL THEN 'none' END",
    "CASE c_int WHEN 1 THEN 'one' WHEN c_small THEN c_vc ELSE 'more' END",
    "CASE c_tiny WHEN 0 THEN 10 ELSE 10 DIV c_tiny END",
    "COALESCE(c_int, c_small, 0)",
    "COALESCE(c_vc, 'none') = 'NONE'",
    "IFNULL(c_date, DATE'2000-01-01')",
    "COALESCE(c_bigu, c_intu)",
    "IF(c_int > 0, c_dt, NULL)",
    "COALESCE(c_int, c_tiny) + 1",
    "IF(c_int, c_double, c_float) > 1e0",
    "CAST(c_int AS UNSIGNED)",
    "CAST(c_bigu AS SIGNED)",
    "CAST(c_int AS DOUBLE)",
    "c_year > 2000",
    "c_bit & 15",
    "c_enum = 2",
    "c_set + 0",
    "c_tiny + c_tinyu",
    "c_vc",
    "c_dec",
    "LEFT(c_vc, 2)",
    "LEFT(c_vc, 0)",
    "LEFT(c_text, -1)",
    "LEFT(c_vc, 14)",
    "RIGHT(c_vc, 2)",
    "RIGHT(c_bin, 15)",
    "RIGHT(c_latin, -5)",
    "SUBSTRING(c_vc, 2)",
    "SUBSTRING(c_vc, -2)",
    "SUBSTRING(c_vc, -30)",
    "SUBSTRING(c_vc FROM 0 FOR 2)",
    "SUBSTRING(c_vc FROM 2 FOR 100)",
    "SUBSTRING(c_vc, 3, 14)",
    "SUBSTRING(c_vc, -3, 2)",
    "SUBSTRING(c_vc, 1, 0)",
    "SUBSTRING(c_vc, 1, -1)",
    "SUBSTRING(c_vc, -9223372036854775808, 3)",
    "SUBSTRING(c_vc, 18446744073709551615, 18446744073709551615)",
    "SUBSTRING(c_latin, 2, 2)",
    "SUBSTRING(c_vb, -3, 2)",
    "SUBSTRING(c_gen, 1, 1)",
    "SUBSTRING(c_vc, 1.5, 2.4)",
    "SUBSTRING(c_vc, NULL, 2)",
    "SUBSTRING(c_vc, 1, NULL)",
    "LEFT(SUBSTRING(c_vc, 2), 3)",
    "SUBSTRING(c_vc, 1, 2) IN ('ab', 'ÄR', '日本', 'x', '', NULL)",
    "SUBSTRING(c_vc, 1, 2) NOT IN ('ab', 'ÄR', '日本', 'x', '')",
    "LEFT(c_vc, 1) IN ('a', '1')",
    "LEFT(c_bin, 2) IN ('ab', 'AB', 'Är', '1e', ' 4')",
    "c_bin IN ('abc', 'ABC', 'aBc ', 'Straße', '日本', '', NULL)",
    "c_gen NOT IN ('abc', 'b', 'xBx', 'strase', '日本', '')",
    "c_latin IN (_latin1'abc', _latin1'b', _latin1'xbx', _latin1 x'c4', _latin1'')",
    "c_vb IN (x'61', 'abc', 'ABC', '', '12:34:56')",
    "SUBSTRING(c_vc, 2, 3) = 'BC'",
    "SUBSTRING(c_vc, 2) LIKE 'b%'",
    "CASE LEFT(c_vc, 1) WHEN 'a' THEN 1 WHEN '日' THEN 2 END",
];

#[test]
fn kernels_give_what_rows_give() {
    let mut random = SmallRng::seed_from_u64(seed());
    let settings = settings();
    let (mut wrong, mut all) = (Vec::new(), 0);
    for expr in KERNELS {
        let node = bound(expr, &settings, &[]).unwrap_or_else(|error| panic!("{expr}: {error}"));
        let some = rows(&mut random, 3);
        let (_, whole) = by_vector(&node, expr, &settings, &batch(&some));
        assert!(whole, "{expr} does not run as kernels");
        for _ in 0..8 {
            all += 1;
            // Few rows, so that not every batch has one that fails.
            let count = if all % 2 == 0 { 3 } else { 70 };
            let some = rows(&mut random, count);
            wrong.extend(check(expr, &settings, &some));
        }
    }
    report(wrong, all);
}

/// Parts that run row by row below kernels, and warn.
#[test]
fn mixed_trees_give_what_rows_give() {
    let mut random = SmallRng::seed_from_u64(seed());
    let settings = settings();
    let exprs = [
        "c_int > 0 AND c_vc > 5",
        "c_vc > 5 AND c_int > 0",
        "c_int > 0 OR c_bin = 1 OR c_int DIV c_tiny = 2",
        "c_int IS NULL OR CONCAT(c_vc, c_int) LIKE '%1%'",
        "c_int + c_vc",
        "c_int < c_vc",
        "c_vc = c_int",
        "c_int DIV c_tiny BETWEEN 0 AND 5",
        "c_int DIV c_tiny + c_small DIV c_tinyu",
        "c_vc + c_bin > c_int",
        "c_int XOR c_vc",
        "c_small % c_tiny > 0 AND c_vc = 0",
        "c_int + LENGTH(c_vc)",
        "UPPER(c_vc) = 'ABC' OR c_int = 1",
        "c_double + c_text",
        "(c_vc + 0) IS NULL OR c_int",
        "CASE WHEN c_int > 0 THEN c_vc + 1 WHEN c_bin THEN c_double ELSE c_text END",
        "COALESCE(c_int, c_vc, 1 DIV c_tiny)",
        "IF(c_tiny > 1, UPPER(c_vc), c_bin)",
        "CASE c_vc WHEN 1 THEN 5 WHEN c_int THEN 6 END",
        "COALESCE(c_enum, c_vc)",
    ];
    let (mut wrong, mut all) = (Vec::new(), 0);
    for expr in exprs {
        for _ in 0..16 {
            all += 1;
            let some = rows(&mut random, if all % 2 == 0 { 4 } else { 50 });
            wrong.extend(check(expr, &settings, &some));
        }
    }
    report(wrong, all);
}

#[test]
fn an_empty_batch_and_an_empty_statement() {
    use datafusion_physical_expr_common::physical_expr::PhysicalExpr as _;
    use firn_mysql_semantics::vector::{Builder, Execution, Statement, sql_error};
    let settings = settings();
    let (places, statement) = (crate::vector_batch::places(), Statement::new());
    let empty = batch(&[]);
    for expr in ["c_int + 1", "CONCAT(c_vc, 'x')", "1 / 0", "'abc' + 1"] {
        let node = bound(expr, &settings, &[]).expect("an expression");
        let built = Builder::new(&places, &statement).value(node, None).expect("built");
        let error = built.evaluate(&empty).expect_err("nothing runs");
        assert_eq!(sql_error(&error).map(|error| error.number()), Some(1105));
        let session = Arc::new(parking_lot::Mutex::new(crate::answer::Still));
        statement.begin(Execution::new(settings.clone(), Vec::new(), session));
        let array = built.evaluate(&empty).expect("no error").into_array(0).expect("an array");
        assert_eq!(array.len(), 0, "{expr}");
        assert!(statement.finish().is_empty(), "{expr}");
    }
}
