//! The tables: what is in them follows from their ids.

use firn_engine::Result;

use super::Shop;
use super::statements::email;
use crate::generate::mix;
use crate::mysql::connection::Login;
use crate::mysql::filling::{Rows, money, run};

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

/// Makes the tables anew and fills them.
pub(crate) async fn prepare(login: &Login, schema: &str, shop: &Shop, seed: u64) -> Result<()> {
    let client = &mut login.client(Some(schema)).await?;
    for (table, columns) in TABLES {
        run(client, &format!("DROP TABLE IF EXISTS {table}")).await?;
        run(client, &format!("CREATE TABLE {table} ({columns})")).await?;
    }
    // Numbers of a row below a bound, by what they are for.
    let of = |id: u32, what: u64, below: u64| mix(mix(seed, what), id.into()) % below;
    let mut rows = Rows::new(client, "region");
    for id in 0..REGIONS {
        rows.push(format_args!("{id},'region {id}'")).await?;
    }
    rows.flush().await?;
    let mut rows = Rows::new(client, "customer");
    for id in 1..=shop.customers {
        let (email, region) = (email(id.into()), of(id, 1, REGIONS));
        rows.push(format_args!("{id},'{email}','Customer No. {id}',{region}")).await?;
    }
    rows.flush().await?;
    let mut rows = Rows::new(client, "product");
    for id in 1..=shop.products() {
        let category = of(id, 2, shop.categories().into()) + 1;
        let cents = of(id, 3, 20_000);
        rows.push(format_args!("{id},'Product No. {id}',{category},{}", money(cents))).await?;
    }
    rows.flush().await?;
    let mut rows = Rows::new(client, "orders");
    for id in 1..=shop.orders() {
        let customer = of(id, 4, shop.customers.into()) + 1;
        let (minute, state, total) = (of(id, 5, MINUTES), of(id, 6, 5), of(id, 7, 100_000));
        rows.push(format_args!(
            "{id},{customer},'2024-01-01' + INTERVAL {minute} MINUTE,{state},{},{}",
            money(total),
            if id % 3 == 0 { "NULL" } else { "'as usual, before noon'" }
        ))
        .await?;
    }
    rows.flush().await?;
    let mut rows = Rows::new(client, "line");
    for order in 1..=shop.orders() {
        for no in 1..=of(order, 8, 5) + 1 {
            let product = of(order, 8 + no, shop.products().into()) + 1;
            let (quantity, cents) = (of(order, 20 + no, 9) + 1, of(order, 40 + no, 20_000));
            rows.push(format_args!("{order},{no},{product},{quantity},{}", money(cents))).await?;
        }
    }
    rows.flush().await?;
    for (table, _) in TABLES {
        run(client, &format!("ANALYZE TABLE {table}")).await?;
    }
    Ok(())
}
