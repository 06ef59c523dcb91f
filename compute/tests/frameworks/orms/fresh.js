// A database made anew for one file of tests.
'use strict';
const mysql = require('mysql2/promise');

const where = { host: '127.0.0.1', port: Number(process.env.PORT), user: 'root' };

async function fresh(database) {
  const connection = await mysql.createConnection(where);
  await connection.query(`DROP DATABASE IF EXISTS ${database}`);
  await connection.query(`CREATE DATABASE ${database}`);
  await connection.end();
  return { ...where, database };
}

module.exports = { fresh, where };
