// Sequelize against a server.
'use strict';
const assert = require('node:assert');
const { test, before, after } = require('node:test');
const { Sequelize, DataTypes, Op, Transaction } = require('sequelize');
const { fresh, where } = require('./fresh');

let db, Author, Book, Tag;
before(async () => {
  const { database } = await fresh('orm_sequelize');
  db = new Sequelize(database, 'root', '', { ...where, dialect: 'mysql', logging: false });
  Author = db.define('author', { name: { type: DataTypes.STRING(40), unique: true, allowNull: false }, born: DataTypes.DATEONLY });
  Book = db.define('book', {
    title: { type: DataTypes.STRING, comment: 'as printed' }, price: { type: DataTypes.DECIMAL(8, 2), defaultValue: 1.5 },
    facts: DataTypes.JSON, cover: DataTypes.BLOB, kind: DataTypes.ENUM('a', 'b'), key: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4 },
    made: DataTypes.DATE(3), big: DataTypes.BIGINT.UNSIGNED, real: DataTypes.DOUBLE, shown: DataTypes.BOOLEAN, at: DataTypes.TIME,
  }, { paranoid: true, indexes: [{ fields: ['price', { name: 'title', length: 10, order: 'DESC' }] }] });
  Tag = db.define('tag', { word: { type: DataTypes.STRING(20), primaryKey: true } });
  Author.hasMany(Book, { onDelete: 'CASCADE' });
  Book.belongsTo(Author);
  Book.belongsToMany(Tag, { through: 'book_tags' });
  Tag.belongsToMany(Book, { through: 'book_tags' });
  await db.sync({ force: true });
  await Author.create({ name: 'Zoë ❄', born: '1980-02-29', books: [{ title: 'one', facts: { n: 1, deep: { t: 'x' } }, tags: [{ word: 'ice' }] },
    { title: 'two', facts: { n: 2 }, price: 3 }] }, { include: [{ model: Book, include: [Tag] }] });
  await Author.create({ name: 'bob' });
});
after(() => db.close());

test('every type there and back', async () => {
  const made = new Date('2024-02-29T01:02:03.456Z');
  const { id } = await Book.create({ title: 'é🐍', price: '12.34', facts: [1, { a: null }], cover: Buffer.from([0, 255]), kind: 'b', made,
    big: '18446744073709551615', real: 0.1, shown: true, at: '12:34:56' });
  const book = await Book.findByPk(id);
  assert.deepStrictEqual([book.title, book.price, book.facts, [...book.cover], book.kind, book.made.getTime(), String(book.big), book.real, book.shown, book.at],
    ['é🐍', '12.34', [1, { a: null }], [0, 255], 'b', made.getTime(), '18446744073709551615', 0.1, true, '12:34:56']);
  await book.destroy({ force: true });
});
test('tables follow their models', async () => {
  await db.sync({ alter: true });
  await db.sync({ alter: true });
  const columns = await db.getQueryInterface().describeTable('books');
  assert.deepStrictEqual([columns.price.type, columns.title.comment, columns.kind.type, columns.id.primaryKey, columns.id.autoIncrement],
    ['DECIMAL(8,2)', 'as printed', "ENUM('a','b')", true, true]);
});
test('indexes, keys and tables are listed', async () => {
  const q = db.getQueryInterface();
  assert.deepStrictEqual((await q.showIndex('books')).map((index) => [index.name, index.unique]).sort(),
    [['PRIMARY', true], ['authorId', false], ['books_price_title', false]]);
  assert.deepStrictEqual((await q.getForeignKeyReferencesForTable('book_tags')).map((key) => key.referencedTableName).sort(), ['books', 'tags']);
  assert.ok((await q.showAllTables()).includes('books'));
  assert.ok((await q.showAllSchemas()).length > 0);
  assert.strictEqual(typeof await q.databaseVersion(), 'string');
});
test('definitions are changed', async () => {
  const q = db.getQueryInterface();
  await q.createTable('loose', { id: { type: DataTypes.INTEGER, primaryKey: true }, a: DataTypes.STRING });
  await q.addColumn('loose', 'b', { type: DataTypes.INTEGER, allowNull: false, defaultValue: 3, after: 'id' });
  await q.changeColumn('loose', 'a', { type: DataTypes.TEXT });
  await q.renameColumn('loose', 'a', 'c');
  await q.addIndex('loose', ['b'], { unique: true, name: 'ub' });
  await q.removeIndex('loose', 'ub');
  await q.removeColumn('loose', 'b');
  await q.renameTable('loose', 'looser');
  assert.deepStrictEqual(Object.keys(await q.describeTable('looser')), ['id', 'c']);
  await q.dropTable('looser');
});
test('includes, limits, counts', async () => {
  const found = await Author.findAndCountAll({ include: [{ model: Book, include: [Tag], required: true }], limit: 1, distinct: true, order: [['name', 'ASC']] });
  assert.deepStrictEqual([found.count, found.rows[0].books.length, found.rows[0].books.flatMap((book) => book.tags.map((tag) => tag.word))], [1, 2, ['ice']]);
  assert.strictEqual(await Author.count({ include: [{ model: Book, required: false }], distinct: true }), 2);
});
test('groups and functions', async () => {
  const rows = await Book.findAll({ attributes: ['authorId', [db.fn('SUM', db.col('price')), 's'], [db.fn('COUNT', '*'), 'n']], group: ['authorId'],
    having: db.where(db.fn('COUNT', '*'), Op.gt, 1), raw: true });
  assert.deepStrictEqual(rows, [{ authorId: 1, s: '4.50', n: 2 }]);
  assert.strictEqual(await Book.max('price'), 3);
});
test('documents', async () => {
  assert.strictEqual(await Book.count({ where: { 'facts.deep.t': 'x' } }), 1);
  assert.strictEqual(await Book.count({ where: { facts: { n: { [Op.gte]: 2 } } } }), 1);
});
test('operators', async () => {
  assert.strictEqual(await Book.count({ where: { title: { [Op.or]: [{ [Op.like]: 'o%' }, { [Op.regexp]: '^t.o$' }] }, price: { [Op.between]: [1, 3] } } }), 2);
  assert.strictEqual(await Author.count({ where: { born: null, name: { [Op.notIn]: ['x'] } } }), 1);
});
test('bulk inserts that meet keys', async () => {
  await Author.bulkCreate([{ name: 'bob', born: '2001-01-01' }, { name: 'eve' }], { updateOnDuplicate: ['born'] });
  assert.strictEqual((await Author.findOne({ where: { name: 'bob' } })).born, '2001-01-01');
  await Author.bulkCreate([{ name: 'bob' }], { ignoreDuplicates: true });
  assert.strictEqual((await Author.upsert({ name: 'eve', born: '2002-02-02' }))[1], false);
  assert.strictEqual((await Author.findOrCreate({ where: { name: 'eve' } }))[1], false);
  await assert.rejects(Author.create({ name: 'eve' }), { name: 'SequelizeUniqueConstraintError' });
  await assert.rejects(Book.create({ title: 'x', authorId: 99 }), { name: 'SequelizeForeignKeyConstraintError' });
});
test('transactions at every level', async () => {
  for (const isolationLevel of Object.values(Transaction.ISOLATION_LEVELS)) {
    await assert.rejects(db.transaction({ isolationLevel }, async (transaction) => {
      await Book.update({ price: 9 }, { where: {}, transaction });
      await Book.findAll({ lock: transaction.LOCK.UPDATE, skipLocked: true, transaction });
      throw new Error('back');
    }), { message: 'back' });
  }
  assert.strictEqual(await Book.max('price'), 3);
});
test('savepoints', async () => {
  const outer = await db.transaction();
  const inner = await db.transaction({ transaction: outer });
  await Tag.create({ word: 'gone' }, { transaction: inner });
  await inner.rollback();
  await Tag.create({ word: 'kept' }, { transaction: outer });
  await outer.commit();
  assert.deepStrictEqual((await Tag.findAll({ order: ['word'] })).map((tag) => tag.word), ['ice', 'kept']);
});
test('soft deletion, increments, prepared values', async () => {
  const book = await Book.findOne({ where: { title: 'two' } });
  await book.destroy();
  assert.strictEqual(await Book.count(), 1);
  await book.restore();
  await book.increment('price', { by: 2 });
  assert.strictEqual((await book.reload()).price, '5.00');
  const [rows] = await db.query('SELECT $1 AS a, $2 AS b', { bind: ['x', 2] });
  assert.deepStrictEqual([rows[0].a, Number(rows[0].b)], ['x', 2]);
});
