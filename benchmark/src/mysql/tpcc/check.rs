//! The specification's consistency conditions 1 to 4 (clause 3.3.2).

use std::collections::BTreeMap;

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

/// Checks all four; nobody writes meanwhile.
///
/// # Errors
/// `Corrupt`: the first condition that does not hold, and where.
pub(crate) async fn check(login: &Login, schema: &str, size: &Tpcc) -> Result<()> {
    let mut client = login.client(Some(schema)).await?;
    let client = &mut client;
    let districts = (size.warehouses * DISTRICTS) as usize;

    let warehouses = ask(client, "SELECT w_id, '', w_ytd FROM warehouse").await?;
    let sums = ask(client, "SELECT d_w_id, '', SUM(d_ytd) FROM district GROUP BY d_w_id").await?;
    if warehouses != sums || warehouses.len() != size.warehouses as usize {
        return Err(broken(1, format!("w_ytd {warehouses:?}, sums of d_ytd {sums:?}")));
    }

    let next = ask(client, "SELECT d_w_id, d_id, d_next_o_id FROM district").await?;
    let sql = "SELECT o_w_id, o_d_id, MAX(o_id), SUM(o_ol_cnt) FROM orders GROUP BY o_w_id, o_d_id";
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
    }
    Ok(())
}
