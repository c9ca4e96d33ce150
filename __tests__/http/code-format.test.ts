import { type Agent, HostApp, NAVIGATE } from '../helpers/host-app.js'
import { codeIn } from '../helpers/mailbox.js'
import { emailOtp, type MailJob, type OtpOptions } from '../../src/index.js'

const BOTH: Partial<OtpOptions> = { typedEmail: true }

let host: HostApp
afterEach(() => host.close())

const start = async (otp: Partial<OtpOptions> = {}): Promise<void> => {
  host = await HostApp.start({ otp: { ...BOTH, ...otp } })
}

/** Everything that shows the format of the code in a session, and then verifies it. */
async function expectDigits(jar: Agent, digits: number, email?: string): Promise<void> {
  const before = host.mailbox.received.length
  const sent = await jar.post('/2fa/send').send({ email }).expect(200)
  expect(sent.body).toMatchObject({ format: { digits } })
  const [code] = (await host.mailbox.mails(before + 1)).slice(-1).map(codeIn)
  expect(code).toMatch(new RegExp(`^\\d{${digits}}$`))
  const page = await jar.get('/2fa').set(NAVIGATE).expect(200)
  expect(page.text).toContain(`Enter the ${digits}-digit code`)
  const state = await jar.get('/2fa').set('Accept', 'application/json').expect(200)
  expect(state.body).toMatchObject({ state: 'code', format: { digits } })
  const other = '0'.repeat(digits === 6 ? 8 : 6)
  const malformed = await jar.post('/2fa/verify').send({ code: other }).expect(422)
  expect(malformed.body).toMatchObject({ code: 'invalid_code_format', detail: `Enter the ${digits}-digit code` })
  await jar.post('/2fa/verify').send({ code }).expect(200)
}

describe('an app with users that takes typed addresses', () => {
  test('C2: mails, shows and reads 8 digits for a typed address and 6 for a signed-in user', async () => {
    await start()
    await expectDigits(host.jar(), 8, 'carl@example.com')
    await expectDigits(await host.signedIn(), 6)
  })

  test('C2: applies the option `code` to both', async () => {
    await start({ code: { digits: 7 } })
    await expectDigits(host.jar(), 7, 'carl@example.com')
    await expectDigits(await host.signedIn(), 7)
  })

  test('C2: asks again for the long code of the identity once its guesses are used up', async () => {
    await start({ limits: { failures: { capacity: 1, refill: 31_536_000 } } })
    const jar = host.jar()
    await jar.post('/2fa/send').send({ email: 'carl@example.com' }).expect(200)
    await jar.post('/2fa/verify').send({ code: '00000000' }).expect(422)
    host.clock.tick(31)
    const { body } = await jar.post('/2fa/send').send({}).expect(200)
    expect(body).toMatchObject({ format: { length: 13 } })
  })

  test('C2: a worker mails the format of the identity, whatever its own options are', async () => {
    const jobs: MailJob[] = []
    const mail = { transport: 'smtp://localhost', from: 'no-reply@acme.example' }
    await start({ mail: { ...mail, deliver: (job) => void jobs.push(job) } })
    const jar = host.jar()
    await jar.post('/2fa/send').send({ email: 'carl@example.com' }).expect(200)
    await (await host.signedIn()).post('/2fa/send').send({}).expect(200)
    while (jobs.length < 2) await new Promise(setImmediate)
    const worker = emailOtp({
      ...{ secret: 'a-secret-for-tests-of-32-characters-or-more', site: { name: 'Acme' }, user: () => null },
      ...{ mail: { ...mail, transport: host.mailbox.url }, now: host.clock.now, code: { digits: 9 } },
    })
    for (const job of jobs) await worker.deliverJob(job)
    await worker.close()
    const typed = await host.mailbox.mailTo('carl@example.com')
    expect(codeIn(typed)).toMatch(/^\d{8}$/)
    expect(codeIn(await host.mailbox.mailTo('ana@example.com'))).toMatch(/^\d{6}$/)
    await jar
      .post('/2fa/verify')
      .send({ code: codeIn(typed) })
      .expect(200)
  })
})
