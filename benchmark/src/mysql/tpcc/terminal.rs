//! A terminal: the five transactions in the standard mix.

use std::time::Duration;

use firn_engine::{Error, ErrorKind};
use firn_mysql_protocol::client::ResultSet;
use firn_mysql_protocol::command::ParameterValue;

use super::random::{between, customer, item, last_name, name_number, text};
use super::statements::{S, stock_for};
use super::{DISTRICTS, Tpcc};
use crate::generate::Rng;
use crate::mysql::connection::{Connection, Failure};
use crate::mysql::filling::money;

type Done<T> = Result<T, Failure>;

/// Orders that a Stock-Level looks at.
const RECENT_ORDERS: i64 = 20;
/// Longest `c_data`.
const DATA_MAX: usize = 500;

/// The transactions, in the order of their shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    NewOrder,
    Payment,
    OrderStatus,
    Delivery,
    StockLevel,
}

impl Kind {
    fn choose(rng: &mut Rng) -> Self {
        match rng.below(100) {
            0..45 => Self::NewOrder,
            45..88 => Self::Payment,
            88..92 => Self::OrderStatus,
            92..96 => Self::Delivery,
            _ => Self::StockLevel,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::NewOrder => "New-Order",
            Self::Payment => "Payment",
            Self::OrderStatus => "Order-Status",
            Self::Delivery => "Delivery",
            Self::StockLevel => "Stock-Level",
        }
    }

    /// Seconds of keying, and of thinking on average (clause 5.2.5).
    fn waits(self) -> (f64, f64) {
        match self {
            Self::NewOrder => (18.0, 12.0),
            Self::Payment => (3.0, 12.0),
            Self::OrderStatus => (2.0, 10.0),
            Self::Delivery => (2.0, 5.0),
            Self::StockLevel => (2.0, 5.0),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Terminal {
    size: Tpcc,
    rng: Rng,
    warehouse: u32,
    /// Of Stock-Level.
    district: u32,
    kind: Kind,
    is_new: bool,
}

fn int(n: impl Into<i64>) -> ParameterValue<'static> {
    ParameterValue::Int(n.into())
}

fn bytes(text: &str) -> ParameterValue<'_> {
    ParameterValue::Bytes(text.as_bytes())
}

/// What a server gave that it cannot have.
fn wrong(what: &str) -> Failure {
    Failure::Fatal(Error::new(ErrorKind::Corrupt, format!("tpcc: {what}")))
}

/// A value of the first row.
fn value(rows: &ResultSet, column: usize) -> Option<ParameterValue<'_>> {
    let mut values = rows.rows.first()?.values(&rows.columns).ok()?;
    (column < values.len()).then(|| values.swap_remove(column))
}

fn number_in(value: ParameterValue<'_>) -> Option<i64> {
    match value {
        ParameterValue::Int(n) => Some(n),
        ParameterValue::UInt(n) => i64::try_from(n).ok(),
        ParameterValue::Bytes(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}

fn number(rows: &ResultSet, column: usize, what: &str) -> Done<i64> {
    value(rows, column).and_then(number_in).ok_or_else(|| wrong(what))
}

fn string(rows: &ResultSet, column: usize, what: &str) -> Done<String> {
    match value(rows, column) {
        Some(ParameterValue::Bytes(text)) => Ok(String::from_utf8_lossy(text).into_owned()),
        _ => Err(wrong(what)),
    }
}

/// Hundredths of a decimal number of two digits behind its point.
fn cents(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.')?;
    (part.len() == 2).then_some(())?;
    Some(whole.parse::<i64>().ok()? * 100 + part.parse::<i64>().ok()?)
}

impl Terminal {
    pub(crate) fn new(size: Tpcc, number: u32, seed: u64) -> Self {
        let warehouse = number % size.warehouses + 1;
        let district = number / size.warehouses % DISTRICTS + 1;
        let mut rng = Rng::new(seed);
        let kind = Kind::choose(&mut rng);
        Self { size, rng, warehouse, district, kind, is_new: true }
    }

    /// What the next event does.
    pub(crate) fn label(&self) -> &'static str {
        self.kind.as_str()
    }

    /// How long to wait before it.
    pub(crate) fn pause(&mut self) -> Duration {
        if self.size.keying <= 0.0 || !self.is_new {
            return Duration::ZERO;
        }
        let (keying, thinking) = self.kind.waits();
        let think = (-(1.0 - self.rng.unit()).ln()).min(10.0) * thinking;
        Duration::from_secs_f64((keying + think) * self.size.keying)
    }

    /// One transaction. What has to be tried again is of the same kind.
    pub(crate) async fn event(&mut self, on: &mut Connection) -> Done<()> {
        self.is_new = false;
        match self.kind {
            Kind::NewOrder => self.new_order(on).await,
            Kind::Payment => self.payment(on).await,
            Kind::OrderStatus => self.order_status(on).await,
            Kind::Delivery => self.delivery(on).await,
            Kind::StockLevel => self.stock_level(on).await,
        }?;
        self.kind = Kind::choose(&mut self.rng);
        self.is_new = true;
        Ok(())
    }

    fn any_district(&mut self) -> u32 {
        between(&mut self.rng, 1, DISTRICTS)
    }

    /// Another warehouse, if there is one.
    fn other_warehouse(&mut self) -> u32 {
        if self.size.warehouses == 1 {
            return self.warehouse;
        }
        let other = between(&mut self.rng, 1, self.size.warehouses - 1);
        if other >= self.warehouse { other + 1 } else { other }
    }

    async fn new_order(&mut self, on: &mut Connection) -> Done<()> {
        let (warehouse, district) = (self.warehouse, self.any_district());
        let customer = customer(&mut self.rng, self.size.customers());
        let count = between(&mut self.rng, 5, 15);
        // One in a hundred ends with an item that is not there.
        let fails = self.rng.below(100) == 0;
        let mut lines = Vec::new();
        for line in 1..=count {
            let item = item(&mut self.rng, self.size.items());
            let item = if fails && line == count { self.size.items() + 1 } else { item };
            let remote = self.rng.below(100) == 0;
            let supply = if remote { self.other_warehouse() } else { warehouse };
            lines.push((supply, item, between(&mut self.rng, 1, 10)));
        }
        // The same order for all: fewer deadlocks. What is not there comes last.
        lines.sort_unstable_by_key(|(supply, item, _)| (*item > self.size.items(), *supply, *item));
        let all_local = lines.iter().all(|(supply, ..)| *supply == warehouse);

        on.run(S::Begin as usize, &[]).await?;
        let (w, d) = (int(warehouse), int(district));
        on.run(S::CustomerTax as usize, &[w, d, int(customer)]).await?;
        let next = on.rows(S::NextOrder as usize, &[d, w]).await?;
        let order = number(&next, 0, "d_next_o_id")?;
        on.run(S::RaiseNextOrder as usize, &[int(order + 1), d, w]).await?;
        let values = [int(order), d, w, int(customer), int(count), int(u8::from(all_local))];
        on.run(S::InsertOrder as usize, &values).await?;
        on.run(S::InsertNewOrder as usize, &[int(order), d, w]).await?;
        for (line, (supply, item, quantity)) in (1u32..).zip(lines) {
            let found = on.rows(S::Item as usize, &[int(item)]).await?;
            if found.rows.is_empty() {
                return match fails {
                    true => on.run(S::Rollback as usize, &[]).await.map(drop),
                    false => Err(wrong("an item is missing")),
                };
            }
            let price = cents(&string(&found, 0, "i_price")?).ok_or_else(|| wrong("i_price"))?;
            let stock = on.rows(stock_for(district), &[int(item), int(supply)]).await?;
            let left = number(&stock, 0, "s_quantity")? - i64::from(quantity);
            let left = if left < 10 { left + 91 } else { left };
            let dist = string(&stock, 2, "s_dist")?;
            let remote = u8::from(supply != warehouse);
            let values = [int(left), int(quantity), int(remote), int(item), int(supply)];
            on.run(S::UpdateStock as usize, &values).await?;
            let amount = money(u32::try_from(price).unwrap_or(0) * quantity);
            let values = [
                int(order),
                d,
                w,
                int(line),
                int(item),
                int(supply),
                int(quantity),
                bytes(&amount),
                bytes(&dist),
            ];
            on.run(S::InsertOrderLine as usize, &values).await?;
        }
        on.run(S::Commit as usize, &[]).await.map(drop)
    }

    /// Six of ten by name: the middle one of those who have it; else by number.
    async fn find_customer(
        &mut self,
        on: &mut Connection,
        warehouse: u32,
        district: u32,
    ) -> Done<i64> {
        if self.rng.below(100) >= 60 {
            return Ok(customer(&mut self.rng, self.size.customers()).into());
        }
        let name = last_name(name_number(&mut self.rng, self.size.customers()));
        let values = [int(warehouse), int(district), bytes(&name)];
        let found = on.rows(S::CustomersByName as usize, &values).await?;
        let middle = found.rows.get(found.rows.len().div_ceil(2).saturating_sub(1));
        let id = middle.and_then(|row| number_in(*row.values(&found.columns).ok()?.first()?));
        id.ok_or_else(|| wrong("no customer of a name that some have"))
    }

    async fn payment(&mut self, on: &mut Connection) -> Done<()> {
        let (warehouse, district) = (self.warehouse, self.any_district());
        let (of_warehouse, of_district) = match self.rng.below(100) {
            0..85 => (warehouse, district),
            _ => (self.other_warehouse(), self.any_district()),
        };
        let amount = money(between(&mut self.rng, 100, 500_000));
        on.run(S::Begin as usize, &[]).await?;
        let (w, d) = (int(warehouse), int(district));
        on.run(S::PayWarehouse as usize, &[bytes(&amount), w]).await?;
        on.run(S::Warehouse as usize, &[w]).await?;
        on.run(S::PayDistrict as usize, &[bytes(&amount), w, d]).await?;
        on.run(S::District as usize, &[w, d]).await?;
        let customer = self.find_customer(on, of_warehouse, of_district).await?;
        let (cw, cd, c) = (int(of_warehouse), int(of_district), int(customer));
        let found = on.rows(S::PayingCustomer as usize, &[cw, cd, c]).await?;
        if string(&found, 0, "c_credit")? == "BC" {
            let old = string(&found, 7, "c_data")?;
            let mut data = format!(
                "{customer} {of_district} {of_warehouse} {district} {warehouse} {amount} {old}"
            );
            data.truncate(DATA_MAX);
            let values = [bytes(&amount), bytes(&amount), bytes(&data), cw, cd, c];
            on.run(S::PayBadCustomer as usize, &values).await?;
        } else {
            let values = [bytes(&amount), bytes(&amount), cw, cd, c];
            on.run(S::PayCustomer as usize, &values).await?;
        }
        let data = text(&mut self.rng, 12, 24);
        let values = [cd, cw, c, d, w, bytes(&amount), bytes(&data)];
        on.run(S::InsertHistory as usize, &values).await?;
        on.run(S::Commit as usize, &[]).await.map(drop)
    }

    async fn order_status(&mut self, on: &mut Connection) -> Done<()> {
        let (warehouse, district) = (self.warehouse, self.any_district());
        let (w, d) = (int(warehouse), int(district));
        on.run(S::Begin as usize, &[]).await?;
        let customer = int(self.find_customer(on, warehouse, district).await?);
        on.run(S::Customer as usize, &[w, d, customer]).await?;
        let last = on.rows(S::LastOrder as usize, &[w, d, customer]).await?;
        if !last.rows.is_empty() {
            let order = number(&last, 0, "o_id")?;
            let lines = on.run(S::OrderLines as usize, &[w, d, int(order)]).await?;
            if !(5..=15).contains(&lines.rows) {
                return Err(wrong("an order without its lines"));
            }
        }
        on.run(S::Commit as usize, &[]).await.map(drop)
    }

    async fn delivery(&mut self, on: &mut Connection) -> Done<()> {
        let w = int(self.warehouse);
        let carrier = int(between(&mut self.rng, 1, 10));
        on.run(S::Begin as usize, &[]).await?;
        for district in 1..=DISTRICTS {
            let d = int(district);
            let oldest = on.rows(S::OldestNewOrder as usize, &[d, w]).await?;
            if oldest.rows.is_empty() {
                continue;
            }
            let order = int(number(&oldest, 0, "no_o_id")?);
            let deleted = on.run(S::DeleteNewOrder as usize, &[order, d, w]).await?;
            if deleted.affected_rows != 1 {
                return Err(wrong("a new order that was locked is gone"));
            }
            let customer = on.rows(S::CustomerOfOrder as usize, &[order, d, w]).await?;
            let customer = int(number(&customer, 0, "o_c_id")?);
            on.run(S::SetCarrier as usize, &[carrier, order, d, w]).await?;
            on.run(S::SetDelivered as usize, &[order, d, w]).await?;
            let amount = on.rows(S::AmountOfOrder as usize, &[order, d, w]).await?;
            let amount = string(&amount, 0, "SUM(ol_amount)")?;
            on.run(S::CreditCustomer as usize, &[bytes(&amount), customer, d, w]).await?;
        }
        on.run(S::Commit as usize, &[]).await.map(drop)
    }

    async fn stock_level(&mut self, on: &mut Connection) -> Done<()> {
        let (w, d) = (int(self.warehouse), int(self.district));
        let threshold = int(between(&mut self.rng, 10, 20));
        on.run(S::Begin as usize, &[]).await?;
        let next = number(&on.rows(S::NextOrderOf as usize, &[d, w]).await?, 0, "d_next_o_id")?;
        let values = [w, d, int(next), int(next - RECENT_ORDERS), w, threshold];
        let low = on.rows(S::LowStock as usize, &values).await?;
        number(&low, 0, "a count")?;
        on.run(S::Commit as usize, &[]).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_the_standard_one() {
        let mut rng = Rng::new(11);
        let mut counts = [0u32; 5];
        for _ in 0..100_000 {
            counts[Kind::choose(&mut rng) as usize] += 1;
        }
        for (count, want) in counts.iter().zip([45_000, 43_000, 4_000, 4_000, 4_000]) {
            assert!(count.abs_diff(want) < 700, "{counts:?}");
        }
    }

    #[test]
    fn prices_are_read_exactly() {
        assert_eq!(cents("12.05"), Some(1205));
        assert_eq!(cents("0.99"), Some(99));
        assert_eq!((cents("12"), cents("1.5"), cents("x.00")), (None, None, None));
    }

    #[test]
    fn another_warehouse_is_never_the_own_one() {
        for number in 0..3 {
            let size = Tpcc { warehouses: 3, ..Tpcc::default() };
            let mut terminal = Terminal::new(size, number, 1);
            let own = terminal.warehouse;
            assert!((0..100).all(|_| terminal.other_warehouse() != own));
        }
    }
}
