import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import type express from 'express'
import { MemoryStore as Sessions, type SessionData } from 'express-session'
import { Oracle } from './oracle.js'
import { Clock, HostApp, memorySession } from '../helpers/host-app.js'
import { MemoryStore, type OtpRequest, type OtpStore, type OtpUser } from '../../src/index.js'

/** A request that is being handled: whose it is, what shall break in it, and which mailed code it types. */
interface Handling {
  readonly jar: string
  readonly fault: string
  readonly typed: string
}

const handled = new AsyncLocalStorage<Handling>()
const isFaulty = (fault: string): boolean => handled.getStore()?.fault === fault

/** What a request may name in its header X-Fault. */
export const FAULTS = ['store throws', 'store is odd', 'session read', 'session write'] as const

class FaultySessions extends Sessions {
  override get(id: string, done: (error: unknown, session?: SessionData | null) => void): void {
    if (isFaulty('session read')) setImmediate(done, new Error('injected'))
    else super.get(id, done)
  }
  override set(id: string, session: SessionData, done?: (error?: unknown) => void): void {
    if (isFaulty('session write')) setImmediate(() => done?.(new Error('injected')))
    else super.set(id, session, done)
  }
}

function faultyStore(store: OtpStore): OtpStore {
  const broken = <T>(call: () => Promise<T>): Promise<T> => {
    if (isFaulty('store throws')) return Promise.reject(new Error('injected'))
    return isFaulty('store is odd') ? Promise.resolve({ outcome: 'perhaps' } as T) : call()
  }
  return {
    open: (request) => broken(() => store.open(request)),
    redeem: (attempt) => broken(() => store.redeem(attempt)),
    spend: (request) => broken(() => store.spend(request)),
  }
}

export interface FuzzHost {
  readonly host: HostApp
  readonly clock: Clock
  readonly oracle: Oracle
  /** While true, the mail server refuses connections. */
  isMailDown: boolean
  /** How often each guarded handler ran, by purpose. */
  readonly runs: Record<string, number>
  readonly violations: string[]
  close(): Promise<void>
}

function idOf(user: OtpUser | null | undefined): string | null {
  return user ? String(user.id) : null
}

function detailsOf(body: unknown): unknown[] {
  const { amount, payee } = (body ?? {}) as { amount?: unknown; payee?: unknown }
  return [amount ?? null, payee ?? null]
}

/** What a payment is called on page and in the mail: letters, so that no mail program takes it for a code. */
function paymentOf(body: unknown): string {
  const hash = createHash('sha256')
    .update(JSON.stringify(detailsOf(body)))
    .digest('hex')
  return `Pay ${hash.slice(0, 20).replace(/\d/g, (digit) => 'ghijklmnop'.charAt(Number(digit)))}`
}

/** The host app with high limits, long codes, guarded routes of three kinds, and parts that fail on demand. */
export async function startFuzzHost(): Promise<FuzzHost> {
  const oracle = new Oracle()
  const clock = new Clock()
  const memory = new MemoryStore({ now: clock.now })
  const sendMail = (message: Record<string, unknown>): Promise<unknown> => {
    if (fuzz.isMailDown) return Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
    oracle.mails(String(message.text))
    return Promise.resolve({ accepted: [(message.to as { address: string }).address] })
  }
  /** Runs behind a guard. */
  const guarded =
    (purpose: string) =>
    (req: express.Request, res: express.Response): void => {
      const payment = purpose === 'pay' ? paymentOf(req.body) : null
      fuzz.runs[purpose] = (fuzz.runs[purpose] ?? 0) + 1
      const jar = handled.getStore()?.jar ?? ''
      const isRight = oracle.mayPass(jar, idOf(req.session.user), purpose, payment)
      if (!isRight) fuzz.violations.push(`${jar} passed ${purpose} ${payment ?? ''} without a code`)
      res.send('open')
    }
  const host = await HostApp.start({
    session: memorySession({ store: new FaultySessions() }),
    otp: {
      user(req) {
        const user = req.session.user ?? null
        const { jar = '', typed = '' } = handled.getStore() ?? {}
        oracle.types(jar, idOf(user), typed)
        return user
      },
      now: clock.now,
      code: { digits: 12 },
      typedEmail: { accept: (email) => !email.startsWith('no') },
      mail: { transport: { sendMail }, from: 'no-reply@acme.example' },
      store: faultyStore(memory),
      limits: {
        sendsPerUser: { capacity: 1_000, refill: 1 },
        sendsPerIp: { capacity: 1_000, refill: 1 },
        failures: { capacity: 50, refill: 60 },
        resendAfter: 1,
      },
    },
    before(app) {
      app.use((req, res, next) => {
        const {
          'x-jar': jar = '',
          'x-fault': fault = '',
          'x-typed': typed = '',
        } = req.headers as Record<string, string>
        res.once('close', () => {
          if (fault === '' && !res.writableFinished) fuzz.violations.push(`${req.method} ${req.url} was cut off`)
        })
        handled.run({ jar, fault, typed }, next)
      })
    },
    after(app, { requireOtp }) {
      const pay = {
        details: (req: OtpRequest) => detailsOf(req.body),
        describe: (req: OtpRequest) => paymentOf(req.body),
      }
      app.all('/vault', requireOtp(), guarded('access'))
      app.all('/deep', requireOtp({ purpose: 'deep', maxAge: 600 }), guarded('deep'))
      app.post('/pay', requireOtp({ purpose: 'pay', ...pay }), guarded('pay'))
      app.post('/logout', (req, res, next) => {
        req.session.destroy((error: unknown) => {
          if (error) next(error)
          else {
            oracle.forgets(handled.getStore()?.jar ?? '')
            res.send('bye')
          }
        })
      })
    },
  })
  host.otp.events.on('issued', ({ tag, user, purpose }) => {
    oracle.asks(tag ?? '', { jar: handled.getStore()?.jar ?? '', user, purpose })
  })
  const close = async (): Promise<void> => {
    await host.close()
    await memory.close()
  }
  const fuzz: FuzzHost = { host, clock, oracle, isMailDown: false, runs: {}, violations: [], close }
  return fuzz
}
