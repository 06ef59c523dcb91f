//! Whether a workload over MySQL's protocol can be run.

use std::collections::BTreeMap;

use super::{Kind, MysqlConfig, ServerKind};
use crate::mysql::tpch::QUERIES;

/// Something wrong, and where.
pub(super) struct Fault {
    pub(super) path: Vec<String>,
    pub(super) why: String,
}

fn fault<T>(path: &[&str], why: impl Into<String>) -> std::result::Result<T, Fault> {
    Err(Fault { path: path.iter().map(|s| (*s).to_owned()).collect(), why: why.into() })
}

fn within<T: PartialOrd + std::fmt::Display>(
    path: &[&str],
    value: &T,
    min: T,
    max: T,
) -> std::result::Result<(), Fault> {
    if *value < min || *value > max {
        return fault(path, format!("{value} is not between {min} and {max}"));
    }
    Ok(())
}

/// Letters, digits, `-` and `_`: names of files and of databases.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.is_empty() && name.len() <= 60 && name.chars().all(plain)
}

/// Finds what cannot be run.
pub(super) fn check(config: &MysqlConfig) -> std::result::Result<(), Fault> {
    if !is_plain(&config.name) {
        return fault(&["name"], "letters, digits, - and _ only: it names files");
    }
    if !is_plain(&config.database) {
        return fault(&["database"], "letters, digits, - and _ only");
    }
    if config.servers.is_empty() || config.servers.len() > 8 {
        return fault(&["servers"], "one to eight");
    }
    within(&["memory"], &config.memory, 64 << 20, 1 << 50)?;
    within(&["tables"], &config.tables, 1, 10_000)?;
    // Ids are INTEGER, and inserts need some too.
    within(&["rows"], &config.rows, 1, 1 << 30)?;
    within(&["warmup_s"], &config.warmup_s, 0, 86_400)?;
    within(&["duration_s"], &config.duration_s, 1, 86_400)?;
    within(&["settle_limit_s"], &config.settle_limit_s, 0, 86_400)?;
    within(&["rounds"], &config.rounds, 1, 100)?;
    within(&["shop", "customers"], &config.shop.customers, 100, 10_000_000)?;
    within(&["tpcc", "warehouses"], &config.tpcc.warehouses, 1, 10_000)?;
    within(&["tpcc", "divide_by"], &config.tpcc.divide_by, 1, 1000)?;
    within(&["tpcc", "keying"], &config.tpcc.keying, 0.0, 1.0)?;
    within(&["tpch", "scale"], &config.tpch.scale, 0.001, 1000.0)?;
    for number in &config.tpch.queries {
        within(&["tpch", "queries"], number, 1, QUERIES)?;
    }
    if config.tpch.queries.is_empty() {
        return fault(&["tpch", "queries"], "at least one number");
    }
    check_threads(&["threads"], &config.threads)?;
    check_servers(config)?;
    if config.phases.is_empty() {
        return fault(&["phases"], "there is nothing to do");
    }
    for (i, phase) in config.phases.iter().enumerate() {
        let i = &i.to_string();
        if config.phases.iter().filter(|p| p.name == phase.name).count() > 1 {
            let why = format!("two phases are called {:?}", phase.name);
            return fault(&["phases", i, "name"], why);
        }
        // All of these have tables `customer` and `orders`.
        let others = config.phases.iter().filter(|other| {
            let (one, other) = (loads(phase.kind), loads(other.kind));
            one.is_some() && other.is_some() && one != other
        });
        if let Some(other) = others.map(|other| &other.name).next() {
            let why = format!("its tables have the names of those of {other}: not in one file");
            return fault(&["phases", i, "kind"], why);
        }
        if phase.kind == Kind::Tpch && config.threads_of(phase) != [1] {
            return fault(
                &["phases", i, "threads"],
                "the queries are asked on one connection: [1]",
            );
        }
        within(&["phases", i, "range_size"], &phase.range_size, 1, 1_000_000)?;
        if let Some(threads) = &phase.threads {
            check_threads(&["phases", i, "threads"], threads)?;
        }
        if let Some(seconds) = &phase.duration_s {
            within(&["phases", i, "duration_s"], seconds, 1, 86_400)?;
        }
    }
    check_goals(config)
}

fn check_servers(config: &MysqlConfig) -> std::result::Result<(), Fault> {
    let mut names = BTreeMap::new();
    for (i, server) in config.servers.iter().enumerate() {
        let i = &i.to_string();
        if !is_plain(&server.name) || names.insert(&server.name, ()).is_some() {
            let why = "letters, digits, - and _ only, and no two alike";
            return fault(&["servers", i, "name"], why);
        }
        match (server.kind, &server.address) {
            (ServerKind::Address, None) => {
                return fault(&["servers", i, "kind"], "address is missing");
            }
            (ServerKind::Firn | ServerKind::Mysqld, Some(_)) => {
                let why = "only of kind: address; a server started here takes a free port";
                return fault(&["servers", i, "address"], why);
            }
            _ => {}
        }
        if server.kind == ServerKind::Firn
            && let Some(wrong) = server.options.iter().find(|option| !option.contains('='))
        {
            let why = format!("{wrong:?} is not KEY=VALUE");
            return fault(&["servers", i, "options"], why);
        }
    }
    Ok(())
}

fn check_goals(config: &MysqlConfig) -> std::result::Result<(), Fault> {
    for (i, goal) in config.goals.iter().enumerate() {
        let i = &i.to_string();
        match config.phases.iter().find(|phase| phase.name == goal.phase) {
            None => return fault(&["goals", i, "phase"], "there is no phase of that name"),
            Some(phase) if !config.threads_of(phase).contains(&goal.threads) => {
                let why = "the phase does not run with so many";
                return fault(&["goals", i, "threads"], why);
            }
            Some(_) => {}
        }
        if goal.at_least.is_none() && goal.at_most.is_none() {
            return fault(&["goals", i, "phase"], "at_least or at_most is missing");
        }
        if let Some(peer) = &goal.versus
            && !config.servers.iter().any(|server| server.name == *peer)
        {
            return fault(&["goals", i, "versus"], "there is no server of that name");
        }
    }
    Ok(())
}

fn check_threads(path: &[&str], threads: &[u32]) -> std::result::Result<(), Fault> {
    if threads.is_empty() {
        return fault(path, "at least one number");
    }
    for n in threads {
        within(path, n, 1, 20_000)?;
    }
    Ok(())
}

/// The workload whose tables a kind has, if they are no sysbench's.
fn loads(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Tpcc | Kind::Tpch => Some(kind.as_str()),
        kind if kind.is_of_shop() => Some("shop"),
        _ => None,
    }
}
