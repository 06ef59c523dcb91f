//! Queries.

use crate::{accepted, canonical, refused};

#[test]
fn clauses() {
    accepted(&[
        "select sql_no_cache distinct a.*, s.t.*, 1 'x', 2 as \"y\", 3 z from t as a",
        "select 1 from dual where 1 group by a, b with rollup having a > 1 order by a desc, b limit 5, 6",
        "select 1 from t for update of t skip locked for share of s nowait",
        "select 1 from t lock in share mode",
        "select a, b into @x, y from t limit 1",
        "select a from t into outfile '/x' character set binary fields terminated by ',' optionally enclosed by '\"' lines starting by 'x' terminated by x'0a'",
        "with recursive a (x) as (select 1 union all select x + 1 from a), b as (table t) select * from a, b",
        "values row(1, default), row() order by 1 limit 1",
        "select /*+ BKA(t1, t2) NO_INDEX_MERGE(t1 x) QB_NAME(`a)b`) junk */ 1",
        "select 1 from t partition (p0, p1) as x use index for join (a, primary) ignore key (b)",
        "(((select 1 limit 1) limit 2) union all (select 2)) order by 1",
    ]);
    refused(&[
        "select a.* x from t",
        "select * b from t",
        "select 1 from t into @a union select 2",
    ]);
}

#[test]
fn set_operators() {
    assert_eq!(
        canonical("select 1 union select 2 intersect all select 3 except distinct select 4"),
        "SELECT 1 UNION SELECT 2 INTERSECT ALL SELECT 3 EXCEPT SELECT 4"
    );
    accepted(&[
        "select 1 union (select 2 union select 3)",
        "(select 1 union select 2) intersect select 3",
        "(select 1 order by 1) union select 2 order by 1",
    ]);
}

#[test]
fn joins() {
    // The right side of a join takes the joins behind it, up to its ON.
    let cases = [
        ("a join b join c on x", "(a join b) join c on x"),
        ("a join b join c on x on y", "a join (b join c on x) on y"),
        ("a join b left join c on x", "(a join b) left join c on x"),
        ("a join b on x join c on y", "(a join b on x) join c on y"),
        ("a join b join c", "(a join b) join c"),
        ("a natural join b natural left join c", "(a natural join b) natural left join c"),
        ("a, b join c on x", "a, (b join c on x)"),
        ("{oj a left join b on x}", "a left join b on x"),
        ("(((a)))", "a"),
    ];
    for (sql, explicit) in cases {
        let text = |from: &str| canonical(&format!("select 1 from {from}"));
        assert_eq!(text(sql), text(explicit), "{sql}");
    }
    accepted(&[
        "select 1 from (a, b) left join (c cross join d) using (x, y)",
        "select 1 from ((select 1) union (select 2)) as d (x), lateral (select 1) e",
        "select 1 from ((select 1) as d join t)",
        "select 1 from json_table(a, '$[*]' columns (i for ordinality, x int path '$.x' default '1' on empty, nested path '$.y' columns (z json exists path '$.z'))) as j",
    ]);
    refused(&["select 1 from a left join b", "select 1 from ((select 1) d)"]);
}
