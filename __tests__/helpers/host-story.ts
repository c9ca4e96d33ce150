import { Mailbox, wrongCode } from './mailbox.js'
import { JsonClient, PlainBrowser } from './plain-browser.js'

/** A running host, and below which path it is. */
export interface RunningHost {
  readonly origin: string
  readonly base: string
  readonly mailbox: Mailbox
}

/** The code that a step mails. */
async function codeOf({ mailbox }: RunningHost, send: () => Promise<unknown>): Promise<string> {
  const before = mailbox.received.length
  await send()
  await mailbox.mails(before + 1)
  return mailbox.code
}

/**
 * The whole story of a browser without script: sign in, prove the mailbox after a wrong code, send money with a code for
 * that, sign out.
 */
export async function browserStory(host: RunningHost, email: string): Promise<void> {
  const { origin, base } = host
  const browser = new PlainBrowser(origin)
  const verify = async (): Promise<void> => {
    const code = await codeOf(host, () => browser.submit('/2fa/send'))
    await browser.submit('/2fa/verify', { code: wrongCode(code) })
    expect(browser.html).toContain('role="alert"')
    await browser.submit('/2fa/verify', { code })
    expect([browser.path, browser.html]).toEqual([`${base}/account`, expect.stringContaining(`Hello ${email}`)])
  }

  await browser.open(`${base}/account`)
  expect(browser.path).toBe(`${base}/sign-in`)
  await browser.submit('/sign-in', { email })
  expect([browser.status, browser.path]).toEqual([200, `${base}/2fa`])
  await verify()

  const transfer = { amount: '50', payee: 'Ben' }
  await browser.submit('/transfer', transfer)
  expect([browser.path, browser.html]).toEqual([`${base}/2fa`, expect.stringContaining('Send 50 EUR to Ben')])
  await verify()
  await browser.submit('/transfer', transfer)
  expect([browser.status, browser.html]).toEqual([200, 'Send 50 EUR to Ben: done'])
  await browser.open(`${base}/account`)
  await browser.submit('/transfer', transfer)
  expect(browser.path).toBe(`${base}/2fa`)

  await browser.open(`${base}/account`)
  await browser.submit('/sign-out')
  await browser.open(`${base}/account`)
  expect(browser.path).toBe(`${base}/sign-in`)
}

/** The same story of a client that sends and accepts JSON. */
export async function jsonStory(host: RunningHost, email: string): Promise<void> {
  const { origin, base } = host
  const client = new JsonClient(origin)
  /** A token of a CSRF check, if the host has one, is sent along as its forms do. */
  const post = async (path: string, fields: object = {}) =>
    client.post(path, { ...(await client.get(`${base}/fields`)).body, ...fields })
  const verify = async ({ body: asked }: Awaited<ReturnType<typeof post>>, returnTo: unknown): Promise<void> => {
    const challenge = { for: asked.for }
    const code = await codeOf(host, () => post(String(asked.send_url), challenge))
    const wrong = await post(String(asked.verify_url), { ...challenge, code: wrongCode(code) })
    expect(wrong).toMatchObject({ status: 422, body: { code: 'wrong_code', attempts_left: 4 } })
    const right = await post(String(asked.verify_url), { ...challenge, code })
    expect(right).toMatchObject({ status: 200, body: { verified: true, return_to: returnTo } })
  }
  const otpRequired = { status: 401, body: { code: 'otp_required' } }
  const signInRequired = { status: 401, body: { code: 'sign_in_required' } }

  expect(await client.get(`${base}/account`)).toMatchObject(signInRequired)
  expect(await post(`${base}/sign-in`, { email })).toMatchObject({ status: 303 })
  const account = await client.get(`${base}/account`)
  expect(account).toMatchObject(otpRequired)
  await verify(account, `${base}/account`)
  expect(await client.get(`${base}/account`)).toMatchObject({ status: 200 })

  const transfer = { amount: '50', payee: 'Ben' }
  const asked = await post(`${base}/transfer`, transfer)
  expect(asked).toMatchObject(otpRequired)
  await verify(asked, host.base === '' ? '/' : expect.any(String))
  expect(await post(`${base}/transfer`, transfer)).toMatchObject({ status: 200, text: 'Send 50 EUR to Ben: done' })
  expect(await post(`${base}/transfer`, transfer)).toMatchObject(otpRequired)

  expect(await post(`${base}/sign-out`)).toMatchObject({ status: 303 })
  expect(await client.get(`${base}/account`)).toMatchObject(signInRequired)
}
