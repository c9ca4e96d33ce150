import { execFileSync } from 'node:child_process'
import path from 'node:path'
import request from 'supertest'
import { ANA, HostApp, type HostOptions } from '../helpers/host-app.js'
import { createClock, createMailbox, passOtp } from '../../src/testing/index.js'

let host: HostApp
const mailbox = createMailbox()
const clock = createClock()
afterEach(async () => {
  await host.close()
  mailbox.clear()
})

async function start(otp: HostOptions['otp'] = {}, options: HostOptions = {}): Promise<void> {
  const mail = { transport: mailbox, from: 'Acme <no-reply@acme.example>' }
  host = await HostApp.start({ ...options, otp: { mail, now: clock.now, ...otp } })
}

async function signedInTo(server: HostApp['app'] | string) {
  const agent = request.agent(server)
  await agent.post('/login').send({ user: ANA }).expect(200)
  return agent
}

describe('passOtp()', () => {
  test.each([
    ['an app', () => host.app],
    ['a URL', () => host.origin],
  ])('opens a guarded page for an agent of %s', async (_name, server) => {
    await start()
    const agent = await signedInTo(server())
    const page = await passOtp(agent, '/secret', mailbox)
    expect([page.status, page.text]).toEqual([200, 'the secret'])
    await agent.get('/secret').expect(200)
    clock.tick(43_201)
    await agent.get('/secret').expect(401)
  })

  test('opens a guarded action: the same request is made again', async () => {
    await start()
    const agent = await signedInTo(host.app)
    const transfer = () => agent.post('/transfer').send({ amount: '50', payee: 'Ben' })
    expect((await passOtp(agent, transfer, mailbox)).body).toEqual({ sent: true })
    expect(host.transfers).toEqual([{ amount: '50', payee: 'Ben' }])
    await transfer().expect(401)
  })

  test('opens it for an agent that is a browser by its headers', async () => {
    await start()
    const agent = (await signedInTo(host.app)).set('Accept', 'text/html')
    expect((await passOtp(agent, '/secret', mailbox)).text).toBe('the secret')
  })

  test('types an address', async () => {
    await start({ typedEmail: true })
    const page = await passOtp(request.agent(host.app), '/secret', mailbox, { email: 'new@example.com' })
    expect(page.text).toBe('the secret')
  })

  test('uses the code that is mailed already, and asks for another address if that is another one', async () => {
    await start({ typedEmail: true })
    const agent = request.agent(host.app)
    await agent.post('/2fa/send').send({ email: 'one@example.com' }).expect(200)
    expect((await passOtp(agent, '/secret', mailbox, { email: 'one@example.com' })).text).toBe('the secret')
    expect(mailbox.mails).toHaveLength(1)
    const other = request.agent(host.app)
    await other.post('/2fa/send').send({ email: 'two@example.com' }).expect(200)
    await passOtp(other, '/secret', mailbox, { email: '3@example.com' })
    await other.get('/secret').expect(200)
  })

  test('lets agents that share a mailbox each type their own code', async () => {
    await start()
    const users = ['a', 'b', 'c', 'd'].map((id) => ({ id, email: `${id}@example.com` }))
    const agents = await Promise.all(users.map((user) => host.signedIn(user)))
    const pages = await Promise.all(agents.map((agent) => passOtp(agent, '/secret', mailbox)))
    expect(pages.map(({ text }) => text)).toEqual(users.map(() => 'the secret'))
  })

  test('gives the response of a route that is not closed', async () => {
    await start()
    expect((await passOtp(request.agent(host.app), '/me', mailbox)).body).toEqual({ user: null, cart: null })
    expect((await passOtp(request.agent(host.app), '/nowhere', mailbox)).status).toBe(404)
    expect(mailbox.mails).toEqual([])
  })

  test('posts the hidden fields of the page, so it passes a CSRF check of the host’s', async () => {
    const token = `"'<&>=`
    await start(
      { formFields: () => ({ _csrf: token }) },
      {
        before: (app) => {
          app.use('/2fa', (req, res, next) => {
            if (req.method !== 'POST') return void next()
            let body = ''
            req.on('data', (chunk: Buffer) => (body += chunk.toString()))
            req.on('end', () => {
              req.body = Object.fromEntries(new URLSearchParams(body))
              if (req.body._csrf === token) next()
              else res.status(403).send('bad token')
            })
          })
        },
      },
    )
    expect((await passOtp(await signedInTo(host.app), '/secret', mailbox)).text).toBe('the secret')
  })
})

describe('passOtp() says which step failed and what to do:', () => {
  const failing = (otp: HostOptions['otp'], options?: HostOptions) => start(otp, options)

  test('nobody is signed in', async () => {
    await failing({})
    await expect(passOtp(request.agent(host.app), '/secret', mailbox)).rejects.toThrow(
      /the guarded route answered 401 sign_in_required.* Sign the agent in first/,
    )
  })

  test('no address was given', async () => {
    await failing({ typedEmail: true })
    await expect(passOtp(request.agent(host.app), '/secret', mailbox)).rejects.toThrow(
      /POST \/2fa\/send answered 422 invalid_email.* give `\{ email \}`/,
    )
  })

  test('a limit is reached', async () => {
    await failing({ limits: { sendsPerUser: { capacity: 1 } } })
    await passOtp(await signedInTo(host.app), '/secret', mailbox)
    await expect(passOtp(await signedInTo(host.app), '/secret', mailbox)).rejects.toThrow(
      /POST \/2fa\/send answered 429 too_many_requests.* Each test may use a user or an app of its own/,
    )
  })

  test('the mail is refused', async () => {
    const transport = { sendMail: () => Promise.resolve({ rejected: [ANA.email] }) }
    await failing({ mail: { transport, from: 'no-reply@acme.example' } })
    await expect(passOtp(await signedInTo(host.app), '/secret', mailbox)).rejects.toThrow(
      /POST \/2fa\/send answered 422 mail_refused.* Is `mail.transport` the mailbox\?/,
    )
  })

  test('the mail went elsewhere', async () => {
    await failing({ mail: { transport: createMailbox(), from: 'no-reply@acme.example' } })
    await expect(passOtp(await signedInTo(host.app), '/secret', mailbox)).rejects.toThrow(
      /got no code for a•••@example.com \([A-Z]{3}, delivery: sent\) within 4 s. It got no mail at all/,
    )
  })

  test('the session is not kept', async () => {
    await failing({ user: () => ANA })
    await expect(passOtp(request(host.app), '/secret', mailbox)).rejects.toThrow(
      /POST \/2fa\/verify answered 422 no_challenge.* use `request.agent\(app\)`/,
    )
  })

  test('the details differ from one request to the next', async () => {
    await failing({})
    const agent = await signedInTo(host.app)
    let amount = 0
    const transfer = () => agent.post('/transfer').send({ amount: amount++, payee: 'Ben' })
    await expect(passOtp(agent, transfer, mailbox)).rejects.toThrow('Or `details` of the guard differ')
    expect(host.transfers).toEqual([])
  })

  test('a check of the host’s stands in front', async () => {
    await failing(
      {},
      { before: (app) => void app.post('/2fa/send', (_req, res) => void res.status(403).send('token?')) },
    )
    await expect(passOtp(await signedInTo(host.app), '/secret', mailbox)).rejects.toThrow(
      /POST \/2fa\/send answered 403 token\?.* needs the option `formFields`/,
    )
  })

  test('a `basePath` that nothing strips', async () => {
    await failing({ basePath: '/shop' })
    await expect(passOtp(await signedInTo(host.app), '/secret', mailbox)).rejects.toThrow(
      /GET \/shop\/2fa answered 404 .* Leave `basePath` out in tests/s,
    )
  })
})

describe('the entry point', () => {
  const load = (env: string, code: string): string =>
    execFileSync(process.execPath, ['--import', 'tsx', '-e', code], {
      cwd: path.join(__dirname, '../..'),
      env: { ...process.env, NODE_ENV: env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })

  test('C7: `express-email-otp/testing` does not load in production, and the error says what to do', async () => {
    await start()
    const code = `require('./src/testing/index.ts')`
    expect(() => load('production', code)).toThrow(
      /cannot be loaded with NODE_ENV=production\. Import it in tests only/,
    )
    expect(load('test', code)).toBe('')
  })

  test('C7: `express-email-otp` itself loads nothing of `testing` and `store-conformance`', async () => {
    await start()
    const code = `require('./src/index.ts'); console.log(Object.keys(require.cache).join('\\n'))`
    const loaded = load('test', code)
    expect(loaded).toContain('src/email-otp.ts')
    expect(loaded).not.toMatch(/src\/(testing|store-conformance)/)
  })
})
