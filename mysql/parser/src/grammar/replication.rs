//! Replication.

use super::Grammar;
use crate::ast::{
    ChangeFilter, ChangeSource, FilterRule, PurgeLogs, ReplicaCredential, ReplicaThread,
    SourceValue, StartReplica, StatementKind, Text, UntilValue,
};
use crate::error::Result;
use crate::lexer::T;

impl Grammar<'_> {
    pub(super) fn change(&mut self) -> Result<StatementKind> {
        self.expect_all(&[T::CHANGE, T::REPLICATION])?;
        if self.one_of(&[T::SOURCE, T::FILTER])? == T::FILTER {
            let rules = self.list(Self::filter_rule)?;
            let channel = self.for_channel()?;
            let change = ChangeFilter { rules, channel };
            return Ok(StatementKind::ChangeReplicationFilter(Box::new(change)));
        }
        self.expect(T::TO)?;
        let options = self.list(Self::source_option)?;
        let channel = self.for_channel()?;
        let change = ChangeSource { options, channel };
        Ok(StatementKind::ChangeReplicationSource(Box::new(change)))
    }

    fn source_option(&mut self) -> Result<(Text, SourceValue)> {
        let texts = [
            T::SOURCE_HOST,
            T::NETWORK_NAMESPACE,
            T::SOURCE_BIND,
            T::SOURCE_USER,
            T::SOURCE_PASSWORD,
            T::SOURCE_SSL_CA,
            T::SOURCE_SSL_CAPATH,
            T::SOURCE_TLS_VERSION,
            T::SOURCE_SSL_CERT,
            T::SOURCE_SSL_CIPHER,
            T::SOURCE_SSL_KEY,
            T::SOURCE_SSL_CRL,
            T::SOURCE_SSL_CRLPATH,
            T::SOURCE_PUBLIC_KEY_PATH,
            T::SOURCE_COMPRESSION_ALGORITHMS,
            T::SOURCE_LOG_FILE,
            T::RELAY_LOG_FILE,
        ];
        let numbers = [
            T::SOURCE_PORT,
            T::SOURCE_CONNECT_RETRY,
            T::SOURCE_RETRY_COUNT,
            T::SOURCE_DELAY,
            T::SOURCE_SSL,
            T::SOURCE_SSL_VERIFY_SERVER_CERT,
            T::GET_SOURCE_PUBLIC_KEY,
            T::SOURCE_HEARTBEAT_PERIOD,
            T::SOURCE_AUTO_POSITION,
            T::REQUIRE_ROW_FORMAT,
            T::SOURCE_ZSTD_COMPRESSION_LEVEL,
            T::SOURCE_CONNECTION_AUTO_FAILOVER,
            T::GTID_ONLY,
            T::SOURCE_LOG_POS,
            T::RELAY_LOG_POS,
        ];
        let others = [
            T::SOURCE_TLS_CIPHERSUITES,
            T::IGNORE_SERVER_IDS,
            T::PRIVILEGE_CHECKS_USER,
            T::REQUIRE_TABLE_PRIMARY_KEY_CHECK,
            T::ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS,
        ];
        let token = self.token();
        let kind = token.kind;
        if !texts.contains(&kind) && !numbers.contains(&kind) && !others.contains(&kind) {
            return Err(self.unexpected());
        }
        let name = Text::from(self.ascii(token).to_ascii_uppercase());
        self.bump();
        self.expect(T::Eq)?;
        let value = if texts.contains(&kind) {
            SourceValue::Text(self.text()?)
        } else if numbers.contains(&kind) {
            let token = self.one_of_tokens(&[T::Int, T::Decimal, T::Float, T::Hex])?;
            SourceValue::Number(self.ascii(token))
        } else {
            match kind {
                T::SOURCE_TLS_CIPHERSUITES if !self.at(T::NULL) => SourceValue::Text(self.text()?),
                T::IGNORE_SERVER_IDS => {
                    self.expect(T::LParen)?;
                    let mut ids = Vec::new();
                    if !self.at(T::RParen) {
                        ids = self.list(Self::number)?;
                    }
                    self.expect(T::RParen)?;
                    SourceValue::List(ids)
                }
                T::PRIVILEGE_CHECKS_USER if !self.at(T::NULL) => SourceValue::User(self.user()?),
                T::REQUIRE_TABLE_PRIMARY_KEY_CHECK => {
                    let token = self.one_of_tokens(&[T::STREAM, T::ON, T::OFF, T::GENERATE])?;
                    SourceValue::Word(Text::from(self.ascii(token).to_ascii_uppercase()))
                }
                T::ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS if !self.at(T::Text) => {
                    let token = self.one_of_tokens(&[T::LOCAL, T::OFF])?;
                    SourceValue::Word(Text::from(self.ascii(token).to_ascii_uppercase()))
                }
                T::ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS => SourceValue::Text(self.text()?),
                _ => {
                    self.expect(T::NULL)?;
                    SourceValue::Null
                }
            }
        };
        Ok((name, value))
    }

    fn filter_rule(&mut self) -> Result<FilterRule> {
        let kind = self.one_of(&[
            T::REPLICATE_DO_DB,
            T::REPLICATE_IGNORE_DB,
            T::REPLICATE_DO_TABLE,
            T::REPLICATE_IGNORE_TABLE,
            T::REPLICATE_WILD_DO_TABLE,
            T::REPLICATE_WILD_IGNORE_TABLE,
            T::REPLICATE_REWRITE_DB,
        ])?;
        self.expect_all(&[T::Eq, T::LParen])?;
        let empty = self.at(T::RParen);
        let rule = match kind {
            T::REPLICATE_DO_DB => FilterRule::DoDb(self.unless(empty, Self::ident)?),
            T::REPLICATE_IGNORE_DB => FilterRule::IgnoreDb(self.unless(empty, Self::ident)?),
            T::REPLICATE_DO_TABLE => FilterRule::DoTable(self.unless(empty, Self::object_name)?),
            T::REPLICATE_IGNORE_TABLE => {
                FilterRule::IgnoreTable(self.unless(empty, Self::object_name)?)
            }
            T::REPLICATE_WILD_DO_TABLE => FilterRule::WildDoTable(self.unless(empty, Self::text)?),
            T::REPLICATE_WILD_IGNORE_TABLE => {
                FilterRule::WildIgnoreTable(self.unless(empty, Self::text)?)
            }
            _ => FilterRule::RewriteDb(self.unless(empty, |g| {
                g.parens(|g| {
                    let from = g.ident()?;
                    g.expect(T::Comma)?;
                    Ok((from, g.ident()?))
                })
            })?),
        };
        self.expect(T::RParen)?;
        Ok(rule)
    }

    /// A list, unless it is `empty`.
    fn unless<R>(
        &mut self,
        empty: bool,
        item: impl FnMut(&mut Self) -> Result<R>,
    ) -> Result<Vec<R>> {
        if empty { Ok(Vec::new()) } else { self.list(item) }
    }

    /// Behind START.
    pub(super) fn start_replica(&mut self) -> Result<StatementKind> {
        self.expect(T::REPLICA)?;
        let threads = self.replica_threads()?;
        let mut until = Vec::new();
        if self.eat(T::UNTIL) {
            until = self.list(|g| {
                let token = g.token();
                let name = match token.kind {
                    T::SOURCE_LOG_FILE
                    | T::SOURCE_LOG_POS
                    | T::RELAY_LOG_FILE
                    | T::RELAY_LOG_POS
                    | T::SQL_BEFORE_GTIDS
                    | T::SQL_AFTER_GTIDS
                    | T::SQL_AFTER_MTS_GAPS => Text::from(g.ascii(token).to_ascii_uppercase()),
                    _ => return Err(g.unexpected()),
                };
                g.bump();
                let value = match token.kind {
                    T::SQL_AFTER_MTS_GAPS => UntilValue::None,
                    T::SOURCE_LOG_POS | T::RELAY_LOG_POS => {
                        g.expect(T::Eq)?;
                        UntilValue::Number(g.number()?)
                    }
                    _ => {
                        g.expect(T::Eq)?;
                        UntilValue::Text(g.text()?)
                    }
                };
                Ok((name, value))
            })?;
        }
        let mut credentials = Vec::new();
        loop {
            let credential = match self.kind() {
                T::USER => ReplicaCredential::User,
                T::PASSWORD => ReplicaCredential::Password,
                T::DEFAULT_AUTH => ReplicaCredential::DefaultAuth,
                T::PLUGIN_DIR => ReplicaCredential::PluginDir,
                _ => break,
            };
            self.bump();
            self.expect(T::Eq)?;
            credentials.push((credential, self.text()?));
        }
        let channel = self.for_channel()?;
        let start = StartReplica { threads, until, credentials, channel };
        Ok(StatementKind::StartReplica(Box::new(start)))
    }

    fn replica_threads(&mut self) -> Result<Vec<ReplicaThread>> {
        let kinds = [T::SQL_THREAD, T::IO_THREAD, T::RELAY_THREAD];
        if !self.at_any(&kinds) {
            return Ok(Vec::new());
        }
        self.list(|g| {
            Ok(match g.one_of(&kinds)? {
                T::SQL_THREAD => ReplicaThread::Sql,
                _ => ReplicaThread::Io,
            })
        })
    }

    pub(super) fn start_group_replication(&mut self) -> Result<StatementKind> {
        self.expect(T::GROUP_REPLICATION)?;
        let mut credentials = Vec::new();
        if self.at_any(&[T::USER, T::PASSWORD, T::DEFAULT_AUTH]) {
            credentials = self.list(|g| {
                let credential = match g.one_of(&[T::USER, T::PASSWORD, T::DEFAULT_AUTH])? {
                    T::USER => ReplicaCredential::User,
                    T::PASSWORD => ReplicaCredential::Password,
                    _ => ReplicaCredential::DefaultAuth,
                };
                g.expect(T::Eq)?;
                Ok((credential, g.text()?))
            })?;
        }
        Ok(StatementKind::StartGroupReplication(credentials))
    }

    pub(super) fn stop(&mut self) -> Result<StatementKind> {
        self.expect(T::STOP)?;
        if self.eat(T::GROUP_REPLICATION) {
            return Ok(StatementKind::StopGroupReplication);
        }
        self.expect(T::REPLICA)?;
        let threads = self.replica_threads()?;
        Ok(StatementKind::StopReplica { threads, channel: self.for_channel()? })
    }

    pub(super) fn purge(&mut self) -> Result<StatementKind> {
        self.expect_all(&[T::PURGE, T::BINARY, T::LOGS])?;
        Ok(StatementKind::PurgeLogs(if self.one_of(&[T::TO, T::BEFORE])? == T::TO {
            PurgeLogs::To(self.text()?)
        } else {
            PurgeLogs::Before(Box::new(self.expr()?))
        }))
    }
}
