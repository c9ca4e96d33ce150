// The memory store: rates, bytes, and how long a sweep blocks the event loop.
import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { MemoryStore } from '../dist/index.js'
import { operations, text, UNLIMITED } from './operations.mjs'
import { compare, longestBlocks } from './measure.mjs'
import { goal, print, table, whole } from './report.mjs'
import { sweepsOf } from './sweeps.mjs'

export async function memory(slices) {
  // Opening leaves buckets behind, so it has a store of its own; the others work on 10 000 challenges.
  const { wrong } = await operations(new MemoryStore(), 10_000)
  const { right } = await operations(new MemoryStore({ maxEntries: 1_000_000 }), 10_000)
  const { open } = await operations(new MemoryStore({ maxEntries: 1_000_000 }), 1)
  print('### Memory')
  print()
  const calls = slices.calls * 2
  const results = await compare(
    { 'redeem, wrong': wrong, 'redeem, right': right, open },
    { ...slices, calls, inFlight: 64 },
  )
  table('64 in flight, 10 000 live challenges', results)
  for (const kind of ['wrong', 'right']) {
    const { rate } = results[`redeem, ${kind}`]
    goal(`≥ 300 000 redeems of ${kind} codes a second (${whole(rate)})`, rate >= 300_000)
  }
  const bytes = (what) =>
    Number(execFileSync(process.execPath, ['--expose-gc', new URL('bytes.mjs', import.meta.url).pathname, what]))
  const [alone, opened, settled, plain] = ['alone', 'opened', 'settled', 'plain'].map(bytes)
  print(
    `- bytes per challenge, 100 000 users with one each: ${alone} (a plain object in a Map: ${plain}); with both its buckets`,
  )
  print(`  ${opened} when opened, ${settled} after the resend wait of 30 s, whose bucket is swept`)
  goal(`≤ 350 bytes per challenge in memory (${alone})`, alone <= 350)

  // At its default capacity: 50 000 challenges, and 200 000 buckets.
  let now = 0
  const { made: store, sweep } = sweepsOf(() => new MemoryStore({ now: () => now }))
  const limits = { sends: { capacity: 1, refill: 1 }, resend: { capacity: 1, refill: 1 }, failures: UNLIMITED }
  for (let i = 0; i < 50_000; i++) {
    const fresh = { id: `${i}`, short: 'x', long: 'x' }
    await store.open({ user: text(27), existing: null, fresh, lifetime: 60, attempts: 5, ...limits })
  }
  for (let i = 0; i < 100_000; i++) await store.spend({ user: text(27), bucket: 'mails', capacity: 1, refill: 1 })
  const idle = () => sleep(2_000)
  const blocks = []
  blocks.push(await longestBlocks(idle))
  now = 100_000
  blocks.push(await longestBlocks(sweep))
  blocks.push(await longestBlocks(idle))
  const [before, swept, after] = blocks.map(
    ({ longest, tenth }) => `${longest.toFixed(1)} ms (tenth ${tenth.toFixed(1)})`,
  )
  print(
    `- longest time the loop was blocked while 50 000 challenges and 200 000 buckets were swept: ${swept}; idle before: ${before}; idle after: ${after}`,
  )
  goal('a sweep at the default capacity never blocks the loop for more than 10 ms', blocks[1].longest <= 10)
  await store.close()
  print()
}
