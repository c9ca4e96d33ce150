// The Redis store beside a no-op script and PING through the same client.
import { RedisStore } from '../dist/index.js'
import { acts, text, WIDE } from './acts.mjs'
import { compare, median } from './measure.mjs'
import { goal, say, table, whole } from './report.mjs'

/** What no redeem can do without: both of its keys are read. */
const READS = `
redis.call('HMGET', KEYS[1], 'code', 'left', 'taken')
redis.call('PTTL', KEYS[2])
return {0}
`

export async function redis(name, send, slices) {
  let sent = 0
  const store = new RedisStore({ send: (...args) => ((sent += 1), send(...args)) })
  const made = await acts(store)
  await made.wrong.act(0) // Redis knows both scripts from here on
  const trips = async (act) => {
    sent = 0
    for (let i = 0; i < 10; i++) await act(i)
    return sent / 10
  }
  const perRedeem = await trips(made.wrong.act)
  made.open.before(10)
  const perOpen = await trips(made.open.act)

  const [noop, reads] = await Promise.all(['return 0', READS].map((script) => send('SCRIPT', 'LOAD', script)))
  const keys = [
    'otp:{abcdefghijklmnopqrstuvwxy01}:challenge:abcdefghijklmnopqrstuv',
    'otp:{abcdefghijklmnopqrstuvwxy01}:bucket:failures',
  ]
  const values = [`short ${'x'.repeat(43)}`, '1000000', '60000']
  const peers = {
    'no-op EVALSHA': { act: () => send('EVALSHA', noop, '0') },
    'no-op with keys and arguments of redeem': { act: () => send('EVALSHA', noop, '2', ...keys, ...values) },
    'the same, both keys read': { act: () => send('EVALSHA', reads, '2', ...keys, ...values) },
    PING: { act: () => send('PING') },
  }
  const own = { 'redeem, wrong': made.wrong, 'redeem, right': made.right, open: made.open, spend: made.spend }
  const reset = async () => {
    await send('FLUSHALL')
    await send('HSET', keys[0], 'code', values[0], 'left', '5', 'taken', '0')
    await made.again()
  }
  say(`### Redis through ${name}`)
  say()
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
  say()
}

export async function bytesInRedis(send, count) {
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
