//! Tables that are filled: rows go in by statements of some hundred kilobytes.

use std::fmt::Write as _;

use firn_engine::Result;
use firn_mysql_protocol::client::Client;

use super::connection::unavailable;

/// A statement ends with the row that passes this.
pub(super) const INSERT_BYTES: usize = 256 << 10;
/// Of a statement that fails so much is shown.
const SHOWN_CHARS: usize = 80;

/// Runs a statement whose rows nobody wants.
pub(super) async fn run(client: &mut Client, sql: &str) -> Result<()> {
    client.query_and_skip(sql.as_bytes()).await.map(drop).map_err(|error| {
        let shown: String = sql.chars().take(SHOWN_CHARS).collect();
        unavailable(&shown, &error)
    })
}

/// Rows on their way into a table.
pub(super) struct Rows<'a> {
    client: &'a mut Client,
    table: &'static str,
    sql: String,
}

impl<'a> Rows<'a> {
    pub(super) fn new(client: &'a mut Client, table: &'static str) -> Self {
        Self { client, table, sql: String::new() }
    }

    /// Adds a row, its values as they stand in SQL.
    pub(super) async fn push(&mut self, row: std::fmt::Arguments<'_>) -> Result<()> {
        let start = match self.sql.is_empty() {
            true => format!("INSERT INTO {} VALUES (", self.table),
            false => ",(".to_owned(),
        };
        // Writing to memory does not fail.
        let _ = write!(self.sql, "{start}{row})");
        if self.sql.len() >= INSERT_BYTES { self.flush().await } else { Ok(()) }
    }

    pub(super) async fn flush(&mut self) -> Result<()> {
        if !self.sql.is_empty() {
            run(self.client, &self.sql).await?;
            self.sql.clear();
        }
        Ok(())
    }
}

/// Cents as a decimal number.
pub(super) fn money(cents: impl Into<u64>) -> String {
    let cents = cents.into();
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_have_two_digits() {
        assert_eq!(money(100_005u32), "1000.05");
        assert_eq!(money(7u64), "0.07");
    }
}
