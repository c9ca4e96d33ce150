import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { SECRET } from '../helpers/host-app.js'
import { type EmailOtp, emailOtp, type OtpOptions } from '../../src/index.js'
import { createMailbox, mailProof, type MailProofOptions } from '../../src/testing/index.js'

const folder = mkdtempSync(path.join(tmpdir(), 'mail-proof-'))
const mailbox = createMailbox()
const plugins: EmailOtp[] = []
afterEach(async () => {
  for (const otp of plugins.splice(0)) await otp.close()
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

let views = 0
/** A plugin with these files. */
function plugin(files: Record<string, string> = {}, options: Partial<OtpOptions> = {}): EmailOtp {
  const ofPlugin = path.join(folder, String(views++))
  mkdirSync(ofPlugin)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(ofPlugin, name)), { recursive: true })
    writeFileSync(path.join(ofPlugin, name), text)
  }
  const mail = { transport: mailbox, from: 'no-reply@acme.example' }
  const site = { name: 'Acme', origin: 'https://acme.example' }
  const otp = emailOtp({ secret: SECRET, site, mail, user: () => null, views: ofPlugin, ...options })
  plugins.push(otp)
  return otp
}

async function failures(otp: EmailOtp, options: Parameters<typeof mailProof>[1]): Promise<string[]> {
  const results = await Promise.allSettled(mailProof(otp, options).map(({ run }) => run()))
  return results.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))
}

describe('mailProof()', () => {
  test('has a case for each mail, language and sample, those of the host too, and sends nothing', async () => {
    const otp = plugin({ 'mail/transfer/text.hbs': '{{code}}\n\n{{boundLine}}', 'samples/order.json': '{}' })
    const names = mailProof(otp, { locales: ['en', 'de'] }).map(({ name }) => name)
    expect(new Set(names).size).toBe(3 * 2 * 5)
    expect(names).toContain('the mail "transfer" in de, sample "order"')
    expect(mailProof(otp).length).toBe(3 * 19 * 5)
    expect(await failures(otp, { locales: ['en', 'de'] })).toEqual([])
    expect(mailbox.mails).toEqual([])
  })

  test('fails with what is wrong and its cure; warnings only if asked to', async () => {
    const otp = plugin({ 'mail/code/html.hbs': '<p>{{code}} © 2026</p>' })
    expect(await failures(otp, { locales: ['en'] })).toEqual([])
    const [first = ''] = await failures(otp, { locales: ['en'], warnings: 'fail' })
    expect(first).toContain('the mail "access" in en, sample "typical":\n')
    expect(first).toContain('- warning other-number in html: beside the code it has the number 2026. Mail programs')
  })

  test('finds what only the own site of the host brings out', async () => {
    const otp = plugin({
      'mail/code/subject.hbs':
        '{{#if site.supportUrl}}Your code{{else}}{{#unless site.domain}}Your code{{/unless}}{{/if}}',
    })
    const found = await failures(otp, { locales: ['en'] })
    expect(found).toHaveLength(4)
    expect(found[0]).toContain('- error subject-empty in subject: the subject is empty. Write one line of text.')
  })

  test('calls `mail.locals` and `mail.render`, and fails with what they throw', async () => {
    const asked: unknown[] = []
    const mail = {
      ...{ transport: mailbox, from: 'no-reply@acme.example' },
      locals: (recipient: unknown) => {
        asked.push(recipient)
        return { plan: 'Gold' }
      },
    }
    const files = {
      'mail/code/subject.hbs': '{{custom.plan}} {{custom.shop}} code',
      'samples/a.json': '{ "custom": { "shop": "A" } }',
    }
    const one = { locales: ['en'] }
    expect(await failures(plugin(files, { mail }), one)).toEqual([])
    expect(asked[0]).toMatchObject({
      mail: 'code',
      purpose: 'access',
      email: 'ana@example.com',
      user: { id: 'otp-sample' },
    })
    const broken = { ...mail, render: () => Promise.reject(new Error('no such component')) }
    const found = await failures(plugin({}, { mail: broken }), one)
    expect(found).toHaveLength(8)
    expect(found[0]).toContain('- error render-failed in html: `mail.render` threw.')
    expect(found[0]).toContain('no such component')
    const useless = { ...mail, render: () => ({ subject: 'Code', html: '<p>Hello</p>', text: 'Hello' }) }
    expect((await failures(plugin({}, { mail: useless }), one))[0]).toContain('the mail does not show the code')
  })

  test.each<[MailProofOptions & { languages?: string[] }, string]>([
    [{ locales: ['xx'] }, '`locales` is "xx"'],
    [{ warnings: 'never' as 'fail' }, '`warnings` is "never"'],
    [{ languages: ['en'] }, 'unknown option `languages`'],
  ])('refuses %j', (options, message) => {
    expect(() => mailProof(plugin(), options)).toThrow(message)
  })

  test('refuses what is no plugin', () => {
    expect(() => mailProof({})).toThrow('mailProof: option `otp` is not a plugin.')
  })
})
