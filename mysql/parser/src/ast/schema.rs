//! Databases, views, tablespaces, servers, reference systems, resource groups.

use super::{Ident, ObjectName, Query, Text, User};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateDatabase {
    pub if_not_exists: bool,
    pub name: Ident,
    pub options: Vec<DatabaseOption>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterDatabase {
    /// None is the current one.
    pub name: Option<Ident>,
    pub options: Vec<DatabaseOption>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseOption {
    Charset(Ident),
    Collate(Ident),
    Encryption(Text),
    /// None is DEFAULT.
    ReadOnly(Option<u64>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct View {
    pub or_replace: bool,
    pub if_not_exists: bool,
    pub algorithm: Option<ViewAlgorithm>,
    pub definer: Option<User>,
    pub security: Option<Security>,
    pub name: ObjectName,
    pub columns: Vec<Ident>,
    pub query: Box<Query>,
    pub check: Option<ViewCheck>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewAlgorithm {
    Undefined,
    Merge,
    Temptable,
}

/// SQL SECURITY
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    Definer,
    Invoker,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewCheck {
    Cascaded,
    Local,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropView {
    pub if_exists: bool,
    pub views: Vec<ObjectName>,
    /// RESTRICT or CASCADE, which change nothing.
    pub cascade: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tablespace {
    pub undo: bool,
    pub name: Ident,
    pub datafile: Option<Text>,
    pub logfile_group: Option<Ident>,
    pub options: Vec<TablespaceOption>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterTablespace {
    pub undo: bool,
    pub name: Ident,
    pub action: TablespaceAction,
    pub options: Vec<TablespaceOption>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TablespaceAction {
    AddDatafile(Text),
    DropDatafile(Text),
    Rename(Ident),
    Active,
    Inactive,
    Options,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TablespaceOption {
    InitialSize(u64),
    AutoextendSize(u64),
    MaxSize(u64),
    ExtentSize(u64),
    UndoBufferSize(u64),
    RedoBufferSize(u64),
    FileBlockSize(u64),
    NodeGroup(u64),
    Engine(Ident),
    Wait(bool),
    Comment(Text),
    Encryption(Text),
    EngineAttribute(Text),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogfileGroup {
    pub name: Ident,
    pub undofile: Text,
    pub options: Vec<TablespaceOption>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerOption {
    Host,
    Database,
    User,
    Password,
    Socket,
    Owner,
    Port,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateSrs {
    pub or_replace: bool,
    pub if_not_exists: bool,
    pub id: u64,
    pub attributes: Vec<SrsAttribute>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SrsAttribute {
    Name(Text),
    Definition(Text),
    Organization { name: Text, id: u64 },
    Description(Text),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceGroup {
    pub name: Ident,
    /// SYSTEM, else USER. CREATE only.
    pub system: bool,
    /// First and last of each range.
    pub cpus: Vec<(u64, u64)>,
    pub priority: Option<i64>,
    pub enable: Option<bool>,
    pub force: bool,
}
