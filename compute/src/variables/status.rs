//! SHOW STATUS: counters of the server and of its sessions.
//!
//! Each counter here is counted by somebody, or is 0 because what it counts does not
//! happen; MySQL's counters of parts that Firn does not have are left out.

use std::sync::atomic::{AtomicU64, Ordering};

use super::show::is_like;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident $text:literal;)*) => {
        /// What is counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the names are MySQL's")]
        pub enum Counter {
            $($(#[$doc])* $name,)*
        }

        const NAMES: &[&str] = &[$($text,)*];
    };
}

counters! {
    /// Connections that ended without a goodbye. Of the server alone.
    AbortedClients "Aborted_clients";
    /// Logins that failed. Of the server alone.
    AbortedConnects "Aborted_connects";
    BytesReceived "Bytes_received";
    BytesSent "Bytes_sent";
    ComAdminCommands "Com_admin_commands";
    ComAlterDb "Com_alter_db";
    ComAlterTable "Com_alter_table";
    ComAlterUser "Com_alter_user";
    ComAnalyze "Com_analyze";
    ComBegin "Com_begin";
    ComCallProcedure "Com_call_procedure";
    ComChangeDb "Com_change_db";
    ComCheck "Com_check";
    ComChecksum "Com_checksum";
    ComCommit "Com_commit";
    ComCreateDb "Com_create_db";
    ComCreateIndex "Com_create_index";
    ComCreateRole "Com_create_role";
    ComCreateTable "Com_create_table";
    ComCreateUser "Com_create_user";
    ComCreateView "Com_create_view";
    ComDeallocSql "Com_dealloc_sql";
    ComDelete "Com_delete";
    ComDeleteMulti "Com_delete_multi";
    ComDo "Com_do";
    ComDropDb "Com_drop_db";
    ComDropIndex "Com_drop_index";
    ComDropRole "Com_drop_role";
    ComDropTable "Com_drop_table";
    ComDropUser "Com_drop_user";
    ComDropView "Com_drop_view";
    ComExecuteSql "Com_execute_sql";
    ComExplainOther "Com_explain_other";
    ComFlush "Com_flush";
    ComGrant "Com_grant";
    ComGrantRoles "Com_grant_roles";
    ComInsert "Com_insert";
    ComInsertSelect "Com_insert_select";
    ComKill "Com_kill";
    ComLoad "Com_load";
    ComLockTables "Com_lock_tables";
    ComOptimize "Com_optimize";
    ComPrepareSql "Com_prepare_sql";
    ComReleaseSavepoint "Com_release_savepoint";
    ComRenameTable "Com_rename_table";
    ComRenameUser "Com_rename_user";
    ComRepair "Com_repair";
    ComReplace "Com_replace";
    ComReplaceSelect "Com_replace_select";
    ComRevoke "Com_revoke";
    ComRevokeAll "Com_revoke_all";
    ComRevokeRoles "Com_revoke_roles";
    ComRollback "Com_rollback";
    ComRollbackToSavepoint "Com_rollback_to_savepoint";
    ComSavepoint "Com_savepoint";
    ComSelect "Com_select";
    ComSetOption "Com_set_option";
    ComSetPassword "Com_set_password";
    ComSetRole "Com_set_role";
    ComStmtClose "Com_stmt_close";
    ComStmtExecute "Com_stmt_execute";
    ComStmtFetch "Com_stmt_fetch";
    ComStmtPrepare "Com_stmt_prepare";
    ComStmtReset "Com_stmt_reset";
    ComStmtSendLongData "Com_stmt_send_long_data";
    ComTruncate "Com_truncate";
    ComUnlockTables "Com_unlock_tables";
    ComUpdate "Com_update";
    ComUpdateMulti "Com_update_multi";
    /// Clients that were refused since there were too many. Of the server alone.
    ConnectionErrorsMaxConnections "Connection_errors_max_connections";
    /// Attempts, whether they succeeded or not. Of the server alone.
    Connections "Connections";
    /// Times that rows of a query went to a temporary file to be looked up or read again.
    CreatedTmpDiskTables "Created_tmp_disk_tables";
    /// Temporary files. Of the server alone.
    CreatedTmpFiles "Created_tmp_files";
    /// Statements that were bound and planned, not found planned already.
    FirnCompiled "Firn_compiled";
    /// Bytes that statements have put into temporary files.
    FirnSpilledBytes "Firn_spilled_bytes";
    /// Query blocks that ran over batches of columns.
    FirnVectorBlocks "Firn_vector_blocks";
    /// Those of them, and of the scans below, that were run again row by row.
    FirnVectorGivenUp "Firn_vector_given_up";
    /// Rows of these blocks and scans that came from the Parquet copies of files.
    FirnVectorRowsCopied "Firn_vector_rows_copied";
    /// Scans of tables over batches in query blocks that ran row by row.
    FirnVectorScans "Firn_vector_scans";
    HandlerCommit "Handler_commit";
    HandlerReadFirst "Handler_read_first";
    HandlerReadKey "Handler_read_key";
    HandlerReadLast "Handler_read_last";
    HandlerReadNext "Handler_read_next";
    HandlerReadPrev "Handler_read_prev";
    HandlerReadRndNext "Handler_read_rnd_next";
    HandlerRollback "Handler_rollback";
    /// Row locks that had to be waited for. Of the server alone.
    InnodbRowLockWaits "Innodb_row_lock_waits";
    /// Milliseconds of such waits. Of the server alone.
    InnodbRowLockTime "Innodb_row_lock_time";
    InnodbRowsDeleted "Innodb_rows_deleted";
    InnodbRowsInserted "Innodb_rows_inserted";
    InnodbRowsRead "Innodb_rows_read";
    InnodbRowsUpdated "Innodb_rows_updated";
    /// Statements that ran into `max_execution_time`.
    MaxExecutionTimeExceeded "Max_execution_time_exceeded";
    /// Statements and other commands.
    Queries "Queries";
    /// The same, without those within stored programs.
    Questions "Questions";
    SlowQueries "Slow_queries";
    /// Sorted runs in temporary files that were made of others, or read in order at last.
    SortMergePasses "Sort_merge_passes";
}

/// Counters of the server.
#[derive(Debug)]
pub struct ServerCounters {
    values: [AtomicU64; NAMES.len()],
}

impl Default for ServerCounters {
    fn default() -> ServerCounters {
        ServerCounters { values: [const { AtomicU64::new(0) }; NAMES.len()] }
    }
}

impl ServerCounters {
    /// Adds to one.
    pub fn add(&self, counter: Counter, amount: u64) {
        self.values[counter as usize].fetch_add(amount, Ordering::Relaxed);
    }

    /// What one says.
    pub fn get(&self, counter: Counter) -> u64 {
        self.values[counter as usize].load(Ordering::Relaxed)
    }
}

/// Counters of a session. They take room from the first statement on.
#[derive(Debug, Default)]
pub struct SessionCounters {
    values: Option<Box<[u64; NAMES.len()]>>,
}

impl SessionCounters {
    /// Adds to one of the session and of the server.
    pub fn add(&mut self, server: &ServerCounters, counter: Counter, amount: u64) {
        let values = self.values.get_or_insert_with(|| Box::new([0; NAMES.len()]));
        values[counter as usize] += amount;
        server.add(counter, amount);
    }

    fn get(&self, counter: usize) -> u64 {
        self.values.as_ref().map_or(0, |values| values[counter])
    }

    /// FLUSH STATUS, COM_RESET_CONNECTION: all are 0.
    pub fn clear(&mut self) {
        self.values = None;
    }
}

/// What is looked up when it is asked for.
#[derive(Debug, Clone, Default)]
pub struct StatusFacts<'a> {
    /// How the connection is compressed: `zlib`, `zstd`.
    pub compression: Option<&'a str>,
    /// The most connections there were at once.
    pub max_used_connections: u64,
    /// Prepared statements of all sessions.
    pub prepared_statements: u64,
    /// The connection's cipher, if it is encrypted.
    pub tls_cipher: Option<&'a str>,
    /// The connection's protocol, as `TLSv1.3`.
    pub tls_version: Option<&'a str>,
    /// Connections now.
    pub threads_connected: u64,
    /// Those that run a statement now.
    pub threads_running: u64,
    /// Seconds since the server began.
    pub uptime_seconds: u64,
}

/// Of the server alone: a session's row shows the server's.
const OF_SERVER: &[Counter] = &[
    Counter::AbortedClients,
    Counter::AbortedConnects,
    Counter::ConnectionErrorsMaxConnections,
    Counter::Connections,
    Counter::CreatedTmpFiles,
    Counter::InnodbRowLockWaits,
    Counter::InnodbRowLockTime,
    Counter::InnodbRowsDeleted,
    Counter::InnodbRowsInserted,
    Counter::InnodbRowsRead,
    Counter::InnodbRowsUpdated,
    Counter::Queries,
];

/// The rows of SHOW STATUS; of the server's without `session`. Names in order, those
/// alone that are like `pattern`.
pub fn show_status(
    server: &ServerCounters,
    session: Option<&SessionCounters>,
    facts: &StatusFacts<'_>,
    pattern: Option<&str>,
) -> Vec<(&'static str, String)> {
    let mut rows: Vec<(&'static str, String)> = Vec::with_capacity(NAMES.len() + 10);
    for (at, (name, value)) in NAMES.iter().zip(&server.values).enumerate() {
        let own = session.filter(|_| OF_SERVER.iter().all(|counter| *counter as usize != at));
        let value = own.map_or_else(|| value.load(Ordering::Relaxed), |own| own.get(at));
        rows.push((name, value.to_string()));
    }
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let on = if facts.compression.is_some() { "ON" } else { "OFF" };
    let uptime = facts.uptime_seconds.to_string();
    if session.is_some() {
        rows.push(("Compression", on.to_owned()));
        rows.push(("Compression_algorithm", text(facts.compression)));
    }
    rows.extend([
        ("Max_used_connections", facts.max_used_connections.to_string()),
        ("Prepared_stmt_count", facts.prepared_statements.to_string()),
        ("Ssl_cipher", text(facts.tls_cipher)),
        ("Ssl_version", text(facts.tls_version)),
        ("Threads_connected", facts.threads_connected.to_string()),
        ("Threads_running", facts.threads_running.to_string()),
        ("Uptime", uptime.clone()),
        ("Uptime_since_flush_status", uptime),
    ]);
    rows.retain(|(name, _)| pattern.is_none_or(|pattern| is_like(name, pattern)));
    rows.sort_by_key(|(name, _)| *name);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_shows_its_own_and_the_server_the_sum() {
        let server = ServerCounters::default();
        let (mut one, mut two) = (SessionCounters::default(), SessionCounters::default());
        one.add(&server, Counter::ComSelect, 2);
        two.add(&server, Counter::ComSelect, 3);
        two.add(&server, Counter::Queries, 3);
        let facts = StatusFacts { tls_cipher: Some("x"), ..StatusFacts::default() };
        let shown = |session: Option<&SessionCounters>, pattern: &str| {
            show_status(&server, session, &facts, Some(pattern))
        };
        assert_eq!(shown(Some(&one), "com\\_select"), [("Com_select", "2".to_owned())]);
        assert_eq!(shown(None, "com\\_select"), [("Com_select", "5".to_owned())]);
        // MySQL knows no number of a session for it.
        assert_eq!(shown(Some(&one), "queries"), [("Queries", "3".to_owned())]);
        assert_eq!(shown(None, "SSL_CIPHER"), [("Ssl_cipher", "x".to_owned())]);
        two.clear();
        assert_eq!(shown(Some(&two), "com\\_select"), [("Com_select", "0".to_owned())]);
        let all = show_status(&server, Some(&one), &facts, None);
        assert!(all.is_sorted_by_key(|(name, _)| *name));
    }

    #[test]
    fn a_session_that_did_nothing_counts_nothing() {
        assert_eq!(size_of::<SessionCounters>(), size_of::<usize>());
    }
}
