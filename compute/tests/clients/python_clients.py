"""PyMySQL, Connector/Python and asyncmy against a server: python_clients.py PORT

The server has root without a password. Says "ok" at the end, or what went wrong.
"""
import asyncio
import datetime
import decimal
import sys

import asyncmy
import mysql.connector
import pymysql

PORT = int(sys.argv[1])
COLUMNS = """id INT PRIMARY KEY, tiny TINYINT, big BIGINT UNSIGNED, dec_ DECIMAL(20,4), dbl DOUBLE,
 flt FLOAT, vc VARCHAR(50), tx TEXT, bl BLOB, bin_ VARBINARY(10), dt DATE, dtm DATETIME(6),
 tm TIME(3), yr YEAR, en ENUM('a','b'), st SET('x','y'), js JSON, bi BIT(10)"""
ROW = (
    1, -128, 2**64 - 1, decimal.Decimal("1234567890123456.7891"), 1.5e300, 0.5,
    "héllo ❄", "t" * 3000, b"\x00\xff\x80'\"", b"ab\x00", datetime.date(2024, 2, 29),
    datetime.datetime(2024, 2, 29, 23, 59, 59, 123456), datetime.timedelta(hours=-5, milliseconds=-250),
    2024, "b", "x,y", '{"k": [1, 2]}', b"\x02\x01",
)
MARKS = ", ".join(["%s"] * len(ROW))


def check(what, got, expected):
    if got != expected:
        raise SystemExit(f"{what}: {got!r} instead of {expected!r}")


def refused(what, number, connect, *errors):
    try:
        connect()
    except errors as error:
        check(what, error.args[0], number)
    else:
        raise SystemExit(f"{what}: it got in")


def set_text(value):
    return ",".join(sorted(value)) if isinstance(value, set) else value


def exchange(name, connection):
    cursor = connection.cursor()
    cursor.execute("CREATE DATABASE IF NOT EXISTS clients")
    cursor.execute("USE clients")
    cursor.execute("DROP TABLE IF EXISTS types")
    cursor.execute(f"CREATE TABLE types ({COLUMNS})")
    cursor.execute(f"INSERT INTO types VALUES ({MARKS})", ROW)
    connection.commit()
    cursor.execute("SELECT * FROM types WHERE id = %s", (1,))
    row = list(cursor.fetchone())
    for at, (got, expected) in enumerate(zip(row, ROW)):
        got = set_text(got)
        if isinstance(got, bytearray):
            got = bytes(got)
        if isinstance(expected, bytes) and isinstance(got, int):
            got = got.to_bytes(2, "big")
        check(f"{name} column {at}", got, expected)
    cursor.execute("UPDATE types SET tiny = 5 WHERE id = 1")
    check(f"{name} rows", cursor.rowcount, 1)
    connection.rollback()
    cursor.execute("SELECT tiny FROM types")
    check(f"{name} rollback", cursor.fetchall()[0][0], -128)
    cursor.close()


def pymysql_client():
    connection = pymysql.connect(host="127.0.0.1", port=PORT, user="root")
    exchange("PyMySQL", connection)
    with connection.cursor() as cursor:
        cursor.execute("DROP USER IF EXISTS secret, old")
        cursor.execute("CREATE USER secret IDENTIFIED BY 'p w'")
        cursor.execute("CREATE USER old IDENTIFIED WITH mysql_native_password BY 'pw'")
    connection.close()

    def connect(**options):
        return pymysql.connect(host="127.0.0.1", port=PORT, **options)

    connect(user="secret", password="p w").close()
    connect(user="secret", password="p w", ssl_disabled=True).close()
    connect(user="old", password="pw").close()
    refused("PyMySQL", 1045, lambda: connect(user="secret", password="no"), pymysql.Error)
    refused("PyMySQL", 1049, lambda: connect(user="root", database="nope"), pymysql.Error)


def connector():
    for pure in (True, False):
        def connect(**options):
            return mysql.connector.connect(host="127.0.0.1", port=PORT, use_pure=pure, **options)

        try:
            connection = connect(user="root")
        except ImportError:
            continue
        exchange(f"Connector/Python pure={pure}", connection)
        cursor = connection.cursor(prepared=True)
        cursor.execute("SELECT vc, dec_, dtm FROM clients.types WHERE id = ?", (1,))
        check("Connector/Python prepared", tuple(cursor.fetchone()), (ROW[6], ROW[3], ROW[11]))
        cursor.close()
        connection.close()
        connect(user="secret", password="p w").close()
        errors = mysql.connector.Error
        refused("Connector/Python", 1045, lambda: connect(user="secret", password="no"), errors)
        refused("Connector/Python", 1049, lambda: connect(user="root", database="nope"), errors)


async def asyncmy_client():
    connection = await asyncmy.connect(host="127.0.0.1", port=PORT, user="root")
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT vc, dec_, dtm FROM clients.types WHERE id = %s", (1,))
        check("asyncmy", tuple(await cursor.fetchone()), (ROW[6], ROW[3], ROW[11]))
    connection.close()


pymysql_client()
connector()
asyncio.run(asyncmy_client())
print("ok")
