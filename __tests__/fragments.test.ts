import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import express from 'express'
import session from 'express-session'
import { ANA, HostApp, JSON_CLIENT } from './helpers/host-app.js'
import { PAGES, readPage, runLines } from './helpers/readme.js'
import { emailOtp, MemoryStore, PostgresStore, RedisStore } from '../src/index.js'
import * as workbenchEntry from '../src/workbench/index.js'

/** A block of code in README or docs/, with the comment in front of it. */
interface Block {
  readonly at: string
  readonly language: string
  readonly name: string | null
  readonly code: string
}

/** Commands with their output, settings of other programs, and pictures. */
const NOT_RUN = ['sh', 'text', 'nginx', 'mermaid']

/** A file of a step in docs/templates.md. The tests of that page run it. */
const STEP_FILE = /^\*\*`\S+`\*\*\n\n```[^]*?^```/gm

const BLOCKS: readonly Block[] = PAGES.flatMap((page) => {
  const text = page === 'docs/templates.md' ? readPage(page).replace(STEP_FILE, '') : readPage(page)
  return [...text.matchAll(/^(?:<!-- run: (\S+) -->\n\n)?```(\w+)\n([^]*?)^```/gm)].map(
    ([, name, language = '', code = ''], i) => ({ at: `${page}, block ${i + 1}`, language, name: name ?? null, code }),
  )
}).filter(({ language }) => !NOT_RUN.includes(language))

/** What surrounds a fragment in a host app. */
function surroundings(): Record<string, unknown> {
  const rest = {
    secret: 'a-secret-for-fragments-of-32-characters',
    site: { name: 'Acme' },
    mail: { transport: 'smtp://127.0.0.1:9', from: 'no-reply@acme.example' },
    user: () => null,
  }
  const handler: express.RequestHandler = (_req, _res, next) => {
    next()
  }
  const plugin = { emailOtp, MemoryStore, PostgresStore, RedisStore, otp: emailOtp(rest), rest }
  const client = { sendCommand: () => Promise.resolve(null) }
  const callbacks = { invited: new Set<string>(), findOrCreate: () => Promise.resolve(ANA), readTransfer: () => ({}) }
  const handlers = { account: handler, transfer: handler, login: handler, cors: () => handler }
  return {
    app: express(),
    express,
    session,
    ...plugin,
    ...callbacks,
    ...handlers,
    client,
    cluster: client,
    nodes: [],
    Cluster: Object,
    log: console,
    require: (name: string) => (name === 'express-email-otp/workbench' ? workbenchEntry : null),
  }
}

beforeAll(() => {
  process.env.SESSION_SECRET = 'of the session'
})

test.each(BLOCKS.filter(({ language, name }) => language === 'js' && name === null))(
  'the lines of $at run in a host app',
  ({ code }) => runLines(code, surroundings()),
)

test('a test runs every block that is a whole program or no JavaScript', () => {
  const tests = readdirSync(__dirname, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(path.join(__dirname, file), 'utf8'))
  const isRun = ({ language, name }: Block): boolean =>
    name === null ? ['js', 'json', 'http'].includes(language) : tests.some((text) => text.includes(`'${name}'`))
  expect(BLOCKS.filter((block) => !isRun(block)).map(({ at, name }) => `${at}: ${name ?? 'without a name'}`)).toEqual(
    [],
  )
})

test('the answers in docs/json-api.md have the members of real ones', async () => {
  const host = await HostApp.start()
  const jar = await host.signedIn()
  const refused = await jar.get('/secret').set(JSON_CLIENT).expect(401)
  const sent = await jar.post('/2fa/send').send({ for: refused.body.for }).expect(200)
  const fields = { for: refused.body.for, code: host.mailbox.code }
  const verified = await jar.post('/2fa/verify').send(fields).expect(200)
  await host.close()
  const documented = BLOCKS.filter(({ at, language }) => at.startsWith('docs/json-api.md') && language === 'json')
  const membersOf = (answer: object): string[] => Object.keys(answer).sort()
  expect(documented.map(({ code }) => membersOf(JSON.parse(code) as object))).toEqual(
    [refused, sent, verified].map(({ body }) => membersOf(body as object)),
  )
  const [header] = BLOCKS.filter(({ language }) => language === 'http').map(({ code }) =>
    code.replace(/\s+/g, ' ').trim(),
  )
  expect(`WWW-Authenticate: ${refused.get('WWW-Authenticate') ?? ''}`).toBe(header)
})
