#!/usr/bin/env python3
"""Writes src/variables/table.rs: MySQL's system variables.

Asks a live server: what its catalog says of each variable, and what happens on
SET. Global variables are changed and set back, so give it a server of its own,
started without options. Needs PyMySQL.

usage: variables.py HOST PORT > src/variables/table.rs
"""
import re
import struct
import sys

import pymysql

# Not in MySQL 8.4: they came later.
LATER = """
activate_mandatory_roles build_id caching_sha2_password_enforce_storage_format
caching_sha2_password_storage_format connection_memory_status_limit container_aware
enable_cascade_triggers external_table_secondary_storage_engine
external_table_storage_engine global_connection_memory_status_limit
innodb_native_foreign_keys replica_allow_higher_version_source server_memory
version_with_update
""".split()

# Knobs of parts that Firn does not have, and that no client asks for.
LEFT_OUT = re.compile(
    r"""^(performance_schema_|group_replication|innodb_|myisam_|ft_|key_cache_|keyring_
    |slave_|sync_(?!binlog)|rpl_|relay_log|admin_|ngram|regexp_|delayed_|max_delayed|max_insert_delayed|binlog_(?!format|row_image
    |checksum|expire_logs_seconds|row_value_options|rows_query_log_events|row_metadata)
    |caching_sha2_|sha256_|mysqlx|mecab|temptable_|replica_(?!skip_errors|net_timeout)|replication_
    |persist|log_(?!bin$|bin_basename|bin_trust|error$|output|queries|timestamps|replica_updates)
    |thread_|tls_certificates|telemetry|debug|create_admin|host_cache|schema_definition|stored_program
    |tablespace_|large_page|locked_in)""",
    re.X,
)
# … but these of them.
KEPT = """
innodb_autoinc_lock_mode innodb_buffer_pool_size innodb_deadlock_detect
innodb_default_row_format innodb_file_per_table innodb_flush_log_at_trx_commit
innodb_ft_max_token_size innodb_ft_min_token_size innodb_ft_user_stopword_table
innodb_lock_wait_timeout innodb_online_alter_log_max_size innodb_page_size
innodb_print_all_deadlocks innodb_read_only innodb_rollback_on_timeout
innodb_stats_auto_recalc innodb_stats_on_metadata innodb_stats_persistent innodb_strict_mode
innodb_table_locks innodb_tmpdir innodb_version ft_max_word_len ft_min_word_len
ft_boolean_syntax ft_stopword_file performance_schema
""".split()

# The server names these by hand: they cannot be walked through with SET.
ENUMS = {
    "gtid_mode": ["OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"],
    "binlog_row_image": ["MINIMAL", "NOBLOB", "FULL"],
    "resultset_metadata": ["NONE", "FULL"],
}
# Of MySQL 8.4, where the server asked is later.
DEFAULTS = {"explain_format": "TRADITIONAL", "explain_json_format_version": "1"}
# What such a variable holds is the server's own.
OWN = {"basedir", "datadir", "character_sets_dir", "lc_messages_dir", "plugin_dir", "pid_file",
       "general_log_file", "slow_query_log_file", "log_error", "log_bin_basename", "socket",
       "hostname", "port", "report_port", "server_uuid", "gtid_executed", "version",
       "version_comment", "version_compile_zlib", "version_compile_machine", "innodb_version"}


class Server:
    def __init__(self, host, port, user, **more):
        self.link = pymysql.connect(host=host, port=port, user=user, autocommit=True, **more)

    def run(self, sql):
        """Rows, or the number and text of an error; warnings; columns."""
        with self.link.cursor() as cursor:
            try:
                cursor.execute(sql)
            except pymysql.MySQLError as error:
                return None, (error.args[0], error.args[1]), [], []
            rows, fields = cursor.fetchall(), getattr(cursor._result, "fields", [])
            cursor.execute("SHOW WARNINGS")
            return rows, None, cursor.fetchall(), fields

    def one(self, sql):
        rows, error, _, _ = self.run(sql)
        return rows[0][0] if rows and not error else None


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def walk(server, where, name, values):
    """What the variable shows when it is set to each number."""
    shown = []
    for value in values:
        _, error, _, _ = server.run(f"SET {where}.{name} = {value}")
        if error:
            break
        shown.append(server.one(f"SELECT {where}.{name}"))
    server.run(f"SET {where}.{name} = DEFAULT")
    return shown


def block_of(server, where, name, low, high):
    """The step of an integer: a value whose low bits are all set loses some."""
    bits = 20
    while bits > 1 and (1 << bits) - 1 > high:
        bits -= 1
    value = (1 << bits) - 1
    if value < low:
        value = low | 0xFFFF
    if value > high:
        return 1
    _, error, _, _ = server.run(f"SET {where}.{name} = {value}")
    got = server.one(f"SELECT {where}.{name}")
    server.run(f"SET {where}.{name} = DEFAULT")
    return value - int(got) + 1 if not error and int(got) <= value else 1


def main(host, port):
    root = Server(host, int(port), "root")
    root.run("CREATE USER IF NOT EXISTS probe@'%'")
    weak = Server(host, int(port), "probe")
    version = root.one("SELECT SUBSTRING_INDEX(VERSION(), '-', 1)")
    rows, _, _, _ = root.run(
        "SELECT variable_name, variable_scope, data_type, min_value, max_value"
        " FROM performance_schema.variables_metadata ORDER BY variable_name"
    )
    before = {}
    for name, scope, _, _, _ in rows:
        where = "@@session" if scope == "SESSION_ONLY" else "@@global"
        before[name] = root.one(f"SELECT {where}.{name}")
    out = []
    for name, scope, kind, low, high in rows:
        if name in LATER or (LEFT_OUT.match(name) and name not in KEPT):
            continue
        reach = {"GLOBAL": "Global", "SESSION": "Both", "SESSION_ONLY": "Session"}[scope]
        level = "SESSION" if reach == "Session" else "GLOBAL"
        flags, old = [], "Current"
        _, error, _, _ = weak.run(f"SET {level} {name} = DEFAULT")
        writable = not (error and error[0] == 1238)
        if writable:
            flags.append("WRITE")
        where = "@@session" if reach != "Global" else "@@global"
        if writable and reach != "Global":
            _, error, _, _ = weak.run(f"SET SESSION {name} = DEFAULT")
            if error and error[0] == 1227:
                flags.append("ADMIN")
            elif error and error[0] == 1621:
                flags.append("FIXED")
            elif error and error[0] == 1230:
                flags.append("NO_DEFAULT")
            elif error:
                print(name, "session", error, file=sys.stderr)
        _, error, warnings, _ = root.run(f"SET {level} {name} = DEFAULT") if writable else (0, 0, [], 0)
        if error and error[0] == 1230 and "NO_DEFAULT" not in flags:
            flags.append("NO_DEFAULT")
        if any(number in (1287, 1681) for _, number, _ in warnings):
            text = warnings[0][2]
            later = re.search("Please use (\\w+) instead", text)
            old = f'For("{later[1]}")' if later else "Frozen" if "Updating" in text else "Old"
            if "Updating" not in text and warnings[0][1] == 1681:
                old = "Going"
        _, error, warnings, _ = root.run(f"SELECT /*+ SET_VAR({name} = 1) */ 1")
        if not any(number in (3637, 3128, 1064) for _, number, _ in warnings):
            flags.append("HINT")
        value = DEFAULTS.get(name, before[name])
        shape = None
        if kind == "Boolean":
            shape = "Bool"
        elif kind == "Integer":
            low, high = int(low), int(high)
            step = 1
            if writable and "FIXED" not in flags and reach != "Session":
                step = block_of(root, where, name, low, high)
            shape = f"Int({low}, {high}, {step})"
            value = str(value)
        elif kind == "Numeric":
            # The bits of the bounds, as whole numbers.
            low, high = (struct.unpack("d", struct.pack("Q", int(one)))[0] for one in (low, high))
            shape = f"Double({low!r}, {high!r})"
            value = repr(float(value))
        elif kind == "Enumeration":
            shown = ENUMS.get(name) or (walk(root, where, name, range(64)) if writable else [])
            if shown:
                shape = "Enum(&[" + ", ".join(quoted(str(one)) for one in shown) + "])"
            else:
                shape = "Text"
        elif name == "sql_mode":
            shape = "Mode"
        elif kind == "Set" and writable:
            shown = walk(root, where, name, [1 << bit for bit in range(64)])
            if name.startswith("optimizer_"):
                # name=on,name=off: a set that is written in full.
                shown = [part.split("=")[0] for part in (value or "").split(",")]
                shape = "Flags(&[" + ", ".join(quoted(one) for one in shown if one) + "])"
            else:
                shape = "Set(&[" + ", ".join(quoted(one or "") for one in shown) + "])"
        elif name in ENUMS:
            shape = "Enum(&[" + ", ".join(quoted(one) for one in ENUMS[name]) + "])"
        elif name in ("lc_time_names", "lc_messages"):
            shown = walk(root, where, name, range(400))
            locales = ", ".join(quoted(one) for one in shown)
            shape = "Locale"
        else:
            shape = "Text"
        if kind in ("Boolean",):
            value = "ON" if value in (1, "1", "ON") else "OFF"
        if name in OWN:
            value = "0" if kind == "Integer" else ""
        if reach == "Session" and kind in ("Integer", "Numeric") and "ADMIN" not in flags:
            value = "0"
        default = "None" if value is None else f"Some({quoted(str(value))})"
        out.append(
            f"    {len(out)} {name} {reach}, {shape}, {default}, [{' '.join(flags)}], {old};"
        )
    out += OUR_OWN
    out.sort(key=lambda line: line.split()[1])
    out = [f"    {at} {line.split(maxsplit=1)[1]}" for at, line in enumerate(out)]
    root.run("DROP USER probe@'%'")
    print(f"// Generated by tools/variables.py from a MySQL {version} server; do not edit.")
    print("use super::definition::variables;\n")
    print("variables! {")
    print("\n".join(out))
    print("}")
    print("/// Locales, by number.")
    print("pub(super) static LOCALES: &[&str] = &[" + locales + "];")


# Variables that MySQL does not have.
OUR_OWN = [
    '    0 firn_executor Both, Enum(&["auto", "direct", "vector"]), Some("auto"), [WRITE HINT], Current;',
]


if __name__ == "__main__":
    main(*sys.argv[1:])
