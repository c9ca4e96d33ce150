// Bytes per live challenge of the memory store, after garbage collection: node --expose-gc bytes.mjs <what>
// Each `what` needs a process of its own, without leftovers of another one.
import { MemoryStore } from '../dist/index.js'
import { text } from './operations.mjs'
import { sweepsOf } from './sweeps.mjs'

const COUNT = 100_000
const used = () => {
  for (let i = 0; i < 4; i++) globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

let now = 1_800_000_000_000
async function fill(store, sends = { capacity: 5, refill: 5_760 }, resend = { capacity: 1, refill: 30 }) {
  for (let i = 0; i < COUNT; i++) {
    const fresh = { id: text(22), short: text(43), long: text(43) }
    const limits = { sends, resend, failures: { capacity: 10, refill: 432_000 } }
    await store.open({ user: text(27), existing: null, fresh, lifetime: 600, attempts: 5, ...limits })
  }
}

const WAYS = {
  /** A challenge with its buckets `sends` and `resend`, when it is opened. */
  async opened(store) {
    await fill(store)
  },
  /** The same after the resend wait, whose bucket is swept: its size for 570 of 600 seconds. */
  async settled(store) {
    await fill(store)
    now += 31_000
    await sweep()
  },
  /** The challenge without its buckets, which are full and swept. */
  async alone(store) {
    const quick = { capacity: 1, refill: 1 }
    await fill(store, quick, quick)
    now += 2_000
    await sweep()
  },
  /** For comparison: a plain object in a Map. */
  async plain() {
    const map = new Map()
    for (let i = 0; i < COUNT; i++) {
      map.set(text(50), { kind: 'short', digest: text(43), attemptsLeft: 5, taken: 0, expires: now + i })
    }
    return map
  },
}

const way = process.argv[2] ?? 'opened'
const { made: store, sweep } = sweepsOf(() => new MemoryStore({ maxEntries: 2 * COUNT, now: () => now }))
const before = used()
const kept = await WAYS[way](store)
console.log(Math.round((used() - before) / COUNT))
void kept
await store.close()
