//! The tables: made and filled as the specification's clause 4.3 says.

use firn_engine::Result;
use firn_mysql_protocol::client::Client;
use futures::{StreamExt, TryStreamExt};

use super::random::{between, data, digits, last_name, name_number, text};
use super::{DISTRICTS, Tpcc};
use crate::generate::{Rng, mix};
use crate::mysql::connection::Login;
use crate::mysql::filling::{Rows, money, run};

/// Warehouses that are filled at once.
const AT_ONCE: usize = 4;

const ADDRESS: &str = "street_1 VARCHAR(20), {}street_2 VARCHAR(20), {}city VARCHAR(20), \
                       {}state CHAR(2), {}zip CHAR(9)";

/// Tables with their columns, keys and secondary indexes.
fn tables() -> [(&'static str, String); 9] {
    let address = |prefix: &str| format!("{prefix}{}", ADDRESS.replace("{}", prefix));
    let dists: String = (1..=DISTRICTS).map(|d| format!("s_dist_{d:02} CHAR(24), ")).collect();
    [
        (
            "warehouse",
            format!(
                "w_id INT NOT NULL, w_name VARCHAR(10), {}, w_tax DECIMAL(4,4), \
                 w_ytd DECIMAL(12,2), PRIMARY KEY (w_id)",
                address("w_")
            ),
        ),
        (
            "district",
            format!(
                "d_id TINYINT NOT NULL, d_w_id INT NOT NULL, d_name VARCHAR(10), {}, \
                 d_tax DECIMAL(4,4), d_ytd DECIMAL(12,2), d_next_o_id INT, \
                 PRIMARY KEY (d_w_id, d_id)",
                address("d_")
            ),
        ),
        (
            "customer",
            format!(
                "c_id INT NOT NULL, c_d_id TINYINT NOT NULL, c_w_id INT NOT NULL, \
                 c_first VARCHAR(16), c_middle CHAR(2), c_last VARCHAR(16), {}, c_phone CHAR(16), \
                 c_since DATETIME, c_credit CHAR(2), c_credit_lim DECIMAL(12,2), \
                 c_discount DECIMAL(4,4), c_balance DECIMAL(12,2), c_ytd_payment DECIMAL(12,2), \
                 c_payment_cnt INT, c_delivery_cnt INT, c_data VARCHAR(500), \
                 PRIMARY KEY (c_w_id, c_d_id, c_id), \
                 KEY idx_customer (c_w_id, c_d_id, c_last, c_first)",
                address("c_")
            ),
        ),
        (
            "history",
            "h_c_id INT, h_c_d_id TINYINT, h_c_w_id INT, h_d_id TINYINT, h_w_id INT, \
             h_date DATETIME, h_amount DECIMAL(6,2), h_data VARCHAR(24)"
                .to_owned(),
        ),
        (
            "new_orders",
            "no_o_id INT NOT NULL, no_d_id TINYINT NOT NULL, no_w_id INT NOT NULL, \
             PRIMARY KEY (no_w_id, no_d_id, no_o_id)"
                .to_owned(),
        ),
        (
            "orders",
            "o_id INT NOT NULL, o_d_id TINYINT NOT NULL, o_w_id INT NOT NULL, o_c_id INT, \
             o_entry_d DATETIME, o_carrier_id TINYINT, o_ol_cnt TINYINT, o_all_local TINYINT, \
             PRIMARY KEY (o_w_id, o_d_id, o_id), KEY idx_orders (o_w_id, o_d_id, o_c_id, o_id)"
                .to_owned(),
        ),
        (
            "order_line",
            "ol_o_id INT NOT NULL, ol_d_id TINYINT NOT NULL, ol_w_id INT NOT NULL, \
             ol_number TINYINT NOT NULL, ol_i_id INT, ol_supply_w_id INT, \
             ol_delivery_d DATETIME, ol_quantity TINYINT, ol_amount DECIMAL(6,2), \
             ol_dist_info CHAR(24), PRIMARY KEY (ol_w_id, ol_d_id, ol_o_id, ol_number)"
                .to_owned(),
        ),
        (
            "item",
            "i_id INT NOT NULL, i_im_id INT, i_name VARCHAR(24), i_price DECIMAL(5,2), \
             i_data VARCHAR(50), PRIMARY KEY (i_id)"
                .to_owned(),
        ),
        (
            "stock",
            format!(
                "s_i_id INT NOT NULL, s_w_id INT NOT NULL, s_quantity SMALLINT, {dists}\
                 s_ytd DECIMAL(8,0), s_order_cnt INT, s_remote_cnt INT, s_data VARCHAR(50), \
                 PRIMARY KEY (s_w_id, s_i_id)"
            ),
        ),
    ]
}

/// Makes the tables of an empty database anew and fills them.
pub(crate) async fn prepare(login: &Login, schema: &str, size: &Tpcc, seed: u64) -> Result<()> {
    let mut client = login.client(Some(schema)).await?;
    for (table, columns) in tables() {
        run(&mut client, &format!("DROP TABLE IF EXISTS {table}")).await?;
        run(&mut client, &format!("CREATE TABLE {table} ({columns})")).await?;
    }
    let mut rng = Rng::new(mix(seed, 0));
    let mut items = Rows::new(&mut client, "item");
    for item in 1..=size.items() {
        let (image, price) = (between(&mut rng, 1, 10_000), between(&mut rng, 100, 10_000));
        let (name, data) = (text(&mut rng, 14, 24), data(&mut rng, 26, 50));
        items.push(format_args!("{item},{image},'{name}',{},'{data}'", money(price))).await?;
    }
    items.flush().await?;
    let warehouses = futures::stream::iter(1..=size.warehouses);
    let filled = warehouses.map(|warehouse| fill(login, schema, size, seed, warehouse));
    filled.buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await.map(drop)
}

fn address(rng: &mut Rng) -> String {
    let (one, two, city) = (text(rng, 10, 20), text(rng, 10, 20), text(rng, 10, 20));
    format!("'{one}','{two}','{city}','{}','{}11111'", text(rng, 2, 2), digits(rng, 4))
}

/// One warehouse with all that is in it.
async fn fill(login: &Login, schema: &str, size: &Tpcc, seed: u64, warehouse: u32) -> Result<()> {
    let mut client = login.client(Some(schema)).await?;
    let rng = &mut Rng::new(mix(seed, u64::from(warehouse)));
    let (name, place, tax) = (text(rng, 6, 10), address(rng), between(rng, 0, 2000));
    let mut rows = Rows::new(&mut client, "warehouse");
    let ytd = 30_000 * DISTRICTS;
    rows.push(format_args!("{warehouse},'{name}',{place},0.{tax:04},{ytd}")).await?;
    rows.flush().await?;
    let mut rows = Rows::new(&mut client, "stock");
    for item in 1..=size.items() {
        let quantity = between(rng, 10, 100);
        let dists: String = (0..DISTRICTS).map(|_| format!("'{}',", text(rng, 24, 24))).collect();
        let data = data(rng, 26, 50);
        rows.push(format_args!("{item},{warehouse},{quantity},{dists}0,0,0,'{data}'")).await?;
    }
    rows.flush().await?;
    for district in 1..=DISTRICTS {
        let (name, place, tax) = (text(rng, 6, 10), address(rng), between(rng, 0, 2000));
        let next = size.customers() + 1;
        let mut rows = Rows::new(&mut client, "district");
        rows.push(format_args!(
            "{district},{warehouse},'{name}',{place},0.{tax:04},30000.00,{next}"
        ))
        .await?;
        rows.flush().await?;
        customers(&mut client, size, warehouse, district, rng).await?;
        orders(&mut client, size, warehouse, district, rng).await?;
    }
    Ok(())
}

async fn customers(
    client: &mut Client,
    size: &Tpcc,
    warehouse: u32,
    district: u32,
    rng: &mut Rng,
) -> Result<()> {
    let mut rows = Rows::new(client, "customer");
    for customer in 1..=size.customers() {
        let number = match customer {
            1..=1000 => customer - 1,
            _ => name_number(rng, size.customers()),
        };
        let (first, last, place) = (text(rng, 8, 16), last_name(number), address(rng));
        let phone = digits(rng, 16);
        let credit = if rng.below(10) == 0 { "BC" } else { "GC" };
        let (discount, data) = (between(rng, 0, 5000), text(rng, 300, 500));
        rows.push(format_args!(
            "{customer},{district},{warehouse},'{first}','OE','{last}',{place},'{phone}',\
             '2024-01-01 00:00:00','{credit}',50000.00,0.{discount:04},-10.00,10.00,1,0,'{data}'"
        ))
        .await?;
    }
    rows.flush().await?;
    let mut rows = Rows::new(client, "history");
    for customer in 1..=size.customers() {
        let data = text(rng, 12, 24);
        rows.push(format_args!(
            "{customer},{district},{warehouse},{district},{warehouse},\
             '2024-01-01 00:00:00',10.00,'{data}'"
        ))
        .await?;
    }
    rows.flush().await
}

async fn orders(
    client: &mut Client,
    size: &Tpcc,
    warehouse: u32,
    district: u32,
    rng: &mut Rng,
) -> Result<()> {
    let first_new = size.first_new_order();
    // Each customer has one order, in shuffled order.
    let mut customers: Vec<u32> = (1..=size.customers()).collect();
    for place in (1..customers.len()).rev() {
        customers.swap(place, rng.below(place as u64 + 1) as usize);
    }
    let counts: Vec<u32> = customers.iter().map(|_| between(rng, 5, 15)).collect();
    let mut rows = Rows::new(client, "orders");
    for (order, (customer, count)) in (1..).zip(customers.iter().zip(&counts)) {
        let carrier = match order < first_new {
            true => between(rng, 1, 10).to_string(),
            false => "NULL".to_owned(),
        };
        rows.push(format_args!(
            "{order},{district},{warehouse},{customer},'2024-01-01 00:00:00',{carrier},{count},1"
        ))
        .await?;
    }
    rows.flush().await?;
    let mut rows = Rows::new(client, "order_line");
    for (order, count) in (1..).zip(&counts) {
        for line in 1..=*count {
            let item = between(rng, 1, size.items());
            let (delivered, amount) = match order < first_new {
                true => ("'2024-01-01 00:00:00'", money(0u32)),
                false => ("NULL", money(between(rng, 1, 999_999))),
            };
            let dist = text(rng, 24, 24);
            rows.push(format_args!(
                "{order},{district},{warehouse},{line},{item},{warehouse},{delivered},5,\
                 {amount},'{dist}'"
            ))
            .await?;
        }
    }
    rows.flush().await?;
    let mut rows = Rows::new(client, "new_orders");
    for order in first_new..=size.customers() {
        rows.push(format_args!("{order},{district},{warehouse}")).await?;
    }
    rows.flush().await
}
