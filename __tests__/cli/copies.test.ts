import { existsSync } from 'node:fs'
import path from 'node:path'
import { CliPackage } from '../helpers/cli-package.js'

const cli = new CliPackage()
afterAll(() => {
  cli.remove()
})

const FILE = 'views/mail/code/text.hbs'
const list = async (): Promise<string[]> => (await cli.run(['list', '--views', 'views'])).stdout.split('\n')

test('a copy is made, changed, outdated by a new version, compared with it and merged', async () => {
  const ejected = await cli.run(['eject', 'mail/code/text', 'assets/otp.css', 'locales/de.json', '--views', 'views'])
  expect(ejected).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringContaining(FILE) })
  const version = (await cli.run(['--version'])).stdout.trim()
  expect(await list()).toContain(`yours     ${FILE} (copied from ${version})`)
  const changed = `${cli.read(FILE)}Bye!\n`
  cli.write(FILE, changed)
  expect(await cli.run(['diff', '--views', 'views'])).toEqual({ exitCode: 0, stdout: '', stderr: '' })

  cli.upgrade('mail/code/text.hbs', (text) => `New in this version.\n${text}`)
  expect(await list()).toContain(`outdated  ${FILE} (copied from ${version})`)
  const start = await cli.run(['check', '--views', 'views'])
  expect(start.stderr).toContain('OTP_OUTDATED_TEMPLATE')
  expect(start.stderr).toContain(path.join(cli.app, FILE))

  const diff = await cli.run(['diff', '--views', 'views'])
  expect(diff).toMatchObject({ exitCode: 1, stderr: '' })
  expect(diff.stdout.split('\n').slice(0, 5)).toEqual([
    `--- ${FILE}\t${version}`,
    `+++ ${FILE}\t9.9.9`,
    expect.stringMatching(/^@@ -1,\d \+1,\d @@$/),
    expect.stringMatching(/^ \{\{!-- express-email-otp@/),
    '+New in this version.',
  ])
  expect(diff.stdout).not.toContain('Bye!')

  cli.write(FILE, changed.replace('\n', '\nNew in this version.\n'))
  const accepted = await cli.run(['diff', '--accept', 'mail/code/text.hbs', '--views', 'views'])
  expect(accepted).toMatchObject({ exitCode: 0, stdout: `${FILE}: has what is new in 9.9.9\n` })
  expect(cli.read(FILE)).toContain('Bye!')
  expect(await cli.run(['diff', '--views', 'views'])).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  expect((await cli.run(['check', '--views', 'views'])).stderr).toBe('')
}, 90_000)

test('an existing file is never overwritten, and then nothing is copied', async () => {
  cli.write('own/mail/code/html.hbs', 'mine')
  const { exitCode, stderr } = await cli.run(['eject', 'pages/code', 'mail/code/html', '--views', 'own'])
  expect(exitCode).toBe(1)
  expect(stderr).toContain('own/mail/code/html.hbs exists: nothing was copied.')
  expect(cli.read('own/mail/code/html.hbs')).toBe('mine')
  expect(existsSync(path.join(cli.app, 'own/pages'))).toBe(false)
})

test('no path leads out of the package', async () => {
  for (const one of ['../package.json', '/etc/passwd', 'mail/../../package.json']) {
    expect(await cli.run(['eject', one, '--views', 'out'])).toMatchObject({ exitCode: 2, stdout: '' })
  }
  expect(existsSync(path.join(cli.app, 'out'))).toBe(false)
})

test('diff --json tells file, original, versions and patch', async () => {
  await cli.run(['eject', 'pages/send.hbs', '--views', 'json'])
  cli.upgrade('pages/send.hbs', (text) => `${text}<p>New</p>\n`, '9.9.10')
  const { exitCode, stdout } = await cli.run(['diff', '--views', 'json', '--json'])
  expect(exitCode).toBe(1)
  expect(JSON.parse(stdout)).toEqual([
    {
      file: 'json/pages/send.hbs',
      original: 'pages/send.hbs',
      from: '9.9.9',
      to: '9.9.10',
      patch: expect.stringContaining('+<p>New</p>'),
    },
  ])
})

test('without the kept original, diff compares with the copy itself', async () => {
  await cli.run(['eject', 'pages/email.hbs', '--views', 'lost'])
  cli.write('lost/.originals/pages/email.hbs', 'another text')
  cli.upgrade('pages/email.hbs', (text) => `${text}<p>New</p>\n`)
  const { exitCode, stdout } = await cli.run(['diff', '--views', 'lost'])
  expect({ exitCode, lines: stdout.split('\n').slice(0, 2) }).toEqual({
    exitCode: 1,
    lines: ['--- lost/pages/email.hbs\tyour copy', '+++ lost/pages/email.hbs\t9.9.9'],
  })
  expect(stdout).toContain('+<p>New</p>')
})

test('diff --accept wants the paths of copies', async () => {
  expect(await cli.run(['diff', '--accept', '--views', 'json'])).toMatchObject({ exitCode: 2 })
  const { exitCode, stderr } = await cli.run(['diff', '--accept', 'pages/sent', '--views', 'json'])
  expect(exitCode).toBe(2)
  expect(stderr).toContain('Did you mean "pages/send"?')
})
