// Knex, Sequelize, TypeORM and MariaDB's driver against a server: node_orms.js PORT
// The server has root without a password. Says "ok" at the end, or what went wrong.
'use strict';
const assert = require('node:assert');
const knexOf = require('knex');
const { Sequelize, DataTypes, Op } = require('sequelize');
const { DataSource, EntitySchema } = require('typeorm');
const mariadb = require('mariadb');

const port = Number(process.argv[2]);
const where = { host: '127.0.0.1', port, user: 'root' };

async function fresh(database) {
  const knex = knexOf({ client: 'mysql2', connection: where });
  await knex.raw(`DROP DATABASE IF EXISTS ${database}`);
  await knex.raw(`CREATE DATABASE ${database}`);
  await knex.destroy();
}

async function knexClient() {
  const database = 'clients_knex';
  await fresh(database);
  const knex = knexOf({ client: 'mysql2', connection: { ...where, database } });
  await knex.schema.createTable('users', (table) => {
    table.increments('id');
    table.string('name', 40).notNullable().unique();
    table.enu('role', ['a', 'b']).defaultTo('a');
    table.timestamps(true, true);
  });
  await knex.schema.createTable('posts', (table) => {
    table.bigIncrements('id');
    table.integer('user_id').unsigned().references('users.id').onDelete('CASCADE');
    table.json('facts');
    table.decimal('price', 8, 2);
    table.binary('data');
    table.text('body', 'longtext');
    table.index(['price', 'user_id'], 'by_price');
  });
  await knex.schema.alterTable('posts', (table) => {
    table.boolean('shown').notNullable().defaultTo(false);
    table.dropIndex([], 'by_price');
    table.renameColumn('body', 'content');
  });
  assert.strictEqual(await knex.schema.hasColumn('posts', 'content'), true);
  assert.strictEqual((await knex('posts').columnInfo()).price.type, 'decimal');
  const [id] = await knex('users').insert({ name: 'Zoë ❄' });
  assert.strictEqual(id, 1);
  await knex('posts').insert([1, 2, 3].map((n) => (
    { user_id: id, facts: JSON.stringify({ n }), price: n / 2, data: Buffer.from([0, n]), content: 'c' })));
  const rows = await knex('posts').join('users', 'users.id', 'posts.user_id')
    .where('posts.price', '>', 0.5).orderBy('posts.id', 'desc').select('posts.*', 'users.name');
  assert.deepStrictEqual([rows.length, rows[0].facts, rows[0].price, [...rows[0].data], rows[0].name],
    [2, { n: 3 }, '1.50', [0, 3], 'Zoë ❄']);
  assert.deepStrictEqual(await knex('posts').count({ n: '*' }).sum({ s: 'price' }).first(), { n: 3, s: '3.00' });
  await knex('users').insert({ id, name: 'other' }).onConflict('id').merge();
  await knex('users').insert({ id, name: 'more' }).onConflict('id').ignore();
  assert.strictEqual((await knex('users').first()).name, 'other');
  await assert.rejects(knex.transaction(async (trx) => {
    await trx('posts').del();
    await trx.transaction((inner) => inner('users').insert({ name: 'x' }));
    await trx('users').insert({ name: 'x' });
  }), { errno: 1062 });
  assert.strictEqual((await knex('posts')).length, 3);
  let streamed = 0;
  for await (const _ of knex('posts').stream()) streamed += 1;
  assert.strictEqual(streamed, 3);
  await knex('users').where({ id }).del();
  assert.strictEqual((await knex('posts')).length, 0);
  await knex.schema.dropTable('posts');
  await knex.destroy();
}

async function sequelizeClient() {
  const database = 'clients_sequelize';
  await fresh(database);
  const sequelize = new Sequelize(database, 'root', '', { ...where, dialect: 'mysql', logging: false });
  await sequelize.authenticate();
  const User = sequelize.define('user', {
    name: { type: DataTypes.STRING(40), unique: true },
    facts: DataTypes.JSON,
    price: DataTypes.DECIMAL(10, 2),
    data: DataTypes.BLOB,
    day: DataTypes.DATEONLY,
    kind: DataTypes.ENUM('a', 'b'),
    key: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4 },
  }, { indexes: [{ fields: ['price', 'day'] }] });
  const Post = sequelize.define('post', { title: DataTypes.TEXT });
  User.hasMany(Post, { onDelete: 'CASCADE' });
  Post.belongsTo(User);
  await sequelize.sync({ force: true });
  await sequelize.sync({ alter: true });
  const created = await User.create(
    { name: 'Zoë ❄', facts: { n: 1 }, price: '1.5', data: Buffer.from([0, 255]), day: '2024-02-29', kind: 'b',
      posts: [{ title: 'one' }, { title: 'two' }] }, { include: Post });
  const user = await User.findOne({ where: { name: { [Op.like]: 'Zo%' } }, include: Post });
  assert.deepStrictEqual(
    [user.facts, user.price, [...user.data], user.day, user.kind, user.key, user.posts.length],
    [{ n: 1 }, '1.50', [0, 255], '2024-02-29', 'b', created.key, 2]);
  assert.strictEqual(await User.count({ where: { 'facts.n': 1 } }), 1);
  const found = await Post.findAndCountAll({ limit: 1, order: [['title', 'DESC']] });
  assert.deepStrictEqual([found.count, found.rows[0].title], [2, 'two']);
  await User.bulkCreate([{ name: 'Zoë ❄', price: 2 }, { name: 'b' }], { updateOnDuplicate: ['price'] });
  assert.strictEqual(await User.sum('price'), 2);
  assert.strictEqual((await User.upsert({ name: 'b', kind: 'a' }))[1], false);
  await assert.rejects(User.create({ name: 'b' }), { name: 'SequelizeUniqueConstraintError' });
  await assert.rejects(sequelize.transaction(
    { isolationLevel: Sequelize.Transaction.ISOLATION_LEVELS.SERIALIZABLE }, async (transaction) => {
      await User.update({ price: 5 }, { where: {}, transaction });
      await User.findAll({ lock: true, skipLocked: true, transaction });
      throw new Error('back');
    }), { message: 'back' });
  assert.strictEqual(await User.sum('price'), 2);
  const indexes = await sequelize.getQueryInterface().showIndex('users');
  assert.ok(indexes.some((index) => index.fields.length === 2));
  const described = await sequelize.getQueryInterface().describeTable('users');
  assert.strictEqual(described.price.type, 'DECIMAL(10,2)');
  const keys = await sequelize.getQueryInterface().getForeignKeyReferencesForTable('posts');
  assert.strictEqual(keys[0].referencedTableName, 'users');
  await user.destroy();
  assert.strictEqual(await Post.count(), 0);
  const [bound] = await sequelize.query('SELECT $1 + $2 AS n', { bind: [1, 2] });
  assert.strictEqual(Number(bound[0].n), 3);
  await sequelize.close();
}

async function typeormClient() {
  const database = 'clients_typeorm';
  await fresh(database);
  const Author = new EntitySchema({
    name: 'author',
    columns: {
      id: { type: Number, primary: true, generated: true },
      name: { type: String, length: 40, unique: true },
      born: { type: 'date', nullable: true },
      made: { type: 'datetime', createDate: true },
    },
    relations: { books: { type: 'one-to-many', target: 'book', inverseSide: 'author', cascade: true } },
  });
  const Book = new EntitySchema({
    name: 'book',
    columns: {
      id: { type: 'bigint', primary: true, generated: true },
      title: { type: 'varchar', length: 100, comment: 'as printed' },
      price: { type: 'decimal', precision: 10, scale: 2, default: 1.5 },
      facts: { type: 'json', nullable: true },
      cover: { type: 'longblob', nullable: true },
      kind: { type: 'enum', enum: ['a', 'b'], default: 'a' },
      shown: { type: 'boolean', default: false },
      twice: { type: 'decimal', precision: 11, scale: 2, asExpression: 'price * 2', generatedType: 'STORED' },
    },
    indices: [{ name: 'by_title', columns: ['title', 'price'] }],
    relations: {
      author: { type: 'many-to-one', target: 'author', inverseSide: 'books', onDelete: 'CASCADE' },
      tags: { type: 'many-to-many', target: 'tag', joinTable: true, cascade: true },
    },
  });
  const Tag = new EntitySchema({
    name: 'tag', columns: { id: { type: 'varchar', length: 36, primary: true, generated: 'uuid' }, word: { type: String } },
  });
  const options = { ...where, username: 'root', type: 'mysql', database, entities: [Author, Book, Tag] };
  const source = await new DataSource({ ...options, synchronize: true }).initialize();
  // What it reads of its tables is what it made: there is nothing left to do.
  const left = await source.driver.createSchemaBuilder().log();
  assert.deepStrictEqual(left.upQueries.map(({ query }) => query), []);
  const authors = source.getRepository(Author);
  await authors.save({ name: 'Zoë ❄', born: '1901-12-09', books: [
    { title: 'one', facts: { n: 1 }, cover: Buffer.from([0, 255]), tags: [{ word: 'x' }, { word: 'y' }] }, { title: 'two' }] });
  const found = await authors.findOne({ where: { name: 'Zoë ❄' }, relations: { books: { tags: true } } });
  const one = found.books.find(({ title }) => title === 'one');
  assert.deepStrictEqual([one.price, one.twice, one.facts, [...one.cover], one.tags.length, one.shown],
    ['1.50', '3.00', { n: 1 }, [0, 255], 2, false]);
  const books = source.getRepository(Book);
  const [page, count] = await books.findAndCount({ take: 1, skip: 1, order: { title: 'ASC' }, relations: { author: true } });
  assert.deepStrictEqual([count, page[0].title, page[0].author.name], [2, 'two', 'Zoë ❄']);
  const groups = await books.createQueryBuilder('b').select('b.kind', 'kind').addSelect('COUNT(*)', 'n')
    .groupBy('b.kind').having('COUNT(*) > 1').getRawMany();
  assert.deepStrictEqual(groups, [{ kind: 'a', n: '2' }]);
  await authors.upsert({ name: 'Zoë ❄', born: '1902-01-01' }, ['name']);
  assert.strictEqual((await authors.find())[0].born, '1902-01-01');
  await assert.rejects(authors.insert({ name: 'Zoë ❄' }), { errno: 1062 });
  await assert.rejects(source.transaction('SERIALIZABLE', async (manager) => {
    await manager.createQueryBuilder(Book, 'b').setLock('pessimistic_write').getMany();
    await manager.delete(Book, { kind: 'a' });
    throw new Error('back');
  }), { message: 'back' });
  assert.strictEqual(await books.count(), 2);
  await authors.delete({ name: 'Zoë ❄' });
  assert.strictEqual(await books.count(), 0);
  await source.dropDatabase();
  await source.destroy();
}

async function mariadbClient() {
  const connection = await mariadb.createConnection(where);
  await connection.query('CREATE DATABASE IF NOT EXISTS clients_mariadb');
  await connection.query('USE clients_mariadb');
  await connection.query('DROP TABLE IF EXISTS t');
  await connection.query('CREATE TABLE t (id BIGINT PRIMARY KEY AUTO_INCREMENT, s VARCHAR(20), d DECIMAL(10,2), ' +
    'b VARBINARY(5), j JSON, t DATETIME(3), y YEAR, tm TIME(2), f FLOAT, bi BIT(9))');
  const when = new Date(2024, 1, 29, 12, 30, 15, 250);
  const row = ['❄', '12.34', Buffer.from([0, 255]), '{"a": 1}', when, 2024, '-05:00:00.250000', 0.5, 1];
  const marks = row.map(() => '?').join();
  const sql = `INSERT INTO t (s, d, b, j, t, y, tm, f, bi) VALUES (${marks})`;
  assert.strictEqual((await connection.query(sql, row)).insertId, 1n);
  assert.strictEqual((await connection.execute(sql, row)).insertId, 2n);
  await connection.batch(sql, [row, row, row]);
  for (const how of ['query', 'execute']) {
    for (const got of await connection[how]('SELECT * FROM t WHERE id > ?', [0])) {
      assert.deepStrictEqual([got.s, got.d, [...got.b], got.j, got.y, got.tm.replace(/0000$/, ''), got.f, got.t.getTime(), [...got.bi]],
        ['❄', '12.34', [0, 255], { a: 1 }, 2024, '-05:00:00.25', 0.5, when.getTime(), [0, 1]], how);
    }
  }
  await connection.beginTransaction();
  await connection.query('DELETE FROM t');
  await connection.rollback();
  let streamed = 0;
  for await (const _ of connection.queryStream('SELECT * FROM t')) streamed += 1;
  assert.strictEqual(streamed, 5);
  const big = 'x'.repeat(20 << 20);
  assert.strictEqual((await connection.query({ sql: 'SELECT LENGTH(?) AS n', rowsAsArray: true }, [big]))[0][0], BigInt(big.length));
  await connection.reset();
  await connection.ping();
  await connection.end();
  for (const [errno, options] of [[1045, { password: 'no' }], [1049, { database: 'nope' }]]) {
    const attempt = mariadb.createConnection({ ...where, allowPublicKeyRetrieval: true, ...options });
    await assert.rejects(attempt, { errno });
  }
}

(async () => {
  await knexClient();
  await sequelizeClient();
  await typeormClient();
  await mariadbClient();
  console.log('ok');
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
