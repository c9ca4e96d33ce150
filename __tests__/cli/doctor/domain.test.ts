import { resolverOf, type Zone } from '../../helpers/mail-world.js'
import { clockDiagnosis } from '../../../src/cli/doctor/check-clock.js'
import { dkimDiagnosis } from '../../../src/cli/doctor/check-dkim.js'
import { dmarcDiagnosis } from '../../../src/cli/doctor/check-dmarc.js'
import { fromDiagnosis } from '../../../src/cli/doctor/check-from.js'
import { mxDiagnosis } from '../../../src/cli/doctor/check-mx.js'
import { providerOf } from '../../../src/cli/doctor/sending-providers.js'
import { resolveSite } from '../../../src/config/site.js'

const DOMAIN = 'codes.acmecodes.net'

describe('DMARC', () => {
  const found = (zone: Zone) => dmarcDiagnosis(resolverOf(zone), DOMAIN)
  const own = (...txt: string[]): Zone => ({ [`_dmarc.${DOMAIN}`]: { txt } })
  const parent = (...txt: string[]): Zone => ({ '_dmarc.acmecodes.net': { txt } })

  test.each([
    ['v=DMARC1; p=none; rua=mailto:a@acmecodes.net', 'p=none: receivers report'],
    ['v=DMARC1;p=quarantine', 'is put into spam'],
    ['v=DMARC1 ; p = reject', 'is refused'],
  ])('%s: %s', async (record, message) => {
    const { level, message: said } = await found(own(record))
    expect(level).toBe('ok')
    expect(said).toContain(message)
  })

  test('no record is a warning, with the record to begin with', async () => {
    const { level, cure } = await found(own('something else'))
    expect(level).toBe('warning')
    expect(cure).toContain(`_dmarc.${DOMAIN}`)
    expect(cure).toContain('"v=DMARC1; p=none;')
  })

  test('several records are an error', async () => {
    expect(await found(own('v=DMARC1; p=none', 'v=DMARC1; p=reject'))).toMatchObject({ level: 'error' })
  })

  test('a record without a policy is a warning', async () => {
    expect(await found(own('v=DMARC1; p=block'))).toMatchObject({ level: 'warning' })
    expect(await found(own('v=DMARC1'))).toMatchObject({ level: 'warning' })
  })

  test("without a record the policy for subdomains of the organisation counts, else the organisation's own", async () => {
    expect((await found(parent('v=DMARC1; p=reject; sp=none'))).message).toContain('acmecodes.net has p=none')
    expect((await found(parent('v=DMARC1; p=reject'))).message).toContain('acmecodes.net has p=reject')
    expect((await found({ ...own('v=DMARC1; p=none'), ...parent('v=DMARC1; p=reject') })).message).toContain('p=none')
  })

  test('a public suffix is nobody’s organisation', async () => {
    expect(await found(parent('v=DMARC1; p=reject; psd=y'))).toMatchObject({ level: 'warning' })
  })
})

describe('MX', () => {
  const found = (zone: Zone) => mxDiagnosis(resolverOf(zone), DOMAIN)

  test('a mail server takes the bounces', async () => {
    expect((await found({ [DOMAIN]: { mx: ['mx.acmecodes.net'] } })).message).toContain('go to mx.acmecodes.net')
  })

  test('without MX, bounces are lost', async () => {
    expect(await found({ [DOMAIN]: { a: ['203.0.113.1'] } })).toMatchObject({ level: 'warning' })
    expect((await found({})).message).toContain('bounces cannot arrive')
  })

  test.each(['', '.'])('the null MX %p is an error', async (exchange) => {
    expect(await found({ [DOMAIN]: { mx: [exchange] } })).toMatchObject({ level: 'error' })
  })
})

describe('DKIM', () => {
  const found = (txt: string[] | null, selector: string | null) =>
    dkimDiagnosis(resolverOf(txt ? { [`s1._domainkey.${DOMAIN}`]: { txt } } : {}), DOMAIN, selector, null)

  test('without a selector it cannot be told', async () => {
    expect(await found(['v=DKIM1; p=MIIB'], null)).toMatchObject({ level: 'unknown' })
    const provider = providerOf('email-smtp.eu-west-1.amazonaws.com')
    const { message } = await dkimDiagnosis(resolverOf({}), DOMAIN, null, provider)
    expect(message).toContain('DMARC rests on DKIM here')
    expect(message).toContain('Amazon SES')
  })

  test.each<[string[] | null, string]>([
    [['v=DKIM1; k=rsa; p=MIIB'], 'ok'],
    [['p=MIIB'], 'ok'],
    [['v=DKIM1; p='], 'error'],
    [null, 'error'],
  ])('the key %j: %s', async (txt, level) => {
    expect(await found(txt, 's1')).toMatchObject({ check: 'dkim', level })
  })
})

describe('the From domain', () => {
  const site = (origin?: string) => resolveSite({ name: 'Acme', ...(origin !== undefined && { origin }) })

  test.each(['acmecodes.net', 'app.acmecodes.net'])('mails of %s belong to a site of that organisation', (domain) => {
    expect(fromDiagnosis(domain, site('https://www.acmecodes.net'))).toMatchObject({ level: 'ok' })
  })

  test('another domain than that of the site is a warning', () => {
    const { level, message } = fromDiagnosis('acme-mailer.net', site('https://acmecodes.net'))
    expect(level).toBe('warning')
    expect(message).toContain('from acme-mailer.net, and the site is https://acmecodes.net')
  })

  test('a site without an origin is a warning', () => {
    expect(fromDiagnosis('acmecodes.net', site())).toMatchObject({ level: 'warning' })
  })

  test.each([
    'example.com',
    'mail.example.org',
    'acme.example',
    'acme.test',
    'localhost',
    'mail.acme.local',
    'a.internal',
  ])('the placeholder %s is an error', (domain) => {
    expect(fromDiagnosis(domain, site())).toMatchObject({ level: 'error' })
  })

  test.each(['example.net.acmecodes.net', 'myexample.com', 'latest'])('%s is no placeholder', (domain) => {
    expect(fromDiagnosis(domain, site()).level).not.toBe('error')
  })
})

describe('the clock', () => {
  const NOON = Date.parse('2026-11-26T12:00:00Z')
  const found = (text: string, at = NOON) => clockDiagnosis([{ by: 'mail.acmecodes.net', text, at }])

  test.each([
    '220 mail.acmecodes.net ESMTP Exim 4.98 Thu, 26 Nov 2026 12:00:30 +0000',
    '220 mail.acmecodes.net ESMTP Sendmail 8.18.1; Thu, 26 Nov 2026 13:00:10 +0100',
    '220 mail.acmecodes.net Microsoft ESMTP MAIL Service ready at Thu, 26 Nov 2026 11:59:59 +0000',
    'Thu, 26 Nov 2026 12:00:00 GMT',
  ])('%s agrees', (text) => {
    expect(found(text)).toMatchObject({ level: 'ok' })
  })

  test.each<[number, string, string]>([
    [60, 'ok', 'agree'],
    [61, 'warning', '61 seconds ahead of'],
    [-61, 'warning', '61 seconds behind'],
    [300, 'warning', '300 seconds'],
    [301, 'error', '301 seconds'],
    [-3_600, 'error', '3600 seconds behind'],
  ])('%d seconds off: %s', (seconds, level, message) => {
    const diagnosis = found('Thu, 26 Nov 2026 12:00:00 GMT', NOON + seconds * 1_000)
    expect(diagnosis.level).toBe(level)
    expect(diagnosis.message).toContain(message)
  })

  test('a greeting without a date tells nothing, and the next source is asked', () => {
    expect(found('220 smtp.gmail.com ESMTP 5b1f17b1804b1 - gsmtp')).toMatchObject({ level: 'unknown' })
    const site = { by: 'https://acmecodes.net', text: 'Thu, 26 Nov 2026 11:00:00 GMT', at: NOON }
    const { message } = clockDiagnosis([{ by: 'mail', text: '220 mail', at: NOON }, site])
    expect(message).toContain('3600 seconds ahead of that of https://acmecodes.net')
  })
})
