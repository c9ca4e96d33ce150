import { once } from 'node:events'
import { CliPackage } from '../helpers/cli-package.js'

const cli = new CliPackage()
afterAll(() => {
  cli.remove()
})

const SECRET = 'a secret of this site, 32 characters and more'

/** The options of an app whose transport writes what it gets to the standard error, and answers so. */
function config(answer: string): string {
  return `
    const secret = ${JSON.stringify(SECRET)}
    const sendMail = async ({ to, subject, text }) => {
      console.error(JSON.stringify({ to: to.address, subject, text }))
      ${answer}
    }
    exports.options = {
      secret,
      site: { name: 'Acme', origin: 'https://acme.example' },
      mail: { transport: { sendMail }, from: 'no-reply@acme.example' },
      user: () => null,
    }`
}

describe('render', () => {
  test('prints a part of a mail in a language, with the values of a sample', async () => {
    const text = await cli.run(['render', 'code'])
    expect(text).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringContaining('Send 50.00 EUR to Ana') })
    const html = await cli.run(['render', 'alert', '--part', 'html', '--locale', 'ar'])
    expect(html.stdout).toMatch(/<html[^>]* dir="rtl"/)
    const subject = await cli.run([
      'render',
      'code',
      '--part',
      'subject',
      '--site-name',
      'Umbrella',
      '--locale',
      'de-CH',
    ])
    expect(subject.stdout).toMatch(/^[^\n]*Umbrella[^\n]*\n$/)
  })

  test('prints the whole message', async () => {
    const { stdout } = await cli.run(['render', 'code', '--part', 'eml'])
    expect(stdout).toMatch(/^From: no-reply@acme\.example\r$/m)
    expect(stdout).toMatch(/^Content-Type: multipart\/alternative;/m)
  })

  test.each([
    [['render'], 'Give one mail: '],
    [['render', 'cod'], 'unknown mail "cod". Did you mean "code"?'],
    [['render', 'code', '--sample', 'hostil'], 'unknown --sample "hostil". Did you mean "hostile"?'],
    [['render', 'code', '--locale', 'xx'], 'unknown --locale "xx".'],
    [['render', 'code', '--part', 'htm'], 'unknown --part "htm". Did you mean "html"?'],
  ])('%j is wrong use', async (args, message) => {
    const { exitCode, stderr } = await cli.run(args)
    expect(exitCode).toBe(2)
    expect(stderr).toContain(message)
  })
})

describe('send', () => {
  test('sends through the transport of the options and tells what it answered, without the secret', async () => {
    cli.write(
      'send.cjs',
      config("return { accepted: [to.address], response: '250 2.0.0 \\u001b[31mqueued ' + secret }"),
    )
    const args = ['send', 'code', '--config', 'send.cjs', '--to', 'me@acme.example', '--locale', 'fr']
    const { exitCode, stdout, stderr } = await cli.run(args)
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^accepted by .* in \d+ ms: 250 2\.0\.0 \[31mqueued •••\n$/)
    const mail = JSON.parse(stderr) as Record<string, string>
    expect(mail).toMatchObject({ to: 'me@acme.example', subject: expect.stringMatching(/^\[TEST\] /) })
    expect(mail.text).toContain('@acme.example #')
  })

  test('tells why a mail was not sent and what to do, and ends with 1', async () => {
    const answer =
      "throw Object.assign(new Error('no'), { code: 'EAUTH', responseCode: 535, response: '535 5.7.8 no ' + secret })"
    cli.write('fails.cjs', config(answer))
    const { exitCode, stdout } = await cli.run(['send', 'code', '--config', 'fails.cjs', '--to', 'me@acme.example'])
    expect(exitCode).toBe(1)
    expect(stdout).toContain('535 5.7.8 no')
    expect(stdout).toContain('Check user and password of `mail.transport`.')
    expect(stdout).not.toContain(SECRET)
  })

  test('never sends without an address of one person or without the options', async () => {
    cli.write('none.cjs', config('process.exit(9)'))
    for (const to of [[], ['--to', 'me'], ['--to', 'a@acme.example, b@acme.example']]) {
      expect(await cli.run(['send', 'code', '--config', 'none.cjs', ...to])).toMatchObject({ exitCode: 2 })
    }
    expect(await cli.run(['send', 'code', '--to', 'me@acme.example'])).toMatchObject({ exitCode: 2 })
  })
})

describe('preview', () => {
  test('answers on this machine alone, also for a site that is elsewhere, and ends with Ctrl+C', async () => {
    cli.write('preview.cjs', config('process.exit(9)'))
    const child = cli.spawn(['preview', '--config', 'preview.cjs'])
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const url = line.toString().trim()
    expect(url).toMatch(/^http:\/\/localhost:\d+\/$/)
    const local = await fetch(url)
    expect(local.status).toBe(200)
    expect(await local.text()).toContain('Acme')
    expect((await fetch(url, { headers: { 'X-Forwarded-For': '192.0.2.1' } })).status).toBe(403)
    const { port } = new URL(url)
    const second = await cli.run(['preview', '--port', port])
    expect(second).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('EADDRINUSE') })
    child.kill('SIGINT')
    expect(await once(child, 'close')).toEqual([0, null])
  })

  test('refuses production', async () => {
    const { exitCode, stderr } = await cli.run(['preview'], { env: { NODE_ENV: 'production' } })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('NODE_ENV is production')
  })

  test('wants a port', async () => {
    expect(await cli.run(['preview', '--port', '99999'])).toMatchObject({ exitCode: 2 })
  })
})

test('no command prints a credential of the options', async () => {
  const password = 'p4ss/w0rd"with quotes'
  cli.write('mail/code/subject.hbs', 'x')
  cli.write(
    'secrets.cjs',
    `exports.options = {
      secret: ${JSON.stringify(SECRET)},
      site: { name: 'Acme ' + ${JSON.stringify(password)} },
      mail: { transport: 'smtp://mailer:${encodeURIComponent(password)}@127.0.0.1:1', from: 'no-reply@acme.example' },
      user: () => null,
      views: '.',
    }`,
  )
  const commands = [
    ['check'],
    ['list', '--json'],
    ['diff'],
    ['render', 'code'],
    ['send', 'code', '--to', 'a@acme.example'],
  ]
  for (const args of commands) {
    const { stdout, stderr } = await cli.run([...args, '--config', 'secrets.cjs'])
    for (const text of [SECRET, password, encodeURIComponent(password)]) expect(stdout + stderr).not.toContain(text)
  }
}, 60_000)
