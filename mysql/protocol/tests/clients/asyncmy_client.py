"""asyncmy: logins, text results, types, errors, the other commands."""
import asyncio, datetime, decimal, ssl, sys
import asyncmy
from asyncmy import errors
from asyncmy.constants import CLIENT

port = int(sys.argv[1])


async def connect(user="sha", password="secret", **more):
    return await asyncmy.connect(host="127.0.0.1", port=port, user=user, password=password, **more)


async def ask(connection, sql):
    async with connection.cursor() as cursor:
        await cursor.execute(sql)
        return await cursor.fetchall()


async def refused(number, wait):
    try:
        await wait
    except errors.MySQLError as e:
        assert e.args[0] == number, e.args
    else:
        raise SystemExit(f"no error {number}")


async def main():
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    for context in (None, tls):
        for _ in range(2):
            for user, password in [("sha", "secret"), ("native", "secret"), ("empty", ""), ("native_empty", "")]:
                connection = await connect(user, password, ssl=context)
                who = (await ask(connection, "who"))[0][0]
                assert who.startswith(f"{user}|tls={'true' if context else 'false'}"), who
                await connection.ensure_closed()
            for user, password in [("sha", "wrong"), ("native", "wrong"), ("nobody", "x")]:
                await refused(1045, connect(user, password, ssl=context))
    await refused(1049, connect(database="missing"))

    connection = await connect(database="here", client_flag=CLIENT.MULTI_STATEMENTS, autocommit=True)
    assert await ask(connection, "schema") == (("here",),)
    await connection.select_db("there")
    assert await ask(connection, "schema") == (("there",),)
    await connection.ping(reconnect=False)
    async with connection.cursor() as cursor:
        await cursor.execute("types")
        row = dict(zip([d[0] for d in cursor.description], await cursor.fetchone()))
        expected = {
            "tiny": -128, "utiny": 255, "big": -(2**63), "ubig": 2**64 - 1,
            "float": -1.5, "double": 1.7976931348623157e308,
            "decimal": decimal.Decimal("-12345678901234567890123456789012345.012345678901234567890123456789"),
            "bit": b"\x01\xff", "year": 2155, "date": datetime.date(2024, 2, 29),
            "time": -datetime.timedelta(hours=838, minutes=59, seconds=59, microseconds=1),
            "datetime": datetime.datetime(2024, 2, 29, 23, 59, 58, 999999),
            "char": "fixed ✓", "varchar": "snowman ☃ 🎿", "blob": bytes(range(256)), "set": "a,c",
        }
        for name, value in expected.items():
            assert row[name] == value, (name, row[name], value)
        await cursor.execute("nulls")
        assert set(await cursor.fetchone()) == {None}
        for count in (0, 1, 100000):
            assert await cursor.execute(f"rows {count}") == count
            assert len(await cursor.fetchall()) == count
        # Not longer: it loses values in several frames, of a real MySQL, too.
        for size in (0, 251, 65536, 15 << 20):
            await cursor.execute(f"bytes {size}")
            assert await cursor.fetchone() == ("x" * size,)
        await cursor.execute("length " + "y" * (20 << 20))
        assert await cursor.fetchone() == (str(20 << 20),)
        await cursor.execute("echo a; affected 7; rows 2")
        assert await cursor.fetchall() == (("a",),)
        assert await cursor.nextset() and (cursor.rowcount, cursor.lastrowid) == (7, 8)
        assert await cursor.nextset() and len(await cursor.fetchall()) == 2
        assert not await cursor.nextset()
        for statement, number in (("error", 1146), ("fail_in_row", 1317), ("nonsense", 1064)):
            await refused(number, cursor.execute(statement))
    await connection.ensure_closed()


asyncio.run(main())
print("ok")
