// mysql2 and mysql against a server: node_clients.js PORT
// The server has root without a password. Says "ok" at the end, or what went wrong.
'use strict';
const assert = require('node:assert');
const mysql2 = require('mysql2/promise');
const mysql = require('mysql');

const port = Number(process.argv[2]);

async function refused(code, options) {
  try {
    const connection = await mysql2.createConnection({ host: '127.0.0.1', port, ...options });
    await connection.end();
  } catch (error) {
    assert.strictEqual(error.errno, code);
    return;
  }
  assert.fail(`${code}: it got in`);
}

async function modern() {
  const connection = await mysql2.createConnection({ host: '127.0.0.1', port, user: 'root' });
  await connection.query('CREATE DATABASE IF NOT EXISTS clients');
  await connection.query('USE clients');
  await connection.query('DROP TABLE IF EXISTS node');
  await connection.query(
    'CREATE TABLE node (id INT PRIMARY KEY AUTO_INCREMENT, s VARCHAR(20), d DECIMAL(10,2), ' +
      'b VARBINARY(5), j JSON, t DATETIME(3), big BIGINT)');
  const when = new Date(2024, 1, 29, 12, 30, 15, 250);
  const values = ['❄', '12.34', Buffer.from([0, 255]), JSON.stringify({ a: 1 }), when, 7];
  const [done] = await connection.execute(
    'INSERT INTO node (s, d, b, j, t, big) VALUES (?, ?, ?, ?, ?, ?)', values);
  assert.strictEqual(done.insertId, 1);
  for (const how of ['query', 'execute']) {
    const [[row]] = await connection[how]('SELECT * FROM node WHERE id = ?', [1]);
    assert.deepStrictEqual([row.s, row.d, row.j, row.big], ['❄', '12.34', { a: 1 }, 7], how);
    assert.deepStrictEqual([...row.b], [0, 255]);
    assert.strictEqual(row.t.getTime(), when.getTime());
  }
  await connection.query('DROP USER IF EXISTS noded, noded_old');
  await connection.query("CREATE USER noded IDENTIFIED BY 'pw'");
  await connection.query("CREATE USER noded_old IDENTIFIED WITH mysql_native_password BY 'pw'");
  await connection.end();
  for (const ssl of [undefined, { rejectUnauthorized: false }]) {
    const options = { host: '127.0.0.1', port, user: 'noded', password: 'pw', ssl };
    const other = await mysql2.createConnection(options);
    const [[row]] = await other.query('SELECT CURRENT_USER() AS who');
    assert.strictEqual(row.who, 'noded@%');
    await other.end();
  }
  await refused(1045, { user: 'noded', password: 'no' });
  await refused(1049, { user: 'root', database: 'nope' });
}

function classic() {
  return new Promise((resolve, reject) => {
    const connection = mysql.createConnection({
      host: '127.0.0.1', port, user: 'noded_old', password: 'pw',
    });
    connection.query('SELECT 1 + ? AS two', [1], (error, rows) => {
      if (error) return reject(error);
      assert.strictEqual(rows[0].two, 2);
      connection.end(resolve);
    });
  });
}

modern().then(classic).then(() => console.log('ok')).catch((error) => {
  console.error(error);
  process.exit(1);
});
