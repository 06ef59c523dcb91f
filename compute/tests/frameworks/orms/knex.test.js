// Knex against a server.
'use strict';
const assert = require('node:assert');
const { test, before, after } = require('node:test');
const knexOf = require('knex');
const { fresh } = require('./fresh');

let knex;
before(async () => {
  knex = knexOf({ client: 'mysql2', connection: await fresh('orm_knex') });
  await knex.schema.createTable('authors', (t) => {
    t.increments('id');
    t.string('name', 40).notNullable().unique().comment('as printed');
    t.date('born');
  });
  await knex.schema.createTable('books', (t) => {
    t.bigIncrements('id');
    t.integer('author').unsigned().references('authors.id').onDelete('CASCADE');
    t.string('title');
    t.decimal('price', 8, 2).defaultTo(1.5);
    t.json('facts');
    t.enu('kind', ['a', 'b']).defaultTo('a');
    t.index(['price', 'title'], 'by_price');
    t.timestamps(true, true);
  });
  await knex('authors').insert([{ name: 'Zoë ❄', born: '1980-02-29' }, { name: 'bob' }]);
  await knex('books').insert([1, 2, 3, 4].map((n) => (
    { author: n % 2 + 1, title: `t${n}`, price: n, facts: JSON.stringify({ n, tags: ['x', `y${n}`] }) })));
});
after(() => knex.destroy());

test('columns are read back', async () => {
  const info = await knex('books').columnInfo();
  assert.deepStrictEqual(info.price, { defaultValue: '1.50', type: 'decimal', maxLength: null, nullable: true });
  assert.strictEqual(await knex.schema.hasTable('books'), true);
  assert.strictEqual(await knex.schema.hasTable('none'), false);
  assert.strictEqual(await knex.schema.hasColumn('books', 'kind'), true);
});
test('tables are altered', async () => {
  await knex.schema.createTable('plain', (t) => { t.integer('a'); t.string('b', 10); });
  await knex('plain').insert({ a: 1, b: 'x' });
  await knex.schema.alterTable('plain', (t) => {
    t.renameColumn('b', 'c');
    t.bigInteger('a').notNullable().alter();
    t.uuid('key');
    t.unique(['a', 'c'], { indexName: 'both' });
  });
  await knex.schema.alterTable('plain', (t) => { t.dropUnique(['a', 'c'], 'both'); t.dropColumn('key'); t.primary(['a']); });
  assert.deepStrictEqual({ ...(await knex('plain').first()) }, { a: 1, c: 'x' });
  await knex.schema.renameTable('plain', 'plainer');
  await knex.schema.dropTable('plainer');
});
test('foreign keys are added and dropped', async () => {
  await knex.schema.createTable('kids', (t) => { t.integer('of').unsigned(); });
  await knex.schema.alterTable('kids', (t) => { t.foreign('of').references('authors.id').onUpdate('CASCADE'); });
  await assert.rejects(knex('kids').insert({ of: 99 }), { errno: 1452 });
  await knex.schema.alterTable('kids', (t) => { t.dropForeign('of'); });
  await knex('kids').insert({ of: 99 });
  await knex.schema.dropTable('kids');
});
test('views', async () => {
  await knex.schema.createView('dear', (v) => { v.columns(['id', 'p']); v.as(knex('books').select('id', 'price').where('price', '>', 2)); });
  assert.strictEqual((await knex('dear')).length, 2);
  await knex.schema.createViewOrReplace('dear', (v) => { v.columns(['id']); v.as(knex('books').select('id')); });
  assert.strictEqual((await knex('dear')).length, 4);
  await knex.schema.dropView('dear');
});
test('migrations run, and back', async () => {
  const names = ['one', 'two'];
  const migrationSource = {
    getMigrations: async () => names,
    getMigrationName: (name) => name,
    getMigration: async (name) => ({
      up: (k) => k.schema.createTable(`m_${name}`, (t) => t.increments()),
      down: (k) => k.schema.dropTable(`m_${name}`),
    }),
  };
  assert.deepStrictEqual((await knex.migrate.latest({ migrationSource }))[1], names);
  assert.deepStrictEqual((await knex.migrate.list({ migrationSource }))[1], []);
  await knex.migrate.rollback({ migrationSource }, true);
  assert.strictEqual(await knex.schema.hasTable('m_one'), false);
});
test('joins, groups and windows', async () => {
  const rows = await knex('books as b').leftJoin('authors as a', 'a.id', 'b.author').groupBy('a.name').orderBy('n', 'desc')
    .orderBy('a.name').select('a.name').count({ n: '*' }).sum({ s: 'b.price' }).having('n', '>', 1);
  assert.deepStrictEqual(rows.map((row) => ({ ...row })), [{ name: 'bob', n: 2, s: '4.00' }, { name: 'Zoë ❄', n: 2, s: '6.00' }]);
  const ranked = await knex('books').select('id').rank('r', 'price', 'author').rowNumber('w', (w) => w.orderBy('id', 'desc')).orderBy('id');
  assert.deepStrictEqual(ranked.map((row) => [row.r, row.w]), [[1, 4], [1, 3], [2, 2], [2, 1]]);
});
test('common tables, unions, subqueries', async () => {
  const rows = await knex.withRecursive('n', ['i'], knex('authors').select(knex.raw('1')).where('id', 1).unionAll(knex('n').select(knex.raw('i + 1')).where('i', '<', 4)))
    .select('*').from('n').whereIn('i', knex('books').select('id').where('price', '>=', 3)).union([knex.select(knex.raw('9'))]).orderBy('i');
  assert.deepStrictEqual(rows.map((row) => row.i), [3, 4, 9]);
  assert.strictEqual((await knex('authors as a').whereExists(knex('books').whereRaw('author = a.id').where('price', 4))).length, 1);
});
test('documents', async () => {
  const rows = await knex('books').jsonExtract('facts', '$.tags[1]', 'tag').whereJsonPath('facts', '$.n', '>', 2).orderBy('id');
  assert.deepStrictEqual(rows.map((row) => row.tag), ['y3', 'y4']);
  assert.strictEqual((await knex('books').whereJsonObject('facts', { n: 1, tags: ['x', 'y1'] })).length, 1);
  assert.strictEqual((await knex('books').whereJsonSupersetOf('facts', { n: 2 })).length, 1);
  await knex('books').where('id', 1).update({ facts: knex.jsonSet('facts', '$.n', 7) });
  assert.strictEqual((await knex('books').first('facts')).facts.n, 7);
});
test('inserts that meet keys', async () => {
  await knex('authors').insert({ name: 'bob', born: '2000-01-01' }).onConflict('name').merge(['born']);
  await knex('authors').insert({ name: 'bob', born: null }).onConflict('name').ignore();
  assert.strictEqual((await knex('authors').where('name', 'bob').select(knex.raw('cast(born as char) b')))[0].b, '2000-01-01');
  await assert.rejects(knex('authors').insert({ name: 'bob' }), { errno: 1062 });
});
test('transactions, savepoints, locks', async () => {
  await assert.rejects(knex.transaction(async (trx) => {
    await trx('books').del();
    await trx.transaction((inner) => inner('authors').insert({ name: 'x' }));
    throw new Error('back');
  }), { message: 'back' });
  assert.strictEqual((await knex('books')).length, 4);
  await knex.transaction(async (trx) => {
    await trx('books').where('id', 1).forUpdate();
    assert.deepStrictEqual((await knex('books').forUpdate().skipLocked().orderBy('id').select('id')).map((row) => row.id), [2, 3, 4]);
    await assert.rejects(knex('books').where('id', 1).forUpdate().noWait(), { errno: 3572 });
  }, { isolationLevel: 'read committed' });
});
test('changes with limits and increments', async () => {
  assert.strictEqual(await knex('books').where('id', '>', 2).orderBy('id').limit(1).update({ kind: 'b' }), 1);
  await knex('books').increment({ price: 1.25 });
  assert.strictEqual((await knex('books').where('id', 3).first()).price, '4.25');
  assert.strictEqual((await knex('books').where('kind', 'b')).length, 1);
});
test('rows as a stream', async () => {
  let seen = 0;
  for await (const _ of knex('books').stream()) seen += 1;
  assert.strictEqual(seen, 4);
});
