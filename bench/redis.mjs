// The Redis store beside a no-op script and PING through the same client.
import { RedisStore } from '../dist/index.js'
import { operations, text, UNLIMITED } from './operations.mjs'
import { compare, median } from './measure.mjs'
import { goal, print, table, whole } from './report.mjs'

/** The minimum of a redeem: it reads both of its keys. */
const READS = `
redis.call('HMGET', KEYS[1], 'code', 'left', 'taken')
redis.call('PTTL', KEYS[2])
return {0}
`

export async function redis(name, send, slices) {
  let sent = 0
  const store = new RedisStore({ send: (...args) => ((sent += 1), send(...args)) })
  const made = await operations(store)
  await made.wrong.run(0) // Redis caches the script
  const roundTrips = async (run) => {
    sent = 0
    for (let i = 0; i < 10; i++) await run(i)
    return sent / 10
  }
  const perRedeem = await roundTrips(made.wrong.run)
  made.open.before(10)
  const perOpen = await roundTrips(made.open.run)

  const [noop, reads] = await Promise.all(['return 0', READS].map((script) => send('SCRIPT', 'LOAD', script)))
  const keys = [
    'otp:{abcdefghijklmnopqrstuvwxy01}:challenge:abcdefghijklmnopqrstuv',
    'otp:{abcdefghijklmnopqrstuvwxy01}:bucket:failures',
  ]
  const values = [`short ${'x'.repeat(43)}`, '1000000', '60000']
  const peers = {
    'no-op EVALSHA': { run: () => send('EVALSHA', noop, '0') },
    'no-op with keys and arguments of redeem': { run: () => send('EVALSHA', noop, '2', ...keys, ...values) },
    'the same, both keys read': { run: () => send('EVALSHA', reads, '2', ...keys, ...values) },
    PING: { run: () => send('PING') },
  }
  const own = { 'redeem, wrong': made.wrong, 'redeem, right': made.right, open: made.open, spend: made.spend }
  const reset = async () => {
    await send('FLUSHALL')
    await send('HSET', keys[0], 'code', values[0], 'left', '5', 'taken', '0')
    await made.reopen()
  }
  print(`### Redis through ${name}`)
  print()
  const wide = await compare({ ...peers, ...own }, { ...slices, inFlight: 64, reset })
  table('64 in flight', wide)
  const { PING, ...others } = peers
  const narrow = { ...slices, calls: slices.calls / 5, inFlight: 1, reset }
  const slow = await compare({ PING, ...others, ...own }, narrow)
  table('one after the other', slow)
  goal(`one round trip per open and per redeem (${perOpen} and ${perRedeem} counted)`, perOpen === 1 && perRedeem === 1)
  for (const kind of ['wrong', 'right']) {
    const { ratio } = wide[`redeem, ${kind}`]
    goal(
      `redeem of a ${kind} code ≥ 0.8 × the rate of a no-op EVALSHA at 64 in flight (${ratio.toFixed(2)})`,
      ratio >= 0.8,
    )
    const slower = 1 / slow[`redeem, ${kind}`].ratio
    goal(`redeem of a ${kind} code ≤ 1.5 × the latency of PING (${slower.toFixed(2)})`, slower <= 1.5)
  }
  print()
}

export async function bytesInRedis(send, count) {
  const store = new RedisStore({ send })
  await send('FLUSHALL')
  const usedMemory = async () => Number(/used_memory:(\d+)/.exec(String(await send('INFO', 'memory')))[1])
  const before = await usedMemory()
  const limits = { sends: { capacity: 5, refill: 5_760 }, resend: { capacity: 1, refill: 30 }, failures: UNLIMITED }
  for (let i = 0; i < count; i += 100) {
    const open = () => {
      const fresh = { id: text(22), short: text(43), long: text(43) }
      return store.open({ user: text(27), existing: null, fresh, lifetime: 600, attempts: 5, ...limits })
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
  print(
    `- ${whole(count)} live challenges in Redis: MEMORY USAGE ${usage} bytes each (a hash of three fields with a TTL: ${peer}); all that Redis took, with`,
  )
  print(`  both buckets and its own tables: ${whole(all)} bytes each when opened`)
  goal(`≤ 300 bytes per challenge in Redis (${usage})`, usage <= 300)
  print()
}
