//! The tables: made and filled as the specification's generator does, with the keys that its
//! foreign keys would bring.

use std::fmt::Display;

use firn_engine::Result;
use firn_mysql_protocol::client::Client;
use futures::{StreamExt, TryStreamExt};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};

use super::Tpch;
use crate::mysql::connection::Login;
use crate::mysql::filling::{INSERT_BYTES, run};

/// Connections that fill at once.
const AT_ONCE: usize = 2;
/// Parts in which a large table is filled.
const PARTS: i32 = 8;

const TABLES: [(&str, &str); 8] = [
    (
        "region",
        "r_regionkey INT NOT NULL PRIMARY KEY, r_name CHAR(25) NOT NULL, r_comment VARCHAR(152)",
    ),
    (
        "nation",
        "n_nationkey INT NOT NULL PRIMARY KEY, n_name CHAR(25) NOT NULL, n_regionkey INT NOT NULL, \
         n_comment VARCHAR(152), KEY (n_regionkey)",
    ),
    (
        "part",
        "p_partkey INT NOT NULL PRIMARY KEY, p_name VARCHAR(55) NOT NULL, p_mfgr CHAR(25) NOT NULL, \
         p_brand CHAR(10) NOT NULL, p_type VARCHAR(25) NOT NULL, p_size INT NOT NULL, \
         p_container CHAR(10) NOT NULL, p_retailprice DECIMAL(15,2) NOT NULL, \
         p_comment VARCHAR(23) NOT NULL",
    ),
    (
        "supplier",
        "s_suppkey INT NOT NULL PRIMARY KEY, s_name CHAR(25) NOT NULL, s_address VARCHAR(40) NOT NULL, \
         s_nationkey INT NOT NULL, s_phone CHAR(15) NOT NULL, s_acctbal DECIMAL(15,2) NOT NULL, \
         s_comment VARCHAR(101) NOT NULL, KEY (s_nationkey)",
    ),
    (
        "partsupp",
        "ps_partkey INT NOT NULL, ps_suppkey INT NOT NULL, ps_availqty INT NOT NULL, \
         ps_supplycost DECIMAL(15,2) NOT NULL, ps_comment VARCHAR(199) NOT NULL, \
         PRIMARY KEY (ps_partkey, ps_suppkey), KEY (ps_suppkey)",
    ),
    (
        "customer",
        "c_custkey INT NOT NULL PRIMARY KEY, c_name VARCHAR(25) NOT NULL, c_address VARCHAR(40) NOT NULL, \
         c_nationkey INT NOT NULL, c_phone CHAR(15) NOT NULL, c_acctbal DECIMAL(15,2) NOT NULL, \
         c_mktsegment CHAR(10) NOT NULL, c_comment VARCHAR(117) NOT NULL, KEY (c_nationkey)",
    ),
    (
        "orders",
        "o_orderkey INT NOT NULL PRIMARY KEY, o_custkey INT NOT NULL, o_orderstatus CHAR(1) NOT NULL, \
         o_totalprice DECIMAL(15,2) NOT NULL, o_orderdate DATE NOT NULL, \
         o_orderpriority CHAR(15) NOT NULL, o_clerk CHAR(15) NOT NULL, o_shippriority INT NOT NULL, \
         o_comment VARCHAR(79) NOT NULL, KEY (o_custkey)",
    ),
    (
        "lineitem",
        "l_orderkey INT NOT NULL, l_partkey INT NOT NULL, l_suppkey INT NOT NULL, \
         l_linenumber INT NOT NULL, l_quantity DECIMAL(15,2) NOT NULL, \
         l_extendedprice DECIMAL(15,2) NOT NULL, l_discount DECIMAL(15,2) NOT NULL, \
         l_tax DECIMAL(15,2) NOT NULL, l_returnflag CHAR(1) NOT NULL, l_linestatus CHAR(1) NOT NULL, \
         l_shipdate DATE NOT NULL, l_commitdate DATE NOT NULL, l_receiptdate DATE NOT NULL, \
         l_shipinstruct CHAR(25) NOT NULL, l_shipmode CHAR(10) NOT NULL, l_comment VARCHAR(44) NOT NULL, \
         PRIMARY KEY (l_orderkey, l_linenumber), KEY (l_partkey, l_suppkey), KEY (l_suppkey)",
    ),
];

/// Makes the tables of an empty database anew and fills them.
pub(crate) async fn prepare(login: &Login, schema: &str, size: &Tpch) -> Result<()> {
    let mut client = login.client(Some(schema)).await?;
    for (table, columns) in TABLES {
        run(&mut client, &format!("DROP TABLE IF EXISTS {table}")).await?;
        run(&mut client, &format!("CREATE TABLE {table} ({columns})")).await?;
    }
    let parts = TABLES.iter().flat_map(|(table, _)| {
        let parts = if matches!(*table, "region" | "nation") { 1 } else { PARTS };
        (1..=parts).map(move |part| (*table, part))
    });
    let filled =
        futures::stream::iter(parts).map(|(table, part)| fill(login, schema, size, table, part));
    filled.buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    // As is usual behind a large load.
    for (table, _) in TABLES {
        run(&mut client, &format!("OPTIMIZE TABLE {table}")).await?;
        run(&mut client, &format!("ANALYZE TABLE {table}")).await?;
    }
    Ok(())
}

/// Fills one part of a table.
async fn fill(
    login: &Login,
    schema: &str,
    size: &Tpch,
    table: &'static str,
    part: i32,
) -> Result<()> {
    let client = &mut login.client(Some(schema)).await?;
    let scale = size.scale;
    match table {
        "region" => insert(client, table, RegionGenerator::new(scale, 1, 1).iter()).await,
        "nation" => insert(client, table, NationGenerator::new(scale, 1, 1).iter()).await,
        "part" => insert(client, table, PartGenerator::new(scale, part, PARTS).iter()).await,
        "supplier" => {
            insert(client, table, SupplierGenerator::new(scale, part, PARTS).iter()).await
        }
        "partsupp" => {
            insert(client, table, PartSuppGenerator::new(scale, part, PARTS).iter()).await
        }
        "customer" => {
            insert(client, table, CustomerGenerator::new(scale, part, PARTS).iter()).await
        }
        "orders" => insert(client, table, OrderGenerator::new(scale, part, PARTS).iter()).await,
        "lineitem" => {
            insert(client, table, LineItemGenerator::new(scale, part, PARTS).iter()).await
        }
        other => panic!("no generator of {other}"),
    }
}

/// Inserts rows as the generator writes them: `a|b|c|`.
async fn insert<R: Display>(
    client: &mut Client,
    table: &'static str,
    rows: impl Iterator<Item = R>,
) -> Result<()> {
    let mut sql = String::new();
    for row in rows {
        if sql.is_empty() {
            sql = format!("INSERT INTO {table} VALUES ");
        } else {
            sql.push(',');
        }
        push(&row.to_string(), &mut sql);
        if sql.len() >= INSERT_BYTES {
            run(client, &sql).await?;
            sql.clear();
        }
    }
    if sql.is_empty() { Ok(()) } else { run(client, &sql).await }
}

/// A row as SQL; the values' types are the columns' affair.
fn push(row: &str, sql: &mut String) {
    let values = row.strip_suffix('|').unwrap_or(row).split('|');
    for (at, value) in values.enumerate() {
        sql.push_str(if at == 0 { "('" } else { ",'" });
        for c in value.chars() {
            if matches!(c, '\'' | '\\') {
                sql.push('\\');
            }
            sql.push(c);
        }
        sql.push('\'');
    }
    sql.push(')');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_its_values_in_quotes() {
        let mut sql = String::new();
        push("1|it's|a\\b|", &mut sql);
        assert_eq!(sql, r"('1','it\'s','a\\b')");
    }

    #[test]
    fn rows_have_a_value_for_each_column() {
        let columns = |table: &str| {
            let (_, columns) = TABLES.iter().find(|(name, _)| *name == table).unwrap();
            columns.matches(&format!("{}_", &columns[..columns.find('_').unwrap()])).count()
        };
        let item = LineItemGenerator::new(0.001, 1, 1).iter().next().unwrap().to_string();
        // Keys name four columns again.
        assert_eq!(item.matches('|').count(), 16);
        assert_eq!(columns("lineitem"), 16 + 5);
        let order = OrderGenerator::new(0.001, 1, 1).iter().next().unwrap().to_string();
        assert_eq!((order.matches('|').count(), columns("orders")), (9, 9 + 1));
    }
}
