//! Random SETs, each followed by a look at the variable.

use firn_compute::variables::{Reach, Shape, VarId, id};

/// Small and good enough for tests.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// Variables that Firn keeps in its own way, each for a reason.
const LEFT_OUT: &[VarId] = &[
    // Engines that Firn does not have.
    id::default_storage_engine,
    id::default_tmp_storage_engine,
    // It warns of how little is saved in the binary log.
    id::binlog_row_value_options,
    id::binlog_row_image,
    // Whose texts name files and tables that the server looks for.
    id::innodb_tmpdir,
    id::innodb_ft_user_stopword_table,
    // The server's zones may not be loaded.
    id::time_zone,
    // Firn's own.
    id::firn_executor,
    // Connections differ.
    id::pseudo_thread_id,
    id::original_commit_timestamp,
    id::immediate_server_version,
    id::original_server_version,
    id::gtid_next,
    id::require_row_format,
    id::resultset_metadata,
    id::timestamp,
    id::terminology_use_previous,
    // With 0, nothing can be looked at.
    id::sql_select_limit,
    // These change how the rest is read.
    id::character_set_client,
    id::character_set_results,
    id::sql_log_bin,
    id::global_connection_memory_tracking,
    id::use_secondary_engine,
    // Defaults are 8.4's.
    id::explain_format,
    id::explain_json_format_version,
    // A warning of its own, only for OFF.
    id::restrict_fk_on_non_standard_key,
    // Errors are in English.
    id::lc_messages,
    // With 0 there are no warnings to look at.
    id::max_error_count,
    // Its least value is one more than the server says.
    id::optimizer_trace_offset,
    // They have a member that they do not show.
    id::optimizer_trace,
    id::optimizer_trace_features,
    // Reading them warns.
    id::max_length_for_sort_data,
    id::query_prealloc_size,
    id::transaction_prealloc_size,
    id::binlog_format,
    id::profiling,
    id::profiling_history_size,
    id::pseudo_slave_mode,
    id::pseudo_replica_mode,
    id::session_track_system_variables,
];

const VALUES: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "5",
    "7",
    "10",
    "31",
    "100",
    "1000",
    "1023",
    "4097",
    "65535",
    "65536",
    "1000000",
    "1073741825",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-1",
    "-5",
    "-9223372036854775808",
    "1.5",
    "-1.5",
    "1e0",
    "1e3",
    "1e30",
    "NULL",
    "DEFAULT",
    "TRUE",
    "FALSE",
    "ON",
    "OFF",
    "'ON'",
    "'off'",
    "''",
    "'x'",
    "' 1'",
    "'1'",
    "x'41'",
    "b'1'",
    "@unset",
    "CAST(NULL AS SIGNED)",
    "CAST('5' AS UNSIGNED)",
    "1 + 1",
    "CONCAT('o', 'n')",
    "all",
    "DATE'2020-01-01'",
    "utf8mb4",
    "latin1",
    "'utf8mb4_bin'",
    "latin1_swedish_ci",
    "utf8mb3",
    "8",
    "33",
    "255",
    "46",
    "'de_DE'",
    "'EN_us'",
];

fn member(random: &mut Random, members: &[&str]) -> String {
    let member = random.of(members);
    match random.below(4) {
        0 => member.to_lowercase(),
        1 => format!("{member}x"),
        _ => member.to_uppercase(),
    }
}

const MODES: &[&str] = &[
    "ANSI",
    "TRADITIONAL",
    "STRICT_TRANS_TABLES",
    "STRICT_ALL_TABLES",
    "NO_ZERO_DATE",
    "NO_ZERO_IN_DATE",
    "ERROR_FOR_DIVISION_BY_ZERO",
    "ONLY_FULL_GROUP_BY",
    "ALLOW_INVALID_DATES",
    "PAD_CHAR_TO_FULL_LENGTH",
    "HIGH_NOT_PRECEDENCE",
    "NO_ENGINE_SUBSTITUTION",
    "PIPES_AS_CONCAT",
    "IGNORE_SPACE",
    "NOT_USED",
    "NO_SUCH",
    "",
];

/// Of sets that Firn has.
const CHARSETS: &[&str] = &[
    "utf8mb4",
    "latin1",
    "'ascii'",
    "binary",
    "utf8",
    "utf8mb3",
    "utf8mb4_bin",
    "latin1_swedish_ci",
    "'utf8mb4_general_ci'",
    "8",
    "33",
    "255",
    "63",
    "0",
    "-1",
    "NULL",
    "DEFAULT",
    "9999",
    "'x'",
    "1.5",
    "4294967296",
    "@unset",
    "''",
];

fn value(random: &mut Random, id: VarId) -> String {
    if id.name().contains("character_set") || id.name().contains("collation") {
        return random.of(CHARSETS).to_owned();
    }
    if random.below(3) > 0 {
        return random.of(VALUES).to_owned();
    }
    match id.definition().shape {
        Shape::Int(least, greatest, block) => {
            let near = [least, greatest, least + i128::from(block), greatest / 2];
            let at = near[random.below(near.len())] + random.below(5) as i128 - 2;
            at.to_string()
        }
        Shape::Enum(members) => format!("'{}'", member(random, members)),
        Shape::Set(members) => {
            format!("'{},{}'", member(random, members), member(random, members))
        }
        Shape::Flags(members) => {
            let mut one = || {
                let value = random.of(&["on", "off", "DEFAULT", "1", "On"]);
                format!("{}={value}", member(random, members))
            };
            let first = one();
            match one() {
                second if second.len() % 3 == 0 => format!("'{first},{second}'"),
                second if second.len() % 3 == 1 => format!("'default,{second}'"),
                _ => format!("'{first}'"),
            }
        }
        Shape::Mode => match random.below(3) {
            0 => format!("{}", 1_u64 << random.below(33)),
            1 => format!("'{}'", random.of(MODES)),
            _ => format!("'{},{}'", random.of(MODES), random.of(MODES)),
        },
        _ => random.of(VALUES).to_owned(),
    }
}

/// As many statements, from a seed: pairs of a SET and a SELECT.
pub(crate) fn statements(seed: u64, count: usize) -> Vec<String> {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let variables: Vec<VarId> = VarId::all()
        .filter(|id| id.definition().reach != Reach::Global || !id.definition().is_writable())
        .filter(|id| !LEFT_OUT.contains(id))
        .collect();
    let mut statements = Vec::with_capacity(count);
    while statements.len() < count {
        let id = variables[random.below(variables.len())];
        let value = value(&mut random, id);
        // MySQL 9.7 turns them off.
        let checks = matches!(id, id::foreign_key_checks | id::unique_checks);
        if checks && value == "DEFAULT" {
            continue;
        }
        let name = id.name();
        let scope = random.of(&["", "SESSION ", "LOCAL ", "@@", "@@session.", "@@local."]);
        statements.push(format!("SET {scope}{name} = {value}"));
        if id.definition().is_writable() {
            let shown = match id {
                id::collation_connection | id::character_set_connection => {
                    "SELECT @@character_set_connection, @@collation_connection".to_owned()
                }
                _ => format!("SELECT @@{name}"),
            };
            statements.push(shown);
        }
        if random.below(40) == 0 {
            let set =
                random.of(&["utf8mb4", "utf8", "latin1", "binary", "ucs2", "nosuch", "ascii"]);
            let collation = random.of(&["", " COLLATE utf8mb4_bin", " COLLATE latin1_bin"]);
            statements.push(format!("SET NAMES {set}{collation}"));
            statements.push(
                "SELECT @@character_set_connection, @@collation_connection, @@character_set_client"
                    .to_owned(),
            );
            statements.push("SET NAMES utf8mb4".to_owned());
        }
    }
    statements
}
