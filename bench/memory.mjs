// The memory store: rate, bytes, and how long sweeping keeps the event loop.
import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { MemoryStore } from '../dist/index.js'
import { acts, text, WIDE } from './acts.mjs'
import { compare, longestBlocks } from './measure.mjs'
import { goal, say, table, whole } from './report.mjs'
import { sweepsOf } from './sweeps.mjs'

export async function memory(slices) {
  // What is opened leaves its buckets behind: in a store of its own, so that the others work on 10 000 challenges.
  const { wrong } = await acts(new MemoryStore(), 10_000)
  const { right } = await acts(new MemoryStore({ maxEntries: 1_000_000 }), 10_000)
  const { open } = await acts(new MemoryStore({ maxEntries: 1_000_000 }), 1)
  say('### Memory')
  say()
  const calls = slices.calls * 2
  const wide = await compare(
    { 'redeem, wrong': wrong, 'redeem, right': right, open },
    { ...slices, calls, inFlight: 64 },
  )
  table('64 in flight, 10 000 live challenges', wide)
  for (const kind of ['wrong', 'right']) {
    const { rate } = wide[`redeem, ${kind}`]
    goal(`≥ 300 000 redeems of ${kind} codes a second (${whole(rate)})`, rate >= 300_000)
  }
  const bytes = (way) =>
    Number(execFileSync(process.execPath, ['--expose-gc', new URL('bytes.mjs', import.meta.url).pathname, way]))
  const [alone, opened, settled, plain] = ['alone', 'opened', 'settled', 'plain'].map(bytes)
  say(
    `- bytes per challenge, 100 000 users with one each: ${alone} (a plain object in a Map: ${plain}); with both its buckets`,
  )
  say(`  ${opened} at the moment of opening, ${settled} once the pause of 30 s is over and its bucket swept`)
  goal(`≤ 350 bytes per challenge in memory (${alone})`, alone <= 350)

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
