import { readFileSync } from 'node:fs'
import path from 'node:path'
import { SOUND_ZONE, worldOf, type Zone } from '../../helpers/mail-world.js'
import { ScriptedSmtp, type SmtpScript } from '../../helpers/smtp-script.js'
import { doctor } from '../../../src/cli/doctor/index.js'
import type { OtpOptions } from '../../../src/index.js'

const PASSWORD = 'correct horse battery'
const AUTH = { user: 'mailer-of-acme', pass: PASSWORD }

interface Examination {
  script?: SmtpScript
  zone?: Zone
  from?: string
  now?: () => number
  json?: boolean
  date?: string
  dkimSelector?: string
}

/** What the command writes about a host whose server does as it is told. */
async function examined({ script, json = false, from = 'Acme <no-reply@acmecodes.net>', ...world }: Examination = {}) {
  const smtp = await ScriptedSmtp.listen({ auth: '235 ok', ...script })
  const host: OtpOptions = {
    secret: 'a secret of the host, long enough',
    site: { name: 'Acme', origin: 'https://acmecodes.net' },
    mail: { transport: { host: '127.0.0.1', port: smtp.port, auth: AUTH }, from },
    user: () => null,
  }
  let output = ''
  const { dkimSelector, ...rest } = world
  const write = (text: string): void => {
    output += text
  }
  const exitCode = await doctor(host, { write, json, dkimSelector }, worldOf(rest))
  await smtp.close()
  return { exitCode, output }
}

const greetingAt = (ms: number): string => `220 mail.acmecodes.net ESMTP ${new Date(ms).toUTCString()}`

test('when all is well, the exit code is 0', async () => {
  const now = Date.parse('2026-11-26T12:00:00Z')
  const zone = { ...SOUND_ZONE, 's1._domainkey.acmecodes.net': { txt: ['v=DKIM1; p=MIIB'] } }
  const { exitCode, output } = await examined({
    ...{ script: { greeting: greetingAt(now) }, zone, now: () => now, dkimSelector: 's1' },
  })
  expect(exitCode).toBe(0)
  const levels = output.split('\n').flatMap((line) => /^(\w+) +(\w+) /.exec(line)?.slice(1, 3).join(' ') ?? [])
  const sound = ['connection', 'tls', 'capabilities', 'login', 'sender', 'from', 'mx', 'dkim', 'dmarc', 'clock']
  expect(levels.filter((one) => one.startsWith('ok '))).toEqual(sound.map((check) => `ok ${check}`))
  expect(levels).toContain('unknown spf') // the server is this machine
  expect(output).toMatch(/\nerrors: 0, warnings: 0$/)
})

test.each<[string, Examination, RegExp]>([
  ['a refused login', { script: { auth: '535 5.7.8 no' } }, /^error +login/m],
  ['a refused sender', { script: { mail: '550 5.7.1 no' } }, /^error +sender/m],
  ['a placeholder', { from: 'no-reply@example.com' }, /^error +from/m],
  ['no SPF record', { zone: { 'acmecodes.net': { mx: ['mx.acmecodes.net'] } } }, /^error +spf/m],
  ['a clock an hour off', { script: { greeting: greetingAt(Date.now() - 3_600_000) } }, /^error +clock/m],
  ['a clock an hour off by the site', { date: new Date(Date.now() + 3_600_000).toUTCString() }, /^error +clock/m],
])('%s is an error with its cure, and the exit code is 1', async (_what, examination, line) => {
  const { exitCode, output } = await examined(examination)
  expect(exitCode).toBe(1)
  expect(output).toMatch(line)
  const lines = output.split('\n')
  expect(
    lines.filter((one, i) => /^(error|warning|unknown) /.test(one) && !/^ +→ \S/.test(lines[i + 1] ?? '')),
  ).toEqual([])
})

test('warnings alone leave the exit code at 0', async () => {
  const zone: Zone = { 'acmecodes.net': { txt: ['v=spf1 mx -all'] } }
  const { exitCode, output } = await examined({ zone })
  expect(output).toMatch(/^warning +mx/m)
  expect(output).toMatch(/^warning +dmarc/m)
  expect(exitCode).toBe(0)
})

test('a DNS that gives no answer is told for each check, and no error of the domain', async () => {
  const zone: Zone = { 'acmecodes.net': { down: true }, '_dmarc.acmecodes.net': { down: true } }
  const { exitCode, output } = await examined({ zone })
  expect(output.match(/^warning +(mx|spf|dmarc) +Not told: the DNS gives no answer .*ESERVFAIL/gm)).toHaveLength(3)
  expect(exitCode).toBe(0)
})

test('a placeholder as From domain is not looked up', async () => {
  const { output } = await examined({ from: 'no-reply@acme.example', zone: {} })
  expect(output).not.toMatch(/ (mx|spf|dkim|dmarc) /)
})

test('the sample in docs/mail-delivery.md is what is printed', async () => {
  const page = readFileSync(path.join(__dirname, '../../../docs/mail-delivery.md'), 'utf8')
  const [, sample] = /<!-- doctor:start -->\n\n```text\n([^]*?)```/.exec(page) ?? []
  const zone: Zone = { ...SOUND_ZONE, 'acmecodes.net': { mx: ['mx.acmecodes.net'] } }
  const { output } = await examined({ zone, script: { greeting: '220 mail.acmecodes.net ESMTP Postfix' } })
  expect(output.replace(/:\d+ answers/, ':587 answers') + '\n').toBe(sample)
})

describe('JSON', () => {
  test('has counts and checks, each with level, message and cure', async () => {
    const { exitCode, output } = await examined({ json: true, script: { auth: '535 5.7.8 no' } })
    const report = JSON.parse(output) as { errors: number; warnings: number; checks: Record<string, unknown>[] }
    expect(Object.keys(report)).toEqual(['errors', 'warnings', 'checks'])
    expect([report.errors, exitCode]).toEqual([1, 1])
    expect(report.checks.length).toBeGreaterThan(8)
    for (const check of report.checks) {
      expect(Object.keys(check).sort()).toEqual(['check', 'cure', 'level', 'message'])
      expect(['ok', 'unknown', 'warning', 'error']).toContain(check.level)
      expect(check.check).toMatch(/^[a-z]+$/)
      expect(check.message).toMatch(/\S/)
      expect(typeof check.cure === 'string' ? check.cure !== '' : check.level === 'ok').toBe(true)
    }
  })
})

describe('what nobody may see', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const repeated = [AUTH.user, PASSWORD, base64(PASSWORD), base64(`\0${AUTH.user}\0${PASSWORD}`)]

  test.each([true, false])('a server that repeats the login does not get it printed, as JSON: %p', async (json) => {
    for (const text of repeated) {
      const scripts: SmtpScript[] = [{ auth: `535 5.7.8 no ${text}` }, { mail: `550 5.7.1 no ${text}` }]
      for (const script of scripts) {
        const { output } = await examined({ json, script })
        for (const secret of repeated) expect(output).not.toContain(secret)
      }
    }
  })

  test('neither does the host, when all is well', async () => {
    const { output } = await examined()
    for (const secret of [...repeated, 'a secret of the host']) expect(output).not.toContain(secret)
  })

  test('control characters of servers and of the DNS do not reach the terminal', async () => {
    const evil = 'a\u001b]0;title\u0007\u001b[2J\u009b31m\u202eb\r'
    const { output } = await examined({
      script: { greeting: `220 ${evil}`, mail: `550 5.7.1 ${evil}` },
      zone: {
        'acmecodes.net': { mx: [evil], txt: [`v=spf1 ${evil} -all`] },
        '_dmarc.acmecodes.net': { txt: [`v=DMARC1; p=${evil}`] },
      },
    })
    // eslint-disable-next-line no-control-regex
    expect(output.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
    expect(output).toContain('title')
  })

  test('a long answer is cut', async () => {
    const { output } = await examined({ script: { greeting: `220 ${'x'.repeat(5_000)}` } })
    expect(Math.max(...output.split('\n').map((line) => line.length))).toBeLessThan(500)
  })
})
