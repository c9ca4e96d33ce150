import type { Response } from 'supertest'
import { type Agent, Clock, HostApp, type HostOptions, NAVIGATE, sealedIn } from '../helpers/host-app.js'
import { ScriptedSmtp, type SmtpScript } from '../helpers/smtp-script.js'
import { type MailTransporter, MemoryStore, type OpenRequest, type OtpOptions } from '../../src/index.js'

const FROM = 'Acme <no-reply@acme.example>'
const TYPED: Partial<OtpOptions> = { user: () => null, typedEmail: true }

let host: HostApp
let smtp: ScriptedSmtp | null = null
afterEach(async () => {
  await smtp?.close()
  smtp = null
  await host.close()
})

const typed = async (more: Partial<OtpOptions> = {}, rest: HostOptions = {}): Promise<HostApp> => {
  host = await HostApp.start({ ...rest, otp: { ...TYPED, ...more } })
  return host
}
const ask = (jar: Agent, email: unknown) => jar.post('/2fa/send').send({ email })

describe('S5: typed addresses', () => {
  const kinds = ['accepted', 'not accepted', 'bounced'] as const

  /** Everything of a response that a client sees, without what is random in each one. */
  function seen(response: Response, address: string): string {
    const { 'set-cookie': cookie, ...headers } = response.headers as Record<string, unknown>
    delete headers.date
    const lines = JSON.stringify([response.status, cookie === undefined, headers, response.text])
    return lines
      .replace(/"tag\\":\\"[A-Z]{3}/g, 'TAG')
      .replace(/request [A-Z]{3}/g, 'TAG')
      .replace(/(for|notice)(=|\\" value=\\")[\w-]+/g, 'SEALED')
      .replaceAll(address, 'ADDRESS')
  }

  async function journey(kind: (typeof kinds)[number], asPage: boolean): Promise<string[]> {
    const isBounced = kind === 'bounced'
    smtp = await ScriptedSmtp.listen(isBounced ? { rcpt: '550 5.1.1 no such user' } : {})
    const mail = { transport: smtp.url, from: FROM }
    await typed({ mail, typedEmail: { accept: () => kind !== 'not accepted' } })
    const jar = host.jar()
    const headers = asPage ? NAVIGATE : { Accept: 'application/json' }
    const page = (await jar.get('/secret').set(NAVIGATE)).get('Location') ?? ''
    const sealed = sealedIn((await jar.get(page).set(NAVIGATE)).text)
    const post = (route: string, fields: object) =>
      asPage
        ? jar
            .post(`/2fa/${route}`)
            .set(headers)
            .type('form')
            .send({ for: sealed, ...fields })
        : jar
            .post(`/2fa/${route}`)
            .set(headers)
            .send({ for: sealed, ...fields })
    const answers = [await post('send', { email: 'ana@example.com' })]
    // By now we know how sending ended. The response must not show it.
    if (kind === 'accepted') await smtp.until(() => smtp?.messages.length === 1)
    if (isBounced) await smtp.until(() => smtp?.recipients.length === 1)
    answers.push(await jar.get(page).set(headers))
    answers.push(await post('send', {}))
    host.clock.tick(31)
    answers.push(await post('send', {}), await post('verify', { code: '00000000' }))
    for (const url of answers.flatMap((answer) => answer.get('Location') ?? []))
      answers.push(await jar.get(url).set(headers))
    if (kind === 'accepted') await smtp.until(() => smtp?.messages.length === 2)
    answers.push(await jar.get(page).set(headers), await post('restart', {}))
    if (kind !== 'accepted') expect(smtp.messages).toEqual([])
    if (kind === 'not accepted') expect(smtp.connections).toBe(0)
    return answers.map((answer) => seen(answer, 'a•••@example.com'))
  }

  test.each([
    ['pages', true],
    ['JSON', false],
  ])('S5: %s say the same in every byte for accepted, not accepted and bounced', async (_as, asPage) => {
    const journeys: string[][] = []
    for (const kind of kinds) {
      journeys.push(await journey(kind, asPage))
      if (kind === 'bounced') continue
      await smtp?.close()
      await host.close()
    }
    expect(journeys[1]).toEqual(journeys[0])
    expect(journeys[2]).toEqual(journeys[0])
    expect(journeys[0]?.[0]).toContain(asPage ? '303' : 'queued')
  })

  // Sampled times would say more about the machine than about us; what makes them equal is asserted instead.
  test.each([
    ['never greets', { greeting: 'hang' }],
    ['hangs up at once', { greeting: 'close' }],
    ['hangs after the message', { end: 'hang' }],
  ] satisfies [string, SmtpScript][])('S5: the answer waits for no mail server: one that %s', async (_how, script) => {
    smtp = await ScriptedSmtp.listen(script)
    await typed({
      mail: { transport: { host: '127.0.0.1', port: smtp.port, socketTimeout: 500 }, from: FROM },
    })
    let connectionsBefore = -1
    host.otp.events.on('issued', () => (connectionsBefore = smtp?.connections ?? -1))
    const { body } = await ask(host.jar(), 'ana@example.com').expect(200)
    expect(connectionsBefore).toBe(0)
    expect(body).toMatchObject({ delivery: 'queued' })
    await smtp.until(() => (smtp?.connections ?? 0) > 0)
  })

  test('S5: the answer is on its way before the transport is called', async () => {
    const order: string[] = []
    const transport: MailTransporter = {
      sendMail: () => {
        order.push('mail')
        return Promise.resolve({ accepted: ['ana@example.com'] })
      },
    }
    await typed(
      { mail: { transport, from: FROM } },
      {
        before: (app) =>
          void app.use((_req, res, next) => {
            const end = res.end.bind(res)
            res.end = ((...args: Parameters<typeof end>) => {
              order.push('answer')
              return end(...args)
            }) as typeof res.end
            next()
          }),
      },
    )
    const sent = new Promise((resolve) => host.otp.events.once('sent', resolve))
    await ask(host.jar(), 'ana@example.com').expect(200)
    await sent
    expect(order).toEqual(['answer', 'mail'])
  })

  test('S5: a bounced mail gives no send back: a limit that counts only real mailboxes would reveal them', async () => {
    smtp = await ScriptedSmtp.listen({ rcpt: '550 5.1.1 no such user' })
    await typed({ mail: { transport: smtp.url, from: FROM }, limits: { sendsPerUser: { capacity: 1 } } })
    const undelivered = new Promise((resolve) => host.otp.events.once('undelivered', resolve))
    await ask(host.jar(), 'ana@example.com').expect(200)
    await undelivered
    await ask(host.jar(), 'ana@example.com').expect(429)
  })

  test.each([
    ['accepted', true],
    ['not accepted', false],
  ])('S5: an address that is %s has a code that redeems its challenge: %s', async (_what, isAccepted) => {
    const requests: OpenRequest[] = []
    const clock = new Clock()
    const store = new MemoryStore({ now: clock.now })
    const open = store.open.bind(store)
    store.open = (request) => {
      requests.push(request)
      return open(request)
    }
    await typed({ store, typedEmail: { accept: () => isAccepted } })
    const jar = host.jar()
    await ask(jar, 'eve@example.com').expect(200)
    clock.tick(31)
    await ask(jar, 'eve@example.com').expect(200)
    const [first, second] = requests
    expect(second?.existing?.id).toBe(first?.fresh.id)
    // The digests are equal if they are made of one code. Without a mail there is no such code.
    expect(second?.existing?.short === first?.fresh.short).toBe(isAccepted)
    expect(second?.existing?.long === first?.fresh.long).toBe(isAccepted)
    await store.close()
  })

  test('S5: an `accept` that answers anything but true sends nothing', async () => {
    const answers: unknown[] = [1, 'yes', {}, undefined]
    const accept = (() => Promise.resolve(answers.shift())) as () => Promise<boolean>
    await typed({ typedEmail: { accept } })
    for (let i = 0; i < 4; i++) await ask(host.jar(), `p${i}@example.com`).expect(200)
    await new Promise((resolve) => setImmediate(resolve))
    expect(host.events.filter(({ type }) => type === 'refused')).toHaveLength(4)
    expect(host.mailbox.received).toEqual([])
  })
})
