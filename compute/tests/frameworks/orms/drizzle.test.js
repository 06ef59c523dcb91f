// Drizzle, and its kit that reads and changes definitions, against a server.
'use strict';
const assert = require('node:assert');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test, before, after } = require('node:test');
const mysql = require('mysql2/promise');
const { drizzle } = require('drizzle-orm/mysql2');
const m = require('drizzle-orm/mysql-core');
const { eq, gt, sql, desc, count, sum, and, like, inArray, relations } = require('drizzle-orm');
const { fresh } = require('./fresh');

const authors = m.mysqlTable('authors', { id: m.serial('id').primaryKey(), name: m.varchar('name', { length: 40 }).notNull().unique(), born: m.date('born', { mode: 'string' }) });
const books = m.mysqlTable('books', {
  id: m.bigint('id', { mode: 'number' }).primaryKey().autoincrement(), author: m.bigint('author', { mode: 'number', unsigned: true }).references(() => authors.id, { onDelete: 'cascade' }),
  title: m.text('title'), price: m.decimal('price', { precision: 8, scale: 2 }).default('1.50'), facts: m.json('facts'), kind: m.mysqlEnum('kind', ['a', 'b']).default('a'),
  made: m.timestamp('made', { fsp: 3 }).defaultNow(), shown: m.boolean('shown').default(false),
}, (t) => [m.index('by_price').on(t.price, t.kind), m.check('positive', sql`price >= 0`)]);
const authorsRelations = relations(authors, ({ many }) => ({ books: many(books) }));
const booksRelations = relations(books, ({ one }) => ({ author: one(authors, { fields: [books.author], references: [authors.id] }) }));

let pool, db, where;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'drizzle-'));

function kit(...words) {
  return execFileSync(process.env.KIT, words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

before(async () => {
  where = await fresh('orm_drizzle');
  const ddl = await mysql.createConnection(where);
  await ddl.query('CREATE TABLE authors (id SERIAL PRIMARY KEY, name VARCHAR(40) NOT NULL, born DATE, CONSTRAINT authors_name_unique UNIQUE (name))');
  await ddl.query(`CREATE TABLE books (id BIGINT AUTO_INCREMENT PRIMARY KEY, author BIGINT UNSIGNED, title TEXT, price DECIMAL(8,2) DEFAULT '1.50', facts JSON,
    kind ENUM('a', 'b') DEFAULT 'a', made TIMESTAMP(3) NULL DEFAULT (now()), shown BOOLEAN DEFAULT false, INDEX by_price (price, kind), CONSTRAINT positive CHECK (price >= 0),
    CONSTRAINT books_author FOREIGN KEY (author) REFERENCES authors (id) ON DELETE CASCADE)`);
  await ddl.query('CREATE VIEW dear AS SELECT id, price FROM books WHERE price > 2');
  await ddl.end();
  pool = mysql.createPool(where);
  db = drizzle(pool, { schema: { authors, books, authorsRelations, booksRelations }, mode: 'default' });
  const [{ id }] = await db.insert(authors).values([{ name: 'Zoë ❄', born: '1980-02-29' }, { name: 'bob' }]).$returningId();
  await db.insert(books).values([1, 2, 3].map((n) => ({ author: id, title: `t${n}`, price: `${n}.00`, facts: { n }, shown: n > 1 })));
});
after(async () => { await pool.end(); fs.rmSync(folder, { recursive: true }); });

test('types come back', async () => {
  const [book] = await db.select().from(books).where(eq(books.id, 2));
  assert.deepStrictEqual([book.title, book.price, book.facts, book.kind, book.shown, book.made instanceof Date], ['t2', '2.00', { n: 2 }, 'a', true, true]);
});
test('related rows in one query', async () => {
  const rows = await db.query.authors.findMany({ with: { books: { where: gt(books.price, '1.50'), orderBy: desc(books.id), columns: { title: true } } }, orderBy: authors.id });
  assert.deepStrictEqual(rows.map((row) => row.books.map((book) => book.title)), [['t3', 't2'], []]);
});
test('and the other way, with limits', async () => {
  const rows = await db.query.books.findMany({ with: { author: { with: { books: { limit: 1 } } } }, limit: 2, offset: 1, orderBy: books.id });
  assert.deepStrictEqual(rows.map((row) => [row.title, row.author.name, row.author.books.length]), [['t2', 'Zoë ❄', 1], ['t3', 'Zoë ❄', 1]]);
});
test('joins and groups', async () => {
  const rows = await db.select({ name: authors.name, n: count(books.id), s: sum(books.price) }).from(authors).leftJoin(books, eq(books.author, authors.id))
    .groupBy(authors.id).orderBy(authors.id);
  assert.deepStrictEqual(rows, [{ name: 'Zoë ❄', n: 3, s: '6.00' }, { name: 'bob', n: 0, s: null }]);
});
test('common tables, unions, subqueries', async () => {
  const dear = db.$with('d').as(db.select({ id: books.id }).from(books).where(gt(books.price, '1.00')));
  assert.strictEqual((await db.with(dear).select().from(dear)).length, 2);
  const rows = await db.select({ t: books.title }).from(books).union(db.select({ t: authors.name }).from(authors)).orderBy(sql`1`).limit(3);
  assert.strictEqual(rows.length, 3);
  assert.strictEqual((await db.select().from(authors).where(inArray(authors.id, db.select({ a: books.author }).from(books)))).length, 1);
});
test('prepared statements', async () => {
  const prepared = db.select().from(books).where(and(gt(books.price, sql.placeholder('p')), like(books.title, 't%'))).prepare();
  assert.deepStrictEqual([(await prepared.execute({ p: '1.5' })).length, (await prepared.execute({ p: '2.5' })).length], [2, 1]);
});
test('inserts that meet keys', async () => {
  await db.insert(authors).values({ name: 'bob', born: '2000-01-01' }).onDuplicateKeyUpdate({ set: { born: sql`values(born)` } });
  assert.strictEqual((await db.select().from(authors).where(eq(authors.name, 'bob')))[0].born, '2000-01-01');
  await db.insert(authors).ignore().values({ name: 'bob' });
});
test('transactions and savepoints', async () => {
  await assert.rejects(db.transaction(async (tx) => {
    await tx.delete(books);
    await tx.transaction((inner) => inner.insert(authors).values({ name: 'x' }));
    tx.rollback();
  }, { isolationLevel: 'read committed', accessMode: 'read write', withConsistentSnapshot: true }));
  assert.strictEqual(await db.$count(books), 3);
  await db.transaction(async (tx) => { await tx.select().from(books).for('update', { skipLocked: true }); });
});
test('the kit reads definitions', async () => {
  fs.writeFileSync(path.join(folder, 'drizzle.config.json'), JSON.stringify({ dialect: 'mysql', out: './out', schema: './out/schema.ts',
    dbCredentials: { url: `mysql://root@127.0.0.1:${where.port}/${where.database}` } }));
  kit('pull', '--config', 'drizzle.config.json');
  const schema = fs.readFileSync(path.join(folder, 'out', 'schema.ts'), 'utf8');
  for (const one of ['authors', 'books', 'by_price', 'positive', 'dear', "onDelete: \"cascade\"", "mysqlEnum(['a','b'])", 'fsp: 3', 'decimal({ precision: 8, scale: 2 })']) {
    assert.ok(schema.includes(one), `${one} is not in ${schema}`);
  }
});
