//! The tables: made, filled and dropped.

use std::io::Write;

use firn_engine::{Error, ErrorKind, Result};
use firn_mysql_protocol::client::Client;
use futures::{StreamExt, TryStreamExt};

use super::text::{C_GROUPS, PAD_GROUPS, push_groups};
use crate::generate::{Rng, mix};
use crate::mysql::config::MysqlConfig;
use crate::mysql::connection::{Login, unavailable};
use crate::mysql::keys::Keys;

/// Tables that are filled at once.
const AT_ONCE: usize = 8;
/// A statement that fills a table ends with the row that passes this.
const INSERT_BYTES: usize = 512 << 10;

async fn run(client: &mut Client, sql: &str) -> Result<()> {
    let done = client.query_and_skip(sql.as_bytes()).await;
    done.map(drop).map_err(|error| {
        let shown: String = sql.chars().take(80).collect();
        unavailable(&shown, &error)
    })
}

/// Makes the database anew.
pub(crate) async fn create(login: &Login, config: &MysqlConfig) -> Result<()> {
    let mut client = login.client(None).await?;
    run(&mut client, &format!("DROP DATABASE IF EXISTS `{}`", config.database)).await?;
    run(&mut client, &format!("CREATE DATABASE `{}`", config.database)).await
}

/// Makes the tables anew and fills them.
pub(crate) async fn prepare(login: &Login, config: &MysqlConfig) -> Result<()> {
    let tables = futures::stream::iter(1..=config.tables);
    tables
        .map(|table| fill(login, config, table))
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}

/// Makes one table, with the rows that the seed asks for.
async fn fill(login: &Login, config: &MysqlConfig, table: u32) -> Result<()> {
    let mut client = login.client(Some(&config.database)).await?;
    let create = format!(
        "CREATE TABLE sbtest{table}(\
         id INTEGER NOT NULL AUTO_INCREMENT, k INTEGER DEFAULT '0' NOT NULL, \
         c CHAR(120) DEFAULT '' NOT NULL, pad CHAR(60) DEFAULT '' NOT NULL, \
         PRIMARY KEY (id)) /*! ENGINE = innodb */"
    );
    run(&mut client, &format!("DROP TABLE IF EXISTS sbtest{table}")).await?;
    run(&mut client, &create).await?;
    let keys = Keys::new(config.distribution, config.rows);
    let mut rng = Rng::new(mix(config.seed, u64::from(table)));
    let mut sql = Vec::with_capacity(INSERT_BYTES + 1024);
    for id in 1..=config.rows {
        match sql.is_empty() {
            true => write!(sql, "INSERT INTO sbtest{table}(id, k, c, pad) VALUES("),
            false => write!(sql, ",("),
        }
        .and_then(|()| write!(sql, "{id},{},'", keys.next(&mut rng)))
        .map_err(|e| Error::with_source(ErrorKind::Internal, "writing to memory", e))?;
        push_groups(C_GROUPS, &mut rng, &mut sql);
        sql.extend_from_slice(b"','");
        push_groups(PAD_GROUPS, &mut rng, &mut sql);
        sql.extend_from_slice(b"')");
        if sql.len() >= INSERT_BYTES || id == config.rows {
            let done = client.query_and_skip(&sql).await;
            done.map_err(|error| unavailable(&format!("filling sbtest{table}"), &error))?;
            sql.clear();
        }
    }
    run(&mut client, &format!("CREATE INDEX k_{table} ON sbtest{table}(k)")).await
}

/// Makes the empty tables of `bulk_insert` anew, one for each connection.
pub(crate) async fn prepare_bulk(login: &Login, config: &MysqlConfig, threads: u32) -> Result<()> {
    let mut client = login.client(Some(&config.database)).await?;
    for table in 1..=threads {
        run(&mut client, &format!("DROP TABLE IF EXISTS bulk{table}")).await?;
        let create = format!(
            "CREATE TABLE bulk{table}(\
             id INTEGER NOT NULL, k INTEGER DEFAULT '0' NOT NULL, PRIMARY KEY (id))"
        );
        run(&mut client, &create).await?;
    }
    Ok(())
}

/// Drops everything.
pub(crate) async fn cleanup(login: &Login, config: &MysqlConfig) -> Result<()> {
    let mut client = login.client(None).await?;
    run(&mut client, &format!("DROP DATABASE IF EXISTS `{}`", config.database)).await
}
