import { type Agent, HostApp } from '../helpers/host-app.js'
import { Mailbox } from '../helpers/mailbox.js'
import type { OtpOptions } from '../../src/index.js'

const OWNER = 'ana@example.com'
const DAY = 86_400

let host: HostApp
afterEach(() => host.close())

/** Only the mails whose codes are typed are sent. */
let isProving = false

const start = async (otp: Partial<OtpOptions> = {}): Promise<void> => {
  const mailbox = await new Mailbox().listen()
  host = await HostApp.start({
    otp: {
      user: () => null,
      typedEmail: true,
      mail: {
        transport: mailbox.url,
        from: 'no-reply@acme.example',
        deliver: (job) => isProving && host.otp.deliverJob(job),
      },
      ...otp,
    },
    mailbox,
    before: (app) => void app.set('trust proxy', 1),
  })
}

const ask = (jar: Agent, network: string, email = OWNER) =>
  jar.post('/2fa/send').set('X-Forwarded-For', network).send({ email })

/** Asks for a code and types it. Returns the device cookie. */
async function prove(jar: Agent, network: string, email = OWNER, headers = {}): Promise<string> {
  const before = host.mailbox.received.length
  isProving = true
  await ask(jar, network, email).expect(200)
  await host.mailbox.mails(before + 1)
  isProving = false
  const { code } = host.mailbox
  const answer = await jar.post('/2fa/verify').set('X-Forwarded-For', network).set(headers).send({ code }).expect(200)
  return deviceCookieOf(answer.get('Set-Cookie'))
}

const deviceCookieOf = (headers: string[] | undefined): string =>
  headers?.find((one) => one.includes('otp-device')) ?? ''
const pairOf = (cookie: string): string => cookie.replace(/;.*/, '')

/** Sends from one network until it is refused. Returns how many were accepted. */
async function flood(network: string): Promise<number> {
  for (let accepted = 0; ; accepted++) if ((await ask(host.jar(), network)).status !== 200) return accepted
}

describe('H15: a stranger cannot keep the owner of a typed address from codes', () => {
  test('H15: one network asks all week; the owner gets a code from another network and from a known browser each day', async () => {
    await start()
    const known = host.jar()
    await prove(known, '198.51.100.1')
    for (let day = 0; day < 7; day++) {
      host.clock.tick(DAY)
      expect(await flood('203.0.113.9')).toBeGreaterThan(0)
      await ask(host.jar(), `192.0.2.${day}`).expect(200)
      await ask(known, '203.0.113.9').expect(200)
    }
  }, 60_000)

  test('H15: many networks together use up the address, but not for a browser that has proven it', async () => {
    await start()
    const known = host.jar()
    await prove(known, '198.51.100.1')
    const statuses: number[] = []
    for (let i = 0; i < 40; i++) statuses.push((await ask(host.jar(), `203.0.113.${i}`)).status)
    expect(statuses).toEqual([...Array<number>(29).fill(200), ...Array<number>(11).fill(429)])
    expect(host.events.find(({ type }) => type === 'throttled')).toMatchObject({ outcome: 'sendsPerAddress' })
    host.clock.tick(31)
    await ask(known, '203.0.113.200').expect(200)
  })

  test('H15: a network that has used up its own mails does not stop a known browser in it', async () => {
    await start({ limits: { sendsPerIp: { capacity: 3 } } })
    const known = host.jar()
    await prove(known, '203.0.113.9')
    for (let i = 0; i < 2; i++) await ask(host.jar(), '203.0.113.9', `other${i}@example.com`).expect(200)
    await ask(host.jar(), '203.0.113.9', 'another@example.com').expect(429)
    host.clock.tick(31)
    await ask(known, '203.0.113.9').expect(200)
  })

  test('H15: a known browser has a limit of its own', async () => {
    await start()
    const cookie = pairOf(await prove(host.jar(), '203.0.113.9'))
    const statuses: number[] = []
    for (let i = 0; i < 7; i++) statuses.push((await ask(host.jar(), `192.0.2.${i}`).set('Cookie', cookie)).status)
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429])
  })

  test('H15: whoever proves one mailbox again and again, as ever new browsers, gets no more mail than the address may', async () => {
    await start({ limits: { sendsPerAddress: { capacity: 3 } } })
    const cookies = [pairOf(await prove(host.jar(), '203.0.113.9'))]
    let accepted = 0
    for (const cookie of cookies) {
      const jar = host.jar()
      isProving = true
      const { status } = await ask(jar, '203.0.113.9').set('Cookie', cookie)
      if (status !== 200 || accepted > 4) break
      accepted += 1
      await host.mailbox.mails(1 + accepted)
      // Without the device cookie, so that the answer makes another browser known.
      const proven = await jar.post('/2fa/verify').send({ code: host.mailbox.code }).expect(200)
      cookies.push(pairOf(deviceCookieOf(proven.get('Set-Cookie'))))
    }
    isProving = false
    expect(accepted).toBe(3)
    await ask(host.jar(), '203.0.113.9').expect(200)
  })

  const used = { limits: { sendsPerAddress: { capacity: 1, refill: 100 * DAY } } }

  test.each([
    ['is altered', (cookie: string) => `${cookie.slice(0, -6)}AAAAAA`, 0],
    ['is another one', () => 'otp-device-2fa=AAAA', 0],
    ['is older than 90 days', (cookie: string) => cookie, 91],
  ])('H15: a device cookie that %s gains nothing', async (_what, change, days) => {
    await start(used)
    const cookie = pairOf(await prove(host.jar(), '198.51.100.1'))
    await ask(host.jar(), '192.0.2.1').set('Cookie', cookie).expect(200)
    host.clock.tick(days * DAY)
    await ask(host.jar(), '192.0.2.2').set('Cookie', change(cookie)).expect(429)
  })

  test('H15: the device cookie of another address, or of an app with another secret, gains nothing', async () => {
    await start(used)
    const foreign = await HostApp.start({
      otp: { user: () => null, typedEmail: true, secret: 'another secret of thirty-two characters' },
    })
    const other = pairOf(await prove(host.jar(), '198.51.100.1', 'ben@example.com'))
    await prove(host.jar(), '198.51.100.2')
    await ask(host.jar(), '192.0.2.2').set('Cookie', other).expect(429)
    const mine = host
    host = foreign
    const cookie = pairOf(await prove(foreign.jar(), '198.51.100.1'))
    host = mine
    await ask(host.jar(), '192.0.2.2').set('Cookie', cookie).expect(429)
    await foreign.close()
  })

  test('H15: the cookie is opaque, HttpOnly, Lax, lives 90 days, and holds five addresses at most', async () => {
    await start(used)
    const jar = host.jar()
    const cookies: string[] = []
    for (let i = 0; i < 6; i++) cookies.push(await prove(jar, `192.0.2.${i}`, `person${i}@example.com`))
    expect(cookies[0]).toMatch(/^otp-device-2fa=[\w-]+; Path=\/; Max-Age=7776000; HttpOnly; SameSite=Lax$/)
    expect(Buffer.from(pairOf(cookies[5] ?? ''), 'base64url').toString()).not.toMatch(/person|example/)
    host.clock.tick(31)
    await ask(jar, '198.51.100.1', 'person0@example.com').expect(429)
    await ask(jar, '198.51.100.1', 'person1@example.com').expect(200)
  })

  test('H15: beyond loopback, and behind TLS, the cookie has the prefix __Host- and is Secure', async () => {
    await start()
    const jar = host.jar()
    const cookie = await prove(jar, '192.0.2.1', OWNER, { 'X-Forwarded-Proto': 'https' })
    expect(cookie).toMatch(/^__Host-otp-device-2fa=[\w-]+; Path=\/; .*; Secure$/)
  })

  test('H15: a cookie of a known browser opens nothing', async () => {
    await start()
    const cookie = pairOf(await prove(host.jar(), '192.0.2.1'))
    await host.jar().get('/secret').set('Cookie', cookie).expect(401)
    await host.jar().post('/2fa/verify').set('Cookie', cookie).send({ code: '12345678' }).expect(422)
  })

  test('H15: the answer to a send is the same with and without a known browser', async () => {
    await start()
    const cookie = pairOf(await prove(host.jar(), '192.0.2.1'))
    const [with_, without] = [
      await ask(host.jar(), '192.0.2.3').set('Cookie', cookie).expect(200),
      await ask(host.jar(), '192.0.2.3').expect(200),
    ]
    const shape = ({ body }: { body: object }) => ({ ...body, tag: '' })
    expect(shape(with_)).toEqual(shape(without))
  })
})
