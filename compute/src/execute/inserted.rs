//! What an INSERT did, as clients count it.

/// What an INSERT did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inserted {
    /// Rows that were to be written.
    pub(crate) records: u64,
    /// Rows that were written.
    pub(crate) copied: u64,
    /// Rows in the way that went.
    pub(crate) deleted: u64,
    /// Rows in the way that were changed; those that stayed as they were are `touched` alone.
    pub(super) updated: u64,
    pub(super) touched: u64,
    /// The first value that AUTO_INCREMENT made, of a row that was written.
    pub(super) first_id: Option<u64>,
    /// What the column with AUTO_INCREMENT had in the last row.
    pub(super) last_id: Option<u64>,
}

impl Inserted {
    /// Rows in the way that count: `found_rows` counts those that stayed the same, too.
    fn changed(&self, found_rows: bool) -> u64 {
        if found_rows { self.touched } else { self.updated }
    }

    /// Rows as the client counts them.
    pub(crate) fn affected(&self, found_rows: bool) -> u64 {
        self.copied + self.deleted + self.changed(found_rows)
    }

    /// What the client is told of duplicates.
    pub(crate) fn duplicates(&self, found_rows: bool, ignore: bool) -> u64 {
        if ignore {
            return self.records.saturating_sub(self.copied);
        }
        self.deleted + self.changed(found_rows)
    }

    /// The new LAST_INSERT_ID().
    pub(crate) fn first_id(&self) -> Option<u64> {
        self.first_id
    }

    /// The value of AUTO_INCREMENT that the client is told; 0 if there is none.
    pub(crate) fn told_id(&self) -> u64 {
        let last = if self.copied > 0 { self.last_id } else { None };
        self.first_id.or(last).unwrap_or(0)
    }
}
