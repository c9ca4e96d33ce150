import { type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import session from 'express-session'
import request from 'supertest'
import { Mailbox } from './mailbox.js'
import { type EmailOtp, emailOtp, type OtpEvent, type OtpOptions, type OtpUser } from '../../src/index.js'

declare module 'express-session' {
  interface SessionData {
    user: OtpUser
    cart: string[]
  }
}

export const SECRET = 'a-secret-for-tests-of-32-characters-or-more'
export const ANA: OtpUser = { id: 'u1', email: 'ana@example.com', name: 'Ana' }
export const BEN: OtpUser = { id: 'u2', email: 'ben@example.com', name: 'Ben' }

/** A clock that moves only when told to. */
export class Clock {
  ms = Date.parse('2030-01-01T14:22:00Z')
  readonly now = (): number => this.ms
  tick(seconds: number): void {
    this.ms += seconds * 1000
  }
}

export interface HostOptions {
  otp?: Partial<OtpOptions>
  /** Express itself: 5 by default. */
  framework?: typeof express
  /** Session middleware instead of express-session with its memory store. */
  session?: express.RequestHandler
  /** Middleware and routes before ours. */
  before?: (app: express.Express) => void
  /** Routes after ours; they may use the guard. */
  after?: (app: express.Express, otp: EmailOtp) => void
  mailbox?: Mailbox
}

/** express-session, by default with its memory store. */
export function memorySession(options: Partial<session.SessionOptions> = {}): express.RequestHandler {
  return session({ secret: 'test', resave: false, saveUninitialized: false, ...options })
}

/** A client with a cookie jar of its own. */
export type Agent = ReturnType<typeof request.agent>

/** The app that all tests share: a login, a guarded page, a guarded action, the router at /2fa, a real SMTP server. */
export class HostApp {
  readonly clock = new Clock()
  readonly events: OtpEvent[] = []
  readonly transfers: unknown[] = []
  readonly app: express.Express
  readonly otp: EmailOtp
  #server: Server | null = null

  private constructor(
    readonly mailbox: Mailbox,
    readonly options: HostOptions,
  ) {
    const { framework = express, otp = {}, before, after } = options
    this.otp = emailOtp({
      secret: SECRET,
      site: { name: 'Acme', origin: 'https://acme.example' },
      mail: { transport: mailbox.url, from: 'Acme <no-reply@acme.example>' },
      user: (req) => req.session.user ?? null,
      now: this.clock.now,
      ...otp,
    })
    for (const type of TYPES) this.otp.events.on(type, (event: OtpEvent) => void this.events.push(event))
    const app = framework()
    this.app = app
    before?.(app)
    app.use(options.session ?? memorySession())
    app.use('/2fa', this.otp.router)
    app.use(express.urlencoded({ extended: true }), express.json())
    app.post('/login', (req, res) => {
      const body = req.body as { user?: OtpUser; cart?: string[] }
      req.session.user = body.user ?? ANA
      if (body.cart) req.session.cart = body.cart
      res.json({ ok: true })
    })
    app.post('/logout', (req, res) => {
      req.session.destroy(() => void res.json({ ok: true }))
    })
    app.post('/remove-user', (req, res) => {
      delete req.session.user
      res.json({ ok: true })
    })
    app.get('/me', (req, res) => {
      res.json({ user: req.session.user ?? null, cart: req.session.cart ?? null })
    })
    app.get('/secret', this.otp.requireOtp(), (_req, res) => void res.send('the secret'))
    app.post(
      '/transfer',
      this.otp.requireOtp({
        purpose: 'transfer',
        maxAge: 300,
        details: (req) => transferOf(req.body),
        describe: (req) => `Send ${transferOf(req.body).amount} EUR to ${transferOf(req.body).payee}`,
      }),
      (req, res) => {
        this.transfers.push(transferOf(req.body))
        res.json({ sent: true })
      },
    )
    after?.(app, this.otp)
  }

  static async start(options: HostOptions = {}): Promise<HostApp> {
    const mailbox = options.mailbox ?? (await new Mailbox().listen())
    const host = new HostApp(mailbox, options)
    await new Promise<void>((resolve) => {
      host.#server = host.app.listen(0, '127.0.0.1', () => {
        resolve()
      })
    })
    return host
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server?.address() as AddressInfo).port}`
  }

  /** A new client with its own cookies. */
  jar(): Agent {
    return request.agent(this.origin)
  }

  /** A new client that has signed in. */
  async signedIn(user: OtpUser = ANA): Promise<Agent> {
    const jar = this.jar()
    await jar.post('/login').send({ user }).expect(200)
    return jar
  }

  /** A JSON client that has asked for a code, and the code. */
  async asked(user: OtpUser = ANA): Promise<{ jar: Agent; code: string }> {
    const jar = await this.signedIn(user)
    const before = this.mailbox.received.length
    await jar.post('/2fa/send').send({}).expect(200)
    await this.mailbox.mails(before + 1) // on a slow machine it may come after the answer
    return { jar, code: this.mailbox.code }
  }

  async close(): Promise<void> {
    await this.otp.close()
    this.#server?.closeAllConnections()
    await new Promise<void>((resolve) => {
      this.#server?.close(() => {
        resolve()
      })
    })
    await this.mailbox.close()
  }
}

/** The headers of a browser that navigates to a page. */
export const NAVIGATE = {
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Site': 'same-origin',
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
}

/** The header of an older browser, which sends no Fetch Metadata. */
export const BROWSER = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

export const JSON_CLIENT = { Accept: 'application/json' }

/** Posts a form as a browser does, and returns the page that it is redirected to: that also shows what went wrong. */
export async function submit(
  jar: Agent,
  url: string,
  fields: object | string,
  headers: Record<string, string> = NAVIGATE,
): Promise<request.Response> {
  const posted = await jar.post(url).set(headers).type('form').send(fields).expect(303)
  return jar.get(posted.get('Location') ?? '').set(headers)
}

/** Posts the right code as a browser does, and returns where the page after it goes on to. */
export async function submitCode(
  jar: Agent,
  fields: object,
  headers: Record<string, string> = NAVIGATE,
): Promise<string> {
  const page = await submit(jar, '/2fa/verify', fields, headers)
  return /^0; url=(.*)$/.exec(page.get('Refresh') ?? '')?.[1] ?? ''
}

const TYPES = [
  'issued',
  'sent',
  'undelivered',
  'verified',
  'rejected',
  'throttled',
  'escalated',
  'refused',
  'breaker',
  'failed',
] as const

function transferOf(body: unknown): { amount: string; payee: string } {
  const { amount, payee } = (body ?? {}) as { amount?: unknown; payee?: unknown }
  return { amount: String(amount), payee: String(payee) }
}

/** The value of a form's hidden field `for` in a page. */
export function sealedIn(html: string): string {
  return /name="for" value="([^"]*)"/.exec(html)?.[1] ?? ''
}
