// mysql2 and mysql (v2): logins with and without TLS, text and binary results,
// parameters, several statements, LOCAL INFILE, compression, other users.
const assert = require('assert');
const fs = require('fs');
const path = require('path');
const mysql2 = require('mysql2');
const mysql2p = require('mysql2/promise');
const mysql = require('mysql');

const port = Number(process.argv[2]);
const scratch = process.argv[3];
const base = { host: '127.0.0.1', port, user: 'sha', password: 'secret' };

async function fails(promise, errno, text) {
  try { await promise; } catch (e) {
    assert.strictEqual(e.errno, errno, e.message);
    if (text) assert.ok(e.message.includes(text), e.message);
    return;
  }
  assert.fail(`no error ${errno}`);
}

async function withMysql2() {
  for (const ssl of [undefined, { rejectUnauthorized: false }]) {
    for (let round = 0; round < 2; round++) {
      for (const [user, password] of [['sha', 'secret'], ['native', 'secret'], ['empty', ''], ['native_empty', '']]) {
        const c = await mysql2p.createConnection({ ...base, user, password, ssl });
        const [[row]] = await c.query('who');
        assert.ok(row.who.startsWith(`${user}|tls=${!!ssl}`), row.who);
        await c.end();
      }
      await fails(mysql2p.createConnection({ ...base, password: 'wrong', ssl }), 1045, '(using password: YES)');
      await fails(mysql2p.createConnection({ ...base, user: 'native', password: '', ssl }), 1045, '(using password: NO)');
    }
  }
  for (const compress of [false, true]) {
    const c = await mysql2p.createConnection({
      ...base, database: 'here', multipleStatements: true, compress, supportBigNumbers: true, bigNumberStrings: true,
      dateStrings: true,
    });
    for (const call of ['query', 'execute']) {
      const [[row]] = await c[call]('types');
      for (const [name, value] of Object.entries({
        tiny: -128, ushort: 65535, medium: -8388608, umedium: 16777215, uint: 4294967295, float: -1.5,
        double: 1.7976931348623157e308, year: 2155, date: '2024-02-29', varchar: 'snowman ☃ 🎿', set: 'a,c',
        decimal: '-12345678901234567890123456789012345.012345678901234567890123456789',
        time: '-838:59:59.000001', datetime: '2024-02-29 23:59:58.999999',
      })) assert.deepStrictEqual(row[name], value, `${call} ${name}: ${row[name]}`);
      assert.strictEqual(String(row.ubig), '18446744073709551615');
      assert.strictEqual(String(row.big), '-9223372036854775808');
      assert.strictEqual(row.blob.length, 256);
      assert.deepStrictEqual(row.json, { a: [1, null, 'x'] });
      const [[nulls]] = await c[call]('nulls');
      assert.ok(Object.values(nulls).every((v) => v === null));
      for (const count of [0, 1, 1000, 100000]) {
        const [rows] = await c[call](`rows ${count}`);
        assert.strictEqual(rows.length, count);
      }
      for (const size of [0, 65536, 2 ** 24 - 4, 2 ** 24, 20 << 20]) {
        const [[row]] = await c[call](`bytes ${size}`);
        assert.strictEqual(row.value.length, size);
      }
    }
    for (let round = 0; round < 2; round++) {
      const [[row]] = await c.execute({ sql: 'echo ? ? ? ?', rowsAsArray: true }, ['text ✓', 1.5, null, Buffer.from([0, 255])]);
      assert.strictEqual(row[0], 'text ✓');
      assert.strictEqual(row[1], 1.5);
      assert.strictEqual(row[2], null);
    }
    const [results] = await c.query('echo a; affected 7; rows 2');
    assert.strictEqual(results[0][0].value, 'a');
    assert.strictEqual(results[1].affectedRows, 7);
    assert.strictEqual(results[2].length, 2);
    await fails(c.query('error'), 1146);
    await fails(c.query('fail_in_row'), 1317);
    await fails(c.execute('nonsense'), 1064);
    const [loaded] = await c.query({ sql: 'infile x', infileStreamFactory: () => fs.createReadStream(path.join(scratch, 'node.txt')) });
    assert.strictEqual(loaded.affectedRows, 30000);
    await c.ping();
    await c.changeUser({ user: 'other', password: 'other', database: 'there' });
    const [[who]] = await c.query('who');
    assert.ok(who.who.startsWith('other|'), who.who);
    const [[schema]] = await c.query('schema');
    assert.strictEqual(schema.schema, 'there');
    await c.end();
  }
}

async function withMysql() {
  const open = (more) => new Promise((done, failed) => {
    const c = mysql.createConnection({ ...base, user: 'native', ...more });
    c.connect((error) => (error ? failed(error) : done(c)));
  });
  const query = (c, sql) => new Promise((done, failed) => c.query(sql, (e, rows) => (e ? failed(e) : done(rows))));
  for (const ssl of [undefined, { rejectUnauthorized: false }]) {
    const c = await open({ ssl, multipleStatements: true, supportBigNumbers: true, bigNumberStrings: true });
    const [who] = await query(c, 'who');
    assert.ok(who.who.startsWith(`native|tls=${!!ssl}`), who.who);
    const [row] = await query(c, 'types');
    assert.strictEqual(row.tiny, -128);
    assert.strictEqual(row.ubig, '18446744073709551615');
    assert.strictEqual(row.varchar, 'snowman ☃ 🎿');
    assert.strictEqual((await query(c, 'rows 10000')).length, 10000);
    assert.strictEqual((await query(c, `bytes ${2 ** 24}`))[0].value.length, 2 ** 24);
    assert.strictEqual((await query(c, 'echo a; affected 7'))[1].affectedRows, 7);
    await fails(query(c, 'error'), 1146);
    await new Promise((done, failed) => c.changeUser({ user: 'native', password: 'secret' }, (e) => (e ? failed(e) : done())));
    await new Promise((done) => c.end(done));
  }
  (await open({ user: 'native_empty', password: '' })).end();
  await fails(open({ password: 'wrong' }), 1045);
  // It does not know the default plugin, and says so.
  await assert.rejects(open({ user: 'sha' }));
}

(async () => {
  fs.writeFileSync(path.join(scratch, 'node.txt'), 'line\n'.repeat(30000));
  await withMysql2();
  await withMysql();
  console.log('ok', require('mysql2/package.json').version, require('mysql/package.json').version);
})().catch((error) => { console.error(error); process.exit(1); });
