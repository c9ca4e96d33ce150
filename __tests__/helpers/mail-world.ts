import type { World } from '../../src/cli/doctor/diagnose.js'

/** What the DNS has at a name; `down` is no answer. */
export interface DnsEntry {
  a?: readonly string[]
  aaaa?: readonly string[]
  mx?: readonly string[]
  txt?: readonly string[]
  down?: boolean
}

export type Zone = Readonly<Record<string, DnsEntry>>

const fails = (code: string): Promise<never> => Promise.reject(Object.assign(new Error(`query ${code}`), { code }))

/** A resolver that knows these names and no others. */
export function resolverOf(zone: Zone): World['resolver'] {
  const find = <T>(name: string, pick: (entry: DnsEntry) => readonly T[] | undefined): Promise<T[]> => {
    const entry = zone[name]
    if (!entry) return fails('ENOTFOUND')
    if (entry.down) return fails('ESERVFAIL')
    const found = pick(entry)
    return found ? Promise.resolve([...found]) : fails('ENODATA')
  }
  return {
    resolve4: (name) => find(name, ({ a }) => a),
    resolve6: (name) => find(name, ({ aaaa }) => aaaa),
    resolveMx: (name) => find(name, ({ mx }) => mx?.map((exchange, priority) => ({ exchange, priority }))),
    // Long records come in strings of 255 characters.
    resolveTxt: (name) => find(name, ({ txt }) => txt?.map((text) => text.match(/.{1,255}/gs) ?? [''])),
  }
}

/** A domain with everything in order, whose mail goes out through this machine. */
export const SOUND_ZONE: Zone = {
  'acmecodes.net': { mx: ['mx.acmecodes.net'], txt: ['verification=1', 'v=spf1 mx -all'] },
  'mx.acmecodes.net': { a: ['203.0.113.7'] },
  '_dmarc.acmecodes.net': { txt: ['v=DMARC1; p=reject'] },
}

/** Neither the network nor the real time, except for SMTP on loopback. */
export function worldOf({
  zone = SOUND_ZONE,
  now = Date.now,
  date = null,
  stepTimeoutMs = 10_000,
}: { zone?: Zone; now?: () => number; date?: string | null; stepTimeoutMs?: number } = {}): World {
  return { resolver: resolverOf(zone), now, dateOf: () => Promise.resolve(date), stepTimeoutMs }
}
