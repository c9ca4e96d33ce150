import type * as HostModule from '../helpers/host-app.js'
import { type Agent, HostApp, type HostOptions, NAVIGATE } from '../helpers/host-app.js'
import { codeIn } from '../helpers/mailbox.js'
import { clientNetwork } from '../../src/http/request/send-limits.js'
import type { OtpOptions } from '../../src/index.js'

const TYPED: Partial<OtpOptions> = { user: () => null, typedEmail: true }

let host: HostApp
afterEach(() => host.close())

const typed = async (more: Partial<OtpOptions> = {}, rest: HostOptions = {}): Promise<HostApp> => {
  host = await HostApp.start({ ...rest, otp: { ...TYPED, ...more } })
  return host
}
const ask = (jar: Agent, email: unknown) => jar.post('/2fa/send').send({ email })
const again = (jar: Agent) => jar.post('/2fa/send').send({})

describe('limits on sending', () => {
  test('S1: twenty browsers of one user get five mails', async () => {
    host = await HostApp.start()
    const statuses: number[] = []
    for (let i = 0; i < 20; i++) statuses.push((await again(await host.signedIn())).status)
    expect(statuses).toEqual([...Array<number>(5).fill(200), ...Array<number>(15).fill(429)])
    expect(host.mailbox.received).toHaveLength(5)
  })

  test('S1: after that a user gets fifteen mails a day, one every 5 760 seconds', async () => {
    host = await HostApp.start()
    for (let i = 0; i < 5; i++) await again(await host.signedIn()).expect(200)
    for (let hour = 0; hour < 24; hour++) {
      for (let quarter = 0; quarter < 4; quarter++) {
        host.clock.tick(900)
        await again(await host.signedIn())
      }
    }
    expect(host.mailbox.received).toHaveLength(5 + 15)
  })

  test('S1: a resend waits for 30 seconds, and Retry-After is true to the second', async () => {
    host = await HostApp.start()
    const { jar } = await host.asked()
    host.clock.tick(7)
    const soon = await again(jar).expect(429)
    expect(soon.body).toMatchObject({ code: 'too_many_requests', retry_after: 23 })
    expect(soon.get('Retry-After')).toBe('23')
    host.clock.tick(22)
    await again(jar).expect(429)
    host.clock.tick(1)
    await again(jar).expect(200)
    expect(host.mailbox.received).toHaveLength(2)
  })

  test('S1: Retry-After of the user’s own limit is true to the second as well', async () => {
    host = await HostApp.start()
    for (let i = 0; i < 5; i++) await again(await host.signedIn()).expect(200)
    const jar = await host.signedIn()
    const wait = Number((await again(jar).expect(429)).get('Retry-After'))
    expect(wait).toBe(5_760)
    host.clock.tick(wait - 1)
    await again(jar).expect(429)
    host.clock.tick(1)
    await again(jar).expect(200)
  })

  test('S1: when no more mails go out, a code that is out already still works', async () => {
    host = await HostApp.start({ otp: { limits: { sendsPerUser: { capacity: 1 } } } })
    const { jar, code } = await host.asked()
    host.clock.tick(31)
    await again(jar).expect(429)
    await jar.post('/2fa/verify').send({ code }).expect(200)
  })

  test('S1: one client may ask for thirty typed addresses, and for one more every two minutes', async () => {
    await typed()
    for (let i = 0; i < 30; i++) await ask(host.jar(), `person${i}@example.com`).expect(200)
    const refused = await ask(host.jar(), 'late@example.com').expect(429)
    expect(refused.get('Retry-After')).toBe('120')
    host.clock.tick(120)
    await ask(host.jar(), 'late@example.com').expect(200)
    expect(host.events.filter(({ type }) => type === 'throttled')).toMatchObject([{ outcome: 'sendsPerIp' }])
  })

  test('S1: an office behind one client address gets in: users who are signed in have no such limit', async () => {
    host = await HostApp.start({ otp: { limits: { sendsPerIp: { capacity: 1 } } } })
    for (let i = 0; i < 5; i++) {
      await again(await host.signedIn({ id: i, email: `colleague${i}@example.com` })).expect(200)
    }
  })

  test.each([
    ['2001:db8:1:ab00::1', '2001:db8:1:abff:1:2:3:4', true],
    ['2001:db8:1:ab00::1', '2001:db8:1:ac00::1', false],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['fe80::1%eth0', 'fe80::1', true],
    ['::ffff:192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['2001:db8::', '2001:db8:0:0:ffff::', true],
  ])('S1: %s and %s are one client: %s', (a, b, isSame) => {
    expect(clientNetwork(a) === clientNetwork(b)).toBe(isSame)
  })

  test('S2: letter case and white space of a typed address make no second bucket', async () => {
    await typed()
    const forms = ['ana@example.com', 'ANA@example.com', ' ana@Example.COM ', 'Ana@EXAMPLE.com', 'aNa@example.com\n']
    for (const form of forms) await ask(host.jar(), form).expect(200)
    await ask(host.jar(), 'anA@example.com').expect(429)
    await ask(host.jar(), 'ａｎａ@example.com').expect(422)
    await ask(host.jar(), 'ben@example.com').expect(200)
  })

  test('S2: an IDN domain and its A-label are one bucket', async () => {
    await typed({ limits: { sendsPerUser: { capacity: 1 } } })
    await ask(host.jar(), 'x@exämple.com').expect(200)
    await ask(host.jar(), 'x@xn--exmple-cua.com').expect(429)
  })

  test('S2: a junk address beside the code changes nothing', async () => {
    await typed()
    const jar = host.jar()
    await ask(jar, 'ana@example.com').expect(200)
    const [mail] = await host.mailbox.mails(1)
    if (!mail) throw new Error('no mail')
    const code = codeIn(mail)
    const done = await jar.post('/2fa/verify').send({ code, email: 'evil@example.com' }).expect(200)
    expect(done.body).toMatchObject({ verified: true })
    expect(host.mailbox.received).toHaveLength(1)
  })

  test.each([[false], [true]])(
    'S3: with `trust proxy` %s, forged X-Forwarded-For headers gain nothing they should not',
    async (trust) => {
      const limits = { sendsPerIp: { capacity: 2 } }
      await typed({ limits }, { before: (app) => void app.set('trust proxy', trust) })
      const statuses: number[] = []
      for (let i = 0; i < 4; i++) {
        const asked = await ask(host.jar(), `p${i}@example.com`).set('X-Forwarded-For', `198.51.100.${i}`)
        statuses.push(asked.status)
      }
      expect(statuses).toEqual(trust ? [200, 200, 200, 200] : [200, 200, 429, 429])
    },
  )

  test('S3: a host that trusts every proxy, or none behind one, is warned once per process', async () => {
    const warn = jest.spyOn(process, 'emitWarning')
    // A fresh copy of the plugin, since the copy above has warned already.
    jest.resetModules()
    const fresh = jest.requireActual<typeof HostModule>('../helpers/host-app.js')
    host = await fresh.HostApp.start({ otp: TYPED })
    for (let i = 0; i < 3; i++) {
      await ask(host.jar(), `p${i}@example.com`).set('X-Forwarded-For', '198.51.100.7').expect(200)
    }
    const ours = warn.mock.calls.map(String).filter((text) => text.includes('X-Forwarded-For'))
    warn.mockRestore()
    expect(ours).toHaveLength(1)
    expect(ours[0]).toContain('Set it to the number of proxies or to their addresses.')
  })

  test('S4: fifty GETs and HEADs of our page, of our POST routes and of a guarded page send nothing', async () => {
    host = await HostApp.start()
    const jar = await host.signedIn()
    const page = (await jar.get('/secret').set(NAVIGATE).expect(303)).get('Location') ?? ''
    for (let i = 0; i < 50; i++) {
      await jar.get(page).set(NAVIGATE).expect(200)
      await jar.get('/secret').set(NAVIGATE).expect(303)
      await jar.head('/2fa').set(NAVIGATE).expect(200)
      await jar.get('/2fa/send').set(NAVIGATE).expect(303)
    }
    expect(host.mailbox.received).toEqual([])
    expect(host.events).toEqual([])
  })
})
