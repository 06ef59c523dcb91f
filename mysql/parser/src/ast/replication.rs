//! Replication.

use super::{Ident, ObjectName, Text, User};

/// CHANGE REPLICATION SOURCE TO
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeSource {
    /// The options' names in upper case.
    pub options: Vec<(Text, SourceValue)>,
    pub channel: Option<Text>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SourceValue {
    Text(Text),
    /// An integer or a decimal, as written.
    Number(Text),
    Null,
    List(Vec<u64>),
    User(User),
    /// ON, OFF, STREAM, GENERATE, LOCAL: in upper case.
    Word(Text),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeFilter {
    pub rules: Vec<FilterRule>,
    pub channel: Option<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterRule {
    DoDb(Vec<Ident>),
    IgnoreDb(Vec<Ident>),
    DoTable(Vec<ObjectName>),
    IgnoreTable(Vec<ObjectName>),
    WildDoTable(Vec<Text>),
    WildIgnoreTable(Vec<Text>),
    RewriteDb(Vec<(Ident, Ident)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartReplica {
    pub threads: Vec<ReplicaThread>,
    /// The options' names in upper case, their values: text or number.
    pub until: Vec<(Text, UntilValue)>,
    pub credentials: Vec<(ReplicaCredential, Text)>,
    pub channel: Option<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UntilValue {
    Text(Text),
    Number(u64),
    /// SQL_AFTER_MTS_GAPS
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaThread {
    Io,
    Sql,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaCredential {
    User,
    Password,
    DefaultAuth,
    PluginDir,
}

#[derive(Debug, Clone, PartialEq)]
pub enum PurgeLogs {
    To(Text),
    Before(Box<super::Expr>),
}
