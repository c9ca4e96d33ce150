import { once } from 'node:events'
import { CliPackage } from '../helpers/cli-package.js'

const cli = new CliPackage()
afterAll(() => {
  cli.remove()
})

const PASSWORD = 'p4ss/w0rd"with quotes'
const SECRET = 'a secret of this site, 32 characters and more'
const CONFIG = `exports.options = {
  secret: ${JSON.stringify(SECRET)},
  site: { name: 'Acme' },
  mail: {
    transport: 'smtp://mailer:${encodeURIComponent(PASSWORD)}@127.0.0.1:1',
    from: 'no-reply@acme.example',
  },
  user: () => null,
  views: 'views',
}`

describe('help', () => {
  test('lists all commands, and the flags of one', async () => {
    const { exitCode, stdout } = await cli.run(['--help'])
    expect(exitCode).toBe(0)
    for (const name of ['preview', 'check', 'list', 'vars', 'eject', 'diff', 'render', 'send', 'doctor'])
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
    const check = await cli.run(['eject', 'mail/code/html.hbs', '--help'])
    expect(check).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('--config FILE') })
  })

  test('--version is that of the package', async () => {
    expect((await cli.run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('wrong use ends with exit code 2, what is known and the nearest name:', () => {
  test.each([
    ['no command', [], 'Usage: express-email-otp <command>'],
    ['a command', ['chekc'], 'unknown command "chekc". Did you mean "check"? Known: '],
    ['a flag', ['list', '--veiws', 'x'], 'unknown --veiws. Did you mean "--views"? Known here: --config, --views'],
    ['a flag without its value', ['list', '--views'], '--views'],
    ['an operand too many', ['list', 'mail'], 'unexpected "mail"'],
    ['a built-in file', ['eject', 'mail/code/htlm', '--views', 'v'], 'Did you mean "mail/code/html.hbs"?'],
    ['a variable', ['vars', 'otp'], 'Here it is named "code"'],
    ['neither options nor views', ['eject', 'mail/code/html'], 'Give --config FILE, or --views DIR.'],
    ['options and views', ['list', '--config', 'a.js', '--views', 'v'], 'Give --config or --views, not both'],
    ['a file that is not there', ['list', '--config', 'a.js'], 'there is no file a.js'],
  ])('%s', async (_, args, message) => {
    const { exitCode, stdout, stderr } = await cli.run(args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(`express-email-otp: `)
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('    at ')
  })
})

describe('--config', () => {
  test.each([
    ['a CommonJS module with `options`', 'named.cjs', CONFIG],
    ['a CommonJS module that is the options', 'whole.cjs', CONFIG.replace('exports.options', 'module.exports')],
    ['an ES module with `options`', 'named.mjs', CONFIG.replace('exports.options =', 'export const options =')],
    ['an ES module with a default', 'default.mjs', CONFIG.replace('exports.options =', 'export default')],
  ])('reads %s', async (_, file, text) => {
    cli.write(file, text)
    cli.write('views/mail/code/subject.hbs', 'Your code')
    const { exitCode, stdout } = await cli.run(['list', '--config', file])
    expect(stdout).toContain('yours     views/mail/code/subject.hbs')
    expect(exitCode).toBe(0)
  })

  test('reads TypeScript with a loader, and says so without one', async () => {
    cli.write('options.ts', CONFIG.replace('exports.options =', 'export const options: object ='))
    const env = { NODE_OPTIONS: `--import ${require.resolve('tsx')}` }
    expect(await cli.run(['list', '--config', 'options.ts'], { env })).toMatchObject({ exitCode: 0, stderr: '' })
    const { exitCode, stderr } = await cli.run(['list', '--config', 'options.ts'])
    // Newer versions of Node read it themselves.
    if (exitCode !== 0) expect(stderr).toContain('NODE_OPTIONS')
  })

  test('is the only way to have a file run: one that lies in the folder is not', async () => {
    const files = ['express-email-otp.config.js', 'express-email-otp.config.mjs', 'otp.config.js', 'index.js']
    for (const file of files) cli.write(file, 'throw new Error("it ran")')
    const { exitCode, stderr } = await cli.run(['list'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  })

  test('that throws is an error, without a stack and without what looks like a credential', async () => {
    cli.write(
      'throws.cjs',
      `throw new Error('cannot reach redis://app:${PASSWORD.slice(0, 4)}@db with ' + process.env.APP_SECRET)`,
    )
    const { exitCode, stderr } = await cli.run(['list', '--config', 'throws.cjs'], { env: { APP_SECRET: SECRET } })
    expect(exitCode).toBe(1)
    expect(stderr).toBe(
      'express-email-otp: --config: throws.cjs could not be loaded. cannot reach redis://•••@db with •••\n',
    )
  })

  test('that throws nothing, or exports nothing, is an error too', async () => {
    cli.write('null.cjs', 'throw null')
    cli.write('empty.mjs', 'export const other = 1')
    expect(await cli.run(['list', '--config', 'null.cjs'])).toMatchObject({ exitCode: 1 })
    expect(await cli.run(['list', '--config', 'empty.mjs'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('exports neither `options` nor a default'),
    })
  })
})

test('output whose reader goes away is no failure', async () => {
  const child = cli.spawn(['vars'])
  child.stdout.destroy()
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [exitCode] = (await once(child, 'close')) as [number]
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
})
