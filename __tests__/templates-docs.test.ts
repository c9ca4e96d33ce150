import request from 'supertest'
import { STEPS, StepApp } from './helpers/template-steps.js'

const GERMAN = { locale: 'de' }
const ARABIC = { locale: 'ar' }

describe('docs/templates.md', () => {
  let app: StepApp
  afterEach(() => app.close())

  async function step(number: number): Promise<StepApp> {
    app = await StepApp.start(number)
    return app
  }

  test('step 1: pages and mails have the colour, the logo and the address', async () => {
    const { host } = await step(1)
    const { page, mail } = await app.ask('/delete-account')
    expect(page).toMatch(/<img src="\/2fa\/assets\/[^"]+\.png\?v[^"]+" width="120" height="40" alt="Acme">/)
    expect(mail.html).toContain('#00663a')
    expect(mail.html).toContain('1 Main Street, Springfield')
    expect(mail.text).toContain('1 Main Street, Springfield')
    expect(mail.attachments.map(({ contentType, related }) => [contentType, related])).toEqual([['image/png', true]])
    const sheets = [...page.matchAll(/<link rel="stylesheet" href="([^"]+)">/g)].map(([, url = '']) => url)
    const texts = await Promise.all(sheets.map(async (url) => (await request(host.origin).get(url).expect(200)).text))
    expect(texts.join('')).toContain('--otp-accent: #00663a')
  })

  test('step 2: the texts are those of the file, all others stay', async () => {
    await step(2)
    const { page, mail } = await app.ask('/secret')
    expect(mail.subject).toBe('Your code for Acme')
    expect(mail.text).toMatch(/help@acme\.example/)
    expect(page).toContain('<button type="submit">Continue</button>')
    expect(page).toContain('Send it again')
  })

  test('step 3: page and mail say what the code is for', async () => {
    await step(3)
    const { page, mail } = await app.ask('/delete-account')
    for (const one of [page, mail.html, mail.text]) expect(one).toContain('Delete your account')
  })

  test('step 4: pages have the frame, and load the style sheet after ours', async () => {
    const { host } = await step(4)
    const { page } = await app.ask('/secret')
    expect(page).toContain('<header class="acme-header">')
    const [url = '', ...more] = [...page.matchAll(/\/2fa\/assets\/(?:acme|otp)\.css[^"]*/g)]
      .map(([one]) => one)
      .reverse()
    expect([url, more.length]).toEqual([expect.stringContaining('acme.css?v='), 1])
    await request(host.origin)
      .get(url)
      .expect(200, /\.acme-header/)
    await request(host.origin)
      .get('/2fa')
      .expect(/acme-header/)
  })

  test('step 5: the HTML of the mail is that of the file, its text stays', async () => {
    await step(5)
    const { mail } = await app.ask('/delete-account')
    expect(mail.html).toMatch(/<h1 [^>]*Georgia[^>]*>[^<]+<\/h1>/)
    expect(mail.html).toContain('Delete your account')
    expect(codesIn(mail.html)).toEqual([app.host.mailbox.code])
  })

  test('step 6: the mail stands in the layout, with logo and foot', async () => {
    await step(6)
    const { mail } = await app.ask('/secret')
    expect(mail.html).toContain('<body class="ground"')
    expect(mail.html).toContain('background-color:#00663a')
    expect(mail.html).toContain('1 Main Street, Springfield')
    expect(mail.attachments).toHaveLength(1)
    expect(codesIn(mail.html)).toEqual([app.host.mailbox.code])
  })

  test('step 7: one purpose has a mail of its own, all others do not', async () => {
    await step(7)
    const { mail } = await app.ask('/delete-account')
    expect(mail.subject).toBe('Confirm that your Acme account is to be deleted')
    expect(mail.html).toContain('This cannot be undone.')
    expect(codesIn(mail.html)).toEqual([app.host.mailbox.code])
    expect((await app.ask('/secret')).mail.subject).toBe('Your code for Acme')
  })

  test('step 8: pages and mails have the values of the host', async () => {
    await step(8)
    const user = { name: 'Ana Lima', plan: 'Team', workspace: 'R&D' }
    const { page, mail } = await app.ask('/secret', user)
    expect(page).toContain('Your plan: Team')
    expect(mail.html).toContain('Hello Ana,')
    expect(mail.html).toContain('for the workspace <strong>R&amp;D</strong>')
    const bare = await app.ask('/secret', { id: 'u3', name: '' })
    expect(bare.page).not.toContain('Your plan')
    expect(bare.mail.html).toContain('Hello,')
    expect(bare.mail.html).toContain('here is your code.')
  })

  test('step 9: a user who reads German gets the German texts and templates', async () => {
    await step(9)
    const { page, mail } = await app.ask('/secret', { ...GERMAN, name: 'Ana' })
    expect(page).toContain('<html lang="de" dir="ltr">')
    expect(page).toContain('<button type="submit">Weiter</button>')
    expect(mail.subject).toBe('Ihr Code für Acme')
    expect(mail.html).toContain('Guten Tag Ana,')
    const deletion = await app.ask('/delete-account', { ...GERMAN, id: 'u4' })
    expect(deletion.page).toContain('Ihr Konto löschen')
    expect(deletion.mail.subject).toBe('Bestätigen Sie, dass Ihr Konto bei Acme gelöscht wird')
    expect(deletion.mail.html).toContain('Das lässt sich nicht rückgängig machen.')
    expect((await app.ask('/secret', { id: 'u5' })).mail.html).toContain('Hello Ana,')
  })

  test('step 10: the layout in Arabic runs from right to left, its code from left to right', async () => {
    await step(10)
    const { page, mail } = await app.ask('/secret', ARABIC)
    expect(page).toContain('<html lang="ar" dir="rtl">')
    expect(page).toContain('متابعة')
    expect(mail.subject).toBe('رمزك في \u2068Acme\u2069')
    expect(mail.html).toContain('<html lang="ar" dir="rtl">')
    expect(mail.html).toContain('Noto Naskh Arabic')
    expect(mail.html).toMatch(/<td align="left"[^>]*>خدمة تثق بها/)
    const { code } = app.host.mailbox
    expect(mail.html).toMatch(new RegExp(`dir="ltr"[^>]*>${code}<`))
    expect(codesIn(mail.html)).toEqual([code])
    expect((await app.ask('/secret', { id: 'u6' })).mail.html).toContain('<html lang="en" dir="ltr">')
  })
})

test('docs/templates.md has ten steps, and each has files', () => {
  expect([...STEPS.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  expect([...STEPS.values()].filter((files) => files.size === 0)).toEqual([])
})

/** Runs of digits that a mail program may take for the code. */
function codesIn(html: string | false | undefined): string[] {
  const text = String(html).replace(/<style[^]*?<\/style>|<[^>]+>|&#\d+;/g, ' ')
  return text.match(/\b\d{4,8}\b/g) ?? []
}
