import { CliPackage } from '../helpers/cli-package.js'
import { MAIL_VARIABLES, PAGE_VARIABLES } from '../../src/views/variables.js'

const cli = new CliPackage()
afterAll(() => {
  cli.remove()
})

describe('list', () => {
  test('tells built-in and own files, and the mistakes of a file that cannot start', async () => {
    cli.write('views/mail/code/subject.hbs', 'Code for {{site.name}}')
    cli.write('views/mail/code/text.hbs', '{{code}}\n{{otp}}')
    const { exitCode, stdout } = await cli.run(['list', '--views', 'views'])
    expect(exitCode).toBe(1)
    const lines = stdout.split('\n')
    expect(lines).toContain('yours     views/mail/code/subject.hbs')
    expect(lines).toContain('invalid   views/mail/code/text.hbs:2:3: unknown variable "otp".')
    expect(lines).toContain('built-in  mail/code/html.hbs')
    expect(lines).not.toContain('built-in  mail/code/text.hbs')
  })

  test('knows the helpers of the host', async () => {
    cli.write('helped/mail/code/subject.hbs', 'Code for {{loud site.name}}')
    const options = `{ secret: 'x'.repeat(32), site: { name: 'Acme' }, mail: { transport: 'smtp://127.0.0.1:1', from: 'a@acme.example' }, user: () => null, views: 'helped', helpers: { loud: (text) => String(text).toUpperCase() } }`
    cli.write('helped.mjs', `export const options = ${options}`)
    const { exitCode, stdout } = await cli.run(['list', '--config', 'helped.mjs'])
    expect(stdout.split('\n')).toContain('yours     helped/mail/code/subject.hbs')
    expect(exitCode).toBe(0)
  })

  test('tells how many texts each language has, and which are missing; a plural is one', async () => {
    cli.write(
      'texts/locales/sv.json',
      '{ "send.title": "Bekräfta", "custom.items_one": "1", "custom.items_other": "2" }',
    )
    const { exitCode, stdout } = await cli.run(['list', '--views', 'texts', '--json'])
    expect(exitCode).toBe(0)
    const { locales } = JSON.parse(stdout) as { locales: { locale: string; texts: number; missing: string[] }[] }
    const find = (tag: string) => locales.find(({ locale }) => locale === tag)
    expect(find('sv')).toMatchObject({ texts: 2, missing: expect.arrayContaining(['send.submit']) })
    expect(find('ru')?.missing).toEqual(['custom.items'])
    expect(find('pl')?.texts).toBe(find('ja')?.texts)
  })

  test('--json has a row for each file', async () => {
    const { stdout } = await cli.run(['list', '--json'])
    const { files } = JSON.parse(stdout) as { files: Record<string, unknown>[] }
    expect(files.length).toBeGreaterThan(40)
    for (const file of files) {
      expect(file).toEqual({
        path: expect.stringMatching(/^(assets|layouts|locales|mail|pages|partials)\//),
        file: expect.any(String),
        state: 'built-in',
        original: null,
        issues: [],
      })
    }
  })

  test('a folder that is not there is an error', async () => {
    const { exitCode, stderr } = await cli.run(['list', '--views', 'nowhere'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('nowhere cannot be read')
  })
})

describe('vars', () => {
  test('--json has type, meaning and example of each variable', async () => {
    const { exitCode, stdout } = await cli.run(['vars', '--json'])
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ page: PAGE_VARIABLES, mail: MAIL_VARIABLES })
  })

  test('tells those of mails, and one with its members', async () => {
    const { stdout } = await cli.run(['vars', 'mail', 'expires'])
    expect(stdout.split('\n').map((line) => line.trim().split(' ')[0])).toEqual([
      ...['Variables', 'expires.in', 'expires.minutes', 'expires.at', 'expires.iso', ''],
    ])
  })
})
