//! Tables and indexes: CREATE, ALTER, DROP.

use super::{
    DataType, Duplicates, Expr, Ident, ObjectName, OrderItem, PartitionDef, Partitioning, Query,
    Text,
};

#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable {
    pub temporary: bool,
    pub if_not_exists: bool,
    pub name: ObjectName,
    /// CREATE TABLE … LIKE; then there is nothing else.
    pub like: Option<ObjectName>,
    pub elements: Vec<TableElement>,
    pub options: Vec<TableOption>,
    pub partitioning: Option<Box<Partitioning>>,
    /// What to do with rows of `query` whose key is there already.
    pub duplicates: Option<Duplicates>,
    pub query: Option<Box<Query>>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TableElement {
    Column(ColumnDef),
    Index(IndexDef),
    ForeignKey(ForeignKey),
    Check(Check),
}

#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDef {
    pub name: Ident,
    pub data_type: DataType,
    /// COLLATE right behind the type.
    pub collation: Option<Ident>,
    pub generated: Option<Generated>,
    /// In the order they were written; later ones win.
    pub attributes: Vec<ColumnAttribute>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    pub expr: Expr,
    /// STORED, else VIRTUAL.
    pub stored: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ColumnAttribute {
    Null,
    NotNull,
    /// A literal, NOW, or any expression if `parens`.
    Default {
        expr: Expr,
        parens: bool,
    },
    /// NOW, with its precision.
    OnUpdate(Expr),
    AutoIncrement,
    SerialDefaultValue,
    PrimaryKey,
    Unique,
    Comment(Text),
    Collate(Ident),
    ColumnFormat(ColumnFormat),
    Storage(StorageMedia),
    Srid(u64),
    Check(Check),
    Visible(bool),
    NotSecondary,
    EngineAttribute(Text),
    SecondaryEngineAttribute(Text),
    References(References),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnFormat {
    Default,
    Fixed,
    Dynamic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageMedia {
    Default,
    Disk,
    Memory,
}

#[derive(Debug, Clone, PartialEq)]
pub struct IndexDef {
    pub kind: IndexKind,
    pub constraint: Option<Ident>,
    pub name: Option<Ident>,
    pub parts: Vec<IndexPart>,
    pub options: Vec<IndexOption>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    Plain,
    Unique,
    Primary,
    Fulltext,
    Spatial,
}

#[derive(Debug, Clone, PartialEq)]
pub struct IndexPart {
    pub key: IndexKey,
    pub descending: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum IndexKey {
    /// A column, or its first characters.
    Column(Ident, Option<u64>),
    Expr(Expr),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexOption {
    Using(IndexAlgorithm),
    KeyBlockSize(u64),
    Comment(Text),
    Visible(bool),
    Parser(Ident),
    EngineAttribute(Text),
    SecondaryEngineAttribute(Text),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexAlgorithm {
    Btree,
    Rtree,
    Hash,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ForeignKey {
    pub constraint: Option<Ident>,
    pub name: Option<Ident>,
    pub columns: Vec<IndexPart>,
    pub references: References,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct References {
    pub table: ObjectName,
    pub columns: Vec<Ident>,
    pub matching: Option<MatchKind>,
    pub on_delete: Option<RefAction>,
    pub on_update: Option<RefAction>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchKind {
    Full,
    Partial,
    Simple,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefAction {
    Restrict,
    Cascade,
    SetNull,
    NoAction,
    SetDefault,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    pub constraint: Option<Ident>,
    pub expr: Expr,
    pub enforced: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableOption {
    Engine(Ident),
    SecondaryEngine(Option<Ident>),
    Charset(Ident),
    Collate(Ident),
    Comment(Text),
    AutoIncrement(u64),
    AvgRowLength(u64),
    MaxRows(u64),
    MinRows(u64),
    KeyBlockSize(u64),
    Checksum(u64),
    DelayKeyWrite(u64),
    /// None is DEFAULT, here and below.
    PackKeys(Option<u64>),
    StatsAutoRecalc(Option<u64>),
    StatsPersistent(Option<u64>),
    StatsSamplePages(Option<u64>),
    RowFormat(RowFormat),
    Password(Text),
    Compression(Text),
    Encryption(Text),
    Connection(Text),
    DataDirectory(Text),
    IndexDirectory(Text),
    EngineAttribute(Text),
    SecondaryEngineAttribute(Text),
    AutoextendSize(u64),
    Tablespace(Ident),
    Storage(StorageMedia),
    Union(Vec<ObjectName>),
    InsertMethod(InsertMethod),
    StartTransaction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    Default,
    Dynamic,
    Fixed,
    Compressed,
    Redundant,
    Compact,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsertMethod {
    No,
    First,
    Last,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AlterTable {
    pub name: ObjectName,
    pub actions: Vec<AlterAction>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AlterAction {
    AddColumn {
        column: ColumnDef,
        position: Option<Position>,
    },
    /// ADD COLUMN with several in parentheses.
    AddElements(Vec<TableElement>),
    /// ADD of an index, a foreign key or a check.
    Add(TableElement),
    Change {
        name: Ident,
        column: ColumnDef,
        position: Option<Position>,
    },
    Modify {
        column: ColumnDef,
        position: Option<Position>,
    },
    DropColumn(Ident),
    DropForeignKey(Ident),
    DropPrimaryKey,
    DropIndex(Ident),
    DropCheck(Ident),
    DropConstraint(Ident),
    DisableKeys,
    EnableKeys,
    SetDefault {
        column: Ident,
        expr: Expr,
        parens: bool,
    },
    DropDefault(Ident),
    SetColumnVisible(Ident, bool),
    SetIndexVisible(Ident, bool),
    SetCheckEnforced(Ident, bool),
    SetConstraintEnforced(Ident, bool),
    Rename(ObjectName),
    RenameColumn(Ident, Ident),
    RenameIndex(Ident, Ident),
    /// None is DEFAULT.
    ConvertCharset {
        charset: Option<Ident>,
        collation: Option<Ident>,
    },
    Force,
    OrderBy(Vec<OrderItem>),
    Option(TableOption),
    Algorithm(Ident),
    Lock(Ident),
    Validation(bool),
    DiscardTablespace,
    ImportTablespace,
    SecondaryLoad(Vec<Ident>),
    SecondaryUnload(Vec<Ident>),
    PartitionBy(Box<Partitioning>),
    RemovePartitioning,
    AddPartitions {
        no_write_to_binlog: bool,
        partitions: Vec<PartitionDef>,
    },
    AddPartitionCount {
        no_write_to_binlog: bool,
        count: u64,
    },
    DropPartitions(Vec<Ident>),
    CoalescePartitions {
        no_write_to_binlog: bool,
        count: u64,
    },
    ReorganizePartitions {
        no_write_to_binlog: bool,
        names: Vec<Ident>,
        into: Vec<PartitionDef>,
    },
    ExchangePartition {
        name: Ident,
        table: ObjectName,
        validation: Option<bool>,
    },
    /// ANALYZE, CHECK and so on of partitions; none named is ALL.
    Partitions {
        action: PartitionAction,
        no_write_to_binlog: bool,
        names: Vec<Ident>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionAction {
    Rebuild,
    Optimize,
    Analyze,
    Check(Vec<super::CheckOption>),
    Repair(Vec<super::RepairOption>),
    Truncate,
    Discard,
    Import,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    First,
    After(Ident),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropTable {
    pub temporary: bool,
    pub if_exists: bool,
    pub tables: Vec<ObjectName>,
    /// RESTRICT or CASCADE, which change nothing.
    pub cascade: Option<bool>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateIndex {
    pub index: IndexDef,
    pub table: ObjectName,
    pub algorithm: Option<Ident>,
    pub lock: Option<Ident>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropIndex {
    pub name: Ident,
    pub table: ObjectName,
    pub algorithm: Option<Ident>,
    pub lock: Option<Ident>,
}
