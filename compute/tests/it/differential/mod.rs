//! Statements by chance, here and on a MySQL server: tables of all types, keys and
//! constraints, DML of every form, queries, changes of tables, transactions, several sessions.
//!
//! `tests/data/differential/recorded.txt` has scripts with what a MySQL server answered;
//! `firn.txt` what is answered here where that is meant to be something else, with the reason.

mod alter;
mod compare;
mod dml;
mod file;
mod literals;
mod queries;
mod query;
mod random;
mod run;
mod schema;
mod script;
mod sessions;
mod windows;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;

pub(crate) use self::random::Random;

use self::compare::{Difference, differences};
use self::file::Recorded;
use self::run::{Shown, Waiting, run};
use self::script::{Script, Step};
use crate::support::World;

/// Scripts that run at the same time.
const CONCURRENT: usize = 8;
/// A statement that should end has ended by then.
const LONG: Duration = Duration::from_secs(30);
/// The same where many differ.
const SHORT: Duration = Duration::from_secs(3);

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

fn oracle() -> SocketAddr {
    let address = std::env::var("MYSQL_ORACLE").expect("MYSQL_ORACLE is host:port");
    address.parse().expect("an address and a port")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn recorded_statements_answer_as_on_a_server() {
    recorded_by("auto").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn recorded_statements_over_batches_answer_as_on_a_server() {
    recorded_by("vector").await;
}

async fn recorded_by(executor: &str) {
    let read = |name: &str| std::fs::read_to_string(file::path(name)).expect("the file is there");
    let all = file::read(&read("recorded.txt"));
    let exceptions = file::read_exceptions(&read("firn.txt"));
    let server = World::new().start().await;
    let address = server.address();
    let mut client = server.client().await;
    client.run(&format!("SET GLOBAL firn_executor = '{executor}'")).await;
    let statements: usize = all.iter().map(|one| one.script.steps.len()).sum();
    assert!(statements >= 3000, "{statements} statements");
    let exceptions = &exceptions;
    let runs = all.into_iter().map(|one| async move {
        let mut expected = one.shown.clone();
        for (step, lines) in expected.iter_mut().enumerate() {
            if let Some(ours) = exceptions.get(&(one.seed, step)) {
                assert_ne!(lines, ours, "{} {step} is listed as different and is not", one.seed);
                lines.clone_from(ours);
            }
        }
        let database = format!("diff_{}", one.seed);
        let given = run(address, &one.script, &database, Waiting::As(&expected, LONG)).await;
        let mut out = String::new();
        for difference in differences(&one.script, &expected, &given) {
            print(&mut out, &one.script, &expected, &given, one.seed, &difference);
        }
        out
    });
    let out: Vec<String> = futures::stream::iter(runs).buffer_unordered(CONCURRENT).collect().await;
    let out = out.concat();
    assert!(out.is_empty(), "{out}");
    if executor == "vector" {
        crate::executors::ran_over_batches(&mut client, 100).await;
    }
}

fn print(
    out: &mut String,
    script: &Script,
    theirs: &Shown,
    ours: &Shown,
    seed: u64,
    difference: &Difference,
) {
    let step = difference.step;
    let Step { session, sql } = &script.steps[step];
    writeln!(out, "## {seed} {step}: {}\n{}> {sql}", difference.class, run::letter(*session))
        .expect("a string");
    for (who, lines) in [("MySQL", &theirs[step]), ("Firn", &ours[step])] {
        writeln!(out, "  {who}:").expect("a string");
        for line in lines {
            writeln!(out, "    {line}").expect("a string");
        }
    }
}

/// Runs it on both.
async fn both(theirs: SocketAddr, ours: SocketAddr, script: &Script, name: &str) -> (Shown, Shown) {
    let left = run(theirs, script, name, Waiting::Ask).await;
    let right = run(ours, script, name, Waiting::As(&left, SHORT)).await;
    (left, right)
}

/// The shortest script found that still differs in this way.
async fn shrink(
    theirs: SocketAddr,
    ours: SocketAddr,
    script: &Script,
    class: &str,
    name: &str,
) -> Script {
    let mut best = script.clone();
    let mut chunk = best.steps.len() / 2;
    while chunk > 0 {
        let mut at = best.steps.len();
        while at > 0 {
            let from = at.saturating_sub(chunk);
            let mut fewer = best.clone();
            fewer.steps.drain(from..at);
            let (left, right) = both(theirs, ours, &fewer, name).await;
            let found = differences(&fewer, &left, &right);
            if let Some(found) = found.iter().find(|one| one.class == class) {
                fewer.steps.truncate(found.step + 1);
                best = fewer;
            }
            at = from.min(best.steps.len());
        }
        chunk /= 2;
    }
    best
}

/// `MYSQL_ORACLE=127.0.0.1:13306 SEED=1 SCRIPTS=200 cargo test -p firn-compute --test it --
/// --ignored generated_statements --nocapture`; `SHRINK=n` makes the first examples of so many
/// classes short, `ONLY=text` does so for classes that contain the text.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a MySQL server at MYSQL_ORACLE"]
#[allow(clippy::print_stdout, reason = "a report")]
async fn generated_statements_answer_as_on_a_server() {
    let (seed, count) = (number("SEED", 1), number("SCRIPTS", 100));
    let (shrinks, only) = (number("SHRINK", 0), std::env::var("ONLY").ok());
    let oracle = oracle();
    let server = World::new().start().await;
    let address = server.address();
    let runs = (seed..seed + count).map(|seed| async move {
        let script = script::script(seed);
        let (theirs, ours) = both(oracle, address, &script, &format!("diff_{seed}")).await;
        let found = differences(&script, &theirs, &ours);
        (seed, script, theirs, ours, found)
    });
    let mut all: Vec<_> = futures::stream::iter(runs).buffer_unordered(CONCURRENT).collect().await;
    all.sort_by_key(|one| one.0);
    let statements: usize = all.iter().map(|one| one.1.steps.len()).sum();
    let differing: usize = all.iter().map(|one| one.4.len()).sum();
    let scripts = all.iter().filter(|one| !one.4.is_empty()).count();
    let errors = all.iter().flat_map(|one| &one.2).filter(|lines| lines[0].starts_with("error"));
    let errors = errors.count();
    let mut classes: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (at, one) in all.iter().enumerate() {
        // What follows the first difference is often its consequence.
        if let Some(first) = one.4.first() {
            classes.entry(&first.class).or_insert((0, at)).0 += 1;
        }
    }
    let mut classes: Vec<_> = classes.into_iter().collect();
    classes.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let mut out = String::new();
    for (class, (count, at)) in &classes {
        writeln!(out, "{count:5} {class} (seed {})", all[*at].0).expect("a string");
    }
    println!("{out}");
    let meant = classes.iter().filter(|(class, _)| only.as_ref().is_none_or(|o| class.contains(o)));
    let meant = meant.take(usize::try_from(shrinks).expect("a number")).enumerate();
    let examples = meant.map(|(number, (class, (_, at)))| {
        let (seed, script, ..) = &all[*at];
        async move {
            let name = format!("diff_{seed}_{number}");
            let short = shrink(oracle, address, script, class, &name).await;
            let (theirs, ours) = both(oracle, address, &short, &name).await;
            let mut out = format!("\n==== {class}\n");
            for step in &short.steps {
                writeln!(out, "{}> {}", run::letter(step.session), step.sql).expect("a string");
            }
            for difference in differences(&short, &theirs, &ours) {
                print(&mut out, &short, &theirs, &ours, *seed, &difference);
            }
            println!("{out}");
        }
    });
    futures::stream::iter(examples).buffer_unordered(CONCURRENT).collect::<Vec<()>>().await;
    println!(
        "seeds {seed} to {}: {statements} statements ({errors} errors), {differing} differ; \
         {scripts} of {count} scripts differ",
        seed + count - 1
    );
    assert_eq!(differing, 0, "statements differ");
}

/// `MYSQL_ORACLE=127.0.0.1:13306 SEED=1 SCRIPTS=150 cargo test -p firn-compute --test it --
/// --ignored differential::statements_are_recorded` writes `recorded.txt`, and to `firn.txt`
/// what differs here, each to be given its reason. Scripts of several sessions that differ are
/// left out: what follows a lock that is waited for elsewhere is a matter of time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a MySQL server at MYSQL_ORACLE"]
async fn statements_are_recorded() {
    let (seed, count) = (number("SEED", 1), number("SCRIPTS", 150));
    let oracle = oracle();
    let server = World::new().start().await;
    let address = server.address();
    let runs = (seed..seed + count).map(|seed| async move {
        let script = script::script(seed);
        let (theirs, ours) = both(oracle, address, &script, &format!("diff_{seed}")).await;
        (Recorded { seed, script, shown: theirs }, ours)
    });
    let mut all: Vec<_> = futures::stream::iter(runs).buffer_unordered(CONCURRENT).collect().await;
    all.sort_by_key(|one| one.0.seed);
    let (mut recorded, mut exceptions) = (String::new(), String::new());
    for (one, ours) in &all {
        let found = differences(&one.script, &one.shown, ours);
        if !found.is_empty() && one.script.steps.iter().any(|step| step.session > 0) {
            continue;
        }
        file::write(&mut recorded, one);
        for difference in found {
            let step = difference.step;
            writeln!(exceptions, "# {}\n## {} {step}", difference.class, one.seed)
                .expect("a string");
            for line in &ours[step] {
                writeln!(exceptions, "  {line}").expect("a string");
            }
        }
    }
    std::fs::write(file::path("recorded.txt"), recorded).expect("the file can be written");
    std::fs::write(file::path("firn.txt"), exceptions).expect("the file can be written");
}

/// Queries for tests that do not compare them.
pub(crate) use self::queries::generated as generated_query;

/// The statements of a script of one session.
pub(crate) fn generated_script(seed: u64) -> Vec<String> {
    script::script(seed).steps.into_iter().map(|step| step.sql).collect()
}
