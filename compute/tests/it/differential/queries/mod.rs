//! Queries by chance, here and on a MySQL server: types, operators, functions, joins,
//! subqueries, groups, windows, sets and WITH, over small tables full of NULLs and extremes.
//!
//! Compared are values, the names and types of columns with their nullability, lengths and
//! decimals, the errors with their texts, and which warnings there are. Here each query
//! runs as `auto` chooses and over batches, which must be the same to the byte.
//!
//! `tests/data/differential/queries.txt` has what a MySQL server answered for some seeds;
//! `queries_firn.txt` what is meant to be something else here, with the reason.
//! `told.txt` has what it tells of columns that were told of wrongly here (`told`).

mod answer;
mod blocks;
mod expressions;
mod functions;
pub(crate) mod generated;
mod joins;
mod subqueries;
mod tables;
mod told;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use futures::StreamExt;

use self::answer::{Session, answer};
use super::file::{self, Recorded};
use super::random::Random;
use super::run::{Shown, connect};
use super::script::{Script, Step};
use super::{number, oracle};
use crate::support::World;

/// Scripts that run at the same time.
const CONCURRENT: usize = 8;

/// Tables and `count` queries over them.
pub(crate) fn script(seed: u64, count: usize) -> Script {
    let mut random = Random::new(seed);
    let mut sql = vec!["SET timestamp = 1718445600.123456".to_owned()];
    let mut all = Vec::new();
    for name in ["t", "u", "v"] {
        let (table, statements) = tables::table(&mut random, name);
        sql.extend(statements);
        all.push(table);
    }
    for _ in 0..count {
        sql.push(blocks::query(&mut random, &all));
    }
    let steps = sql.into_iter().map(|sql| Step { session: 0, sql }).collect();
    Script { found_rows: false, steps }
}

/// What a server answers to a script in a database of its own.
async fn run(address: SocketAddr, script: &Script, seed: u64, ours: bool) -> Shown {
    let database = format!("queries_{seed}");
    let mut setup = connect(address, false).await;
    for sql in
        [format!("DROP DATABASE IF EXISTS {database}"), format!("CREATE DATABASE {database}")]
    {
        setup.query_all(sql.as_bytes()).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let mut session = Session::open(address, &database, None).await;
    let mut batches = match ours {
        true => Some(Session::open(address, &database, Some("vector")).await),
        false => None,
    };
    let mut shown = Shown::new();
    for step in &script.steps {
        let sql = &step.sql;
        let mut lines = answer(&mut session, sql).await;
        if let Some(batches) = &mut batches
            && !["CREATE", "INSERT"].iter().any(|verb| sql.starts_with(verb))
        {
            let other = answer(batches, sql).await;
            if lines != other {
                lines.push("over batches:".to_owned());
                lines.extend(other);
            }
        }
        shown.push(lines);
    }
    let sql = format!("DROP DATABASE {database}");
    setup.query_all(sql.as_bytes()).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    shown
}

fn print(out: &mut String, seed: u64, step: usize, sql: &str, theirs: &[String], ours: &[String]) {
    writeln!(out, "## {seed} {step}\n> {sql}").expect("a string");
    for (who, lines, other) in [("MySQL", theirs, ours), ("Firn", ours, theirs)] {
        writeln!(out, "  {who}:").expect("a string");
        let differ = |(at, line): &(usize, &String)| other.get(*at) != Some(line);
        for (_, line) in lines.iter().enumerate().filter(differ).take(6) {
            writeln!(out, "    {line}").expect("a string");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn recorded_queries_answer_as_on_a_server() {
    let read = |name: &str| std::fs::read_to_string(file::path(name)).expect("the file is there");
    let all = file::read(&read("queries.txt"));
    let exceptions = file::read_exceptions(&read("queries_firn.txt"));
    let queries: usize = all.iter().map(|one| one.script.steps.len()).sum();
    assert!(queries >= 500, "{queries} queries");
    let server = World::new().start().await;
    let (address, exceptions) = (server.address(), &exceptions);
    let runs = all.into_iter().map(|one| async move {
        let given = run(address, &one.script, one.seed, true).await;
        let mut out = String::new();
        for (step, lines) in one.shown.iter().enumerate() {
            let ours = exceptions.get(&(one.seed, step));
            assert_ne!(Some(lines), ours, "{} {step} is listed as different", one.seed);
            let expected = ours.unwrap_or(lines);
            if *expected != given[step] {
                let sql = &one.script.steps[step].sql;
                print(&mut out, one.seed, step, sql, expected, &given[step]);
            }
        }
        out
    });
    let out: Vec<String> = futures::stream::iter(runs).buffer_unordered(CONCURRENT).collect().await;
    let out = out.concat();
    assert!(out.is_empty(), "{out}");
    let mut client = server.client().await;
    crate::executors::ran_over_batches(&mut client, 100).await;
}

/// Which functions are called is what the registry has, but for those that are left out.
#[test]
fn functions_of_the_registry_are_called() {
    let called = functions::called();
    let all = firn_mysql_semantics::functions::all().count();
    assert!(called.len() * 10 > all * 7, "{} of {all}", called.len());
}

struct Ran {
    seed: u64,
    script: Script,
    theirs: Shown,
    ours: Shown,
}

async fn both(seed: u64, count: usize, oracle: SocketAddr, address: SocketAddr) -> Ran {
    let script = script(seed, count);
    let theirs = run(oracle, &script, seed, false).await;
    let ours = run(address, &script, seed, true).await;
    Ran { seed, script, theirs, ours }
}

/// `MYSQL_ORACLE=127.0.0.1:13306 SEED=1 SCRIPTS=200 cargo test -p firn-compute --test it --
/// --ignored generated_queries --nocapture`: each of `SCRIPTS` has three tables and `QUERIES`
/// (100) queries. `EXAMPLES=n` shows so many of each class of differences, `ONLY=text` those
/// alone whose class has the text.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a MySQL server at MYSQL_ORACLE"]
#[allow(clippy::print_stdout, reason = "a report")]
async fn generated_queries_answer_as_on_a_server() {
    let (seed, count) = (number("SEED", 1), number("SCRIPTS", 50));
    let queries = usize::try_from(number("QUERIES", 100)).expect("a number");
    let examples = usize::try_from(number("EXAMPLES", 2)).expect("a number");
    let only = std::env::var("ONLY").unwrap_or_default();
    let oracle = oracle();
    let server = World::new().start().await;
    let address = server.address();
    let runs = (seed..seed + count).map(|seed| both(seed, queries, oracle, address));
    let mut all: Vec<Ran> =
        futures::stream::iter(runs).buffer_unordered(CONCURRENT).collect().await;
    all.sort_by_key(|one| one.seed);
    let mut classes: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    let (mut steps, mut errors, mut differing) = (0, 0, 0);
    for (at, one) in all.iter().enumerate() {
        for (step, (theirs, ours)) in one.theirs.iter().zip(&one.ours).enumerate() {
            steps += 1;
            errors += usize::from(theirs[0].starts_with("error"));
            if theirs != ours {
                differing += 1;
                classes.entry(answer::class(theirs, ours)).or_default().push((at, step));
            }
        }
    }
    let mut classes: Vec<_> = classes.into_iter().collect();
    classes.sort_by_key(|(_, places)| std::cmp::Reverse(places.len()));
    let mut out = String::new();
    for (class, places) in classes.iter().filter(|(class, _)| class.contains(&only)) {
        writeln!(out, "\n==== {:5} {class}", places.len()).expect("a string");
        for (at, step) in places.iter().take(examples) {
            let one = &all[*at];
            let sql = &one.script.steps[*step].sql;
            print(&mut out, one.seed, *step, sql, &one.theirs[*step], &one.ours[*step]);
        }
    }
    println!("{out}");
    for (class, places) in &classes {
        println!("{:5} {class}", places.len());
    }
    println!(
        "seeds {seed} to {}: {steps} statements ({errors} errors), {differing} differ",
        seed + count - 1
    );
    assert!(differing * 1000 < steps, "one in a thousand differs, or more");
}

/// `MYSQL_ORACLE=127.0.0.1:13306 SEED=1 SCRIPTS=12 cargo test -p firn-compute --test it --
/// --ignored queries_are_recorded` writes `queries.txt`, and to `queries_firn.txt` what
/// differs here, each to be given its reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a MySQL server at MYSQL_ORACLE"]
async fn queries_are_recorded() {
    let (seed, count) = (number("SEED", 1), number("SCRIPTS", 12));
    let queries = usize::try_from(number("QUERIES", 60)).expect("a number");
    let oracle = oracle();
    let server = World::new().start().await;
    let address = server.address();
    let (mut recorded, mut exceptions) = (String::new(), String::new());
    for seed in seed..seed + count {
        let one = both(seed, queries, oracle, address).await;
        for (step, (theirs, ours)) in one.theirs.iter().zip(&one.ours).enumerate() {
            if theirs != ours {
                writeln!(exceptions, "# {}\n## {seed} {step}", answer::class(theirs, ours))
                    .expect("a string");
                for line in ours {
                    writeln!(exceptions, "  {line}").expect("a string");
                }
            }
        }
        file::write(&mut recorded, &Recorded { seed, script: one.script, shown: one.theirs });
    }
    std::fs::write(file::path("queries.txt"), recorded).expect("the file can be written");
    std::fs::write(file::path("queries_firn.txt"), exceptions).expect("the file can be written");
}

/// `SEED=1 SCRIPTS=2 cargo test -p firn-compute --test it -- --ignored scripts_are_printed
/// --nocapture` prints the statements of some seeds.
#[test]
#[ignore = "prints scripts"]
#[allow(clippy::print_stdout, reason = "what it is for")]
fn scripts_are_printed() {
    let (seed, count) = (number("SEED", 1), number("SCRIPTS", 1));
    let queries = usize::try_from(number("QUERIES", 100)).expect("a number");
    for seed in seed..seed + count {
        println!("## {seed}");
        for step in script(seed, queries).steps {
            println!("{};", step.sql);
        }
    }
}
