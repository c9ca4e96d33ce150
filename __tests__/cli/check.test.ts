import { readFileSync } from 'node:fs'
import { CliPackage } from '../helpers/cli-package.js'

const cli = new CliPackage()
afterAll(() => {
  cli.remove()
})

const BROKEN = '<p>{{cod}}</p>\n{{#if code}}'
const LOUD = '<p>{{code}}<img src="http://pixel.example/a.gif"></p>'

describe('check', () => {
  test('passes with sound views, and says so', async () => {
    cli.write('sound/locales/en.json', '{ "send.title": "Hello" }')
    const { exitCode, stdout } = await cli.run(['check', '--views', 'sound'])
    expect({ exitCode, lastLine: stdout.trim().split('\n').at(-1) }).toMatchObject({
      exitCode: 0,
      lastLine: expect.stringMatching(/^0 errors, \d+ warnings?$/),
    })
  })

  test('tells all mistakes of the start with file, line and column as seen from here, and ends with 1', async () => {
    cli.write('broken/mail/code/html.hbs', '<p>{{cod}}</p>')
    cli.write('broken/mail/code/text.hbs', '{{code}}\n{{#if purposeText}}')
    const { exitCode, stdout, stderr } = await cli.run(['check', '--views', 'broken'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' })
    expect(stdout.trim().split('\n')).toEqual([
      'broken/mail/code/html.hbs:1:6: error: unknown variable "cod". Did you mean "code"?',
      expect.stringMatching(/^broken\/mail\/code\/text\.hbs:2:1: error: \{\{#if purposeText\}\} is not closed\./),
      '2 errors, 0 warnings',
    ])
  })

  test('warns about all mails, once for all languages and samples, and ends with 0', async () => {
    cli.write('loud/mail/code/html.hbs', LOUD)
    const { exitCode, stdout } = await cli.run(['check', '--views', 'loud', '--format', 'json'])
    expect(exitCode).toBe(0)
    const { errors, warnings, findings } = JSON.parse(stdout) as Record<string, unknown[]>
    expect({ errors, warnings }).toEqual({ errors: 0, warnings: findings?.length })
    for (const finding of findings ?? []) {
      expect(finding).toEqual({
        level: 'warning',
        rule: expect.stringMatching(/^[a-z-]+$/),
        file: expect.any(String),
        line: expect.any(Number),
        column: expect.any(Number),
        message: expect.any(String),
        cure: expect.any(String),
        mails: expect.arrayContaining([expect.any(String)]),
        locales: expect.arrayContaining([expect.any(String)]),
        samples: expect.arrayContaining([expect.any(String)]),
      })
    }
    const pixel = (findings as { file: string; message: string; locales: string[] }[]).filter(
      ({ message }) => message.includes('pixel.example') && message.includes('loads'),
    )
    expect(pixel).toMatchObject([{ file: 'loud/mail/code/html.hbs' }])
    expect(pixel[0]?.locales.length).toBeGreaterThan(15)
  })

  test('warns about texts of a language that are missing or still English', async () => {
    const subject = /"(mail\.[a-z.]+)": "([^"]+ [^"]+)"/.exec(readFileSync('views/locales/en.json', 'utf8'))
    cli.write('texts/locales/sv.json', JSON.stringify({ [subject?.[1] ?? '']: subject?.[2] }))
    const { exitCode, stdout } = await cli.run(['check', '--views', 'texts'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^texts\/locales\/sv\.json:1:1: warning: .* \[text-missing\] \(sv\)$/m)
    expect(stdout).toMatch(/^texts\/locales\/sv\.json:1:1: warning: mail\..* \[text-english\] \(sv\)$/m)
  })

  test('a function of the host that throws is an error', async () => {
    const locals = 'locals: () => { throw new Error("no database") }'
    const mail = `{ transport: { sendMail: async () => ({}) }, from: 'no-reply@acme.example', ${locals} }`
    const rest = `site: { name: 'Acme' }, user: () => null, mail: ${mail}`
    cli.write('locals.cjs', `exports.options = { secret: 'x'.repeat(32), ${rest} }`)
    const { exitCode, stdout } = await cli.run(['check', '--config', 'locals.cjs'])
    expect(exitCode).toBe(1)
    expect(stdout).toContain('[render-failed]')
  })

  test('--format github makes annotations, which no text can break out of', async () => {
    cli.write('github/mail/code/html.hbs', BROKEN)
    cli.write('github/a,b:c.hbs', 'x')
    const { exitCode, stdout } = await cli.run(['check', '--views', 'github', '--format', 'github'])
    expect(exitCode).toBe(1)
    const lines = stdout.trim().split('\n')
    expect(lines[0]).toMatch(/^::error file=github\/a%2Cb%3Ac\.hbs,line=1,col=1::matches no known view\. /)
    expect(lines[1]).toMatch(
      /^::error file=github\/mail\/code\/html\.hbs,line=2,col=1::\{\{#if code\}\} is not closed\. /,
    )
    expect(lines).toHaveLength(3)
  })

  test('tells an option that is wrong, at the file of the options', async () => {
    cli.write('wrong.cjs', 'exports.options = { secret: "too-short-but-never-shown", site: { name: "Acme" } }')
    const { exitCode, stdout, stderr } = await cli.run(['check', '--config', 'wrong.cjs'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' })
    expect(stdout).toMatch(/^wrong\.cjs:1:1: error: emailOtp: /)
    expect(stdout).not.toContain('never-shown')
  })

  test('refuses another format', async () => {
    const { exitCode, stderr } = await cli.run(['check', '--views', 'sound', '--format', 'jsn'])
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: 'express-email-otp: unknown --format "jsn". Did you mean "json"? Known: text, json, github.\n',
    })
  })
})
