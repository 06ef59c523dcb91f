//! Transactions and locks.

use super::{Bytes, Ident, ObjectName};

/// BEGIN and START TRANSACTION.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Begin {
    pub consistent_snapshot: bool,
    pub read_only: Option<bool>,
}

/// What follows COMMIT and ROLLBACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Completion {
    pub chain: Option<bool>,
    pub release: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockTable {
    pub table: ObjectName,
    pub alias: Option<Ident>,
    pub kind: TableLock,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableLock {
    Read,
    ReadLocal,
    Write,
    /// LOW_PRIORITY WRITE, which is WRITE.
    LowPriorityWrite,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Xa {
    Start { id: Xid, join: bool, resume: bool },
    End { id: Xid, suspend: bool, for_migrate: bool },
    Prepare(Xid),
    Commit { id: Xid, one_phase: bool },
    Rollback(Xid),
    Recover { convert_xid: bool },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xid {
    pub global: Bytes,
    pub branch: Option<Bytes>,
    pub format: Option<u64>,
}
