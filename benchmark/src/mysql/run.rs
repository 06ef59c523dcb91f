//! A whole workload: the servers side by side, measured in turn.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use firn_engine::{Context, Error, ErrorKind, Result};

use super::config::{Kind, MysqlConfig, Phase, ServerKind};
use super::connection::Login;
use super::drive::{self, Asker, AskerOf, Job};
use super::report::{self, MysqlReport, Row};
use super::server::Server;
use super::{process, shop, sysbench, tpcc, tpch};
use crate::generate::mix;
use crate::measure::{Machine, fsync_p50_us};

/// Servers that together use less than this share of a core have nothing left to do.
const QUIET_CORES: f64 = 0.05;
/// For how long.
const QUIET_FOR: Duration = Duration::from_millis(500);
/// How long the disk is measured by itself.
const FSYNC_FOR: Duration = Duration::from_millis(500);

/// A finished run.
#[derive(Debug)]
pub struct MysqlSummary {
    /// All that was measured.
    pub report: MysqlReport,
    /// The same as a file.
    pub json: PathBuf,
    /// The same for people.
    pub html: PathBuf,
}

impl MysqlSummary {
    /// What went wrong. The figures of other measurements hold.
    #[must_use]
    pub fn errors(&self) -> Vec<String> {
        let rows = self.report.rows.iter().filter_map(|row| {
            let error = row.error.as_ref()?;
            Some(format!("{} × {}, {}: {error}", row.phase, row.threads, row.server))
        });
        rows.chain(self.report.errors.iter().cloned()).collect()
    }
}

/// Whether a file's text is a workload over MySQL's protocol.
#[must_use]
pub fn is_mysql_workload(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("servers:"))
}

/// Runs the workload in the file `config`; data, logs of servers and reports go
/// into `out_dir`. Prints what was measured to the standard output.
///
/// # Errors
/// `BadRequest` if the file is no workload, `Unavailable` if a server cannot be
/// had or the report cannot be written. What goes wrong while measuring stands
/// in the report; see [`MysqlSummary::errors`].
pub async fn run(config: &Path, out_dir: &Path, commit: &str) -> Result<MysqlSummary> {
    let (config, text) = MysqlConfig::read(config)?;
    run_config(&config, &text, out_dir, commit).await
}

/// As [`run`], of a workload that was read already; `text` is what the report shows.
///
/// # Errors
/// As [`run`].
pub async fn run_config(
    config: &MysqlConfig,
    text: &str,
    out_dir: &Path,
    commit: &str,
) -> Result<MysqlSummary> {
    let data = out_dir.join("firn-bench-data");
    remove_dir(&data)?;
    make_dir(&data)?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let mut report = MysqlReport {
        name: config.name.clone(),
        about: config.about.clone(),
        config: masked(config, text),
        effective: config.clone(),
        commit: commit.to_owned(),
        machine: Machine::here(out_dir),
        started_unix_ms: since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX)),
        labels: Vec::new(),
        servers: Vec::new(),
        rows: Vec::new(),
        goals: Vec::new(),
        errors: Vec::new(),
    };
    report::print_header(&report)?;
    let mut servers = Vec::new();
    for spec in &config.servers {
        let server = Server::start(spec, config, &data.join(&spec.name)).await;
        servers.push(server.context(|| format!("server {}", spec.name))?);
    }
    for server in &mut servers {
        let begun = Instant::now();
        fill(&server.login, config)
            .await
            .context(|| format!("filling the tables of {}", server.name))?;
        server.facts.prepare_s = begun.elapsed().as_secs_f64();
        server.facts.resident_bytes_after_prepare = server.pid.and_then(process::resident_bytes);
    }
    report.labels = labels(config, &report.machine, &servers);
    let measured = measure_all(config, &servers).await?;
    for server in servers {
        report.servers.push(server.facts.clone());
        let name = server.name.clone();
        if let Err(error) = sysbench::cleanup(&server.login, config).await {
            report.errors.push(format!("cleaning up {name}: {error}"));
        }
        if let Err(error) = server.stop().await {
            report.errors.push(format!("stopping {name}: {error}"));
        }
    }
    report.rows = report::middle(&measured, config.servers.get(1).map(|s| s.name.as_str()));
    report.goals = report::goals(config, &report.rows);
    if report.errors.is_empty() && report.rows.iter().all(|row| row.error.is_none()) {
        // Logs of a run that failed are kept.
        remove_dir(&data)?;
    }
    let (json, html) = report::write(&report, out_dir)?;
    report::print_results(&report, &html)?;
    Ok(MysqlSummary { report, json, html })
}

/// Makes the database and its tables anew and fills them.
async fn fill(login: &Login, config: &MysqlConfig) -> Result<()> {
    sysbench::create(login, config).await?;
    if config.has(|kind| !matches!(kind, Kind::Tpcc | Kind::Tpch) && !kind.is_of_shop()) {
        sysbench::prepare(login, config).await?;
    }
    if config.has(Kind::is_of_shop) {
        shop::prepare(login, &config.database, &config.shop, config.seed).await?;
    }
    if config.has(|kind| kind == Kind::Tpch) {
        tpch::prepare(login, &config.database, &config.tpch).await?;
    }
    if config.has(|kind| kind == Kind::Tpcc) {
        tpcc::prepare(login, &config.database, &config.tpcc, config.seed).await?;
    }
    Ok(())
}

async fn measure_all(config: &MysqlConfig, servers: &[Server]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for _ in 0..config.rounds {
        for (place, phase) in config.phases.iter().enumerate() {
            if phase.kind == Kind::Tpch {
                let settled = settle(servers, config).await;
                let mut measured = tpch::measure(config, phase, servers).await?;
                if !settled {
                    let remark = "A SERVER HAD BACKGROUND WORK LEFT when it began";
                    measured.iter_mut().for_each(|row| row.remarks.push(remark.to_owned()));
                }
                rows.extend(measured);
                continue;
            }
            // Servers whose answers are others'.
            let mut wrong: Vec<Option<String>> = vec![None; servers.len()];
            if phase.kind.is_of_shop() {
                let mut first: Option<shop::Answers> = None;
                for (server, wrong) in servers.iter().zip(&mut wrong) {
                    match shop::answers(&server.login, config, phase, first.as_ref()).await {
                        Ok(answers) => drop(first.get_or_insert(answers)),
                        Err(error) => *wrong = Some(error.to_string()),
                    }
                }
            }
            for threads in config.threads_of(phase) {
                for (server, wrong) in servers.iter().zip(&wrong) {
                    let settled = settle(servers, config).await;
                    let mut row = Row {
                        phase: phase.name.clone(),
                        threads: *threads,
                        protocol: phase.protocol.unwrap_or(config.protocol),
                        server: server.name.clone(),
                        ..Row::default()
                    };
                    if !settled {
                        row.remarks.push("A SERVER HAD BACKGROUND WORK LEFT when it began".into());
                    }
                    // The same in every round and on every server.
                    let seed = mix(mix(config.seed, place as u64), u64::from(*threads));
                    match measure(config, phase, *threads, server, seed).await {
                        Ok(measured) => row.take(&measured),
                        Err(error) => row.error = Some(error.to_string()),
                    }
                    row.error = row.error.or_else(|| wrong.clone());
                    if let (1, Some(dir)) = (*threads, &server.dir) {
                        row.fsync_p50_us = Some(fsync_floor(dir).await?);
                    }
                    report::print_row(&row)?;
                    rows.push(row);
                }
            }
        }
    }
    Ok(rows)
}

/// See [`fsync_p50_us`].
async fn fsync_floor(dir: &Path) -> Result<f64> {
    let what = dir.display().to_string();
    let dir = dir.to_owned();
    let measured = tokio::task::spawn_blocking(move || fsync_p50_us(&dir, FSYNC_FOR)).await;
    let measured = measured.map_err(std::io::Error::other).and_then(|measured| measured);
    measured.map_err(|e| Error::with_source(ErrorKind::Unavailable, what, e))
}

async fn measure(
    config: &MysqlConfig,
    phase: &Phase,
    threads: u32,
    server: &Server,
    seed: u64,
) -> Result<drive::Measured> {
    if phase.fresh {
        match phase.kind {
            Kind::Tpcc => {
                tpcc::prepare(&server.login, &config.database, &config.tpcc, config.seed).await?;
            }
            kind if kind.is_of_shop() => {
                shop::prepare(&server.login, &config.database, &config.shop, config.seed).await?;
            }
            _ => sysbench::prepare(&server.login, config).await?,
        }
    }
    if phase.kind == Kind::BulkInsert {
        sysbench::prepare_bulk(&server.login, config, threads).await?;
    }
    let (statements, asker): (_, Arc<AskerOf>) = match phase.kind {
        Kind::Tpcc => {
            let size = config.tpcc.clone();
            let asker =
                move |number, seed| Asker::Tpcc(tpcc::Terminal::new(size.clone(), number, seed));
            (tpcc::statements(), Arc::new(asker))
        }
        kind if kind.is_of_shop() => {
            let size = config.shop.clone();
            let distribution = phase.distribution.unwrap_or(config.distribution);
            let asker = move |_, seed| {
                Asker::Shop(shop::Worker::new(kind, size.clone(), distribution, seed))
            };
            (shop::statements(kind), Arc::new(asker))
        }
        _ => {
            let plan = Arc::new(sysbench::Plan::new(config, phase));
            let asker = {
                let plan = Arc::clone(&plan);
                move |number, seed| {
                    Asker::Sysbench(sysbench::Worker::new(Arc::clone(&plan), number, seed))
                }
            };
            (plan.statements(), Arc::new(asker))
        }
    };
    let job = Job {
        login: server.login.clone(),
        pid: server.pid,
        schema: config.database.clone(),
        statements,
        protocol: phase.protocol.unwrap_or(config.protocol),
        threads,
        warmup: Duration::from_secs(phase.warmup_s.unwrap_or(config.warmup_s).into()),
        duration: Duration::from_secs(phase.duration_s.unwrap_or(config.duration_s).into()),
        seed,
        asker,
    };
    let measured = drive::measure(job).await?;
    if phase.kind == Kind::Tpcc {
        tpcc::check(&server.login, &config.database, &config.tpcc).await?;
    }
    Ok(measured)
}

/// Waits until no server has work left; false if that takes too long.
async fn settle(servers: &[Server], config: &MysqlConfig) -> bool {
    let used =
        || -> Duration { servers.iter().filter_map(|server| process::cpu(server.pid?)).sum() };
    let begun = Instant::now();
    loop {
        let (before, since) = (used(), Instant::now());
        tokio::time::sleep(QUIET_FOR).await;
        let cores = used().saturating_sub(before).as_secs_f64() / since.elapsed().as_secs_f64();
        if cores < QUIET_CORES {
            return true;
        }
        if begun.elapsed() > Duration::from_secs(config.settle_limit_s.into()) {
            return false;
        }
    }
}

/// What makes figures incomparable, to be said first.
fn labels(config: &MysqlConfig, machine: &Machine, servers: &[Server]) -> Vec<String> {
    let mut labels = Vec::new();
    let starts_firn = config.servers.iter().any(|spec| spec.kind == ServerKind::Firn);
    if machine.debug_build && starts_firn {
        labels.push("DEBUG BUILD: figures mean nothing".to_owned());
    }
    for (spec, server) in config.servers.iter().zip(servers) {
        let is = |variable: &str, value: &str| {
            server.facts.setting(variable).is_none_or(|set| set == value)
        };
        if spec.kind != ServerKind::Firn
            && !(is("innodb_flush_log_at_trx_commit", "1") && is("sync_binlog", "1"))
        {
            labels.push(format!("{}: COMMITS ARE NOT DURABLE", server.name));
        }
        if spec.options.iter().any(|option| option == "journal.kind=memory") {
            labels.push(format!("{}: COMMITS ARE NOT DURABLE", server.name));
        }
    }
    labels
}

/// The workload's text without its passwords.
fn masked(config: &MysqlConfig, text: &str) -> String {
    let passwords = config.servers.iter().map(|spec| &spec.password).filter(|p| !p.is_empty());
    passwords.fold(text.to_owned(), |text, password| text.replace(password.as_str(), "********"))
}

fn make_dir(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)
        .map_err(|e| Error::with_source(ErrorKind::Unavailable, dir.display().to_string(), e))
}

fn remove_dir(dir: &Path) -> Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::with_source(ErrorKind::Unavailable, dir.display().to_string(), e))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_in_the_report_has_no_password() {
        let yaml = "name: x\nservers: [{kind: address, address: 'h:1', password: hidden}]\nphases: [{kind: insert}]\n";
        let config = MysqlConfig::parse(yaml, "w.yaml").unwrap();
        assert!(masked(&config, yaml).contains("password: ********"));
        assert!(!masked(&config, yaml).contains("hidden"));
    }

    #[test]
    fn a_workload_with_servers_is_one_over_the_protocol() {
        assert!(is_mysql_workload("name: x\nservers: [{kind: firn}]\n"));
        assert!(!is_mysql_workload("name: x\nabout: servers\n  servers: x\n# servers: x\n"));
    }
}
