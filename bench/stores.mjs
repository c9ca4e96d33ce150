// The stores beside what they cannot beat: a no-op script, PING and SELECT 1 through the same client.
import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import pg from 'pg'
import { createClient } from 'redis'
import { MemoryStore, PostgresStore, RedisStore } from '../dist/index.js'
import { compare, longestBlocks, median } from './measure.mjs'
import { startPostgres, startRedis } from './servers.mjs'
import { sweepsOf } from './sweeps.mjs'

const WIDE = { capacity: 1_000_000, refill: 60 }
const text = (length) => Buffer.from(randomBytes(length).toString('base64url').slice(0, length)).toString('latin1')
const lines = []
const say = (line = '') => {
  console.log(line)
  lines.push(line)
}
const whole = (number) => Math.round(number).toLocaleString('en')
const goal = (what, isMet) => say(`- goal: ${what}: **${isMet ? 'met' : 'not met'}**`)

/** Challenges that take any number of wrong codes, and acts on them. */
async function acts(store, count = 2_000) {
  const open = (begin, user = text(27)) => {
    const limits = { sends: WIDE, resend: WIDE, failures: WIDE }
    return store.open({ user, repeat: null, begin, lifetime: 600, attempts: 1_000_000_000, ...limits })
  }
  const fresh = () => ({ user: text(27), begin: { id: text(22), short: text(43), long: text(43) } })
  const typed = Array.from({ length: count }, fresh)
  for (const { begin, user } of typed) await open(begin, user)
  const redeem = ({ user, begin }, digest) =>
    store.redeem({ user, id: begin.id, kind: 'short', digest, failures: WIDE })
  let opened = []
  return {
    wrong: { act: (i) => redeem(typed[i % count], typed[i % count].begin.long) },
    right: {
      async before(calls) {
        opened = Array.from({ length: calls }, fresh)
        for (let i = 0; i < calls; i += 50)
          await Promise.all(opened.slice(i, i + 50).map((one) => open(one.begin, one.user)))
      },
      act: (i) => redeem(opened[i], opened[i].begin.short),
    },
    open: {
      before: (calls) => void (opened = Array.from({ length: calls }, fresh)),
      act: (i) => open(opened[i].begin, opened[i].user),
    },
    spend: { act: (i) => store.spend({ user: typed[i % count].user, bucket: 'sends', ...WIDE }) },
  }
}

function table(head, results) {
  say(`| ${head} | calls a second | latency | ratio to the first | quartiles |`)
  say('|---|--:|--:|--:|--:|')
  for (const [name, { rate, ratio, low, high }] of Object.entries(results)) {
    const cells = [
      name,
      whole(rate),
      `${whole(1e6 / rate)} µs`,
      ratio.toFixed(2),
      `${low.toFixed(2)}–${high.toFixed(2)}`,
    ]
    say(`| ${cells.join(' | ')} |`)
  }
  say()
}

async function redis(name, send, slices, isGoal) {
  let sent = 0
  const store = new RedisStore({ send: (...args) => ((sent += 1), send(...args)) })
  const made = await acts(store)
  await made.wrong.act(0) // Redis knows both scripts from here on
  sent = 0
  for (let i = 0; i < 10; i++) await made.wrong.act(i)
  const perRedeem = sent / 10
  made.open.before(10)
  sent = 0
  for (let i = 0; i < 10; i++) await made.open.act(i)
  if (isGoal)
    goal(
      `one round trip per open and per redeem (${sent / 10} and ${perRedeem} counted)`,
      sent === 10 && perRedeem === 1,
    )

  const sha = await send('SCRIPT', 'LOAD', 'return 0')
  const keys = [
    'otp:{abcdefghijklmnopqrstuvwxy01}:challenge:abcdefghijklmnopqrstuv',
    'otp:{abcdefghijklmnopqrstuvwxy01}:bucket:failures',
  ]
  const values = ['short', 'x'.repeat(43), '1000000', '60000']
  const peers = {
    'no-op EVALSHA': { act: () => send('EVALSHA', sha, '0') },
    'no-op EVALSHA, keys and arguments of redeem': { act: () => send('EVALSHA', sha, '2', ...keys, ...values) },
    PING: { act: () => send('PING') },
  }
  const own = { 'redeem, wrong': made.wrong, 'redeem, right': made.right, open: made.open, spend: made.spend }
  say(`### Redis through ${name}`)
  say()
  const wide = await compare({ ...peers, ...own }, { ...slices, inFlight: 64 })
  table('64 in flight', wide)
  const { PING, ...others } = peers
  const narrow = await compare({ PING, ...others, ...own }, { ...slices, calls: slices.calls / 5, inFlight: 1 })
  table('one after the other', narrow)
  if (!isGoal) return
  for (const kind of ['wrong', 'right']) {
    const { ratio } = wide[`redeem, ${kind}`]
    goal(
      `redeem of a ${kind} code ≥ 0.8 × the rate of a no-op EVALSHA at 64 in flight (${ratio.toFixed(2)})`,
      ratio >= 0.8,
    )
    const slower = 1 / narrow[`redeem, ${kind}`].ratio
    goal(`redeem of a ${kind} code ≤ 1.5 × the latency of PING (${slower.toFixed(2)})`, slower <= 1.5)
  }
  say()
}

async function postgres(slices) {
  const server = await startPostgres()
  if (!server) return say('PostgreSQL is not on this machine: no figures.\n')
  const pool = new pg.Pool({ host: '127.0.0.1', port: server.port, user: 'postgres', database: 'postgres', max: 10 })
  pool.on('error', () => undefined)
  await pool.query(PostgresStore.schema)
  const made = await acts(new PostgresStore({ query: (sql, values) => pool.query(sql, values) }), 500)
  const all = {
    'SELECT 1': { act: () => pool.query('SELECT 1') },
    'redeem, wrong': made.wrong,
    'redeem, right': made.right,
  }
  say('### PostgreSQL through pg, fsync off, for information')
  say()
  const calls = slices.calls / 5
  table(
    '64 in flight on 10 connections',
    await compare({ ...all, open: made.open }, { ...slices, calls, inFlight: 64 }),
  )
  table('one after the other', await compare({ ...all, open: made.open }, { ...slices, calls: calls / 5, inFlight: 1 }))
  await pool.end()
  server.stop()
}

async function memory(slices) {
  const made = await acts(new MemoryStore({ maxEntries: 1_000_000 }), 10_000)
  say('### Memory')
  say()
  const calls = slices.calls * 10
  const wide = await compare(
    { 'redeem, wrong': made.wrong, 'redeem, right': made.right, open: made.open },
    { ...slices, calls, inFlight: 64 },
  )
  table('64 in flight', wide)
  for (const kind of ['wrong', 'right']) {
    const { rate } = wide[`redeem, ${kind}`]
    goal(`≥ 300 000 redeems of ${kind} codes a second (${whole(rate)})`, rate >= 300_000)
  }
  const bytes = (way) =>
    Number(execFileSync(process.execPath, ['--expose-gc', new URL('bytes.mjs', import.meta.url).pathname, way]))
  const [opened, settled, plain] = ['opened', 'settled', 'plain'].map(bytes)
  say(
    `- bytes per challenge, 100 000 users with one each: ${opened} with both its buckets at the moment of opening, ${settled} once`,
  )
  say(`  the pause of 30 s is over and its bucket swept; a plain object in a Map, without any bucket: ${plain}`)
  goal(
    `≤ 350 bytes per challenge in memory (${settled}, all it brings along for 570 of its 600 s included)`,
    settled <= 350,
  )

  let now = 0
  const { made: store, sweep } = sweepsOf(() => new MemoryStore({ maxEntries: 1_000_000, now: () => now }))
  const limits = { sends: { capacity: 1, refill: 1 }, resend: { capacity: 1, refill: 1 }, failures: WIDE }
  for (let i = 0; i < 1_000_000; i++) {
    const begin = { id: `${i}`, short: 'x', long: 'x' }
    await store.open({ user: text(27), repeat: null, begin, lifetime: 60, attempts: 5, ...limits })
  }
  const idle = () => sleep(2_000)
  const blocks = []
  blocks.push(await longestBlocks(idle))
  now = 100_000
  blocks.push(await longestBlocks(sweep))
  blocks.push(await longestBlocks(idle))
  const [before, swept, after] = blocks.map(
    ({ longest, tenth }) => `${longest.toFixed(1)} ms (tenth ${tenth.toFixed(1)})`,
  )
  say(
    `- longest time the loop was away while a million challenges and two million buckets were swept: ${swept}; idle before: ${before}; idle after: ${after}`,
  )
  goal('sweeping a million expired challenges never blocks the loop for more than 10 ms', blocks[1].longest <= 10)
  await store.close()
  say()
}

async function bytesInRedis(send, count) {
  const store = new RedisStore({ send })
  await send('FLUSHALL')
  const usedMemory = async () => Number(/used_memory:(\d+)/.exec(String(await send('INFO', 'memory')))[1])
  const before = await usedMemory()
  const limits = { sends: { capacity: 5, refill: 5_760 }, resend: { capacity: 1, refill: 30 }, failures: WIDE }
  for (let i = 0; i < count; i += 100) {
    const open = () => {
      const begin = { id: text(22), short: text(43), long: text(43) }
      return store.open({ user: text(27), repeat: null, begin, lifetime: 600, attempts: 5, ...limits })
    }
    await Promise.all(Array.from({ length: 100 }, open))
  }
  const all = ((await usedMemory()) - before) / count
  const keys = [].concat(await send('KEYS', 'otp:*:challenge:*')).slice(0, 1_000)
  const usage = median(await Promise.all(keys.map(async (key) => Number(await send('MEMORY', 'USAGE', key)))))
  const [key] = keys
  await send('HSET', `${key}-peer`, 'digest', text(43), 'left', '5', 'taken', '0')
  await send('PEXPIRE', `${key}-peer`, '600000')
  const peer = Number(await send('MEMORY', 'USAGE', `${key}-peer`))
  say(
    `- ${whole(count)} live challenges in Redis: MEMORY USAGE ${usage} bytes each (a hash of three fields with a TTL: ${peer}); all that Redis took, with`,
  )
  say(`  both buckets and its own tables: ${whole(all)} bytes each at the moment of opening`)
  goal(`≤ 300 bytes per challenge in Redis (${usage})`, usage <= 300)
  say()
}

export async function measure({ quick }) {
  const slices = quick ? { rounds: 5, calls: 1_000 } : { rounds: 31, calls: 5_000 }
  const server = await startRedis()
  const client = await createClient({ url: `redis://127.0.0.1:${server.port}` }).connect()
  const other = new Redis(server.port, '127.0.0.1')
  const send = (...args) => client.sendCommand(args)
  const version = /redis_version:(\S+)/.exec(String(await send('INFO', 'server')))[1]
  say('# Benchmark of the stores')
  say()
  say(
    `\`npm run bench -- stores\`, ${new Date().toISOString().slice(0, 10)}: ${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, Redis ${version}.`,
  )
  say('Medians of interleaved slices; each ratio is that of one round, and the A/A line says how much is noise.')
  say()
  await redis('node-redis', send, slices, true)
  await redis('ioredis, for information', (command, ...args) => other.call(command, ...args), slices, false)
  await bytesInRedis(send, quick ? 10_000 : 100_000)
  client.destroy()
  other.disconnect()
  server.stop()
  await memory(slices)
  await postgres(slices)
  if (!quick) writeFileSync(new URL('stores.md', import.meta.url), `${lines.join('\n').trimEnd()}\n`)
}
