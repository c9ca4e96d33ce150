import { inspect } from 'node:util'
import { HostApp, JSON_CLIENT, NAVIGATE } from '../helpers/host-app.js'
import { freePort } from '../helpers/server-process.js'
import { isSilent, ScriptedSmtp, type SmtpScript } from '../helpers/smtp-script.js'
import type { OtpEvent, OtpOptions, SmtpOptions } from '../../src/index.js'

const ADDRESS = 'wolfhart.quill@example.com'
const WOLFHART = { id: 'w1', email: ADDRESS }
/** So long that they stand nowhere by chance: ids in events are hexadecimal. */
const NUMBERS = ['47114711471147114711', '08150815081508150815']
const WORDS = `<${ADDRESS}> ${NUMBERS.join(' ')}` // what servers like to repeat
const LOGIN = { auth: { user: 'acme', pass: 'hunter2hunter2' }, tls: { rejectUnauthorized: false } }
/** Another name for loopback, so that the server is reached but does not count as this machine: TLS is required. */
const ELSEWHERE: SmtpOptions = { host: '0.0.0.0', ...LOGIN }

type Undelivered = Extract<OtpEvent, { type: 'undelivered' }>

interface Row {
  readonly script: SmtpScript | 'refused'
  readonly options?: SmtpOptions
  /** What the event says. */
  readonly kind: Undelivered['failureClass']
  /** Seconds until another try is due at the latest; null when there is none. */
  readonly again: number | null
  /** What a known user is answer: by status and code, and on the page. */
  readonly answer: 'queued' | 'mail_unavailable' | 'mail_refused'
  readonly page: string
}

const TRYING = 'has not gone out yet. We keep trying for a few minutes'
const LOST = 'did not go out. Send it again.'
const NOBODY = 'does not accept mail for this address'
const passes = (script: Row['script'], kind: Row['kind'], more: Partial<Row> = {}): Row => ({
  ...{ script, kind, again: 3, answer: 'queued', page: TRYING },
  ...more,
})
const stays = (script: SmtpScript, kind: Row['kind'], more: Partial<Row> = {}): Row => ({
  ...{ script, kind, again: null, answer: 'mail_unavailable', page: LOST },
  ...more,
})

const ROWS = {
  'refuses the connection': passes('refused', 'connect'),
  'never greets': passes({ greeting: 'hang' }, 'connect'),
  'closes at the greeting': passes({ greeting: 'close' }, 'connect'),
  'greets with 421': passes({ greeting: '421 4.3.2 not now' }, 'connect'),
  'greets with 554': stays({ greeting: '554 5.7.1 blocked' }, 'blocked'),
  'is no mail server': passes({ greeting: 'HTTP/1.1 400 Bad Request' }, 'connect'),
  'lacks STARTTLS': stays({ ehlo: '250 scripted.example' }, 'tls', { options: ELSEWHERE }),
  'refuses STARTTLS': stays({ starttls: '502 5.5.1 what' }, 'tls', { options: ELSEWHERE }),
  'refuses STARTTLS for now': passes({ starttls: '454 4.7.0 later' }, 'tls', { options: ELSEWHERE }),
  'has its STARTTLS stripped on the way': stays({ auth: '235 2.7.0 ok' }, 'tls', { options: ELSEWHERE }),
  'offers no login': stays({ starttls: 'upgrade' }, 'auth', { options: ELSEWHERE }),
  'refuses the password': stays({ starttls: 'upgrade', auth: '535 5.7.8 bad' }, 'auth', { options: ELSEWHERE }),
  'cannot look at the password': passes({ starttls: 'upgrade', auth: '454 4.7.0 later' }, 'auth', {
    options: ELSEWHERE,
  }),
  'wants a login': stays({ mail: '530 5.7.0 log in' }, 'auth'),
  'refuses the sender': stays({ mail: '550 5.7.60 not you' }, 'sender'),
  'knows no such mailbox': stays({ rcpt: `550 5.1.1 ${WORDS}` }, 'recipient', { answer: 'mail_refused', page: NOBODY }),
  'wants to be asked again': passes({ rcpt: `451 4.7.1 ${WORDS}` }, 'greylist'),
  'finds the mailbox full for now': passes({ rcpt: `452 4.2.2 ${WORDS}` }, 'mailbox-full', {
    page: 'is full at the moment. We keep trying',
  }),
  'finds the mailbox full': stays({ rcpt: '552 5.2.2 full' }, 'mailbox-full', {
    ...{ answer: 'mail_refused', page: 'that mailbox is full' },
  }),
  'has no disk': passes({ rcpt: '452 4.3.1 disk' }, 'transient'),
  'wants to be asked in 30 seconds': passes({ rcpt: '451 4.7.1 try again in 30 seconds' }, 'greylist', { again: 31 }),
  'finds the message too big': stays({ end: '552 5.3.4 too big' }, 'content'),
  'finds spam in the message': stays({ end: `554 5.6.0 ${WORDS}` }, 'content'),
  'fails after the message': passes({ end: '451 4.3.0 later' }, 'greylist'),
  'closes after the message': passes({ end: 'close' }, 'connect'),
  'hangs after the message': passes({ end: 'hang' }, 'connect'),
  'finds us too fast': passes({ rcpt: '421 4.7.28 rate limited' }, 'quota'),
  'takes no more today': stays({ mail: '550 5.4.5 daily limit' }, 'quota'),
  'says something odd': passes({ data: '554 5.5.1 no' }, 'unknown'),
} satisfies Record<string, Row>

/** What was seen of one row, by a signed-in user and at a typed address. */
interface Seen {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly page: string
  readonly events: OtpEvent[]
  readonly messages: string[]
  readonly inClear: string
  readonly typed: readonly unknown[]
}

const logged: unknown[] = []
const rows = new Map<string, Seen>()

beforeAll(async () => {
  const listen = (...words: unknown[]): void => void logged.push(words)
  const spies = [
    ...(['log', 'info', 'warn', 'error', 'debug'] as const).map((way) => jest.spyOn(console, way)),
    jest.spyOn(process, 'emitWarning'),
  ]
  for (const spy of spies) spy.mockImplementation(listen)
  // All at once, since each waits for the three seconds that a person does.
  await Promise.all(Object.entries(ROWS).map(async ([how, row]) => rows.set(how, await live(row))))
  for (const spy of spies) spy.mockRestore()
}, 120_000)

/** A signed-in user asks while the server fails, and the server comes to its senses. */
async function live(row: Row): Promise<Seen> {
  const typed = await liveTyped(row)
  const { smtp, host, port } = await stage(row, {})
  const jar = await host.signedIn(WOLFHART)
  const failed = new Promise((resolve) => host.otp.events.once('undelivered', resolve))
  const { status, body } = await jar.post('/2fa/send').send({})
  const page = (await jar.get('/2fa').set(NAVIGATE)).text
  await failed // on a busy machine it may come after the three seconds
  const revived = await revive(row, smtp, port)
  const sent = new Promise((resolve) => host.otp.events.once('sent', resolve))
  if (row.again === null) {
    host.clock.tick(300) // whatever would be tried again is due
    await new Promise((resolve) => setTimeout(resolve, 600)) // long enough for two looks at the queue
    expect(revived.recipients.length).toBe(row.script === 'refused' ? 0 : smtp.recipients.length)
    host.clock.tick(row.kind === 'quota' ? 3_600 : 16) // the breaker looks again
    await jar.post('/2fa/send').send({}).expect(200)
  } else {
    host.clock.tick(row.again)
  }
  await sent
  await host.close()
  await revived.close()
  const { events } = host
  const messages = revived === smtp ? smtp.messages : [...smtp.messages, ...revived.messages]
  return { status, body: body as Seen['body'], page, events, messages, inClear: smtp.inClear.join(''), typed }
}

/** Somebody types an address: what they get before and after the mail failed. */
async function liveTyped(row: Row): Promise<unknown[]> {
  const { smtp, host } = await stage(row, { user: () => null, typedEmail: true })
  const jar = host.jar()
  const failed = new Promise((resolve) => host.otp.events.once('undelivered', resolve))
  const asked = await jar.post('/2fa/send').send({ email: ADDRESS })
  await failed
  const answers = [asked, await jar.get('/2fa').set(JSON_CLIENT), await jar.get('/2fa').set(NAVIGATE)]
  await smtp.close()
  await host.close()
  const alike = (text: string): string => text.replace(/(request |"tag":")[A-Z]{3}/g, '$1TAG')
  return answers.map(({ status, text }) => [status, alike(text)])
}

async function stage(
  { script, options }: Row,
  otp: Partial<OtpOptions>,
): Promise<{ smtp: ScriptedSmtp; host: HostApp; port: number }> {
  const isThere = script !== 'refused'
  const smtp = await ScriptedSmtp.listen(isThere ? script : {}, { port: isThere ? 0 : await freePort() })
  const { port } = smtp
  if (!isThere) await smtp.close()
  // Half of the three seconds: enough for a machine that is busy with all rows at once, and in time for the response.
  const short = isThere && isSilent(script) ? { socketTimeout: 1_500, greetingTimeout: 1_500 } : {}
  const transport = { host: '127.0.0.1', port, ...short, ...options }
  const mail = { transport, from: 'no-reply@acme.example' }
  return { smtp, port, host: await HostApp.start({ otp: { ...otp, mail, code: { digits: 18 } } }) }
}

async function revive({ script, options }: Row, smtp: ScriptedSmtp, port: number): Promise<ScriptedSmtp> {
  const polite: SmtpScript = options ? { starttls: 'upgrade', auth: '235 2.7.0 ok' } : {}
  smtp.script = polite
  return script === 'refused' ? ScriptedSmtp.listen(polite, { port }) : smtp
}

const rowOf = (how: How): Row => ROWS[how]
const of = (how: How): Seen => {
  const one = rows.get(how)
  if (!one) throw new Error(`nothing was seen of a server that ${how}`)
  return one
}
const codesIn = ({ messages }: Seen): string[] => messages.flatMap((one) => /^\d{18}(?=\r?$)/m.exec(one) ?? [])
type How = keyof typeof ROWS
const HOWS = Object.keys(ROWS) as How[]

describe('S6: a mail server that', () => {
  test.each(HOWS)('%s: the user is told the truth within three seconds', (how) => {
    const [{ answer, page }, seen] = [rowOf(how), of(how)]
    if (answer === 'queued') expect([seen.status, seen.body.delivery]).toEqual([200, 'queued'])
    else expect([seen.status, seen.body.code]).toEqual([answer === 'mail_refused' ? 422 : 503, answer])
    expect(seen.page.replace(/\s+/g, ' ')).toContain(page)
  })

  test.each(HOWS)('%s: the event says why, and whether there is another attempt', (how) => {
    const [{ kind, again }, seen] = [rowOf(how), of(how)]
    const [first, ...more] = seen.events.filter((event): event is Undelivered => event.type === 'undelivered')
    expect(more).toEqual([])
    expect(first).toMatchObject({ failureClass: kind, attempt: 1, user: 'w1', view: 'code', locale: 'en' })
    expect(first?.advice).toMatch(/\.$/)
    if (again === null)
      expect(first).toMatchObject({ retryIn: null, outcome: expect.not.stringContaining('deferred') as string })
    else expect(first).toMatchObject({ outcome: 'deferred' })
    if (again !== null) expect(first?.retryIn).toBeLessThanOrEqual(again)
    const sent = seen.events.find(({ type }) => type === 'sent')
    expect(sent).toMatchObject({ attempt: again === null ? 1 : 2 })
    if (again !== null) expect(sent).toMatchObject({ mail: first?.mail, messageId: first?.messageId })
  })

  test.each(HOWS)('H7: %s: retries carry the same Message-ID, the next send another one, all the same code', (how) => {
    const [{ again }, seen] = [rowOf(how), of(how)]
    const ids = seen.messages.map((one) => /^Message-ID: (.*)$/im.exec(one)?.[1])
    expect(new Set(codesIn(seen)).size).toBe(1)
    expect(new Set(ids).size).toBe(again === null ? seen.messages.length : 1)
    // A server that took the message and did not say so has it twice; any other one once.
    const { script } = rowOf(how)
    expect(seen.messages).toHaveLength(script !== 'refused' && 'end' in script ? 2 : 1)
  })

  test.each(HOWS)('%s: no log line and no event holds the code or the address', (how) => {
    const text = inspect([of(how).events, logged], { depth: 10, maxArrayLength: null, maxStringLength: null })
    for (const secret of [...codesIn(of(how)), 'wolfhart', 'quill', '@example', ...NUMBERS, 'hunter2']) {
      expect(text.toLowerCase()).not.toContain(secret)
    }
  })

  test.each(HOWS)('%s: nothing is sent in clear text beyond this machine', (how) => {
    const { inClear } = of(how)
    if (rowOf(how).options) expect(inClear).toMatch(/^(EHLO \S+\r\n|STARTTLS\r\n)*$/)
    else expect(inClear).not.toContain('AUTH')
  })

  test.each(HOWS)('%s: whoever typed an address learns nothing', (how) => {
    expect(of(how).typed).toEqual(of('knows no such mailbox').typed)
    expect(inspect(of(how).typed)).toContain('If w•••@example.com can receive our mail, it is on its way.')
  })
})
