import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { HostApp } from '../helpers/host-app.js'
import { devInbox, workbench } from '../../src/workbench/index.js'

/** The address that the next request seems to come from. */
let remoteAddress: string | undefined
let host: HostApp

beforeAll(async () => {
  host = await HostApp.start({
    otp: { site: { name: 'Acme' } },
    before: (app) => {
      app.use((req, _res, next) => {
        if (remoteAddress !== undefined) Object.defineProperty(req.socket, 'remoteAddress', { value: remoteAddress })
        next()
      })
    },
    after: (app, otp) => void app.use('/workbench', workbench(otp)),
  })
})
beforeEach(() => {
  remoteAddress = undefined
})
afterAll(() => host.close())

const get = (headers: Record<string, string> = {}) => host.jar().get('/workbench/').set(headers)
const post = (headers: Record<string, string> = {}) => host.jar().post('/workbench/values').set(headers).send({})

describe('production', () => {
  const { NODE_ENV } = process.env
  beforeEach(() => {
    process.env.NODE_ENV = 'production'
  })
  afterEach(() => {
    process.env.NODE_ENV = NODE_ENV
  })

  test('H12: neither the workbench nor an inbox can be made with NODE_ENV=production', () => {
    expect(() => workbench(host.otp)).toThrow(/workbench\(\) is for development, and NODE_ENV is production/)
    expect(() => devInbox()).toThrow(/devInbox\(\) is for development, and NODE_ENV is production/)
  })
})

describe('the origin of the site', () => {
  const withOrigin = async (origin: string | undefined): Promise<void> => {
    const other = await HostApp.start({ otp: { site: { name: 'Acme', ...(origin !== undefined && { origin }) } } })
    try {
      workbench(other.otp)
    } finally {
      await other.close()
    }
  }

  test.each([
    'https://acme.example',
    'http://10.0.0.7:3000',
    'https://localhost.acme.example',
    'https://evil-localhost',
  ])('H12: the workbench of a site at %s cannot be made', async (origin) => {
    await expect(withOrigin(origin)).rejects.toThrow(/workbench\(\) is for development, and `site.origin` is at/)
  })

  test('H12: a site that others can reach cannot have an inbox for development as its transport', async () => {
    const start = (origin: string): Promise<HostApp> =>
      HostApp.start({
        otp: { site: { name: 'Acme', origin }, mail: { transport: devInbox(), from: 'a@acme.example' } },
      })
    await expect(start('https://acme.example')).rejects.toThrow(
      /`mail.transport` is not usable. It is an inbox for development, and `site.origin` is at acme.example/,
    )
    await (await start('http://localhost:3000')).close()
  })

  test.each([
    undefined,
    'http://localhost:3000',
    'https://app.localhost',
    'http://127.0.0.1:8080',
    'http://[::1]:3000',
  ])('the workbench of a site at %s can be made', async (origin) => {
    await expect(withOrigin(origin)).resolves.toBeUndefined()
  })
})

describe('requests', () => {
  test.each(['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'])('a socket from %s is answered', async (address) => {
    remoteAddress = address
    await get().expect(200)
  })

  test.each(['10.0.0.7', '192.168.1.4', '::ffff:10.0.0.7', 'fe80::1', ''])(
    'H12: a socket from "%s" is refused',
    async (address) => {
      remoteAddress = address
      await get().expect(403, /came over a network/)
      await post({ 'Sec-Fetch-Site': 'same-origin' }).expect(403)
    },
  )

  test.each(['localhost', 'localhost:3000', '127.0.0.1:3000', '[::1]:3000', 'app.localhost:3000', 'LOCALHOST'])(
    'the Host %s is answered',
    async (name) => {
      await get({ Host: name }).expect(200)
    },
  )

  test.each([
    ...['acme.example', 'acme.example:3000', 'localhost.evil.example', 'evil-localhost', 'localhost@evil.example'],
    ...['0.0.0.0:3000', '10.0.0.7', '[::ffff:10.0.0.7]:3000', 'localhost:3000:1', '.localhost', '::1'],
  ])('H12: the Host %s is refused', async (name) => {
    await get({ Host: name }).expect(403, /names another host/)
    await post({ Host: name, 'Sec-Fetch-Site': 'same-origin' }).expect(403)
  })

  test.each([
    ...['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Forwarded', 'X-Real-IP', 'Via'],
  ])('H12: what came through a proxy, with the header %s, is refused', async (name) => {
    await get({ [name]: '127.0.0.1' }).expect(403, /through a proxy/)
    await get({ [name]: '' }).expect(403)
  })

  test('H12: what came through nginx as it is by default, with HTTP/1.0 and no header of its own, is refused', async () => {
    const { hostname, port } = new URL(host.origin)
    const socket = connect(Number(port), hostname)
    socket.write(`GET /workbench/ HTTP/1.0\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`)
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 403 [\s\S]*through a proxy/)
  })

  test.each(['cross-site', 'same-site'])('H12: a page of another site (%s) can neither read nor post', async (site) => {
    await get({ 'Sec-Fetch-Site': site }).expect(403, /page of another site/)
    await post({ 'Sec-Fetch-Site': site }).expect(403)
    await host.jar().get('/workbench/live').set({ 'Sec-Fetch-Site': site }).expect(403)
  })

  test.each(['https://evil.example', 'http://localhost:1', 'null'])(
    'H12: the Origin %s can neither read nor post, whatever Sec-Fetch-Site says',
    async (origin) => {
      await get({ Origin: origin }).expect(403)
      await post({ Origin: origin }).expect(403)
      await post({ Origin: origin, 'Sec-Fetch-Site': 'same-origin' }).expect(403)
    },
  )

  test('H12: a post that does not say where it comes from is refused', async () => {
    await post().expect(403)
    await post({ 'Sec-Fetch-Site': 'none' }).expect(403)
    await post({ Origin: host.origin, Host: new URL(host.origin).host }).expect(303)
  })

  test('H12: every response has a strict policy, is not stored and cannot be framed', async () => {
    for (const response of [await get(), await get({ Host: 'evil.example' })]) {
      expect(response.get('Content-Security-Policy')).toMatch(/^default-src 'none';.*frame-ancestors 'none'$/)
      expect(response.get('Content-Security-Policy')).not.toMatch(/unsafe|\*/)
      expect(response.get('Cache-Control')).toBe('no-store')
      expect(response.get('X-Content-Type-Options')).toBe('nosniff')
      expect(response.get('Cross-Origin-Resource-Policy')).toBe('same-origin')
    }
  })

  test('what is no plugin or no inbox is refused when the workbench is made', () => {
    expect(() => workbench({})).toThrow(/workbench: option `otp` is not a plugin/)
    expect(() => workbench(host.otp, { inbox: { mails: [] } as never })).toThrow(/Give what devInbox\(\) returned/)
    expect(() => workbench(host.otp, { inboxes: [] } as never)).toThrow(/unknown option `inboxes`/)
  })
})
