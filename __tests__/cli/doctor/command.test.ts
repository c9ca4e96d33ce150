import { CliPackage } from '../../helpers/cli-package.js'
import { ScriptedSmtp } from '../../helpers/smtp-script.js'

const cli = new CliPackage()
afterAll(() => {
  cli.remove()
})

const PASSWORD = 'correct horse battery'

/** A placeholder as From domain is not looked up, so that this needs no network. */
const config = (url: string): string => `exports.options = {
  secret: 'a secret of this site, 32 characters and more',
  site: { name: 'Acme' },
  mail: { transport: '${url}', from: 'no-reply@acme.example' },
  user: () => null,
}`

test('the command examines the mail of the named options, prints a report and no password, and ends', async () => {
  const smtp = await ScriptedSmtp.listen({ auth: `535 5.7.8 ${PASSWORD} is wrong` })
  cli.write('options.cjs', config(smtp.url.replace('//', `//ana:${encodeURIComponent(PASSWORD)}@`)))
  const text = await cli.run(['doctor', '--config', 'options.cjs'])
  const json = await cli.run(['doctor', '--config', 'options.cjs', '--json'])
  await smtp.close()
  expect([text.exitCode, json.exitCode]).toEqual([1, 1])
  expect(text.stdout).toMatch(/^ok +connection .*\n/)
  expect(text.stdout).toMatch(/^error +login +The server refuses the login: 535 5\.7\.8/m)
  expect(text.stdout).toMatch(/\nerrors: 2, warnings: 0\n$/)
  expect(JSON.parse(json.stdout)).toMatchObject({ errors: 2, checks: expect.any(Array) })
  for (const { stdout, stderr } of [text, json]) expect(stdout + stderr).not.toContain(PASSWORD)
})

test('without --config it says so', async () => {
  expect(await cli.run(['doctor'])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--config FILE') })
})
