import { createTransport } from 'nodemailer'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SECRET } from '../helpers/host-app.js'
import { emailOtp, type OtpOptions } from '../../src/index.js'
import { composeSampleMail, type SampleMail, sampleNames } from '../../src/mail/sample-mail.js'
import { servicesOf } from '../../src/services.js'
import { createMailbox } from '../../src/testing/index.js'
import { readHtml, singleSpaced } from '../../src/views/mail-rules/read-html.js'
import { HOSTILE_TAG } from '../../src/views/samples.js'

const composer = createTransport({ streamTransport: true, buffer: true })
const mail = { transport: createMailbox(), from: 'Acme <no-reply@acme.example>' }
const ORIGIN = 'https://acme.example'

/** A host with users and an origin, whose subjects have no code; one with neither, and with a name that is hard to print. */
const HOSTS: Record<string, Partial<OtpOptions>> = {
  'with users and an origin': { site: { name: 'Acme', origin: ORIGIN, supportUrl: '/help' }, user: () => null },
  'with typed addresses and no origin': { site: { name: `${HOSTILE_TAG} & "Söhne" 'שלום'` }, typedEmail: true },
}

interface Received extends SampleMail {
  readonly parsed: ParsedMail
  readonly raw: string
  readonly html: string
  readonly text: string
}

async function receive(sample: SampleMail): Promise<Received> {
  const { message } = await composer.sendMail({ ...sample.message })
  const raw = (message as Buffer).toString()
  const parsed = await simpleParser(raw)
  return { ...sample, parsed, raw, html: String(parsed.html), text: parsed.text ?? '' }
}

describe.each(Object.keys(HOSTS))('in an app %s', (host) => {
  const otp = emailOtp({ secret: SECRET, mail, site: { name: '' }, ...HOSTS[host] })
  afterAll(() => otp.close())
  const services = servicesOf('test', otp)
  const { locales } = services.views
  const mails = (purpose: string, locale: string): Promise<Received[]> =>
    Promise.all(
      sampleNames(services.views).map(async (sample) =>
        receive(await composeSampleMail(services, { purpose, locale, sample })),
      ),
    )

  test.each(locales)('nothing is found in any mail in %s, as it arrives', async (locale) => {
    for (const { findings, parsed, html, text } of [
      ...(await mails('access', locale)),
      ...(await mails('alert', locale)),
    ]) {
      expect(findings).toEqual([])
      expect(parsed.subject?.trim()).toBeTruthy()
      expect(Buffer.byteLength(html)).toBeLessThan(12_000)
      expect(html).not.toMatch(/\ssrc="(?!cid:)|url\(|<link|<script/)
      expect(text.split('\n').filter((line) => line.length > 78 && !/\S{79}/.test(line))).toEqual([])
    }
  })

  test.each(locales)('a mail in %s has its code once in the text and once in the HTML, as one run', async (locale) => {
    for (const { context, parsed, raw, html, text } of await mails('access', locale)) {
      const bound = context.code.replaceAll('-', '')
      const line = context.boundLine && `@acme.example #${bound}`
      expect(text.trimEnd().endsWith(line)).toBe(true)
      expect(parsed.headers.has('otp-token')).toBe(line !== '')
      const shown = [readHtml(html).visible, text.replace(line, '')]
      expect(shown.map((one) => one.split(context.code).length - 1)).toEqual([1, 1])
      expect(raw.indexOf('text/plain')).toBeLessThan(raw.indexOf('text/html'))
      expect(parsed.subject?.includes(context.code)).toBe(context.codeInSubject)
    }
  })

  test.each(locales)(
    'H8: a code that is not in the subject is not in the first 140 characters in %s',
    async (locale) => {
      for (const { context, html, text, rendered } of await mails('access', locale)) {
        if (context.codeInSubject) continue
        const beginnings = [readHtml(html).preview, singleSpaced(text), rendered.preheader].map((one) =>
          one.slice(0, 146),
        )
        expect(beginnings.filter((one) => one.includes(context.code))).toEqual([])
      }
    },
  )
})
