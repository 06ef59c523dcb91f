#!/usr/bin/env python3
"""Writes src/information_schema/tables.txt: columns of MySQL's own tables and of SHOW.

Asks a live server for names, types and what a client is told of them. Needs PyMySQL.

usage: information_schema.py HOST PORT > src/information_schema/tables.txt
"""
import sys

import pymysql

# Not in MySQL 8.4: they came later.
LATER = {
    "JSON_DUALITY_VIEWS", "JSON_DUALITY_VIEW_COLUMNS", "JSON_DUALITY_VIEW_LINKS",
    "JSON_DUALITY_VIEW_TABLES", "LIBRARIES", "ROUTINE_LIBRARIES",
}
PERFORMANCE = [
    "global_variables", "session_variables", "global_status", "session_status",
    "events_stages_current",
]
# Those of accounts: the others are the server's own business.
MYSQL = [
    "columns_priv", "db", "default_roles", "global_grants", "procs_priv", "proxies_priv",
    "role_edges", "tables_priv", "user",
]
# Tools ask for these by name; nothing is logged there.
MYSQL += ["general_log", "slow_log"]
MYSQL.sort()
SHOW = {
    "databases": "SHOW DATABASES",
    "tables": "SHOW TABLES",
    "full tables": "SHOW FULL TABLES",
    "table status": "SHOW TABLE STATUS",
    "open tables": "SHOW OPEN TABLES",
    "triggers": "SHOW TRIGGERS",
    "events": "SHOW EVENTS",
    "columns": "SHOW COLUMNS FROM t",
    "full columns": "SHOW FULL COLUMNS FROM t",
    "index": "SHOW INDEX FROM t",
    "variables": "SHOW VARIABLES LIKE 'x'",
    "status": "SHOW STATUS LIKE 'x'",
    "character set": "SHOW CHARACTER SET",
    "collation": "SHOW COLLATION",
    "procedure status": "SHOW PROCEDURE STATUS LIKE 'x'",
    "create table": "SHOW CREATE TABLE t",
    "create view": "SHOW CREATE VIEW v",
    "create database": "SHOW CREATE DATABASE {schema}",
    "create user": "SHOW CREATE USER show_facts",
    "generated passwords": "ALTER USER show_facts IDENTIFIED BY RANDOM PASSWORD",
    "grants": "SHOW GRANTS",
    "privileges": "SHOW PRIVILEGES",
    "processlist": "SHOW PROCESSLIST",
    "full processlist": "SHOW FULL PROCESSLIST",
    "engines": "SHOW ENGINES",
    "engine": "SHOW ENGINE INNODB STATUS",
    "plugins": "SHOW PLUGINS",
    "warnings": "SHOW WARNINGS",
    "count warnings": "SHOW COUNT(*) WARNINGS",
    "count errors": "SHOW COUNT(*) ERRORS",
    "profiles": "SHOW PROFILES",
    "binary logs": "SHOW BINARY LOGS",
    "binary log status": "SHOW BINARY LOG STATUS",
    "replicas": "SHOW REPLICAS",
    "replica status": "SHOW REPLICA STATUS",
    "admin": "CHECK TABLE t",
    "checksum": "CHECKSUM TABLE t",
    "explain": "EXPLAIN FORMAT=TRADITIONAL SELECT * FROM t",
    "explain text": "EXPLAIN FORMAT=TREE SELECT * FROM t",
}


def fields(cursor):
    return cursor._result.fields or []


def text(value):
    if value is None:
        return "-"
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def wire(field):
    return [
        str(field.type_code), f"{field.flags:x}", str(field.charsetnr),
        str(field.length), str(field.scale),
    ]


def main():
    host, port = sys.argv[1], int(sys.argv[2])
    connection = pymysql.connect(host=host, port=port, user="root", charset="utf8mb4")
    cursor = connection.cursor()
    schema = "show_facts"
    cursor.execute(f"CREATE DATABASE IF NOT EXISTS {schema}")
    cursor.execute(f"USE {schema}")
    cursor.execute("CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)")
    cursor.execute("CREATE OR REPLACE VIEW v AS SELECT 1")
    cursor.execute("CREATE USER IF NOT EXISTS show_facts")
    print("# Columns of MySQL's own tables and of SHOW, from a live server.")
    print("# Made by tools/information_schema.py. Tabs between: name, wire type, flags,")
    print("# collation, length in bytes and decimals as a client is told of them; then")
    print("# of tables: type, nullable, collation, default; of SHOW: database, table,")
    print("# table's own name, column's own name. Behind `create` stands SHOW CREATE TABLE.")
    cursor.execute(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = 'information_schema' ORDER BY 1"
    )
    tables = [("information_schema", row[0]) for row in cursor.fetchall()]
    tables += [("mysql", name) for name in MYSQL]
    tables += [("performance_schema", name) for name in PERFORMANCE]
    for database, name in tables:
        if name in LATER or name.startswith("INNODB_"):
            continue
        cursor.execute(
            "SELECT column_name, column_type, is_nullable, collation_name, column_default"
            " FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
            " ORDER BY ordinal_position", (database, name),
        )
        known = cursor.fetchall()
        cursor.execute(f"SELECT * FROM {database}.{name} LIMIT 0")
        print(f"table\t{database}\t{name}")
        for field, (column, kind, nullable, collation, default) in zip(fields(cursor), known):
            assert field.name == column, (field.name, column)
            print("\t".join(
                [column, *wire(field), text(kind), nullable, text(collation), text(default)]
            ))
        if database == "mysql":
            cursor.execute(f"SHOW CREATE TABLE mysql.{name}")
            print(f"create\t{text(cursor.fetchone()[1])}")
    for name, statement in SHOW.items():
        cursor.execute(statement.format(schema=schema))
        found = fields(cursor)
        cursor.fetchall()
        print(f"show\t{name}")
        for field in found:
            column = field.name.replace(f"Tables_in_{schema}", "Tables_in_")
            print("\t".join([
                column, *wire(field), field.db.decode(), field.table_name, field.org_table,
                field.org_name.replace(f"Tables_in_{schema}", "Tables_in_"),
            ]))
    cursor.execute(f"DROP DATABASE {schema}")
    cursor.execute("DROP USER show_facts")


main()
