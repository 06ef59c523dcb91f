"""connector-python, in Python and over libmysqlclient: logins, text and binary
results, parameters, attributes, compression, resets, other users."""
import datetime, decimal, os, sys
import mysql.connector
from mysql.connector import errorcode

port, scratch = int(sys.argv[1]), sys.argv[2]


def connect(pure, user="sha", password="secret", **more):
    return mysql.connector.connect(host="127.0.0.1", port=port, user=user, password=password, use_pure=pure, **more)


def run(pure):
    for tls in (False, True):
        for _ in range(2):
            users = [("empty", ""), ("sha", "secret")]
            # Without TLS this client never asks for the RSA key.
            for user, password in users if tls else users[:1]:
                connection = connect(pure, user, password, ssl_disabled=not tls)
                cursor = connection.cursor()
                cursor.execute("who")
                who = cursor.fetchone()[0]
                assert who.startswith(f"{user}|tls={str(tls).lower()}"), who
                connection.close()
        for user, password, using in [("empty", "wrong", "YES"), ("sha", "", "NO")]:
            try:
                connect(pure, user, password, ssl_disabled=not tls)
                raise SystemExit(f"{user} got in with {password}")
            except mysql.connector.Error as e:
                assert e.errno == 1045 and f"(using password: {using})" in e.msg, e

    for compress in (False, True):
        connection = connect(pure, database="here", compress=compress, allow_local_infile=True, autocommit=True)
        cursor = connection.cursor()
        cursor.execute("schema")
        assert cursor.fetchone()[0] == "here"
        connection.ping()
        cursor.execute("types")
        row = dict(zip(cursor.column_names, cursor.fetchone()))
        for name, value in {
            "tiny": -128, "ubig": 2**64 - 1, "big": -(2**63), "double": 1.7976931348623157e308, "float": -1.5,
            "decimal": decimal.Decimal("-12345678901234567890123456789012345.012345678901234567890123456789"),
            "bit": 0x1FF, "year": 2155, "date": datetime.date(2024, 2, 29),
            "datetime": datetime.datetime(2024, 2, 29, 23, 59, 58, 999999),
            "varchar": "snowman ☃ 🎿", "blob": bytes(range(256)), "set": {"a", "c"},
        }.items():
            assert row[name] == value, (name, row[name], value)
        for count in (0, 1, 1000, 100000):
            cursor.execute(f"rows {count}")
            assert len(cursor.fetchall()) == count
        for size in (0, 65536, 2**24 - 4, 2**24, 20 << 20):
            cursor.execute(f"bytes {size}")
            assert len(cursor.fetchone()[0]) == size

        prepared = connection.cursor(prepared=True)
        for _ in range(2):
            values = (1, -(2**63), 1.5, "text ✓", b"\0\xff", None, datetime.datetime(2024, 1, 2, 3, 4, 5, 6))
            prepared.execute("echo " + " ".join(["?"] * len(values)), values)
            got = prepared.fetchone()
            assert got[0] == 1 and got[1] == -(2**63) and got[2] == 1.5 and got[5] is None, got
            assert got[6] == values[6], got
        if not pure:  # In Python it reads a binary YEAR as a string, and loses its place.
            prepared.execute("types")
            row = dict(zip(prepared.column_names, prepared.fetchone()))
            assert row["ubig"] == 2**64 - 1 and row["tiny"] == -128 and row["year"] == 2155, row
            assert row["date"] == datetime.date(2024, 2, 29), row
        prepared.execute("nulls")
        assert set(prepared.fetchone()) == {None}
        prepared.close()

        cursor = connection.cursor()
        path = os.path.join(scratch, "connector.txt")
        with open(path, "w") as f:
            f.write("line\n" * 30000)
        cursor.execute(f"load data local infile '{path}' into table t")
        assert cursor.rowcount == 30000, cursor.rowcount
        for statement, number in (("error", 1146), ("nonsense", 1064)):
            try:
                cursor.execute(statement)
                raise SystemExit(f"{statement} gave no error")
            except mysql.connector.Error as e:
                assert e.errno == number, e
        connection.cmd_reset_connection()
        cursor = connection.cursor()
        cursor.execute("schema")
        assert (cursor.fetchone()[0] or "") == ""
        if not compress:  # Which it does not do with compression.
            connection.cmd_change_user("other", "other", "there")
            cursor = connection.cursor()
            cursor.execute("who")
            assert cursor.fetchone()[0].startswith("other|")
            cursor.close()
        statistics = connection.cmd_statistics()
        assert statistics["Uptime"] == 1, statistics
        connection.close()

    connection = connect(pure)
    cursor = connection.cursor()
    cursor.add_attribute("trace", "abc")
    cursor.execute("attributes")
    assert cursor.fetchone()[0] == "trace=Bytes([97, 98, 99])"
    connection.close()


run(True)
if mysql.connector.HAVE_CEXT:
    run(False)
print("ok", mysql.connector.__version__, "with" if mysql.connector.HAVE_CEXT else "without", "libmysqlclient")
