//! The specification's consistency conditions (clause 3.3.2), all twelve.
//!
//! Condition 11 speaks of tables that were just filled: 2,100 orders of each district are
//! delivered. Of tables under load it is that the orders that are not new are those with a
//! carrier.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use firn_engine::{Error, ErrorKind, Result};
use firn_mysql_protocol::client::Client;
use firn_mysql_protocol::command::ParameterValue;

use super::{DISTRICTS, Tpcc};
use crate::mysql::connection::{Login, unavailable};

/// Keys and values of a query: the first two columns are warehouse and district.
type Found = BTreeMap<(String, String), Vec<String>>;

async fn ask(client: &mut Client, sql: &str) -> Result<Found> {
    let results = client.query_all(sql.as_bytes()).await.map_err(|e| unavailable(sql, &e))?;
    let mut found = Found::new();
    for result in results {
        for row in &result.rows {
            let values = row.values(&result.columns).map_err(|e| unavailable(sql, &e))?;
            let mut texts = values.iter().map(|value| match value {
                ParameterValue::Bytes(text) => String::from_utf8_lossy(text).into_owned(),
                _ => "NULL".to_owned(),
            });
            let key = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
            found.insert(key, texts.collect());
        }
    }
    Ok(found)
}

fn broken(condition: u32, what: String) -> Error {
    Error::new(ErrorKind::Corrupt, format!("tpcc: consistency condition {condition}: {what}"))
}

fn number(texts: &[String], place: usize) -> Option<i64> {
    texts.get(place)?.parse().ok()
}

/// Checks the server at an address where `root` needs no password; nobody writes meanwhile.
///
/// # Errors
/// `Corrupt`: the first condition that does not hold, and where.
pub async fn check_tpcc(address: SocketAddr, schema: &str, size: &Tpcc) -> Result<()> {
    let (user, password, session) = ("root".to_owned(), String::new(), Vec::new());
    check(&Login { address, user, password, session }, schema, size).await
}

/// The same, for whoever logs in.
///
/// # Errors
/// As [`check_tpcc`].
pub(crate) async fn check(login: &Login, schema: &str, size: &Tpcc) -> Result<()> {
    let mut client = login.client(Some(schema)).await?;
    sums_of_districts(&mut client, size).await?;
    single_rows(&mut client).await?;
    payments(&mut client, size).await?;
    customers(&mut client, size).await
}

/// Conditions 1 to 4, and 11.
async fn sums_of_districts(client: &mut Client, size: &Tpcc) -> Result<()> {
    let districts = (size.warehouses * DISTRICTS) as usize;

    let warehouses = ask(client, "SELECT w_id, '', w_ytd FROM warehouse").await?;
    let sums = ask(client, "SELECT d_w_id, '', SUM(d_ytd) FROM district GROUP BY d_w_id").await?;
    if warehouses != sums || warehouses.len() != size.warehouses as usize {
        return Err(broken(1, format!("w_ytd {warehouses:?}, sums of d_ytd {sums:?}")));
    }

    let next = ask(client, "SELECT d_w_id, d_id, d_next_o_id FROM district").await?;
    let sql = "SELECT o_w_id, o_d_id, MAX(o_id), SUM(o_ol_cnt), COUNT(*), COUNT(o_carrier_id) \
               FROM orders GROUP BY o_w_id, o_d_id";
    let orders = ask(client, sql).await?;
    let sql = "SELECT no_w_id, no_d_id, MAX(no_o_id), MIN(no_o_id), COUNT(*) FROM new_orders \
               GROUP BY no_w_id, no_d_id";
    let new_orders = ask(client, sql).await?;
    let sql = "SELECT ol_w_id, ol_d_id, COUNT(*) FROM order_line GROUP BY ol_w_id, ol_d_id";
    let lines = ask(client, sql).await?;
    if next.len() != districts || orders.len() != districts || lines.len() != districts {
        return Err(broken(2, format!("{} districts, not {districts}", next.len())));
    }
    for (district, next) in &next {
        let (next, orders) = (number(next, 0), orders.get(district));
        let last = orders.and_then(|of| number(of, 0));
        if next.is_none() || next != last.map(|last| last + 1) {
            let what = format!("district {district:?}: d_next_o_id {next:?}, last order {last:?}");
            return Err(broken(2, what));
        }
        // All may be delivered.
        if let Some(new) = new_orders.get(district) {
            let (max, min, count) = (number(new, 0), number(new, 1), number(new, 2));
            if max != last {
                let what = format!("district {district:?}: new order {max:?}, order {last:?}");
                return Err(broken(2, what));
            }
            if max.zip(min).map(|(max, min)| max - min + 1) != count {
                let what = format!("district {district:?}: {min:?} to {max:?} are {count:?}");
                return Err(broken(3, what));
            }
        }
        let counted = orders.and_then(|of| number(of, 1));
        let there = lines.get(district).and_then(|of| number(of, 0));
        if counted.is_none() || counted != there {
            let what = format!("district {district:?}: {counted:?} lines, {there:?} there");
            return Err(broken(4, what));
        }
        let of = |place: usize| orders.and_then(|of| number(of, place)).unwrap_or(-1);
        let new = new_orders.get(district).map_or(Some(0), |new| number(new, 2)).unwrap_or(-1);
        if of(2) - new != of(3) {
            let (orders, carried) = (of(2), of(3));
            let what =
                format!("district {district:?}: {orders} orders, {new} new, {carried} carried");
            return Err(broken(11, what));
        }
    }
    Ok(())
}

/// What belongs to an order.
const OF_ORDER: &str = "ol_w_id = o_w_id AND ol_d_id = o_d_id AND ol_o_id = o_id";

/// Conditions 5 to 7: of each row by itself.
async fn single_rows(client: &mut Client) -> Result<()> {
    let same = "no_w_id = o_w_id AND no_d_id = o_d_id AND no_o_id = o_id";
    for (condition, from) in [
        (
            5,
            format!(
                "orders WHERE (o_carrier_id IS NULL) <> EXISTS (SELECT 1 FROM new_orders WHERE {same})"
            ),
        ),
        (5, format!("new_orders WHERE NOT EXISTS (SELECT 1 FROM orders WHERE {same})")),
        (6, format!("orders WHERE o_ol_cnt <> (SELECT COUNT(*) FROM order_line WHERE {OF_ORDER})")),
        (
            7,
            format!(
                "orders, order_line WHERE {OF_ORDER} AND \
                 (ol_delivery_d IS NULL) <> (o_carrier_id IS NULL)"
            ),
        ),
    ] {
        let found = ask(client, &format!("SELECT '', '', COUNT(*) FROM {from}")).await?;
        let wrong = found.values().next().and_then(|of| number(of, 0));
        if wrong != Some(0) {
            return Err(broken(condition, format!("not for {wrong:?} of {from}")));
        }
    }
    Ok(())
}

/// Conditions 8 and 9: warehouses and districts have what their history says.
async fn payments(client: &mut Client, size: &Tpcc) -> Result<()> {
    // Smaller tables begin with less history than was paid.
    let missing = 10 * (3_000 - i64::from(size.customers()));
    let districts = i64::from(DISTRICTS);
    let warehouses = ask(client, "SELECT w_id, '', w_ytd FROM warehouse").await?;
    let sql = format!(
        "SELECT h_w_id, '', SUM(h_amount) + {} FROM history GROUP BY h_w_id",
        missing * districts
    );
    let sums = ask(client, &sql).await?;
    if warehouses != sums {
        return Err(broken(8, format!("w_ytd {warehouses:?}, sums of h_amount {sums:?}")));
    }
    let districts = ask(client, "SELECT d_w_id, d_id, d_ytd FROM district").await?;
    let sql = format!(
        "SELECT h_w_id, h_d_id, SUM(h_amount) + {missing} FROM history GROUP BY h_w_id, h_d_id"
    );
    let sums = ask(client, &sql).await?;
    if districts != sums {
        return Err(broken(9, format!("d_ytd {districts:?}, sums of h_amount {sums:?}")));
    }
    Ok(())
}

/// Hundredths of a sum with two decimals.
fn cents(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.')?;
    let digits = format!("{whole}{part}");
    (part.len() == 2).then(|| digits.parse().ok()).flatten()
}

/// Conditions 10 and 12: customers owe what was delivered and not paid.
async fn customers(client: &mut Client, size: &Tpcc) -> Result<()> {
    let sql = "SELECT c_w_id, CONCAT(c_d_id, '/', c_id), c_balance, c_ytd_payment FROM customer";
    let customers = ask(client, sql).await?;
    let wanted = (size.warehouses * DISTRICTS * size.customers()) as usize;
    if customers.len() != wanted {
        return Err(broken(10, format!("{} customers, not {wanted}", customers.len())));
    }
    let sql = format!(
        "SELECT o_w_id, CONCAT(o_d_id, '/', o_c_id), SUM(ol_amount) FROM orders, order_line \
         WHERE {OF_ORDER} AND ol_delivery_d IS NOT NULL GROUP BY o_w_id, o_d_id, o_c_id"
    );
    let delivered = ask(client, &sql).await?;
    let sql = "SELECT h_c_w_id, CONCAT(h_c_d_id, '/', h_c_id), SUM(h_amount) FROM history \
               GROUP BY h_c_w_id, h_c_d_id, h_c_id";
    let paid = ask(client, sql).await?;
    for (customer, of) in &customers {
        let sum = |all: &Found| match all.get(customer) {
            None => Some(0),
            Some(of) => of.first().and_then(|text| cents(text)),
        };
        let own = |place: usize| of.get(place).and_then(|text| cents(text));
        let (balance, ytd) = (own(0), own(1));
        let (delivered, paid) = (sum(&delivered), sum(&paid));
        let told = || {
            format!(
                "customer {customer:?}: balance {balance:?}, c_ytd_payment {ytd:?}, delivered \
                 {delivered:?}, paid {paid:?}, in hundredths"
            )
        };
        let (Some(balance), Some(ytd)) = (balance, ytd) else { return Err(broken(10, told())) };
        let (Some(delivered), Some(paid)) = (delivered, paid) else {
            return Err(broken(10, told()));
        };
        if balance != delivered - paid {
            return Err(broken(10, told()));
        }
        if balance + ytd != delivered {
            return Err(broken(12, told()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_hundredths() {
        assert_eq!(cents("-10.00"), Some(-1000));
        assert_eq!(cents("-0.05"), Some(-5));
        assert_eq!(cents("1234.56"), Some(123_456));
        assert_eq!(cents("10"), None);
        assert_eq!(cents("10.001"), None);
    }
}
