//! The tables: what is in them follows from their ids.

use std::fmt::Write;

use firn_engine::Result;
use firn_mysql_protocol::client::Client;

use super::Shop;
use super::statements::email;
use crate::generate::mix;
use crate::mysql::connection::{Login, unavailable};

/// A statement ends with the row that passes this.
const INSERT_BYTES: usize = 256 << 10;
const REGIONS: u64 = 10;
/// Orders are of so many minutes.
const MINUTES: u64 = 500_000;

const TABLES: [(&str, &str); 5] = [
    ("region", "id INT NOT NULL PRIMARY KEY, name VARCHAR(20) NOT NULL"),
    (
        "customer",
        "id INT NOT NULL PRIMARY KEY, email VARCHAR(60) NOT NULL, name VARCHAR(40) NOT NULL, \
         region_id INT NOT NULL, UNIQUE KEY (email), KEY (region_id)",
    ),
    (
        "product",
        "id INT NOT NULL PRIMARY KEY, name VARCHAR(40) NOT NULL, category_id INT NOT NULL, \
         price DECIMAL(10,2) NOT NULL, KEY (category_id)",
    ),
    (
        "orders",
        "id INT NOT NULL PRIMARY KEY, customer_id INT NOT NULL, placed DATETIME NOT NULL, \
         state TINYINT NOT NULL, total DECIMAL(12,2) NOT NULL, note VARCHAR(60), \
         KEY (customer_id, placed), KEY (state, placed)",
    ),
    (
        "line",
        "order_id INT NOT NULL, no INT NOT NULL, product_id INT NOT NULL, quantity INT NOT NULL, \
         price DECIMAL(10,2) NOT NULL, PRIMARY KEY (order_id, no), KEY (product_id)",
    ),
];

async fn run(client: &mut Client, sql: &str) -> Result<()> {
    let done = client.query_and_skip(sql.as_bytes()).await;
    done.map(drop).map_err(|error| {
        let shown: String = sql.chars().take(80).collect();
        unavailable(&shown, &error)
    })
}

/// Rows on their way into a table.
struct Rows<'c> {
    client: &'c mut Client,
    table: &'static str,
    sql: String,
}

impl<'c> Rows<'c> {
    fn of(client: &'c mut Client, table: &'static str) -> Self {
        Self { client, table, sql: String::new() }
    }

    async fn add(&mut self, values: std::fmt::Arguments<'_>) -> Result<()> {
        let begin = self.sql.is_empty();
        // Writing to memory does not fail.
        let _ = match begin {
            true => write!(self.sql, "INSERT INTO {} VALUES ({values})", self.table),
            false => write!(self.sql, ",({values})"),
        };
        if self.sql.len() >= INSERT_BYTES { self.end().await } else { Ok(()) }
    }

    async fn end(&mut self) -> Result<()> {
        if !self.sql.is_empty() {
            run(self.client, &self.sql).await?;
            self.sql.clear();
        }
        Ok(())
    }
}

/// Makes the tables anew and fills them.
pub(crate) async fn prepare(login: &Login, schema: &str, shop: &Shop, seed: u64) -> Result<()> {
    let client = &mut login.client(Some(schema)).await?;
    for (table, columns) in TABLES {
        run(client, &format!("DROP TABLE IF EXISTS {table}")).await?;
        run(client, &format!("CREATE TABLE {table} ({columns})")).await?;
    }
    // Numbers of a row below a bound, by what they are for.
    let of = |id: u32, what: u64, below: u64| mix(mix(seed, what), id.into()) % below;
    let mut rows = Rows::of(client, "region");
    for id in 0..REGIONS {
        rows.add(format_args!("{id},'region {id}'")).await?;
    }
    rows.end().await?;
    let mut rows = Rows::of(client, "customer");
    for id in 1..=shop.customers {
        let (email, region) = (email(id.into()), of(id, 1, REGIONS));
        rows.add(format_args!("{id},'{email}','Customer No. {id}',{region}")).await?;
    }
    rows.end().await?;
    let mut rows = Rows::of(client, "product");
    for id in 1..=shop.products() {
        let category = of(id, 2, shop.categories().into()) + 1;
        let cents = of(id, 3, 20_000);
        rows.add(format_args!(
            "{id},'Product No. {id}',{category},{}.{:02}",
            cents / 100,
            cents % 100
        ))
        .await?;
    }
    rows.end().await?;
    let mut rows = Rows::of(client, "orders");
    for id in 1..=shop.orders() {
        let customer = of(id, 4, shop.customers.into()) + 1;
        let (minute, state, total) = (of(id, 5, MINUTES), of(id, 6, 5), of(id, 7, 100_000));
        rows.add(format_args!(
            "{id},{customer},'2024-01-01' + INTERVAL {minute} MINUTE,{state},{}.{:02},{}",
            total / 100,
            total % 100,
            if id % 3 == 0 { "NULL" } else { "'as usual, before noon'" }
        ))
        .await?;
    }
    rows.end().await?;
    let mut rows = Rows::of(client, "line");
    for order in 1..=shop.orders() {
        for no in 1..=of(order, 8, 5) + 1 {
            let product = of(order, 8 + no, shop.products().into()) + 1;
            let (quantity, cents) = (of(order, 20 + no, 9) + 1, of(order, 40 + no, 20_000));
            rows.add(format_args!(
                "{order},{no},{product},{quantity},{}.{:02}",
                cents / 100,
                cents % 100
            ))
            .await?;
        }
    }
    rows.end().await?;
    for (table, _) in TABLES {
        run(client, &format!("ANALYZE TABLE {table}")).await?;
    }
    Ok(())
}
