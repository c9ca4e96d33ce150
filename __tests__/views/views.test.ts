import fs, { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Response } from 'supertest'
import { type Agent, ANA, BROWSER, HostApp, sealedIn, SECRET, submit } from '../helpers/host-app.js'
import { emailOtp, OtpError, type OtpOptions } from '../../src/index.js'
import { basePageContext } from '../../src/views/context.js'
import { createRenderer } from '../../src/views/renderer.js'
import { VARIABLES } from '../../src/views/variables.js'

let host: HostApp | null = null
const folders: string[] = []
afterEach(async () => {
  await host?.close()
  host = null
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** Without it a page for the code is an error. */
const CODE_FORM = '<form method="post">{{> form}}<input name="code"></form>'

/** A views folder of the host's with these files. */
function views(files: Record<string, string>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'views-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) write(folder, name, text)
  return folder
}

let edits = 0
function write(folder: string, name: string, text: string): void {
  const file = path.join(folder, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
  // Two edits within one tick of the file system's clock would look like one.
  edits += 1
  utimesSync(file, edits, edits)
}

const withViews = async (files: Record<string, string>, otp: Partial<OtpOptions> = {}): Promise<HostApp> => {
  host = await HostApp.start({ otp: { views: views(files), ...otp } })
  return host
}

/** The error that the plugin throws at start with these files. */
function startError(folder: string): OtpError {
  try {
    void emailOtp({
      secret: SECRET,
      site: { name: 'Acme' },
      mail: { transport: 'smtp://localhost', from: 'no-reply@acme.example' },
      user: () => null,
      views: folder,
    }).close()
  } catch (error) {
    if (error instanceof OtpError) return error
    throw error
  }
  throw new Error('it started')
}

const get = (jar: Agent, url = '/2fa') => jar.get(url).set(BROWSER)
const mailOf = (app: HostApp) => app.mailbox.last.mail

function running(): HostApp {
  if (!host) throw new Error('no host is running')
  return host
}

/** How to get to each page. */
const PAGES: Record<string, () => Promise<Response>> = {
  send: async () => get(await running().signedIn()),
  code: async () => get((await running().asked()).jar),
  verified: async () => {
    const { jar, code } = await running().asked()
    await jar.post('/2fa/verify').send({ code }).expect(200)
    return get(jar)
  },
  problem: async () => get(running().jar()),
}

function openPage(page: 'send' | 'code' | 'verified' | 'problem'): Promise<Response> {
  const open = PAGES[page]
  if (!open) throw new Error(`no page ${page}`)
  return open()
}

describe('a host file replaces the built-in file at the same path, and only that one', () => {
  test.each(Object.keys(PAGES))('pages/%s.hbs', async (page) => {
    await withViews({ [`pages/${page}.hbs`]: `<h1>mine: ${page} at {{site.name}}</h1>${CODE_FORM}` })
    for (const [other, open] of Object.entries(PAGES)) {
      const { text } = await open()
      expect(text.includes(`<h1>mine: ${page} at Acme</h1>`)).toBe(other === page)
      expect(text).toContain('<main class="otp-card">')
    }
  })

  test('pages/email.hbs', async () => {
    await withViews(
      { 'pages/email.hbs': '<h1>mine: who are you?</h1><form>{{> form}}<input name="email"></form>' },
      { user: () => null, typedEmail: true },
    )
    expect((await get(running().jar())).text).toContain('<h1>mine: who are you?</h1>')
  })

  test('layouts/page.hbs', async () => {
    await withViews({ 'layouts/page.hbs': '<title>{{title}}</title><article>{{body}}</article>' })
    const { text } = await openPage('code')
    expect(text).toMatch(/^<title>Enter the 6-digit code<\/title><article><h1>/)
  })

  test.each([
    ['subject', 'mine', (app: HostApp) => mailOf(app).subject],
    ['preheader', 'mine', (app: HostApp) => String(mailOf(app).html)],
    ['html', '<b>mine</b> {{> code}}', (app: HostApp) => String(mailOf(app).html)],
    ['text', 'mine\n\n{{> code}}', (app: HostApp) => mailOf(app).text],
  ])('mail/code/%s.hbs', async (part, template, read) => {
    await withViews({ [`mail/code/${part}.hbs`]: template })
    await running().asked()
    expect(read(running())).toContain('mine')
    const all = `${String(mailOf(running()).subject)}${String(mailOf(running()).html)}${mailOf(running()).text ?? ''}`
    expect(all.split('mine')).toHaveLength(part === 'subject' ? 3 : 2) // the layout repeats the subject as title
    expect(running().mailbox.code).toMatch(/^\d{6}$/)
  })

  test.each([
    ['layouts/mail.html.hbs', '<i>mine</i>{{body}}', (app: HostApp) => String(mailOf(app).html)],
    ['layouts/mail.text.hbs', 'mine\n{{body}}', (app: HostApp) => mailOf(app).text],
    ['partials/code.html.hbs', '<b>mine {{code}}</b>', (app: HostApp) => String(mailOf(app).html)],
    ['partials/code.text.hbs', 'mine\n{{code}}', (app: HostApp) => mailOf(app).text],
  ])('%s', async (file, template, read) => {
    await withViews({ [file]: template })
    await running().asked()
    expect(read(running())).toContain('mine')
  })

  test.each(['action', 'error', 'footer'])('partials/%s.html.hbs', async (name) => {
    await withViews({ [`partials/${name}.html.hbs`]: '<p>mine</p>' })
    expect((await openPage('code')).text).toContain('<p>mine</p>')
  })

  test('assets/otp.css', async () => {
    await withViews({ 'assets/otp.css': 'body { color: teal }', 'assets/logo.svg': '<svg/>' })
    expect((await running().jar().get('/2fa/assets/otp.css').expect(200)).text).toBe('body { color: teal }')
    await running().jar().get('/2fa/assets/logo.svg').expect(200)
    await running().jar().get('/2fa/assets/otp.js').expect(200)
  })

  test('a mail for a purpose is used before the mail for all purposes, template by template', async () => {
    await withViews({
      'mail/transfer/subject.hbs': 'Your transfer at {{site.name}}',
      'mail/code/text.hbs': 'for all\n\n{{> code}}',
    })
    const jar = await running().signedIn()
    const shut = await jar.post('/transfer').send({ amount: '5', payee: 'ben' }).expect(401)
    await jar.post('/2fa/send').send({ for: shut.body.for }).expect(200)
    expect(mailOf(running()).subject).toBe('Your transfer at Acme')
    expect(mailOf(running()).text).toContain('for all')
    await running().asked()
    expect(mailOf(running()).subject).toBe('Your Acme code')
  })

  test('of several folders the first one wins', async () => {
    const first = views({ 'pages/send.hbs': 'first' })
    const second = views({ 'pages/send.hbs': 'second', 'pages/code.hbs': `second ${CODE_FORM}` })
    host = await HostApp.start({ otp: { views: [first, second] } })
    expect((await openPage('send')).text).toContain('first')
    expect((await openPage('code')).text).toContain('second')
  })
})

describe('messages and locales', () => {
  test('a message file is merged key by key', async () => {
    await withViews({ 'locales/en.json': JSON.stringify({ 'send.title': 'Is it you?' }) })
    const { text } = await openPage('send')
    expect(text).toContain('<h1>Is it you?</h1>')
    expect(text).toContain('Mail me the code')
  })

  const german = JSON.stringify({ 'send.title': 'Sind Sie es?', 'mail.subject': 'Ihr Code von {site}' })
  const swedish = JSON.stringify({ 'send.title': 'Är det du?' })

  test('a person’s own locale comes first, then the browser’s, then the default; missing keys are English', async () => {
    await withViews({ 'locales/sv.json': swedish })
    const own = await get(await running().signedIn({ ...ANA, locale: 'sv-FI' }))
    expect(own.text).toContain('<h1>Är det du?</h1>')
    expect(own.text).toContain('<html lang="sv"')
    expect(own.text).toContain('Mail me the code')
    const browser = await get(await running().signedIn()).set('Accept-Language', 'sv-SE, sv;q=0.9')
    expect(browser.text).toContain('Är det du?')
    expect((await get(await running().signedIn())).text).toContain('Confirm that it’s you')
    expect((await get(await running().signedIn()).set('Accept-Language', 'fi')).text).toContain('lang="en"')
  })

  test('the texts of a host come before ours, also those for the wider language', async () => {
    await withViews({ 'locales/pt.json': '{ "send.title": "És tu?" }', 'locales/de_AT.json': german })
    const seen = async (locale: string) => (await get(await running().signedIn({ ...ANA, locale }))).text
    expect(await seen('pt_BR')).toMatch(/<html lang="pt-BR"[^]*<h1>És tu\?<\/h1>[^]*Enviar o código/)
    expect(await seen('de-at')).toMatch(/<html lang="de-AT"[^]*<h1>Sind Sie es\?<\/h1>[^]*Code anfordern/)
    expect(await seen('de-DE')).toMatch(/<html lang="de"[^]*<h1>Bestätigen Sie, dass Sie es sind<\/h1>/)
  })

  test('a plural is of one language as a whole, and a form that a language lacks is the form `other`', async () => {
    await withViews(
      {
        'locales/hu.json': '{ "custom.days_other": "{count} nap" }',
        'locales/pl.json': '{ "custom.days_other": "{count} dnia", "custom.days_many": "{count} dni" }',
        'locales/en.json': '{ "custom.days_one": "{count} day", "custom.days_other": "{count} days" }',
        'pages/send.hbs':
          '{{t "custom.days" count=1}}, {{t "custom.days" count=3}}, {{t "custom.days" count=custom.n}}.',
      },
      { locals: () => ({ n: '21' }) },
    )
    const seen = async (locale: string) => (await get(await running().signedIn({ ...ANA, locale }))).text
    expect(await seen('en')).toContain('1 day, 3 days, 21 days.')
    expect(await seen('hu')).toContain('1 nap, 3 nap, 21 nap.')
    expect(await seen('pl')).toContain('1 dnia, 3 dnia, 21 dni.')
    expect(await seen('fr')).toContain('1 day, 3 days, 21 days.')
  })

  test('a mail is in the person’s language, and a resend keeps it', async () => {
    await withViews({ 'locales/de.json': german })
    const jar = await running().signedIn()
    await jar.post('/2fa/send').set('Accept-Language', 'de').send({}).expect(200)
    running().clock.tick(31)
    await jar.post('/2fa/send').set('Accept-Language', 'en').send({}).expect(200)
    expect(running().mailbox.received.map(({ mail }) => mail.subject)).toEqual(Array(2).fill('Ihr Code von Acme'))
  })

  test('a template for the exact locale is used first, then one for its language, then the one for all', async () => {
    await withViews({
      'locales/pt.json': '{}',
      'locales/pt-BR.json': '{}',
      'locales/de.json': '{}',
      'pages/send.pt-BR.hbs': 'Brasil',
      'pages/send.pt.hbs': 'Portugal',
      'pages/send.hbs': 'all',
      'partials/footer.html.pt.hbs': 'rodape',
    })
    const seen = async (locale: string) => (await get(await running().signedIn({ ...ANA, locale }))).text
    expect(await seen('pt-BR')).toContain('Brasil')
    expect(await seen('pt')).toContain('Portugal')
    expect(await seen('pt-PT')).toContain('Portugal')
    expect(await seen('de')).toContain('all')
    expect(await seen('pt-BR')).toContain('rodape')
    expect(await seen('de')).not.toContain('rodape')
  })

  test('a right-to-left language is marked as such', async () => {
    await withViews({ 'locales/ar.json': '{}' })
    const jar = await running().signedIn({ ...ANA, locale: 'ar' })
    expect((await get(jar)).text).toContain('<html lang="ar" dir="rtl">')
    await jar.post('/2fa/send').send({}).expect(200)
    expect(String(mailOf(running()).html)).toContain('<div lang="ar" dir="rtl">')
    expect(mailOf(running()).text).toMatch(/14:32/)
  })
})

describe('a mistake is an error at start with file, line, column and the nearest name', () => {
  test.each<[string, string, string, string]>([
    ['pages/send.hbs', '<p>\n  {{recipient.maskd}}', ':2:5: unknown variable "recipient.maskd".', 'recipient.masked'],
    ['pages/send.hbs', '{{sit.name}}', ':1:3: unknown variable "sit.name".', 'site.name'],
    ['pages/code.hbs', '{{#if eror}}x{{/if}}', ':1:7: unknown variable "eror".', 'error'],
    ['pages/code.hbs', '\n\n<b>{{> actions}}</b>', ':3:4: unknown partial "actions".', 'action'],
    ['pages/code.hbs', '{{#iff error}}x{{/iff}}', ':1:1: unknown helper "iff".', 'if'],
    ['pages/code.hbs', '{{tt "send.title"}}', ':1:1: unknown helper "tt".', 't'],
    ['pages/code.hbs', '{{t "send.titel"}}', ':1:5: no text has the key "send.titel".', 'send.title'],
    ['pages/code.hbs', '{{t "send.lead" recipient=recipient.maskd}}', 'unknown variable', 'recipient.masked'],
    ['pages/code.hbs', '{{#if error}}\n{{/unless}}', ':1:', ''],
    ['pages/code.hbs', '<p>\n{{#if error}}', ':2:', ''],
    ['pages/code.hbs', '{{', ':1:', ''],
    ['mail/code/text.hbs', '{{boundline}}', ':1:3: unknown variable "boundline".', 'boundLine'],
    ['mail/code/subject.hbs', '{{log code}}', ':1:1: unknown helper "log".', ''],
    ['mail/code/html.hbs', '{{lookup site "name"}}', ':1:1: unknown helper "lookup".', ''],
    ['mail/transfer/html.hbs', '{{code.label}}', ':1:3: unknown variable "code.label".', ''],
    ['mail/code/text.hbs', '{{> action}}', ':1:1: unknown partial "action".', ''],
    ['layouts/page.hbs', '{{boddy}}', ':1:3: unknown variable "boddy".', 'body'],
    ['partials/code.html.hbs', '{{cod}}', ':1:3: unknown variable "cod".', 'code'],
    ['pages/codes.hbs', 'x', 'matches no known view.', 'pages/code.hbs'],
    ['mail/code/htm.hbs', 'x', 'matches no known view.', 'mail/code/html.hbs'],
    ['mail/code/html.html', 'x', 'matches no known view.', ''],
    ['page/code.hbs', 'x', 'matches no known view.', 'pages/code.hbs'],
    ['code.hbs', 'x', 'matches no known view.', ''],
    ['partials/footr.html.hbs', 'x', 'is a partial that no template uses.', 'footer'],
    ['partials/footer.hbs', 'x', 'matches no known view.', ''],
    [
      'locales/de.json',
      '{ "problem.wrong_code.detial_few": "x" }',
      'no text has the key',
      'problem.wrong_code.detail_one',
    ],
    ['locales/en.json', '{ "send.titel": "x" }', 'no text has the key "send.titel".', 'send.title'],
    ['locales/de.json', '{ "send.title": 7 }', 'the text of "send.title" is not a string', ''],
    ['locales/de.json', '{ "send.title": ', 'JSON', ''],
    ['locales/de.json', 'null', 'locales/de.json', ''],
  ])('%s: %j', (file, source, where, nearest) => {
    const error = startError(views({ [file]: source }))
    expect(error.code).toBe('invalid_view')
    expect(error.message).toContain(file)
    expect(error.message).toContain(where)
    if (nearest) expect(error.message).toContain(`Did you mean "${nearest}"?`)
  })

  test('a missing folder', () => {
    expect(startError(path.join(tmpdir(), 'no-such-views')).code).toBe('invalid_view')
  })

  test('hidden files of editors and systems are ignored', async () => {
    await withViews({ '.DS_Store': 'x', 'pages/.send.hbs.swp': '{{' })
    expect((await openPage('send')).status).toBe(200)
  })
})

test('a partial that exists as text and as HTML is escaped in HTML only, whichever is used first', async () => {
  await withViews(
    {
      'partials/note.html.hbs': '<em>{{site.name}}</em>',
      'partials/note.text.hbs': '{{site.name}}',
      'mail/code/text.hbs': '{{> note}}\n\n{{> code}}',
      'mail/code/html.hbs': '{{> note}}{{> code}}',
      'mail/code/subject.hbs': '{{> note}}',
      'pages/send.hbs': '{{> note}}',
    },
    { site: { name: '<b>Tom & Co</b>' } },
  )
  for (let i = 0; i < 2; i++) {
    await running().asked()
    expect(mailOf(running()).subject).toBe('<b>Tom & Co</b>')
    expect(mailOf(running()).text).toContain('<b>Tom & Co</b>')
    expect(String(mailOf(running()).html)).toContain('<em>&lt;b&gt;Tom &amp; Co&lt;/b&gt;</em>')
    expect((await openPage('send')).text).toContain('<em>&lt;b&gt;Tom &amp; Co&lt;/b&gt;</em>')
  }
})

/** A host that is started as in production. */
async function inProduction(folder: string): Promise<HostApp> {
  const { NODE_ENV } = process.env
  process.env.NODE_ENV = 'production'
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  try {
    host = await HostApp.start({ otp: { views: folder } })
    return host
  } finally {
    warn.mockRestore()
    process.env.NODE_ENV = NODE_ENV
  }
}

describe('changes while running', () => {
  test('an edited file is used by the next page, and so is a new one', async () => {
    const folder = views({ 'pages/send.hbs': 'before' })
    host = await HostApp.start({ otp: { views: folder } })
    expect((await openPage('send')).text).toContain('before')
    write(folder, 'pages/send.hbs', 'after')
    expect((await openPage('send')).text).toContain('after')
    write(folder, 'pages/code.hbs', `new ${CODE_FORM}`)
    expect((await openPage('code')).text).toContain('new')
  })

  test('a broken edit is told on every page with its place and cure, and by an event, until it is mended', async () => {
    const folder = views({ 'pages/send.hbs': 'before' })
    host = await HostApp.start({ otp: { views: folder } })
    const jar = await host.signedIn()
    write(folder, 'pages/send.hbs', '<p>\n{{sit.name}}')
    for (let i = 1; i <= 3; i++) {
      const broken = await get(jar).expect(500)
      expect(broken.text).toContain(`${path.join(folder, 'pages/send.hbs')}:2:3`)
      expect(broken.text).toContain('unknown variable &quot;sit.name&quot;. Did you mean &quot;site.name&quot;?')
      expect(broken.text).not.toContain('before')
      expect(broken.get('Content-Security-Policy')).toContain("default-src 'none'")
      expect(broken.get('Cache-Control')).toBe('no-store')
    }
    expect((await get(host.jar())).text).toContain('pages/send.hbs:2:3')
    expect(host.events[0]).toMatchObject({ type: 'failed', outcome: 'invalid_view' })
    expect(String((host.events[0] as { error?: unknown }).error)).toContain('pages/send.hbs:2:3')
    write(folder, 'pages/send.hbs', 'after')
    expect((await get(jar).expect(200)).text).toContain('after')
  })

  test('a broken edit fails each mail with an event until it is mended; JSON goes on with the texts of before', async () => {
    const folder = views({ 'mail/code/text.hbs': 'before {{code}}' })
    host = await HostApp.start({ otp: { views: folder } })
    const send = async (id: string): Promise<Response> => {
      const jar = await running().signedIn({ ...ANA, id })
      return jar.post('/2fa/send').set('Accept', 'application/json').send({})
    }
    write(folder, 'mail/code/text.hbs', '{{cod}}')
    for (const id of ['a', 'b']) expect((await send(id)).type).toMatch(/json/)
    const failures = host.events.flatMap((event) => (event.type === 'failed' ? [event.error.message] : []))
    expect(failures.filter((one) => one.includes('mail/code/text.hbs:1:3'))).toHaveLength(2)
    write(folder, 'mail/code/text.hbs', 'after {{code}}')
    expect((await send('c')).status).toBe(200)
    expect(mailOf(host).text).toContain('after')
  })

  test('a folder that is gone for a moment is told, and taken up when it is back', async () => {
    const folder = views({ 'pages/send.hbs': 'before' })
    host = await HostApp.start({ otp: { views: folder } })
    const jar = await host.signedIn()
    renameSync(folder, `${folder}-away`)
    expect((await get(jar).expect(500)).text).toContain('cannot be read')
    renameSync(`${folder}-away`, folder)
    expect((await get(jar).expect(200)).text).toContain('before')
  })

  test('two plugins with one folder both tell a broken edit, and both take up the next', () => {
    const folder = views({ 'layouts/page.hbs': '{{body}}', 'pages/send.hbs': 'before' })
    const renderers = [createRenderer([folder], 'en'), createRenderer([folder], 'de')]
    const page = { ...basePageContext, page: 'send' } as const
    write(folder, 'pages/send.hbs', '{{')
    for (const one of [...renderers, ...renderers]) expect(() => one.renderPage(page)).toThrow('pages/send.hbs:1:1')
    for (const one of renderers) expect(one.messages('en')).toHaveProperty(['send.title'])
    write(folder, 'pages/send.hbs', 'after')
    renderers.forEach((one) => {
      one.reload()
      expect(one.renderPage(page)).toContain('after')
    })
  })

  test('an edited sample is tried at the next page', async () => {
    const folder = views({
      'pages/send.hbs': '{{#if custom.tag}}{{#each custom.tag}}{{this.name}}{{/each}}{{/if}}',
      'samples/one.json': '{ "custom": { "tag": [{ "name": "x" }] } }',
    })
    host = await HostApp.start({ otp: { views: folder } })
    const jar = await host.signedIn()
    await get(jar).expect(200)
    write(folder, 'samples/one.json', '{ "custom": { "tag": [{ "nam": "x" }] } }')
    expect((await get(jar).expect(500)).text).toContain('pages/send.hbs:1:')
  })

  test('a broken edit does not open the guard', async () => {
    const folder = views({ 'pages/send.hbs': 'before' })
    host = await HostApp.start({ otp: { views: folder } })
    const jar = await host.signedIn()
    write(folder, 'pages/send.hbs', '{{')
    expect((await jar.get('/secret')).status).toBeGreaterThanOrEqual(401)
    expect((await jar.get('/secret')).text).not.toBe('the secret')
  })

  test('reloadViews() swaps only if all compile', async () => {
    const folder = views({ 'pages/send.hbs': 'before' })
    const app = await inProduction(folder)
    write(folder, 'pages/send.hbs', 'after')
    write(folder, 'pages/code.hbs', '{{')
    expect((await openPage('send')).text).toContain('before')
    expect(() => {
      app.otp.reloadViews()
    }).toThrow(/pages\/code\.hbs:1/)
    expect((await openPage('send')).text).toContain('before')
    write(folder, 'pages/code.hbs', `fine ${CODE_FORM}`)
    app.otp.reloadViews()
    expect((await openPage('send')).text).toContain('after')
  })
})

describe('rendering', () => {
  const readsOf = (folder: string, act: () => void): number => {
    const read = jest.spyOn(fs, 'readdirSync')
    try {
      act()
      return read.mock.calls.filter(([read]) => read === folder).length
    } finally {
      read.mockRestore()
    }
  }
  const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

  test('in production no request looks at the files', async () => {
    const folder = views({ 'pages/send.hbs': 'mine' })
    const jar = await (await inProduction(folder)).signedIn()
    const calls = (['readdirSync', 'statSync', 'readFileSync'] as const).map((name) => jest.spyOn(fs, name))
    await get(jar).expect(200)
    await jar.post('/2fa/send').send({}).expect(200)
    const ofViews = calls.flatMap((spy) => spy.mock.calls).filter(([file]) => String(file).includes('views'))
    for (const spy of calls) spy.mockRestore()
    expect(ofViews).toEqual([])
  })

  test('in development the files are looked at once in a turn of the event loop', async () => {
    const folder = views({ 'pages/send.hbs': 'mine' })
    const renderer = createRenderer([folder], 'en')
    const render = (): void => {
      for (let i = 0; i < 3; i++) renderer.renderPage({ ...basePageContext, page: 'send' })
    }
    expect(readsOf(folder, render)).toBe(1)
    expect(readsOf(folder, render)).toBe(0)
    await nextTurn()
    expect(readsOf(folder, render)).toBe(1)
  })

  test('the messages of a locale are one frozen object, and those of an unknown one are the default’s', () => {
    const swedish = views({ 'locales/sv.json': '{ "send.title": "Är det du?" }', 'locales/fi.json': '{}' })
    const renderer = createRenderer([swedish], 'sv')
    const messages = renderer.messages('sv')
    expect(Object.isFrozen(messages)).toBe(true)
    expect(renderer.messages('sv')).toBe(messages)
    expect(renderer.messages('sv-FI')).toBe(messages)
    expect(renderer.messages('xx')['send.title']).toBe('Är det du?')
    expect(renderer.messages('fi')['send.title']).toBe('Är det du?')
    expect(renderer.messages('fi')['send.submit']).toBe('Mail me the code')
    expect('constructor' in messages).toBe(false)
  })

  test.each(['page', 'mail'] as const)('every variable of a %s may be named in its templates', (kind) => {
    const [file, names] = { page: ['pages/send.hbs', VARIABLES.page], mail: ['mail/alert/html.hbs', VARIABLES.mail] }[
      kind
    ] as [string, string[]]
    expect(names).toEqual(
      expect.arrayContaining(['site.supportUrl', 'recipient.masked', 'expires.in', 'custom', 'body']),
    )
    createRenderer([views({ [file]: names.map((name) => `{{#if ${name}}}${name}{{/if}}`).join('') })], 'en')
  })
})

describe('W5: what a request says reaches no template', () => {
  const hostile = [
    'layout=evil',
    'body=evil',
    'custom=evil',
    'custom.x=evil',
    'site.name=evil',
    'settings[views]=/etc',
    '__proto__[site]=evil',
    '__proto__.title=evil',
    'constructor.prototype.title=evil',
    'constructor[prototype][title]=evil',
    'partials[footer]=evil',
    'data[messages]=evil',
    'error={{evil}}',
    'title=evil',
  ]
  /** Without the sealed step-up, which differs each time. */
  const bytes = ({ text, status }: Response): string => `${status} ${text.replaceAll(sealedIn(text) || '\0', 'FOR')}`

  test.each(hostile)('W5: %s changes no byte of a page', async (field) => {
    host = await HostApp.start()
    const jar = await host.signedIn()
    const plain = bytes(await get(jar))
    expect(bytes(await get(jar, `/2fa?${field}`))).toBe(plain)
    const wrong = await submit(jar, '/2fa/verify', 'code=1')
    const again = await submit(jar, '/2fa/verify', `code=1&${field}`)
    expect(bytes(again)).toBe(bytes(wrong))
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  test('W5: braces in a name, an address or a description are text', async () => {
    const name = '{{code}} {{{constructor}}} {site}'
    host = await HostApp.start({ otp: { site: { name } } })
    await host.asked()
    expect(mailOf(host).subject).toBe(`Your ${name} code`)
    const jar = await host.signedIn()
    const shut = await jar.post('/transfer').send({ amount: '{{code}}', payee: '{recipient}' }).expect(401)
    const page = await get(jar, shut.body.page_url as string)
    expect(page.text).toContain('Send {{code}} EUR to {recipient}')
  })

  test('W5: `locals` reach pages as `custom`, own fields only, escaped', async () => {
    await withViews(
      { 'pages/send.hbs': '<p>{{custom.greeting}}|{{#if custom.constructor}}evil{{/if}}</p>' },
      { locals: () => ({ greeting: '<b>hi</b>', constructor: undefined }) },
    )
    expect((await openPage('send')).text).toContain('<p>&lt;b&gt;hi&lt;/b&gt;|</p>')
  })

  test('`locals` may be async', async () => {
    await withViews(
      { 'pages/send.hbs': '<p>{{custom.shop}}</p>' },
      { locals: (req) => Promise.resolve({ shop: req.originalUrl }) },
    )
    expect((await openPage('send')).text).toContain('<p>/2fa</p>')
  })

  test('no template of ours prints anything unescaped', () => {
    const root = path.join(__dirname, '..', '..', 'views')
    for (const file of [
      'layouts/page.hbs',
      'layouts/mail.html.hbs',
      'pages/code.hbs',
      'pages/email.hbs',
      'pages/send.hbs',
    ]) {
      expect(readFileSync(path.join(root, file), 'utf8')).not.toMatch(/\{\{\{|\{\{&/)
    }
  })
})
