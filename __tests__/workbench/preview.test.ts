import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import express4 from 'express4'
import { HostApp, type HostOptions } from '../helpers/host-app.js'
import { Mailbox } from '../helpers/mailbox.js'
import { devInbox, workbench } from '../../src/workbench/index.js'

const SAME_SITE = { 'Sec-Fetch-Site': 'same-origin' }

let folder: string
let host: HostApp
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'workbench-'))
})
afterEach(async () => {
  await host.close()
  rmSync(folder, { recursive: true, force: true })
})

function write(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
  writeFileSync(path.join(folder, file), text)
}

async function start(otp: HostOptions['otp'] = {}, options: Parameters<typeof workbench>[1] = {}): Promise<void> {
  host = await HostApp.start({
    otp: { site: { name: 'Acme', origin: 'http://localhost:3000' }, views: folder, ...otp },
    after: (app, plugin) => void app.use('/workbench', workbench(plugin, options)),
  })
}

const open = async (url: string): Promise<string> => (await host.jar().get(`/workbench${url}`).expect(200)).text
const post = (url: string, fields: object) =>
  host.jar().post(`/workbench${url}`).set(SAME_SITE).type('form').send(fields)

describe('the screen', () => {
  test('lists all mails and pages, with whose files they have', async () => {
    write('mail/transfer/subject.hbs', 'Confirm it')
    write(
      'pages/send.hbs',
      '<h1>{{title}}</h1><form method="post" action="{{path}}/send">{{> form}}<button>Go</button></form>',
    )
    await start()
    const screen = await open('/')
    const badges = [...screen.matchAll(/data-id="([^"]+)".*?class="badge badge-([\w-]+)"/g)].map(
      ([, id, badge]) => `${id}: ${badge}`,
    )
    expect(badges).toEqual(
      expect.arrayContaining([
        ...['mail/access: built-in', 'mail/transfer: yours', 'mail/alert: built-in'],
        ...['page/code: built-in', 'page/code, wrong: built-in', 'page/send: yours', 'page/problem: built-in'],
      ]),
    )
    expect(screen).toContain('<option value="ar">Arabic (ar)</option>')
  })

  test('an outdated copy of a built-in file has its badge', async () => {
    write(
      'mail/code/subject.hbs',
      '{{!-- express-email-otp@0.0.1 mail/code/subject.hbs sha256:AAAAAAAAAAAAAAAAAAAAAA --}}\nCode',
    )
    await start()
    expect(await open('/')).toMatch(/data-id="mail\/access".*badge-outdated/)
  })

  test('shows a mail as it would arrive: text, source, headers, parts, size, inbox line, variables', async () => {
    await start()
    const screen = await open('/?view=mail/access&locale=de&sample=typical')
    expect(screen).toContain('<pre class="text">')
    expect(screen).toMatch(/<code>Auto-Submitted<\/code>.*auto-generated.*RFC 3834/)
    expect(screen).toMatch(
      /depth-0"><code>multipart\/alternative.*\n?.*depth-1"><code>text\/plain.*\n?.*depth-1"><code>text\/html/,
    )
    expect(screen).toMatch(/<meter [^>]*high="100000"[^>]* value="\d{4,5}"/)
    expect(screen).toContain('class="line-lock"')
    expect(screen).toMatch(/<code>purposeText<\/code>.*Send 50\.00 EUR to Ana/)
    const { text, headers } = await host
      .jar()
      .get('/workbench/mail.eml?view=mail/access')
      .buffer(true)
      .parse(textParser)
      .expect(200)
      .then(eml)
    expect(headers['content-type']).toContain('message/rfc822')
    expect(text).toMatch(/^Subject: /m)
  })

  test('works in an app of Express 4', async () => {
    host = await HostApp.start({
      framework: express4,
      otp: { site: { name: 'Acme' } },
      after: (app, plugin) => void app.use('/workbench', workbench(plugin)),
    })
    expect(await open('/?view=page/code')).toContain('data-id="page/code" aria-current="page"')
    await post('/values', { values: '{}' }).expect(303)
    await host
      .jar()
      .get('/workbench/workbench.js')
      .expect(200)
      .expect('Content-Type', /javascript/)
  })

  test('a query that means nothing gets the first mail, the default locale and the typical sample', async () => {
    await start({ locale: 'fr' })
    const screen = await open('/?view=../../etc&locale=xx&sample=%00&values=__proto__&view=a')
    expect(screen).toContain('<option value="fr" selected>')
    expect(screen).toMatch(/data-id="mail\/access" aria-current="page"/)
  })

  test('tells a broken edit with file, line and cure, and the next sound one takes its place', async () => {
    write('mail/code/subject.hbs', 'Code for {{site.name}}')
    await start()
    write('mail/code/subject.hbs', 'Code for {{site.nmae}}')
    const broken = await open('/')
    expect(broken).toContain('A file in views is broken')
    expect(broken).toMatch(/subject\.hbs:1:12.*site\.nmae/)
    write('mail/code/subject.hbs', 'A new subject, {{site.name}}')
    expect(await open('/')).toContain('A new subject, Acme')
  })

  test('values that are typed as JSON are merged over the sample; what is no JSON is told', async () => {
    await start()
    const { headers } = await post('/values', {
      view: 'mail/access',
      values: '{ "purposeText": "Pay <i>Ben</i>" }',
    }).expect(303)
    const url = headers.location?.replace('/workbench', '') ?? ''
    expect(await open(url)).toContain('Pay &lt;i&gt;Ben&lt;/i&gt;')
    expect(await open(url.replace('/?', '/frame?'))).toContain('Pay &lt;i&gt;Ben&lt;/i&gt;')
    for (const values of ['{ "purposeText": ', '[1]', '7']) {
      const { headers: next } = await post('/values', { view: 'mail/access', values }).expect(303)
      expect(await open(next.location?.replace('/workbench', '') ?? '')).toMatch(/<p class="error" role="alert">[^<]+/)
    }
  })

  test('a sample of the host’s own stands beside ours', async () => {
    write('samples/gift.json', '{ "purposeText": "Give 5 EUR" }')
    await start()
    expect(await open('/?sample=gift')).toContain('Give 5 EUR')
  })

  test('tells the worst finding of each mail and page', async () => {
    write('mail/transfer/html.hbs', '<p>{{> code}}</p><img src="https://evil.example/pixel.gif">')
    await start()
    const { body } = await host.jar().get('/workbench/levels').expect(200)
    expect(body).toMatchObject({ 'mail/transfer': expect.stringMatching(/warning|error/), 'page/code': 'ok' })
  })
})

describe('frames', () => {
  test('H12: what a frame shows runs no script, loads nothing, and is framed by the workbench alone', async () => {
    await start()
    for (const url of ['/frame?view=mail/access', '/frame?view=page/code']) {
      const { headers } = await host.jar().get(`/workbench${url}`).expect(200)
      const policy = String(headers['content-security-policy'])
      expect(policy).toMatch(/^default-src 'none'.*; frame-ancestors 'self'; sandbox allow-same-origin$/)
      expect(policy).not.toMatch(/script-src (?!'self')|connect-src|allow-scripts/)
    }
  })

  test('a page is rendered by the host’s own renderPage and locals, with its policy', async () => {
    await start({
      locals: () => ({ menu: 'our menu' }),
      renderPage: (_req, _res, { title, context }) =>
        `<title>${title}</title><nav>${String(context.custom.menu)}</nav>`,
      contentSecurityPolicy: "default-src 'none'; style-src https://cdn.example; frame-ancestors 'none'",
    })
    const { text, headers } = await host.jar().get('/workbench/frame?view=page/code').expect(200)
    expect(text).toContain('<nav>our menu</nav>')
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; style-src https://cdn.example; frame-ancestors 'self'; sandbox allow-same-origin",
    )
  })

  test('a renderPage that throws is told, and publishes nothing', async () => {
    await start({
      renderPage: () => {
        throw new Error('no such layout')
      },
    })
    expect(await open('/?view=page/code')).toContain('no such layout')
    expect(host.events).toEqual([])
  })

  test.each([
    'email',
    'email, wrong',
    'send',
    'send, expired',
    'code',
    'code, wrong',
    'code, mail failed',
    'verified',
    'continue',
    'problem',
  ])('the page "%s" is rendered in each locale and sample', async (state) => {
    await start()
    for (const locale of ['en', 'ar', 'zh-Hant']) {
      for (const sample of ['typical', 'minimal', 'long', 'hostile']) {
        const query = new URLSearchParams({ view: `page/${state}`, locale, sample }).toString()
        const html = await open(`/frame?${query}`)
        expect(html).toMatch(/<h1[^>]*>\s*\S/)
        expect(html).not.toContain('<b>otp-sample</b>')
      }
    }
  })
})

describe('test mails', () => {
  test('arrive by the real transport, with [TEST] in the subject and a code that verifies nothing', async () => {
    await start()
    const { text } = await post('/send', { view: 'mail/access', to: 'dev@example.com' }).expect(200)
    expect(text).toMatch(/The server took the mail.*250.*127\.0\.0\.1:\d+.*\d+ ms.*\d KB/s)
    const received = await host.mailbox.mailTo('dev@example.com')
    expect(received.mail.subject).toBe('[TEST] Your Acme code')
    expect(received.to).toEqual(['dev@example.com'])
    await post('/send', { view: 'mail/access', to: 'dev@example.com' }).expect(200)
    const ids = host.mailbox.received.map(({ mail }) => mail.messageId)
    expect(new Set(ids).size).toBe(2)

    const jar = await host.signedIn()
    const code = /\d{6}/.exec(received.mail.text ?? '')?.[0]
    await jar.post('/2fa/verify').send({ code }).expect(422)
    expect(host.events.map(({ type }) => type)).toEqual([])
  })

  test('what the server refuses is told, with what to do', async () => {
    const strict = await new Mailbox({
      onRcptTo: (_address, _session, done) => {
        done(Object.assign(new Error('5.1.1 no such user'), { responseCode: 550 }))
      },
    }).listen()
    await start({ mail: { transport: strict.url, from: 'no-reply@acme.example' } })
    const { text } = await post('/send', { view: 'mail/access', to: 'dev@example.com' }).expect(200)
    expect(text).toMatch(/The mail was not sent.*550.*There is no such mailbox/s)
    await strict.close()
  })

  test.each(['', 'no address', 'a@b.example, c@d.example', 'a@b.example\r\nBcc: c@d.example'])(
    'H12: "%s" is no address to send to',
    async (to) => {
      await start()
      await post('/send', { view: 'mail/access', to }).expect(422, /not an e-mail address/)
      expect(host.mailbox.received).toEqual([])
    },
  )

  test('H12: a page of another site cannot send one', async () => {
    await start()
    await host
      .jar()
      .post('/workbench/send')
      .set('Sec-Fetch-Site', 'cross-site')
      .type('form')
      .send({ to: 'a@b.example' })
      .expect(403)
    expect(host.mailbox.received).toEqual([])
  })
})

describe('the inbox', () => {
  test('shows mails as they arrive, the newest first, and forgets them when told', async () => {
    const inbox = devInbox()
    await start({ mail: { transport: inbox, from: 'Acme <no-reply@acme.example>' } }, { inbox })
    expect(await open('/inbox')).toContain('No mail yet')
    await host.jar().post('/login').send({})
    const jar = await host.signedIn()
    await jar.post('/2fa/send').send({}).expect(200)
    await inbox.sendMail({ to: 'b@example.com', subject: '<b>Second</b>', text: 'x', html: '<p>y<script>z</script>' })
    const screen = await open('/inbox')
    expect(screen.indexOf('b@example.com')).toBeLessThan(screen.indexOf('ana@example.com'))
    expect(screen).toContain('&lt;b&gt;Second&lt;/b&gt;')
    expect(await open('/inbox/1')).toContain('Your Acme code')
    const { headers } = await host.jar().get('/workbench/inbox/2/frame').expect(200)
    expect(headers['content-security-policy']).toContain('sandbox allow-same-origin')
    await host.jar().get('/workbench/inbox/99').expect(303).expect('Location', '/workbench/inbox')
    await post('/inbox/clear', {}).expect(303)
    expect(inbox.mails).toEqual([])
  })

  test('an image that is attached is in the frame', async () => {
    const inbox = devInbox()
    await start({ mail: { transport: inbox, from: 'no-reply@acme.example' } }, { inbox })
    const attachments = [{ cid: 'logo', content: Buffer.from('GIF89a'), contentType: 'image/gif' }]
    await inbox.sendMail({ to: 'b@example.com', text: 'x', html: '<img src="cid:logo">', attachments })
    expect(await open('/inbox/1/frame')).toContain('<img src="data:image/gif;base64,R0lGODlh">')
  })
})

describe('live events', () => {
  /** Names of the events that come while `act` runs, and 400 ms longer. */
  async function eventsDuring(act: () => void | Promise<void>): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const request = get(`${host.origin}/workbench/live`, (res) => {
        let text = ''
        res.on('data', (chunk: Buffer) => (text += chunk.toString()))
        const end = (): void => {
          request.destroy()
          resolve([...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name ?? ''))
        }
        Promise.resolve(act()).then(() => setTimeout(end, 400), reject)
      })
      request.on('error', () => undefined)
    })
  }

  test('a saved file and a mail are told', async () => {
    write('mail/code/subject.hbs', 'One')
    const inbox = devInbox()
    await start({ mail: { transport: inbox, from: 'no-reply@acme.example' } }, { inbox })
    expect(await eventsDuring(() => write('mail/code/subject.hbs', 'Two, longer'))).toContain('change')
    expect(await eventsDuring(async () => void (await inbox.sendMail({ to: 'a@b.example', text: 'x' })))).toEqual([
      'mail',
    ])
  })

  test('the files are looked at by one timer while somebody looks, and by none after that', async () => {
    await start()
    const [begun, ended] = [jest.spyOn(global, 'setInterval'), jest.spyOn(global, 'clearInterval')]
    await Promise.all([eventsDuring(() => undefined), eventsDuring(() => undefined)])
    await new Promise((resolve) => setTimeout(resolve, 100))
    const timers = begun.mock.results
      .filter((_, i) => begun.mock.calls[i]?.[1] === 100)
      .map(({ value }): unknown => value)
    expect(timers).toHaveLength(1)
    expect(ended).toHaveBeenCalledWith(timers[0])
    jest.restoreAllMocks()
  })
})

type Parser = Parameters<ReturnType<ReturnType<HostApp['jar']>['get']>['parse']>[0]
const textParser: Parser = (res, done) => {
  let text = ''
  res.on('data', (chunk: Buffer) => (text += chunk.toString()))
  res.on('end', () => {
    done(null, text)
  })
}
const eml = ({ body, headers }: { body: unknown; headers: Record<string, string> }) => ({ text: String(body), headers })
