//! What planning takes: `cargo run --release -p firn-compute --example planning [statements]`.
//!
//! A server in memory and a client on one thread, so that a round trip is what both sides
//! compute. Statements find nothing at their first look-up. Told are the middle and the 99th
//! percentile of a round trip, in µs: of a look-up by key whose plan is kept, of a join of
//! three tables whose plan is kept, and of such a join that is read, bound and planned for the
//! first time. The join's less the look-up's is what a plan of three tables costs more.
#![expect(clippy::print_stdout, reason = "an example that prints")]
#![expect(clippy::disallowed_methods, reason = "what it measures is real time")]
#![allow(unreachable_pub, reason = "what tests share")]

use std::error::Error;
use std::time::{Duration, Instant};

#[allow(dead_code, reason = "tests use more of it")]
#[path = "../tests/it/support.rs"]
mod support;

use support::{TestClient, start};

const TABLES: [&str; 6] = [
    "CREATE TABLE customer (id INT PRIMARY KEY, region INT NOT NULL, name VARCHAR(30), KEY (region))",
    "CREATE TABLE orders (id INT PRIMARY KEY, customer INT NOT NULL, placed DATETIME, KEY (customer, placed), KEY (placed))",
    "CREATE TABLE line (id INT NOT NULL, no INT NOT NULL, product INT, PRIMARY KEY (id, no), KEY (product))",
    "INSERT INTO customer WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i, i % 7, 'name' FROM n",
    "INSERT INTO orders SELECT id, id % 300, '2021-01-01' + INTERVAL id HOUR FROM customer",
    "INSERT INTO line SELECT o.id, c.id, c.id FROM orders o JOIN customer c ON c.id <= 3",
];

/// The names of the tables, and what is looked for.
fn join(name: &str, id: usize) -> String {
    format!(
        "SELECT {name}.name, o.placed, l.no FROM customer {name} JOIN orders o ON o.customer = \
         {name}.id JOIN line l ON l.id = o.id WHERE {name}.id = {id} AND o.id < 900 \
         ORDER BY o.placed LIMIT 10"
    )
}

async fn timed(client: &mut TestClient, statements: impl Iterator<Item = String>) -> Vec<Duration> {
    let mut times = Vec::new();
    for sql in statements {
        let began = Instant::now();
        client.run(&sql).await;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times
}

fn print(what: &str, times: &[Duration]) {
    let at = |share: f64| {
        let place = ((times.len() as f64 - 1.0) * share) as usize;
        times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    };
    println!("{what:<40} p50 {:>8.1} µs   p99 {:>8.1} µs", at(0.5), at(0.99));
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args().nth(1).map_or(Ok(2000), |count| count.parse::<usize>())?;
    let (_server, mut client) = start().await;
    for sql in TABLES {
        client.run(sql).await;
    }
    client.run("ANALYZE TABLE customer, orders, line").await;
    let missing = |at: usize| 1_000_000 + at;
    let point = |at: usize| format!("SELECT name FROM customer WHERE id = {}", missing(at));
    timed(&mut client, (0..count).map(point)).await;
    let times = timed(&mut client, (0..count).map(point)).await;
    print("look-up by key, plan kept", &times);
    let kept = |at: usize| join("c", missing(at));
    timed(&mut client, (0..count).map(kept)).await;
    let times = timed(&mut client, (0..count).map(kept)).await;
    print("join of three tables, plan kept", &times);
    let times = timed(&mut client, (0..count).map(|at| join(&format!("c{at}"), missing(at)))).await;
    print("join of three tables, for the first time", &times);
    Ok(())
}
