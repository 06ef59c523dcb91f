//! The syntax tree.
//!
//! The tree owns its text (short names and values lie inside the nodes), so it
//! can be kept as long as one likes. It says what the statement means, not how it
//! was written: synonyms, optional words and superfluous parentheses are gone,
//! what the text left out is `None` or an empty list. Where MySQL names a column
//! after the text of an expression, take the text at the expression's [`Span`].
//!
//! Trees compare by what they say: all spans are equal.

#![allow(missing_docs, reason = "fields and variants are named after the words of the grammar")]

mod account;
mod admin;
mod dml;
mod expr;
mod partition;
mod query;
mod replication;
mod routine;
mod schema;
mod server;
mod set;
mod show;
mod table;
mod transaction;
mod types;

pub use account::*;
pub use admin::*;
pub use dml::*;
pub use expr::*;
pub use partition::*;
pub use query::*;
pub use replication::*;
pub use routine::*;
pub use schema::*;
pub use server::*;
pub use set::*;
pub use show::*;
pub use table::*;
pub use transaction::*;
pub use types::*;

/// The bytes of a literal. Up to 16 lie inside.
pub type Bytes = smallvec::SmallVec<[u8; 16]>;
/// A name or another text that is UTF-8. Up to 23 bytes lie inside.
pub type Text = smol_str::SmolStr;

/// The bytes of the statement's text that a node was made from, end excluded.
/// Offsets count from the start of the text that was given to the parser.
#[derive(Clone, Copy, Default)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// The piece of `sql` it stands for; empty if it is not one of `sql`.
    pub fn of(self, sql: &[u8]) -> &[u8] {
        sql.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

impl PartialEq for Span {
    fn eq(&self, _: &Span) -> bool {
        true
    }
}

impl Eq for Span {}

impl std::fmt::Debug for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// A name, as written but without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident {
    pub text: Text,
    pub span: Span,
}

impl Ident {
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The name of a table, view, routine, trigger or event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    pub schema: Option<Ident>,
    pub name: Ident,
}

/// One statement and where it stood.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub kind: StatementKind,
    pub span: Span,
}

/// Every statement of MySQL 8.4. What stands from `Block` on occurs only inside
/// of stored programs.
#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    Query(Box<Query>),
    Insert(Box<Insert>),
    Update(Box<Update>),
    Delete(Box<Delete>),
    Call(Box<CallProcedure>),
    Do(Vec<Expr>),
    Handler(Box<Handler>),
    Load(Box<Load>),
    ImportTable(Vec<Text>),
    Explain(Box<Explain>),
    Describe(Box<Describe>),
    Use(Ident),
    Help(Text),

    CreateTable(Box<CreateTable>),
    AlterTable(Box<AlterTable>),
    DropTable(DropTable),
    TruncateTable(ObjectName),
    RenameTable(Vec<(ObjectName, ObjectName)>),
    CreateIndex(Box<CreateIndex>),
    DropIndex(Box<DropIndex>),
    CreateDatabase(CreateDatabase),
    AlterDatabase(AlterDatabase),
    DropDatabase { if_exists: bool, name: Ident },
    CreateView(Box<View>),
    AlterView(Box<View>),
    DropView(DropView),

    CreateTablespace(Box<Tablespace>),
    AlterTablespace(Box<AlterTablespace>),
    DropTablespace { undo: bool, name: Ident, options: Vec<TablespaceOption> },
    CreateLogfileGroup(Box<LogfileGroup>),
    AlterLogfileGroup(Box<LogfileGroup>),
    DropLogfileGroup { name: Ident, options: Vec<TablespaceOption> },
    CreateServer { name: Ident, wrapper: Ident, options: Vec<(ServerOption, Literal)> },
    AlterServer { name: Ident, options: Vec<(ServerOption, Literal)> },
    DropServer { if_exists: bool, name: Ident },
    CreateSrs(Box<CreateSrs>),
    DropSrs { if_exists: bool, id: u64 },
    CreateResourceGroup(Box<ResourceGroup>),
    AlterResourceGroup(Box<ResourceGroup>),
    DropResourceGroup { name: Ident, force: bool },

    CreateRoutine(Box<CreateRoutine>),
    CreateLoadable(CreateLoadable),
    AlterRoutine(Box<AlterRoutine>),
    DropRoutine { kind: RoutineKind, if_exists: bool, name: ObjectName },
    CreateTrigger(Box<CreateTrigger>),
    DropTrigger { if_exists: bool, name: ObjectName },
    CreateEvent(Box<CreateEvent>),
    AlterEvent(Box<AlterEvent>),
    DropEvent { if_exists: bool, name: ObjectName },

    CreateUser(Box<CreateUser>),
    AlterUser(Box<AlterUser>),
    DropUser { if_exists: bool, users: Vec<User> },
    RenameUser(Vec<(User, User)>),
    CreateRole { if_not_exists: bool, roles: Vec<User> },
    DropRole { if_exists: bool, roles: Vec<User> },
    Grant(Box<Grant>),
    Revoke(Box<Revoke>),

    Set(Vec<SetItem>),
    SetNames(SetNames),
    SetCharacterSet(SetNames),
    SetPassword(Box<SetPassword>),
    SetTransaction { scope: Option<Scope>, characteristics: TransactionCharacteristics },
    SetRole(SetRole),
    SetDefaultRole { roles: SetRole, users: Vec<User> },
    SetResourceGroup { name: Ident, threads: Vec<u64> },

    Begin(Begin),
    Commit(Completion),
    Rollback(Completion),
    Savepoint(Ident),
    RollbackTo(Ident),
    ReleaseSavepoint(Ident),
    LockTables(Vec<LockTable>),
    UnlockTables,
    LockInstance,
    UnlockInstance,
    Xa(Xa),

    Prepare { name: Ident, source: PrepareSource },
    Execute { name: Ident, using: Vec<Ident> },
    Deallocate(Ident),

    Show(Box<Show>),
    AnalyzeTable(Box<AnalyzeTable>),
    CheckTable(Box<CheckTable>),
    ChecksumTable { tables: Vec<ObjectName>, option: Option<ChecksumOption> },
    OptimizeTable { no_write_to_binlog: bool, tables: Vec<ObjectName> },
    RepairTable(Box<RepairTable>),
    CacheIndex(Box<CacheIndex>),
    LoadIndex(Vec<KeyCacheTable>),
    Flush { no_write_to_binlog: bool, what: Flush },
    Reset(Vec<Reset>),
    ResetPersist { if_exists: bool, name: Option<ObjectName> },
    Kill { query: bool, id: Box<Expr> },
    Shutdown,
    Restart,
    AlterInstance(AlterInstance),
    Clone(Box<CloneStatement>),
    InstallPlugin { name: Ident, library: Text },
    UninstallPlugin(Ident),
    InstallComponent { names: Vec<Text>, set: Vec<SetItem> },
    UninstallComponent(Vec<Text>),
    Binlog(Text),

    ChangeReplicationSource(Box<ChangeSource>),
    ChangeReplicationFilter(Box<ChangeFilter>),
    StartReplica(Box<StartReplica>),
    StopReplica { threads: Vec<ReplicaThread>, channel: Option<Text> },
    StartGroupReplication(Vec<(ReplicaCredential, Text)>),
    StopGroupReplication,
    PurgeLogs(PurgeLogs),

    Signal(Box<Signal>),
    Resignal(Box<Signal>),
    GetDiagnostics(Box<GetDiagnostics>),

    Block(Box<Block>),
    If(Box<If>),
    Case(Box<CaseStatement>),
    Loop(Box<Loop>),
    While(Box<While>),
    Repeat(Box<Repeat>),
    Leave(Ident),
    Iterate(Ident),
    Return(Box<Expr>),
    Open(Ident),
    Fetch { cursor: Ident, into: Vec<Ident> },
    Close(Ident),
}
