import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createTransport } from 'nodemailer'
import { type Agent, ANA, HostApp } from '../helpers/host-app.js'
import { type MailTransporter } from '../../src/index.js'

const FROM = 'Acme <no-reply@acme.example>'
const CODE = /^\d{6}(?=\r?$)/m

let host: HostApp
const folder = mkdtempSync(path.join(tmpdir(), 'otp-sendmail-'))
afterEach(() => host.close())
afterAll(() => {
  rmSync(folder, { recursive: true })
})

async function startWith(transport: unknown): Promise<Agent> {
  host = await HostApp.start({ otp: { mail: { transport: transport as MailTransporter, from: FROM } } })
  return host.signedIn()
}

const send = (jar: Agent) => jar.post('/2fa/send').send({})

/** What the transport resolves with, of the newest mail. */
function remembering(transporter: { sendMail: (message: object) => Promise<unknown> }): {
  transport: MailTransporter
  info: () => Record<string, unknown>
} {
  let last: unknown
  const transport = { sendMail: async (message: object) => (last = await transporter.sendMail(message)) }
  return { transport, info: () => last as Record<string, unknown> }
}

/** A program that is called as sendmail is. It writes its arguments and the message to files. */
function sendmailProgram(name: string, exitCode: number): string {
  const file = path.join(folder, name)
  writeFileSync(file, `#!/bin/sh\necho "$@" > '${file}.args'\ncat > '${file}.mail'\nexit ${exitCode}\n`)
  chmodSync(file, 0o755)
  return file
}

/** The client of SES, as nodemailer calls it. */
class SendEmailCommand {
  constructor(readonly input: { Destination: { ToAddresses: string[] }; Content: { Raw: { Data: Buffer } } }) {}
}
function sesTransport(answer: (command: SendEmailCommand) => Promise<unknown>): unknown {
  return createTransport({ SES: { sesClient: { send: answer, config: {} }, SendEmailCommand } } as never)
}

describe('transports that do not say whom they accepted', () => {
  test('A3: a mail of nodemailer’s JSON transport counts as sent, and its code works', async () => {
    const { transport, info } = remembering(createTransport({ jsonTransport: true }))
    const jar = await startWith(transport)
    const { body } = (await send(jar).expect(200)) as { body: { delivery: string } }
    expect(body.delivery).toBe('sent')
    const mail = JSON.parse(String(info().message)) as { to: { address: string }[]; text: string }
    expect(mail.to).toMatchObject([{ address: ANA.email }])
    await jar
      .post('/2fa/verify')
      .send({ code: CODE.exec(mail.text)?.[0] })
      .expect(200)
  })

  test('A3: a mail of nodemailer’s stream transport counts as sent', async () => {
    const { transport, info } = remembering(createTransport({ streamTransport: true, buffer: true }))
    await send(await startWith(transport)).expect(200)
    expect(info().accepted).toBeUndefined()
    expect(String(info().message)).toMatch(/^To: ana@example\.com/m)
    expect(host.events.at(-1)).toMatchObject({ type: 'sent', outcome: 'accepted' })
  })

  test('A3: a mail that sendmail takes counts as sent, to the one address', async () => {
    const program = sendmailProgram('accepts', 0)
    await send(await startWith(createTransport({ sendmail: true, path: program }))).expect(200)
    expect(readFileSync(`${program}.args`, 'utf8')).toBe(`-i -f no-reply@acme.example ${ANA.email}\n`)
    expect(readFileSync(`${program}.mail`, 'utf8')).toMatch(/^To: ana@example\.com/m)
    expect(host.events.at(-1)).toMatchObject({ type: 'sent' })
  })

  test('A3: a mail that sendmail refuses has failed', async () => {
    const program = sendmailProgram('refuses', 75)
    await send(await startWith(createTransport({ sendmail: true, path: program })))
    expect(existsSync(`${program}.mail`)).toBe(true)
    expect(host.events.some(({ type }) => type === 'sent')).toBe(false)
    expect(host.events.at(-1)).toMatchObject({ type: 'undelivered', reason: 'ESENDMAIL' })
  })

  test('A3: a mail that SES takes counts as sent, to the one address', async () => {
    const recipients: string[][] = []
    const transport = sesTransport((command) => {
      recipients.push(command.input.Destination.ToAddresses)
      return Promise.resolve({ MessageId: '0100018f' })
    })
    await send(await startWith(transport)).expect(200)
    expect(recipients).toEqual([[ANA.email]])
    expect(host.events.at(-1)).toMatchObject({ type: 'sent' })
  })

  test('A3: a mail that SES refuses has failed', async () => {
    const transport = sesTransport(() => Promise.reject(new Error('Email address is not verified')))
    await send(await startWith(transport))
    expect(host.events.some(({ type }) => type === 'sent')).toBe(false)
    expect(host.events.at(-1)).toMatchObject({ type: 'undelivered' })
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'queued'],
    ['the id of an HTTP API', { id: '49a3999c-0ce1-4ea6-ab68-afcd6dc2e794' }],
    ['nobody as rejected', { rejected: [] }],
    ['neither list', { accepted: undefined, rejected: null }],
  ])('A3: the promise of an own `sendMail` is the acceptance when it resolves with %s', async (_what, info) => {
    await send(await startWith({ sendMail: () => Promise.resolve(info) })).expect(200)
    expect(host.events.at(-1)).toMatchObject({ type: 'sent' })
  })

  test.each<[string, unknown]>([
    ['a list', { rejected: [ANA.email] }],
    ['a text', { rejected: ANA.email }],
  ])('A3: who is named as rejected, by %s, got no mail', async (_what, info) => {
    await send(await startWith({ sendMail: () => Promise.resolve(info) })).expect(422)
    expect(host.events.at(-1)).toMatchObject({ type: 'undelivered', outcome: 'refused', failureClass: 'recipient' })
  })

  test('A3: a `sendMail` that returns no promise has failed once, and the event names the cure', async () => {
    const sendMail = jest.fn()
    await send(await startWith({ sendMail })).expect(503)
    expect(sendMail).toHaveBeenCalledTimes(1)
    expect(host.events.at(-1)).toMatchObject({ type: 'undelivered', failureClass: 'config', reason: 'no promise' })
    expect(host.events.at(-1)).toMatchObject({ advice: expect.stringContaining('util.promisify') as string })
  })

  test('A3: an own `sendMail` that throws at once has failed', async () => {
    const sendMail = (): never => {
      throw new Error('no key')
    }
    await send(await startWith({ sendMail }))
    expect(host.events.some(({ type }) => type === 'sent')).toBe(false)
    expect(host.events.at(-1)).toMatchObject({ type: 'undelivered', failureClass: 'unknown' })
  })
})
