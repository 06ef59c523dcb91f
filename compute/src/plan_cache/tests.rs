use firn_mysql_parser::ast::StatementKind;
use firn_mysql_parser::{Options, Parser, Shape};

use super::*;

fn shaped(sql: &str) -> (Parser, Shape, StatementKind) {
    let mut parser = Parser::new(Options::default());
    let mut shape = Shape::default();
    parser.shape(sql.as_bytes(), 0, &mut shape).expect("a shape");
    let parsed = parser.parse_next(sql.as_bytes(), 0).expect("a statement");
    (parser, shape, parsed.statement.kind)
}

fn free(sql: &str) -> Vec<usize> {
    let (_, shape, mut kind) = shaped(sql);
    into_parameters(&mut kind, &shape, Settings::default().connection_collation, &[])
}

fn setting() -> Setting {
    Setting { settings: Arc::default(), results: None, foreign_key_checks: true }
}

#[test]
fn literals_of_which_only_the_value_counts_are_parameters() {
    assert_eq!(free("SELECT c FROM t WHERE id = 5"), [0]);
    assert_eq!(free("SELECT c, 'x' FROM t WHERE 5 < id AND s = 'y'"), [1, 2]);
    assert_eq!(
        free("SELECT c FROM t WHERE id BETWEEN 1 AND 9 ORDER BY 1 LIMIT 3, 4"),
        [0, 1, 4, 3]
    );
    assert_eq!(free("SELECT c FROM t WHERE id IN (1, 2, 'x')"), [0, 1, 2]);
    assert_eq!(free("INSERT INTO t VALUES (1, 'a', 1 + 1, 0x12, 1.5)"), [0, 1]);
    assert_eq!(free("UPDATE t SET k = k + 1, s = 'x' WHERE id = 7 LIMIT 2"), [1, 2, 3]);
    assert_eq!(free("DELETE FROM t WHERE a + 1 = 2 OR id = 3"), [2]);
    assert_eq!(free("SELECT c FROM t WHERE d = DATE'2020-01-01' AND x = _latin1'a'"), [0usize; 0]);
    assert_eq!(free("SELECT c FROM t GROUP BY 1 HAVING c > 5"), [0usize; 0]);
    assert_eq!(free("SELECT c FROM t WHERE id = 0 LIMIT 0"), [0]);
}

#[test]
fn a_plan_is_found_by_shape_fixed_literals_setting_and_epoch() {
    let cache = PlanCache::default();
    let kept = "SELECT 1, c FROM t WHERE id = 5";
    let (_, shape, mut kind) = shaped(kept);
    let connection = Settings::default().connection_collation;
    let places: Arc<[usize]> = into_parameters(&mut kind, &shape, connection, &[]).into();
    cache.keep(kept.as_bytes(), &shape, Arc::clone(&places), setting(), 4, Arc::new("plan"));
    let find = |sql: &str, setting: &Setting, epoch| {
        let (_, shape, _) = shaped(sql);
        cache.find(sql.as_bytes(), &shape, setting, epoch).map(|found| *found.plan)
    };
    assert_eq!(find("SELECT 1, c FROM t WHERE id = 77", &setting(), 4), Some("plan"));
    assert_eq!(find("/* x */ SELECT 1, c FROM t WHERE id = 8 ; ", &setting(), 4), Some("plan"));
    // Columns are named by what is written.
    assert_eq!(find("SELECT 1, C FROM t WHERE id = 5", &setting(), 4), None);
    assert_eq!(find("SELECT 01, c FROM t WHERE id = 5", &setting(), 4), None);
    assert_eq!(find("SELECT 2, c FROM t WHERE id = 5", &setting(), 4), None);
    assert_eq!(find("SELECT 1, c FROM t WHERE id = '5'", &setting(), 4), None);
    assert_eq!(find("SELECT 1, c FROM u WHERE id = 5", &setting(), 4), None);
    let elsewhere = Settings { database: Some("d".into()), ..Settings::default() };
    let elsewhere = Setting { settings: Arc::new(elsewhere), ..setting() };
    assert_eq!(find("SELECT 1, c FROM t WHERE id = 5", &elsewhere, 4), None);
    assert_eq!(cache.len(), 1);
    // A change of the catalog makes it stale for good.
    assert_eq!(find("SELECT 1, c FROM t WHERE id = 5", &setting(), 6), None);
    assert_eq!(cache.len(), 0);
}

#[test]
fn the_cache_is_bounded_and_keeps_what_is_used() {
    let cache = PlanCache::default();
    let keep = |sql: &str| {
        let (_, shape, mut kind) = shaped(sql);
        let connection = Settings::default().connection_collation;
        let places: Arc<[usize]> = into_parameters(&mut kind, &shape, connection, &[]).into();
        cache.keep(sql.as_bytes(), &shape, places, setting(), 0, Arc::new(()));
    };
    let hot = "SELECT c FROM hot WHERE id = 1";
    keep(hot);
    for at in 0..3 * SHARDS * SHARD_ENTRIES_MAX {
        keep(&format!("SELECT c FROM t{at} WHERE id = 1"));
        let (_, shape, _) = shaped(hot);
        assert!(cache.find(hot.as_bytes(), &shape, &setting(), 0).is_some(), "after {at}");
    }
    assert!(cache.len() <= SHARDS * SHARD_ENTRIES_MAX);
    for at in 0..3 * VARIANTS_MAX {
        keep(&format!("SELECT {at} FROM hot WHERE id = 1"));
    }
    assert!(cache.len() <= SHARDS * SHARD_ENTRIES_MAX + VARIANTS_MAX);
    let long = vec!["1"; SHAPE_BYTES_MAX].join(",");
    let before = cache.len();
    keep(&format!("SELECT c FROM t WHERE id IN ({long})"));
    assert_eq!(cache.len(), before);
}
