// What users of node-postgres do, each step checked; run as `node node.js URL SCHEMA`, with `pg` to be found.

const assert = require('node:assert')
const { Client, Pool, types } = require('pg')

const [url, schema] = process.argv.slice(2)
const options = `-c search_path=${schema}`

async function values(client) {
  await client.query(
    'CREATE TABLE t (id int, name text, price numeric(10,2), at timestamptz, day date, ok boolean, doc jsonb, tags text[],'
    + ' f float8, b bytea, big bigint, nums int[])')
  const at = new Date('2024-02-29T12:30:15.123Z')
  const row = [1, "nä'm", '12.50', at, '2024-02-29', true, { a: [1, null] }, ['x', 'y z', null], 2.5, Buffer.from([0, 255]),
    '9223372036854775807', [1, null, 3]]
  const inserted = await client.query('INSERT INTO t VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12) RETURNING id', row)
  assert.strictEqual(inserted.rows[0].id, 1)
  types.setTypeParser(types.builtins.DATE, text => text)
  const { rows, fields } = await client.query('SELECT * FROM t WHERE id = $1', [1])
  assert.deepStrictEqual(Object.values(rows[0]), row)
  assert.strictEqual(fields[2].dataTypeID, types.builtins.NUMERIC)
}

async function statements(client) {
  for (let run = 0; run < 3; run++) {
    const named = { name: 'by-id', text: 'SELECT name FROM t WHERE id = $1', values: [1], rowMode: 'array' }
    assert.deepStrictEqual((await client.query(named)).rows, [["nä'm"]])
  }
  const several = await client.query('SELECT 1 AS a; SELECT count(*) FROM t; UPDATE t SET ok = false')
  assert.deepStrictEqual(several.map(one => one.command), ['SELECT', 'SELECT', 'UPDATE'])
  assert.strictEqual(several[2].rowCount, 1)
}

async function transactions(client) {
  await client.query('BEGIN')
  await client.query('INSERT INTO t (id) VALUES (2)')
  await assert.rejects(client.query('SELECT nosuch FROM t'), error => error.code === '42703' && error.position === '8')
  await assert.rejects(client.query('SELECT 1'), error => error.code === '25P02')
  await client.query('ROLLBACK')
  assert.strictEqual((await client.query('SELECT count(*)::int AS n FROM t')).rows[0].n, 1)
}

async function pools() {
  const pool = new Pool({ connectionString: url, options, max: 4, statement_timeout: 20000 })
  const sums = await Promise.all(Array.from({ length: 12 }, (_, n) => pool.query('SELECT sum(id) + $1::int AS s FROM t', [n])))
  assert.deepStrictEqual(sums.map(one => Number(one.rows[0].s)), Array.from({ length: 12 }, (_, n) => n + 1))
  await pool.end()
}

async function streams(client) {
  let Cursor
  try { Cursor = require('pg-cursor') } catch { return }
  const cursor = client.query(new Cursor('SELECT g FROM t, generate_series(1, 2500) g'))
  let count = 0
  for (let rows = await cursor.read(400); rows.length; rows = await cursor.read(400)) count += rows.length
  assert.strictEqual(count, 2500)
  await cursor.close()
}

async function notifications(client) {
  const heard = new Promise(resolve => client.once('notification', message => resolve(message.payload)))
  await client.query('LISTEN node_channel')
  await client.query("NOTIFY node_channel, 'hello'")
  assert.strictEqual(await heard, 'hello')
}

async function main() {
  const client = new Client({ connectionString: url, options })
  await client.connect()
  for (const step of [values, statements, transactions, pools, streams, notifications]) await step(client)
  await client.end()
  console.log('passed')
}

main().catch(error => { console.error(error); process.exit(1) })
