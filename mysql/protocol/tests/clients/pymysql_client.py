"""PyMySQL: every login, text results, types, errors, LOCAL INFILE, the other commands."""
import datetime, decimal, os, sys, tempfile
import pymysql
from pymysql.constants import CLIENT

port, scratch = int(sys.argv[1]), sys.argv[2]


def connect(user="sha", password="secret", **more):
    return pymysql.connect(host="127.0.0.1", port=port, user=user, password=password, **more)


tls = {"ssl": {"check_hostname": False}}
for more in ({"ssl_disabled": True}, {}, tls):
    for _ in range(2):
        for user, password in [("sha", "secret"), ("native", "secret"), ("empty", ""), ("native_empty", "")]:
            connection = connect(user, password, **more)
            cursor = connection.cursor()
            cursor.execute("who")
            who = cursor.fetchone()[0]
            assert who.startswith(user + "|"), who
            if more:
                assert ("tls=true" in who) == (more is tls), who
            connection.close()
        for user, password, using in [("sha", "wrong", "YES"), ("sha", "", "NO"), ("nobody", "x", "YES"), ("native", "wrong", "YES")]:
            try:
                connect(user, password, **more)
                raise SystemExit(f"{user} got in with {password}")
            except pymysql.err.OperationalError as e:
                assert e.args == (1045, f"Access denied for user '{user}'@'127.0.0.1' (using password: {using})"), e.args

try:
    connect(database="missing")
    raise SystemExit("a missing schema was accepted")
except pymysql.err.OperationalError as e:
    assert e.args == (1049, "Unknown database 'missing'"), e.args

connection = connect(database="here", client_flag=CLIENT.MULTI_STATEMENTS, local_infile=True, autocommit=True)
cursor = connection.cursor()
cursor.execute("schema")
assert cursor.fetchone() == ("here",)
connection.select_db("there")
cursor.execute("schema")
assert cursor.fetchone() == ("there",)
connection.ping(reconnect=False)
assert connection.get_server_info().startswith("8.4.") and "-Firn-" in connection.get_server_info()

cursor.execute("types")
row = dict(zip([d[0] for d in cursor.description], cursor.fetchone()))
expected = {
    "tiny": -128, "utiny": 255, "short": -32768, "ushort": 65535, "medium": -8388608, "umedium": 16777215,
    "int": -2147483648, "uint": 4294967295, "big": -(2**63), "ubig": 2**64 - 1,
    "float": -1.5, "double": 1.7976931348623157e308,
    "decimal": decimal.Decimal("-12345678901234567890123456789012345.012345678901234567890123456789"),
    "bit": b"\x01\xff", "year": 2155, "date": datetime.date(2024, 2, 29),
    "time": -datetime.timedelta(hours=838, minutes=59, seconds=59, microseconds=1),
    "datetime": datetime.datetime(2024, 2, 29, 23, 59, 58, 999999),
    "timestamp": datetime.datetime(2024, 2, 29, 1, 2, 3),
    "char": "fixed ✓", "varchar": "snowman ☃ 🎿", "binary": b"\0\x01\x02\xff", "blob": bytes(range(256)),
    "text": "text" * 100, "enum": "medium", "set": "a,c",
}
for name, value in expected.items():
    assert row[name] == value, (name, row[name], value)
cursor.execute("nulls")
assert set(cursor.fetchone()) == {None}

for count in (0, 1, 1000, 100000):
    assert cursor.execute(f"rows {count}") == count
    rows = cursor.fetchall()
    assert len(rows) == count and (count == 0 or rows[-1] == (count - 1, f"row number {count - 1}"))
streaming = connection.cursor(pymysql.cursors.SSCursor)
streaming.execute("rows 1000")
assert streaming.fetchone() == (0, "row number 0")
streaming.close()
for size in (0, 250, 251, 65535, 65536, 2**24 - 4, 2**24, 64 << 20):
    cursor.execute(f"bytes {size}")
    assert cursor.fetchone()[0] == "x" * size
for size in (2**24 - 8, 2**24, 50 << 20):
    cursor.execute("length " + "y" * size)
    assert cursor.fetchone()[0] == str(size)

cursor.execute("echo a; affected 7; rows 2; warn")
assert cursor.fetchall() == (("a",),)
assert cursor.nextset() and cursor.rowcount == 7 and cursor.lastrowid == 8
assert cursor.nextset() and len(cursor.fetchall()) == 2
assert cursor.nextset() and not cursor.nextset()
for statement, number in (("error", 1146), ("fail_in_row", 1317), ("nonsense", 1064)):
    try:
        cursor.execute(statement)
        raise SystemExit(f"{statement} gave no error")
    except pymysql.err.MySQLError as e:
        assert e.args[0] == number, e.args

path = os.path.join(scratch, "pymysql.txt")
with open(path, "w") as f:
    f.write("line\n" * 300000)
assert cursor.execute("infile " + path) == 300000
connection.close()

print("ok", pymysql.__version__)
