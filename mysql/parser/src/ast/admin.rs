//! Statements of administration.

use super::{Ident, ObjectName, Text, User};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalyzeTable {
    pub no_write_to_binlog: bool,
    pub tables: Vec<ObjectName>,
    pub histogram: Option<Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Histogram {
    Update { columns: Vec<Ident>, buckets: Option<u64>, auto: Option<bool>, using: Option<Text> },
    Drop(Vec<Ident>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckTable {
    pub tables: Vec<ObjectName>,
    pub options: Vec<CheckOption>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckOption {
    ForUpgrade,
    Quick,
    Fast,
    Medium,
    Extended,
    Changed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChecksumOption {
    Quick,
    Extended,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairTable {
    pub no_write_to_binlog: bool,
    pub tables: Vec<ObjectName>,
    pub options: Vec<RepairOption>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepairOption {
    Quick,
    Extended,
    UseFrm,
}

/// CACHE INDEX
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheIndex {
    pub tables: Vec<KeyCacheTable>,
    /// None is DEFAULT.
    pub cache: Option<Ident>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCacheTable {
    pub table: ObjectName,
    /// None named is ALL.
    pub partitions: Option<Vec<Ident>>,
    pub indexes: Option<Vec<Ident>>,
    pub ignore_leaves: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flush {
    Tables { tables: Vec<ObjectName>, lock: FlushLock },
    Options(Vec<FlushOption>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlushLock {
    None,
    WithReadLock,
    ForExport,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlushOption {
    BinaryLogs,
    EngineLogs,
    ErrorLogs,
    GeneralLogs,
    Logs,
    SlowLogs,
    RelayLogs(Option<Text>),
    Privileges,
    Status,
    UserResources,
    OptimizerCosts,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reset {
    /// RESET REPLICA [ALL] [FOR CHANNEL …]
    Replica { all: bool, channel: Option<Text> },
    /// RESET BINARY LOGS AND GTIDS [TO n]
    BinaryLogs { to: Option<u64> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlterInstance {
    RotateInnodbMasterKey,
    RotateBinlogMasterKey,
    ReloadTls { channel: Option<Ident>, no_rollback: bool },
    ReloadKeyring,
    RedoLog { enable: bool },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloneStatement {
    Local { directory: Text },
    Remote { user: User, port: u64, password: Text, directory: Option<Text>, ssl: Option<bool> },
}
