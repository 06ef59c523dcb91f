// TypeORM against a server.
'use strict';
const assert = require('node:assert');
const { test, before, after } = require('node:test');
const { DataSource, EntitySchema, In, Like, MoreThan, IsNull, Table, TableColumn, TableIndex, TableForeignKey } = require('typeorm');
const { fresh, where } = require('./fresh');

const Author = new EntitySchema({
  name: 'author',
  columns: {
    id: { type: Number, primary: true, generated: true }, name: { type: String, length: 40, unique: true },
    born: { type: 'date', nullable: true }, made: { type: 'datetime', createDate: true }, version: { type: Number, version: true },
  },
  relations: { books: { type: 'one-to-many', target: 'book', inverseSide: 'author', cascade: true } },
});
const Book = new EntitySchema({
  name: 'book',
  columns: {
    id: { type: 'bigint', primary: true, generated: true }, title: { type: 'varchar', length: 100, comment: 'as printed' },
    price: { type: 'decimal', precision: 10, scale: 2, default: 1.5 }, facts: { type: 'json', nullable: true },
    cover: { type: 'longblob', nullable: true }, kind: { type: 'enum', enum: ['a', 'b'], default: 'a' }, shown: { type: 'boolean', default: false },
    twice: { type: 'decimal', precision: 11, scale: 2, asExpression: 'price * 2', generatedType: 'STORED' },
    words: { type: 'simple-array', nullable: true }, gone: { type: 'datetime', deleteDate: true, nullable: true },
  },
  indices: [{ columns: ['price', 'title'] }],

  relations: {
    author: { type: 'many-to-one', target: 'author', inverseSide: 'books', onDelete: 'CASCADE' },
    tags: { type: 'many-to-many', target: 'tag', joinTable: true, cascade: true },
  },
});
const Tag = new EntitySchema({ name: 'tag', columns: { word: { type: String, length: 20, primary: true } } });

let db;
before(async () => {
  const { database } = await fresh('orm_typeorm');
  db = new DataSource({ type: 'mysql', host: where.host, port: where.port, username: 'root', database, entities: [Author, Book, Tag], synchronize: true });
  await db.initialize();
  await db.getRepository('author').save({ name: 'Zoë ❄', born: '1980-02-29', books: [
    { title: 'one', facts: { n: 1 }, tags: [{ word: 'ice' }], words: ['a', 'b'] }, { title: 'two', price: '3.00', cover: Buffer.from([0, 255]) }] });
  await db.getRepository('author').save({ name: 'bob' });
});
after(() => db.destroy());

test('a second synchronisation finds nothing to do', async () => {
  const { upQueries } = await db.driver.createSchemaBuilder().log();
  assert.deepStrictEqual(upQueries.map((one) => one.query), []);
});
test('types come back', async () => {
  const book = await db.getRepository('book').findOneByOrFail({ title: 'one' });
  assert.deepStrictEqual([book.id, book.price, book.facts, book.kind, book.shown, book.twice, book.words], ['1', '1.50', { n: 1 }, 'a', false, '3.00', ['a', 'b']]);
  assert.deepStrictEqual([...(await db.getRepository('book').findOneBy({ title: 'two' })).cover], [0, 255]);
});
test('relations are loaded', async () => {
  const author = await db.getRepository('author').findOne({ where: { name: Like('Zo%') }, relations: { books: { tags: true } }, order: { books: { id: 'ASC' } } });
  assert.deepStrictEqual(author.books.map((book) => book.tags.map((tag) => tag.word)), [['ice'], []]);
  assert.strictEqual(await db.getRepository('book').countBy({ author: { name: In(['Zoë ❄', 'x']) } }), 2);
});
test('pages over joins', async () => {
  const [rows, count] = await db.getRepository('author').createQueryBuilder('a').leftJoinAndSelect('a.books', 'b').leftJoinAndSelect('b.tags', 't')
    .orderBy('a.name', 'DESC').skip(0).take(1).getManyAndCount();
  assert.deepStrictEqual([rows.length, count, rows[0].books.length], [1, 2, 2]);
});
test('groups and subqueries', async () => {
  const rows = await db.getRepository('author').createQueryBuilder('a').leftJoin('a.books', 'b').select('a.name', 'name').addSelect('COUNT(b.id)', 'n')
    .addSelect('SUM(b.price)', 's').groupBy('a.id').orderBy('n', 'DESC').getRawMany();
  assert.deepStrictEqual(rows.map((row) => ({ ...row })), [{ name: 'Zoë ❄', n: '2', s: '4.50' }, { name: 'bob', n: '0', s: null }]);
  const dear = db.getRepository('book').createQueryBuilder('b').where((q) => `b.price = ${q.subQuery().select('MAX(x.price)').from('book', 'x').getQuery()}`);
  assert.strictEqual((await dear.getOne()).title, 'two');
});
test('inserts that meet keys', async () => {
  await db.getRepository('author').upsert({ name: 'bob', born: '2000-01-01' }, ['name']);
  assert.strictEqual((await db.getRepository('author').findOneBy({ name: 'bob' })).born, '2000-01-01');
  await db.createQueryBuilder().insert().into('author').values({ name: 'bob' }).orIgnore().updateEntity(false).execute();
  await assert.rejects(db.getRepository('author').insert({ name: 'bob' }), { errno: 1062 });
});
test('transactions, locks, savepoints', async () => {
  await assert.rejects(db.transaction('SERIALIZABLE', async (m) => {
    await m.getRepository('book').update({ price: MoreThan(2) }, { title: 'none' });
    await m.transaction((inner) => inner.getRepository('tag').insert({ word: 'x' }));
    throw new Error('back');
  }), { message: 'back' });
  assert.strictEqual(await db.getRepository('tag').countBy({ word: 'x' }), 0);
  await db.transaction(async (m) => {
    await m.getRepository('book').find({ where: { title: 'one' }, lock: { mode: 'pessimistic_write' } });
    const rest = await db.transaction((other) => other.getRepository('book').createQueryBuilder('b').setLock('pessimistic_write').setOnLocked('skip_locked').getMany());
    assert.ok(rest.length < 2);
  });
});
test('soft deletion and restoring', async () => {
  const books = db.getRepository('book');
  await books.softDelete({ title: 'two' });
  assert.deepStrictEqual([await books.count(), await books.count({ withDeleted: true })], [1, 2]);
  await books.restore({ title: 'two' });
  assert.strictEqual(await books.countBy({ gone: IsNull() }), 2);
});
test('definitions are changed and read back', async () => {
  const run = db.createQueryRunner();
  await run.createTable(new Table({ name: 'loose', columns: [{ name: 'id', type: 'int', isPrimary: true, isGenerated: true, generationStrategy: 'increment' },
    { name: 'a', type: 'varchar', length: '20', isNullable: true }] }));
  await run.addColumn('loose', new TableColumn({ name: 'of', type: 'int', isNullable: true }));
  await run.createIndex('loose', new TableIndex({ name: 'by_a', columnNames: ['a'], isUnique: true }));
  await run.createForeignKey('loose', new TableForeignKey({ name: 'to_author', columnNames: ['of'], referencedTableName: 'author', referencedColumnNames: ['id'], onDelete: 'SET NULL' }));
  await run.renameColumn('loose', 'a', 'b');
  const table = await run.getTable('loose');
  assert.deepStrictEqual([table.columns.map((column) => column.name).sort(), table.indices.map((index) => index.isUnique), table.foreignKeys[0].onDelete],
    [['b', 'id', 'of'], [true], 'SET NULL']);
  await run.dropForeignKey('loose', 'to_author');
  await run.renameTable('loose', 'looser');
  await run.dropTable('looser');
  await run.release();
});
test('rows as a stream', async () => {
  const stream = await db.getRepository('book').createQueryBuilder('b').stream();
  let seen = 0;
  for await (const _ of stream) seen += 1;
  assert.strictEqual(seen, 2);
});
test('trees of queries', async () => {
  const rows = await db.createQueryBuilder().addCommonTableExpression('SELECT id, price FROM book WHERE price > 2', 'dear').select('d.id', 'id').from('dear', 'd').getRawMany();
  assert.deepStrictEqual(rows.map((row) => row.id), ['2']);
});
