//! Each query on each server, one after the other.

use std::time::{Duration, Instant};

use firn_engine::{Context, Error, ErrorKind, Result};
use firn_mysql_protocol::client::Client;

use super::answers::Answer;
use super::queries::{Query, query};
use crate::measure::cpu;
use crate::mysql::config::{MysqlConfig, Phase, Protocol};
use crate::mysql::connection::unavailable;
use crate::mysql::drive::Measured;
use crate::mysql::process;
use crate::mysql::report::{self, Row};
use crate::mysql::server::Server;
use crate::mysql::tally::Tally;

async fn run(client: &mut Client, sql: Option<&String>) -> Result<()> {
    let Some(sql) = sql else { return Ok(()) };
    client.query_and_skip(sql.as_bytes()).await.map(drop).map_err(|e| unavailable(sql, &e))
}

/// Measures all queries on all servers: a row for each, and one for all of them together,
/// whose event is one pass at the queries' medians.
pub(crate) async fn measure(
    config: &MysqlConfig,
    phase: &Phase,
    servers: &[Server],
) -> Result<Vec<Row>> {
    let duration = Duration::from_secs(phase.duration_s.unwrap_or(config.duration_s).into());
    let row_of = |name: String, server: &Server| Row {
        phase: name,
        threads: 1,
        protocol: Protocol::Text,
        server: server.name.clone(),
        ..Row::default()
    };
    let mut rows = Vec::new();
    for number in &config.tpch.queries {
        let mut first: Option<(String, Answer)> = None;
        for server in servers {
            let mut row = row_of(format!("{}_q{number:02}", phase.name), server);
            let asked = query(*number, config.tpch.scale);
            match ask(server, &config.database, &asked, duration).await {
                Ok((measured, answer)) => {
                    row.take(&measured);
                    let differs = first.as_ref().and_then(|(name, first)| {
                        Some(format!("not the answer of {name}: {}", answer.differs(first, false)?))
                    });
                    let published = (config.tpch.scale == 1.0).then(|| Answer::published(*number));
                    let wrong = published.and_then(|published| {
                        let differs =
                            answer.clone().cut_as_published(*number).differs(&published, true)?;
                        Some(format!("not the specification's answer: {differs}"))
                    });
                    row.error = differs.or(wrong);
                    first.get_or_insert_with(|| (server.name.clone(), answer));
                }
                Err(error) => row.error = Some(error.to_string()),
            }
            report::print_row(&row)?;
            rows.push(row);
        }
    }
    for server in servers {
        let mut all = row_of(phase.name.clone(), server);
        let of_it = || rows.iter().filter(|row| row.server == server.name);
        match of_it().find_map(|row| row.error.as_ref().map(|error| (&row.phase, error))) {
            Some((query, error)) => all.error = Some(format!("{query}: {error}")),
            None => {
                let total_us: f64 = of_it().map(|row| row.p50_us).sum();
                (all.p50_us, all.mean_us, all.p95_us, all.p99_us) =
                    (total_us, total_us, total_us, total_us);
                (all.max_us, all.elapsed_s, all.events) = (total_us, total_us / 1e6, 1);
                all.events_per_s = 1e6 / total_us.max(1.0);
                all.queries_per_s = all.events_per_s * config.tpch.queries.len() as f64;
                all.resident_mib = of_it().filter_map(|row| row.resident_mib).reduce(f64::max);
            }
        }
        report::print_row(&all)?;
        rows.push(all);
    }
    Ok(rows)
}

/// Asks a query once for its answer, and then again and again for as long as `duration`. One
/// that takes longer than that counts at once.
async fn ask(
    server: &Server,
    schema: &str,
    query: &Query,
    duration: Duration,
) -> Result<(Measured, Answer)> {
    let mut client = server.login.client(Some(schema)).await?;
    run(&mut client, query.before.as_ref()).await?;
    let warming = Instant::now();
    let (before, server_before) = (cpu::now(), server.pid.and_then(process::cpu));
    let answer = Answer::of(&mut client, &query.asks).await?;
    let mut tally = Tally::default();
    let (mut begun, mut before, mut server_before) = (warming, before, server_before);
    if warming.elapsed() > duration {
        tally.event(None, warming.elapsed(), 1);
    } else {
        (begun, before) = (Instant::now(), cpu::now());
        server_before = server.pid.and_then(process::cpu);
        while begun.elapsed() < duration {
            let asked = Instant::now();
            let again = Answer::of(&mut client, &query.asks).await?;
            tally.event(None, asked.elapsed(), 1);
            if let Some(differs) = again.differs(&answer, false) {
                let why = format!("asked again, it answered otherwise: {differs}");
                return Err(Error::new(ErrorKind::Corrupt, why));
            }
        }
    }
    let elapsed = begun.elapsed();
    let used = cpu::now().since(&before);
    let server_cpu = server.pid.and_then(process::cpu).zip(server_before);
    let server_cpu = server_cpu.map(|(now, then)| now.saturating_sub(then));
    run(&mut client, query.behind.as_ref()).await.context(|| "behind the query")?;
    let measured = Measured {
        tally,
        elapsed,
        server_cpu,
        client_cpu: used.total,
        others_cpu: used.others().saturating_sub(server_cpu.unwrap_or_default()),
        resident_bytes_max: server.pid.and_then(process::resident_bytes),
        events_by_second: Vec::new(),
    };
    Ok((measured, answer))
}
