//! How fast texts parse, beside `sqlparser` in the same run.
//!
//! `cargo bench -p firn-mysql-parser`. Prints nanoseconds of CPU time per statement
//! (the least of many rounds, the two parsers taking turns), allocations per
//! statement, and the ratio; fails if a ratio is below what the crate promises.
//! Trees are dropped within the time, as a server drops them.

#![allow(clippy::print_stdout)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use firn_mysql_parser::{Options, Parser, Shape, SqlMode, print};
use sqlparser::dialect::MySqlDialect;

/// Counts allocations.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are the ones asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Name, text, least ratio to sqlparser, most nanoseconds (0: not promised).
const CASES: [(&str, &str, f64, u64); 6] = [
    ("point select", "SELECT c FROM sbtest1 WHERE id=4711", 4.0, 1500),
    (
        "insert",
        "INSERT INTO sbtest1 (id, k, c, pad) VALUES (0, 50123, '68487932199-96439406143-93774651418-41631865787-96406072701-20604855487-25459966574-28203206787-41238978918-19503783441', '22195207048-70116052123-74140395089-76317954521-98694025897')",
        4.0,
        0,
    ),
    ("update", "UPDATE sbtest1 SET k=k+1 WHERE id=4711", 0.0, 0),
    (
        "ordered range",
        "SELECT DISTINCT c FROM sbtest1 WHERE id BETWEEN 100 AND 199 ORDER BY c",
        0.0,
        0,
    ),
    ("begin", "BEGIN", 0.0, 0),
    ("39 lines", REPORT, 3.0, 0),
];

/// A report as people write them: 39 lines.
const REPORT: &str = "SELECT
    o.o_orderpriority AS priority,
    c.c_mktsegment AS segment,
    n.n_name AS nation,
    YEAR(o.o_orderdate) AS order_year,
    COUNT(*) AS orders,
    COUNT(DISTINCT o.o_custkey) AS customers,
    SUM(l.l_extendedprice * (1 - l.l_discount)) AS revenue,
    SUM(CASE WHEN l.l_returnflag = 'R' THEN l.l_quantity ELSE 0 END) AS returned,
    AVG(DATEDIFF(l.l_receiptdate, l.l_shipdate)) AS transit_days,
    GROUP_CONCAT(DISTINCT p.p_brand ORDER BY p.p_brand SEPARATOR ', ') AS brands
FROM orders AS o
    INNER JOIN lineitem AS l ON l.l_orderkey = o.o_orderkey
    INNER JOIN customer AS c ON c.c_custkey = o.o_custkey
    LEFT JOIN part AS p ON p.p_partkey = l.l_partkey
    LEFT JOIN nation AS n ON n.n_nationkey = c.c_nationkey
WHERE o.o_orderdate >= '1994-01-01'
    AND o.o_orderdate < '1995-01-01'
    AND l.l_shipmode IN ('MAIL', 'SHIP', 'RAIL', 'TRUCK')
    AND (l.l_quantity BETWEEN 5 AND 45 OR p.p_size IN (1, 4, 7, 9, 12))
    AND p.p_name NOT LIKE '%forest%'
    AND c.c_acctbal > 0.00
    AND o.o_comment IS NOT NULL
    AND NOT EXISTS (
        SELECT 1
        FROM supplier AS s
        WHERE s.s_suppkey = l.l_suppkey
            AND s.s_acctbal < -100.50
            AND s.s_comment LIKE '%complaint%'
    )
    AND l.l_partkey IN (
        SELECT ps.ps_partkey
        FROM partsupp AS ps
        WHERE ps.ps_availqty > 100 AND ps.ps_supplycost * 1.1 < l.l_extendedprice / l.l_quantity
    )
GROUP BY o.o_orderpriority, c.c_mktsegment, n.n_name, YEAR(o.o_orderdate)
HAVING SUM(l.l_extendedprice * (1 - l.l_discount)) > 100000 AND COUNT(*) > 10
ORDER BY revenue DESC, priority, segment, nation
LIMIT 100";

/// Nanoseconds per call over at least `long`.
fn time(long: Duration, mut work: impl FnMut()) -> f64 {
    let mut calls = 1u32;
    loop {
        let start = Instant::now();
        for _ in 0..calls {
            work();
        }
        let took = start.elapsed();
        if took >= long {
            return took.as_nanos() as f64 / f64::from(calls);
        }
        calls *= 2;
    }
}

fn allocations(mut work: impl FnMut()) -> usize {
    work();
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    work();
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

fn main() -> ExitCode {
    assert_eq!(REPORT.lines().count(), 39);
    let mut failed = false;
    println!(
        "{:14} {:>10} {:>7} {:>12} {:>7} {:>7} {:>10} {:>10}",
        "", "firn ns", "allocs", "sqlparser ns", "allocs", "ratio", "print ns", "shape ns"
    );
    for (name, sql, least_ratio, most) in CASES {
        let mut parser = Parser::new(Options::default());
        let mut ours = || drop(black_box(parser.parse(black_box(sql.as_bytes()))));
        let dialect = MySqlDialect {};
        let mut theirs =
            || drop(black_box(sqlparser::parser::Parser::parse_sql(&dialect, black_box(sql))));
        let (mut fast, mut slow) = (f64::MAX, f64::MAX);
        for _ in 0..15 {
            fast = fast.min(time(Duration::from_millis(10), &mut ours));
            slow = slow.min(time(Duration::from_millis(10), &mut theirs));
        }
        let (our_allocations, their_allocations) =
            (allocations(&mut ours), allocations(&mut theirs));
        let Ok(statement) = Parser::new(Options::default()).parse(sql.as_bytes()) else {
            println!("{name}: refused");
            return ExitCode::FAILURE;
        };
        if sqlparser::parser::Parser::parse_sql(&dialect, sql).is_err() {
            println!("{name}: refused by sqlparser");
            return ExitCode::FAILURE;
        }
        let printing = time(Duration::from_millis(10), || {
            drop(black_box(print(black_box(&statement), SqlMode::DEFAULT)));
        });
        let mut shape = Shape::default();
        let shaping = time(Duration::from_millis(10), || {
            drop(black_box(parser.shape(black_box(sql.as_bytes()), 0, &mut shape)));
        });
        let ratio = slow / fast;
        println!(
            "{name:14} {fast:10.0} {our_allocations:7} {slow:12.0} {their_allocations:7} {ratio:7.1} {printing:10.0} {shaping:10.0}"
        );
        if ratio < least_ratio || (most > 0 && fast > most as f64) {
            println!(
                "{name}: at least {least_ratio} times as fast and at most {most} ns was promised"
            );
            failed = true;
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
