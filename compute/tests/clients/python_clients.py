"""Drivers for Python against a server: python_clients.py PORT

PyMySQL, mysqlclient, Connector/Python (in C and in Python) and asyncmy. The server
has root without a password. Says "ok" at the end, or what went wrong.
"""
import asyncio
import datetime
import decimal
import re
import sys

import asyncmy
import asyncmy.cursors
import mysql.connector
import MySQLdb
import MySQLdb.cursors
import pymysql
import pymysql.cursors

PORT = int(sys.argv[1])
ADDRESS = {"host": "127.0.0.1", "port": PORT}
COLUMNS = """id INT PRIMARY KEY, tiny TINYINT, small SMALLINT UNSIGNED, medium MEDIUMINT,
 big BIGINT UNSIGNED, dec_ DECIMAL(20,4), dbl DOUBLE, flt FLOAT, ch CHAR(5), vc VARCHAR(50), tx TEXT,
 lt LONGTEXT, bl BLOB, bin_ VARBINARY(10), fixed BINARY(4), dt DATE, dtm DATETIME(6), ts TIMESTAMP(3),
 tm TIME(3), yr YEAR, en ENUM('a','b'), st SET('x','y'), js JSON, bi BIT(10), nothing INT"""
ROW = (
    1, -128, 65535, -8388608, 2**64 - 1, decimal.Decimal("1234567890123456.7891"), 1.5e300, 0.5,
    "ch", "héllo ❄", "t" * 3000, "ü" * 70000, b"\x00\xff\x80'\"", b"ab\x00", b"\xff\x00\x00\x01",
    datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 23, 59, 59, 123456),
    datetime.datetime(2024, 3, 1, 1, 2, 3, 456000), datetime.timedelta(hours=-5, milliseconds=-250),
    2024, "b", "x,y", '{"k": [1, 2]}', b"\x02\x01", None,
)
NAMES = [column.split()[0] for column in re.sub(r"\(.*?\)", "", COLUMNS).split(",")]
MARKS = ", ".join(["%s"] * len(ROW))
LARGE_BYTES = 20 << 20  # more than one packet's 16 MiB
MANY = 5000


def check(what, got, expected):
    if got != expected:
        raise SystemExit(f"{what}: {got!r:.200} instead of {expected!r:.200}")


def refused(what, number, connect, *errors):
    try:
        connect()
    except errors as error:
        check(what, error.args[0], number)
    else:
        raise SystemExit(f"{what}: it got in")


def plain(got, expected):
    """A value as all drivers agree on it."""
    if isinstance(got, set):
        return ",".join(sorted(got))
    if isinstance(got, bytearray):
        got = bytes(got)
    if isinstance(expected, bytes) and isinstance(got, int):
        return got.to_bytes(2, "big")
    if isinstance(expected, str) and isinstance(got, bytes):
        return got.decode()
    return got


def check_row(name, row):
    for at, (got, expected) in enumerate(zip(row, ROW, strict=True)):
        check(f"{name} column {at}", plain(got, expected), expected)


def exchange(name, connection, large_bytes=LARGE_BYTES):
    """Every type there and back, transactions, numbers of rows, errors, a large packet."""
    cursor = connection.cursor()
    cursor.execute("CREATE DATABASE IF NOT EXISTS clients")
    cursor.execute("USE clients")
    cursor.execute("DROP TABLE IF EXISTS types, many")
    cursor.execute(f"CREATE TABLE types ({COLUMNS})")
    cursor.execute(f"INSERT INTO types VALUES ({MARKS})", ROW)
    connection.commit()
    cursor.execute("SELECT * FROM types WHERE id = %s", (1,))
    check_row(name, cursor.fetchone())
    cursor.execute("UPDATE types SET tiny = 5 WHERE id = 1")
    check(f"{name} rows", cursor.rowcount, 1)
    connection.rollback()
    cursor.execute("SELECT tiny FROM types")
    check(f"{name} rollback", cursor.fetchall()[0][0], -128)

    cursor.execute("CREATE TABLE many (id INT PRIMARY KEY AUTO_INCREMENT, n INT NOT NULL)")
    cursor.executemany("INSERT INTO many (n) VALUES (%s)", [(n,) for n in range(MANY)])
    check(f"{name} executemany", cursor.rowcount, MANY)
    cursor.execute("INSERT INTO many (n) VALUES (7)")
    last = cursor.lastrowid
    check(f"{name} lastrowid", last > MANY, True)
    connection.commit()
    try:
        cursor.execute("INSERT INTO many VALUES (%s, 1)", (last,))
        raise SystemExit(f"{name}: a duplicate was taken")
    except Exception as error:  # each driver has a class of its own
        check(f"{name} duplicate", error.args[0], 1062)
    connection.rollback()

    cursor.execute("SELECT %s", (b"\x01" * large_bytes,))
    got = plain(cursor.fetchone()[0], "")
    check(f"{name} large packet", len(got), large_bytes)
    cursor.close()


def one_by_one(name, cursor):
    """Rows that the driver takes from the network as they are asked for."""
    cursor.execute("SELECT id, n FROM clients.many ORDER BY id")
    check(f"{name} one by one", cursor.fetchone()[1], 0)
    check(f"{name} one by one", sum(1 for _ in cursor), MANY)
    cursor.close()


def accounts():
    connection = pymysql.connect(**ADDRESS, user="root")
    with connection.cursor() as cursor:
        cursor.execute("DROP USER IF EXISTS secret, old, tls_only")
        cursor.execute("CREATE USER secret IDENTIFIED BY 'p w'")
        cursor.execute("SELECT VERSION()")
        # MySQL 9 has no old passwords, should it be the server.
        old = not cursor.fetchone()[0].startswith("9.")
        if old:
            cursor.execute("CREATE USER old IDENTIFIED WITH mysql_native_password BY 'pw'")
        cursor.execute("CREATE USER tls_only IDENTIFIED BY 'pw' REQUIRE SSL")
    connection.close()
    return old


def pymysql_client(old):
    connection = pymysql.connect(**ADDRESS, user="root")
    exchange("PyMySQL", connection)
    one_by_one("PyMySQL", connection.cursor(pymysql.cursors.SSCursor))
    connection.close()

    def connect(**options):
        return pymysql.connect(**ADDRESS, **options)

    connect(user="secret", password="p w").close()
    connect(user="secret", password="p w", ssl_disabled=True).close()
    connect(user="tls_only", password="pw", ssl={"ssl": {}}).close()
    if old:
        connect(user="old", password="pw").close()
    errors = pymysql.Error
    refused("PyMySQL", 1045, lambda: connect(user="tls_only", password="pw", ssl_disabled=True), errors)
    refused("PyMySQL", 1045, lambda: connect(user="secret", password="no"), errors)
    refused("PyMySQL", 1049, lambda: connect(user="root", database="nope"), errors)


def mysqlclient():
    def connect(**options):
        return MySQLdb.connect(**ADDRESS, charset="utf8mb4", **options)

    connection = connect(user="root")
    exchange("mysqlclient", connection)
    one_by_one("mysqlclient", connection.cursor(MySQLdb.cursors.SSCursor))
    connection.ping()
    check("mysqlclient", connection.stat().startswith("Uptime:"), True)
    connection.close()
    connect(user="tls_only", password="pw", ssl_mode="REQUIRED").close()
    connect(user="secret", password="p w").close()
    errors = MySQLdb.Error
    refused("mysqlclient", 1045, lambda: connect(user="secret", password="no"), errors)
    refused("mysqlclient", 1049, lambda: connect(user="root", database="nope"), errors)


def connector():
    for pure in (True, False):
        name = f"Connector/Python {'in Python' if pure else 'in C'}"

        def connect(**options):
            return mysql.connector.connect(**ADDRESS, use_pure=pure, **options)

        connection = connect(user="root")
        exchange(name, connection)
        one_by_one(name, connection.cursor(buffered=False))
        cursor = connection.cursor(prepared=True)
        # It misreads some of a prepared statement's types, whatever the server: YEAR,
        # the sign of TIME (in Python), large BIGINT UNSIGNED (in C).
        names = [name for name in NAMES if name not in ("yr", "tm", "big")]
        select = f"SELECT {', '.join(names)} FROM clients.types WHERE id = ?"
        for _ in range(2):
            cursor.execute(select, (1,))
            row = dict(zip(names, cursor.fetchone(), strict=True))
            check_row(f"{name} prepared", [row.get(key, sent) for key, sent in zip(NAMES, ROW)])
        sent = (8, 5, "❄", b"\x00\xff", decimal.Decimal("-1.5000"), ROW[16])
        cursor.execute("INSERT INTO clients.types (id, tiny, vc, bl, dec_, dtm) VALUES (?, ?, ?, ?, ?, ?)", sent)
        cursor.execute("SELECT id, tiny, vc, bl, dec_, dtm FROM clients.types WHERE id = ?", (8,))
        got = tuple(plain(*pair) for pair in zip(cursor.fetchone(), sent))
        check(f"{name} prepared", got, sent)
        cursor.close()
        connection.commit()
        connection.cmd_change_user("secret", "p w")
        connection.cmd_change_user("root", "")
        connection.cmd_reset_connection()
        connection.close()
        connect(user="secret", password="p w").close()
        connect(user="tls_only", password="pw").close()
        errors = mysql.connector.Error
        refused(name, 1045, lambda: connect(user="secret", password="no"), errors)
        refused(name, 1049, lambda: connect(user="root", database="nope"), errors)


class Waiting:
    """An asyncio connection or cursor whose calls wait."""

    def __init__(self, loop, inner):
        self._loop, self._inner = loop, inner

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*args):
            result = found(*args)
            if asyncio.iscoroutine(result) or hasattr(result, "__await__"):
                async def wait():
                    return await result

                result = self._loop.run_until_complete(wait())
            return Waiting(self._loop, result) if name == "cursor" else result

        return call

    def __iter__(self):
        return iter(self.fetchone, None)


def asyncmy_client():
    loop = asyncio.new_event_loop()

    def connect(**options):
        async def go():
            return await asyncmy.connect(**ADDRESS, **options)

        return Waiting(loop, loop.run_until_complete(go()))

    connection = connect(user="root")
    # It loses rows of several packets, whatever the server.
    exchange("asyncmy", connection, 1 << 20)
    one_by_one("asyncmy", connection.cursor(asyncmy.cursors.SSCursor))
    connection.close()
    connect(user="secret", password="p w").close()
    errors = asyncmy.errors.Error
    refused("asyncmy", 1045, lambda: connect(user="secret", password="no"), errors)
    refused("asyncmy", 1049, lambda: connect(user="root", database="nope"), errors)
    loop.close()


pymysql_client(accounts())
mysqlclient()
connector()
asyncmy_client()
print("ok")
