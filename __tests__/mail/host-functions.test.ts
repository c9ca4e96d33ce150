import { inspect } from 'node:util'
import { viewsFolder } from '../helpers/views-folder.js'
import { Gate } from '../helpers/gate.js'
import { dump, guess } from '../helpers/guessing.js'
import { ANA, BEN, HostApp } from '../helpers/host-app.js'
import { codeIn, Mailbox, type Received, wrongCode } from '../helpers/mailbox.js'
import type { MailContext, MailRecipient, MailTexts, OtpOptions } from '../../src/index.js'

const TYPED: Partial<OtpOptions> = { user: () => null, typedEmail: true }
const EMAIL = 'ana@example.com'

let host: HostApp
afterEach(() => host.close())

/** A host with functions for its mails. */
async function start(mail: Partial<OtpOptions['mail']>, otp: Partial<OtpOptions> = {}): Promise<void> {
  const mailbox = await new Mailbox().listen()
  const from = 'Acme <no-reply@acme.example>'
  host = await HostApp.start({ mailbox, otp: { mail: { transport: mailbox.url, from, ...mail }, ...otp } })
}

const PLAN = {
  'mail/code/text.hbs': '{{code}}\nPlan: {{custom.plan}}.\n{{boundLine}}',
  'mail/code/html.hbs': '{{> code}}<p>Plan: {{custom.plan}}.</p>',
}
const plan = ({ mail }: Received): string | undefined => /Plan: .*/.exec(mail.text ?? '')?.[0]

const failures = (): object[] => host.events.filter(({ type }) => type === 'failed')

/** Lets five seconds pass, as soon as the function has been called. */
async function timeOut(called: Promise<void>): Promise<void> {
  await called
  host.clock.tick(6)
}

describe('mail.locals', () => {
  test('gives the templates of mails their `custom`, and is told who gets which mail', async () => {
    const told: MailRecipient[] = []
    const locals = async (recipient: MailRecipient) => {
      told.push(recipient)
      await Promise.resolve()
      return { plan: `<b>gold</b> of ${String(recipient.user?.id)}` }
    }
    await start({ locals }, { views: viewsFolder(PLAN) })
    await host.asked()
    expect(plan(host.mailbox.last)).toBe('Plan: <b>gold</b> of u1.')
    expect(host.mailbox.last.mail.html).toContain('Plan: &lt;b&gt;gold&lt;/b&gt; of u1.')
    expect(told).toEqual([{ mail: 'code', purpose: 'access', locale: 'en', email: EMAIL, user: ANA }])
    expect(failures()).toEqual([])
  })

  test('is told of the purpose, the language and the address of a typed one', async () => {
    const told: MailRecipient[] = []
    const locals = (recipient: MailRecipient) => ({ n: told.push(recipient) })
    await start({ locals }, TYPED)
    const jar = host.jar()
    const refused = await jar.post('/transfer').send({ amount: 5, payee: 'Ben' }).expect(401)
    const fields = { for: refused.body.for, email: EMAIL }
    await jar.post('/2fa/send').set('Accept-Language', 'de').send(fields).expect(200)
    await host.mailbox.mails(1)
    expect(told).toEqual([{ mail: 'code', purpose: 'transfer', locale: 'de', email: EMAIL, user: null }])
  })

  test('is asked for the warning to an owner too', async () => {
    const locals = ({ mail, purpose }: MailRecipient) => ({ plan: `${mail} ${purpose}` })
    const files = { 'mail/alert/text.hbs': 'Plan: {{custom.plan}}.' }
    await start({ locals }, { views: viewsFolder(files), limits: { failures: { capacity: 1 } } })
    const { jar, code } = await host.asked()
    await guess(jar, wrongCode(code)).expect(422)
    await host.mailbox.mails(2)
    expect(plan(host.mailbox.last)).toBe('Plan: alert access.')
  })

  const HOPELESS: [string, () => unknown][] = [
    ['throws', () => BigInt('gold')],
    ['rejects', () => Promise.reject(new Error('no database'))],
    ['gives nothing', () => undefined],
    ['gives null', () => null],
    ['gives text', () => 'gold'],
    ['gives an array', () => ['gold']],
    ['gives an instance of a class', () => new Map([['plan', 'gold']])],
  ]

  test.each(HOPELESS)('H14: if it %s, the mail goes out with an empty `custom`', async (_what, locals) => {
    await start({ locals: locals as () => Record<string, unknown> }, { views: viewsFolder(PLAN) })
    const { jar, code } = await host.asked()
    expect(plan(host.mailbox.last)).toBe('Plan: .')
    expect(failures()).toMatchObject([{ outcome: 'host_callback', error: { code: 'host_callback' } }])
    await guess(jar, code).expect(200)
  })

  test('H14: if it hangs, the mail goes out after five seconds with an empty `custom`', async () => {
    const called = new Gate()
    const locals = () => {
      called.open()
      return new Promise<never>(() => undefined)
    }
    await start({ locals }, { views: viewsFolder(PLAN) })
    const [{ code }] = await Promise.all([host.asked(), timeOut(called.opened)])
    expect(plan(host.mailbox.last)).toBe('Plan: .')
    expect(codeIn(host.mailbox.last)).toBe(code)
    expect(failures()).toMatchObject([{ error: { message: '`mail.locals` timed out.' } }])
  })

  test('H14: templates that fail with its values are used without them', async () => {
    const files = { 'mail/code/text.hbs': '{{code}}\nPlan: {{custom.plan.name}}.' }
    await start({ locals: () => ({}) }, { views: viewsFolder(files) })
    await host.asked()
    expect(plan(host.mailbox.last)).toBe('Plan: .')
    expect(failures()).toMatchObject([{ outcome: 'render_failed' }])
  })

  test.each([
    ['html', { 'mail/code/html.hbs': 'Hi{{#unless custom.hide}} {{code}}{{/unless}}' }],
    ['text', { 'mail/code/text.hbs': 'Hi\n{{#unless custom.hide}}{{code}}{{/unless}}\n\n{{boundLine}}' }],
  ])('H14: templates that leave the code out of the %s with its values are used without them', async (part, files) => {
    await start({ locals: () => ({ hide: true }) }, { views: viewsFolder(files) })
    const { jar, code } = await host.asked()
    expect(codeIn(host.mailbox.last)).toBe(code)
    expect(host.mailbox.last.mail.html).toContain(code)
    const message = `views: mail/code/${part} lacks the code with the values of this mail. Write {{> code}} outside of every {{#if}}.`
    expect(failures()).toMatchObject([{ outcome: 'render_failed', error: { message } }])
    await guess(jar, code).expect(200)
  })

  test('H14: templates that leave the code out with all values are replaced by ours', async () => {
    const files = {
      'mail/code/html.hbs':
        'Hi{{#if (ne purpose "access")}}{{else}}{{#if (eq site.name "Acme 2")}}{{else}} {{code}}{{/if}}{{/if}}',
    }
    await start({}, { views: viewsFolder(files), site: { name: 'Acme 2', origin: 'https://acme.example' } })
    const { code } = await host.asked()
    expect(host.mailbox.last.mail.html).toContain(
      'You got this mail because a code for your address was requested at Acme 2.',
    )
    expect(host.mailbox.last.mail.html).toContain(code)
    expect(failures()).toMatchObject([{ outcome: 'render_failed' }])
  })

  test('H14: templates that fail without its values too are replaced by ours', async () => {
    const files = { 'mail/code/text.hbs': '{{code}}\n{{t custom.key}}' }
    await start({ locals: () => ({ key: 'no.such.text' }) }, { views: viewsFolder(files) })
    const { jar, code } = await host.asked()
    expect(host.mailbox.last.mail.text).toContain('Enter it on acme.example.')
    expect(failures()).toMatchObject([{ outcome: 'render_failed' }, { outcome: 'render_failed' }])
    await guess(jar, code).expect(200)
  })

  test('without it, `custom` in a template of a mail stops the start', async () => {
    await start({})
    const folder = viewsFolder(PLAN)
    await expect(HostApp.start({ mailbox: host.mailbox, otp: { views: folder } })).rejects.toThrow(
      'empty in mails without `mail.locals`',
    )
  })
})

const texts = ({ code, codeInSubject }: MailContext): MailTexts => ({
  subject: codeInSubject ? `Code ${code}` : 'Your own code',
  html: `<html><head><title>${code}</title></head><body><p>Own: <b>${code}</b></p></body></html>`,
  text: `Own:\n${code}\n`,
})

describe('mail.render', () => {
  test('makes the whole mail, with all that templates get', async () => {
    const contexts: MailContext[] = []
    const render = async (context: MailContext) => {
      contexts.push(context)
      await Promise.resolve()
      return texts(context)
    }
    await start({ render, locals: ({ user }) => ({ plan: `gold of ${user?.id}` }) })
    const { jar, code } = await host.asked({ ...ANA, name: '  Ana\tMaría ' })
    const { mail, raw } = host.mailbox.last
    expect(mail).toMatchObject({ subject: 'Your own code', text: `Own:\n${code}\n` })
    expect(mail.html).toContain(`<p>Own: <b>${code}</b></p>`)
    expect(raw).toMatch(/^Auto-Submitted: auto-generated/m)
    expect(contexts).toMatchObject([
      {
        ...{ mail: 'code', locale: 'en', purpose: 'access', code, isLong: false, codeInSubject: false },
        recipient: { name: 'Ana María', masked: 'a•••@example.com' },
        site: { name: 'Acme' },
        custom: { plan: 'gold of u1' },
      },
    ])
    expect(host.events).toMatchObject([{ type: 'issued' }, { type: 'sent', view: 'code' }])
    await guess(jar, code).expect(200)
  })

  test.each([null, undefined])('leaves the mail to the templates if it gives %s', async (nothing) => {
    await start({ render: () => nothing })
    await host.asked()
    expect(host.mailbox.last.mail.subject).toBe('Your Acme code')
    expect(failures()).toEqual([])
  })

  test('makes the warning to an owner, which needs no code', async () => {
    const render = ({ mail, code }: MailContext): MailTexts | null =>
      mail === 'alert' ? { subject: 'Careful', html: '<p>Wrong codes</p>', text: `Wrong codes${code}` } : null
    await start({ render }, { limits: { failures: { capacity: 1 } } })
    const { jar, code } = await host.asked()
    await guess(jar, wrongCode(code)).expect(422)
    await host.mailbox.mails(2)
    expect(host.mailbox.last.mail).toMatchObject({ subject: 'Careful', text: 'Wrong codes' })
    expect(failures()).toEqual([])
  })

  test('may put the code into the subject where `code.subject` allows it', async () => {
    await start({ render: texts }, { code: { subject: 'always' } })
    const { code } = await host.asked()
    expect(host.mailbox.last.mail.subject).toBe(`Code ${code}`)
  })

  test('H14: its subject becomes one line, so that it adds no header and no recipient', async () => {
    const subject = ' Your code\r\nBcc: evil@evil.example\r\n\r\n<html>\u0000 '
    await start({ render: (context) => ({ ...texts(context), subject }) })
    await host.asked()
    const { raw, to, mail } = host.mailbox.last
    expect(mail.subject).toBe('Your code Bcc: evil@evil.example <html>')
    expect(raw).not.toMatch(/^Bcc:/im)
    expect(to).toEqual([EMAIL])
  })

  const REFUSED: [what: string, texts: (context: MailContext) => unknown, reason: string][] = [
    ['text instead of an object', () => '482915', 'no `subject`'],
    ['no subject', (context) => ({ ...texts(context), subject: undefined }), 'no `subject`'],
    ['an empty subject', (context) => ({ ...texts(context), subject: ' \n' }), 'no `subject`'],
    ['a promise in place of HTML', (context) => ({ ...texts(context), html: Promise.resolve('') }), 'no `html`'],
    ['empty HTML', (context) => ({ ...texts(context), html: '' }), 'no `html`'],
    ['no text', (context) => ({ ...texts(context), text: undefined }), 'no `text`'],
    [
      'more than 100 kB',
      (context) => ({ ...texts(context), html: texts(context).html + 'ü'.repeat(60_000) }),
      'in `html`',
    ],
    [
      'HTML without the code',
      (context) => ({ ...texts(context), html: '<p>Hello' }),
      'in `html` the mail does not show the code',
    ],
    [
      'text without the code',
      (context) => ({ ...texts(context), text: 'Hello' }),
      'in `text` the mail does not show the code',
    ],
    [
      'another code',
      (context) => ({ ...texts(context), ...texts({ ...context, code: '000000' }) }),
      'the code is missing, and •••• is there for all. Write `context.code` instead.',
    ],
    [
      'a longer number',
      (context) => ({ ...texts(context), text: `1${context.code}` }),
      'in `text` the code is missing',
    ],
    [
      'the code in the head of the HTML only',
      (context) => ({ ...texts(context), html: `<head><title>${context.code}</title></head><p>Hi` }),
      'in `html` the mail does not show the code',
    ],
    [
      'the code in an attribute only',
      (context) => ({ ...texts(context), html: `<p title="${context.code}">Hi` }),
      'in `html` the mail does not show the code',
    ],
    [
      'each digit in a box of its own',
      (context) => ({
        ...texts(context),
        html: Array.from(context.code)
          .map((digit) => `<i>${digit}</i>`)
          .join(''),
      }),
      'split',
    ],
    [
      'what is missing, as JavaScript prints it',
      (context) => ({ ...texts(context), text: `${texts(context).text}Hi undefined!` }),
      'undefined',
    ],
    [
      'the bound line alone',
      (context) => ({ ...texts(context), text: `Hi\n${context.boundLine}` }),
      'in `text` the mail does not show the code',
    ],
    ['the code in the subject', (context) => ({ ...texts(context), subject: context.code }), 'in `subject`'],
    [
      'the spaced code in the subject',
      (context) => ({ ...texts(context), subject: `Code ${Array.from(context.code).join(' ')}` }),
      'in `subject`',
    ],
  ]

  test.each(REFUSED)('H14: %s is refused, and the mail of the templates goes out', async (_what, render, reason) => {
    await start({ render: render as () => MailTexts })
    const { jar, code } = await host.asked()
    expect(host.mailbox.last.mail.subject).toBe('Your Acme code')
    const error = { message: expect.stringContaining(reason) }
    expect(failures()).toMatchObject([{ outcome: 'host_callback', error }])
    expect(dump(host.events)).not.toContain(code)
    await guess(jar, code).expect(200)
  })

  test('H14: if it hangs, the mail of the templates goes out after five seconds', async () => {
    const called = new Gate()
    const render = () => {
      called.open()
      return new Promise<never>(() => undefined)
    }
    await start({ render })
    const [{ jar, code }] = await Promise.all([host.asked(), timeOut(called.opened)])
    expect(failures()).toMatchObject([{ error: { message: '`mail.render` timed out.' } }])
    await guess(jar, code).expect(200)
  })

  test('H14: what it throws is in no event with the code, nor with a spaced one', async () => {
    const render = ({ code }: MailContext): never => {
      const cause = new Error(`in ${Array.from(code).join(' ')}`)
      throw Object.assign(new Error(`cannot render ${code}`, { cause }), {
        props: { code: Array.from(code).join('-') },
      })
    }
    await start({ render })
    const { code } = await host.asked()
    const [event] = failures()
    expect(event).toMatchObject({ error: { cause: { message: expect.stringContaining('cannot render •••') } } })
    expect(dump(host.events).replace(/[ -]/g, '')).not.toContain(code)
  })

  test('H14: what a helper throws in a template is in no event with the code', async () => {
    const badge = (code: unknown): never => {
      throw Object.assign(new Error(`no badge for ${String(code)}`), { props: { code } })
    }
    const files = { 'mail/code/html.hbs': '{{> code}}{{#if custom.vip}}{{badge code}}{{/if}}' }
    await start({ locals: () => ({ vip: true }) }, { views: viewsFolder(files), helpers: { badge } })
    const { jar, code } = await host.asked()
    expect(failures()).toMatchObject([{ outcome: 'render_failed' }])
    expect(dump(failures())).toContain('no badge for •••')
    expect(dump(host.events)).not.toContain(code)
    await guess(jar, code).expect(200)
  })

  test('H14: an error that cannot be read is in no event', async () => {
    const render = ({ code }: MailContext): never => {
      throw Object.assign(new Error('odd'), {
        [inspect.custom]: () => {
          throw new Error(code)
        },
      })
    }
    await start({ render })
    const { jar, code } = await host.asked()
    expect(failures()).toMatchObject([{ outcome: 'host_callback' }])
    expect(dump(host.events)).not.toContain(code)
    await guess(jar, code).expect(200)
  })

  test('H14: it can change nothing in the mail of the templates', async () => {
    const render = (context: MailContext): null => {
      for (const change of [{ code: '000000' }, { boundLine: '@evil.example #000000' }]) Object.assign(context, change)
      return null
    }
    await start({ render })
    const { jar, code } = await host.asked()
    expect(host.mailbox.last.mail.text).toContain(`@acme.example #${code}`)
    expect(failures()).toHaveLength(1)
    await guess(jar, code).expect(200)
  })

  test('H14: is not called without the values that it counts on', async () => {
    const render = jest.fn(texts)
    await start({ render, locals: () => Promise.reject(new Error('no database')) })
    await host.asked()
    expect(render).not.toHaveBeenCalled()
    expect(host.mailbox.last.mail.subject).toBe('Your Acme code')
    expect(failures()).toHaveLength(1)
  })
})

describe('several at once', () => {
  test('H14: two users in the same session at the same time get each their own mail', async () => {
    const gate = new Gate()
    const seen: string[] = []
    const locals = async ({ user }: MailRecipient) => {
      seen.push(String(user?.id))
      if (user?.id === ANA.id) await gate.opened
      return { owner: user?.id }
    }
    const render = (context: MailContext): MailTexts => ({
      ...texts(context),
      text: `${String(context.custom.owner)}\n${context.code}\n`,
    })
    await start({ locals, render })
    const jar = await host.signedIn(ANA)
    const asAna = jar.post('/2fa/send').send({}).then()
    while (seen.length < 1) await new Promise(setImmediate)
    await jar.post('/login').send({ user: BEN }).expect(200)
    await jar.post('/2fa/send').send({}).expect(200)
    const toBen = await host.mailbox.mailTo(BEN.email)
    gate.open()
    await asAna
    const toAna = await host.mailbox.mailTo(EMAIL)
    expect(toBen.mail.text).toMatch(/^u2\n\d{6}\n$/)
    expect(toAna.mail.text).toMatch(/^u1\n\d{6}\n$/)
    await guess(jar, codeIn(toAna)).expect(422)
    await guess(jar, codeIn(toBen)).expect(200)
  })

  test('H14: a code that is used while its next mail is rendered is not mailed again', async () => {
    const gate = new Gate()
    let calls = 0
    const locals = async () => {
      calls += 1
      if (calls === 2) await gate.opened
      return {}
    }
    await start({ locals })
    const { jar, code } = await host.asked()
    host.clock.tick(31)
    const resent = jar.post('/2fa/send').send({}).then()
    while (calls < 2) await new Promise(setImmediate)
    await guess(jar, code).expect(200)
    gate.open()
    await resent
    await host.otp.close()
    expect(host.mailbox.received).toHaveLength(1)
    expect(host.events.filter(({ type }) => type === 'undelivered')).toMatchObject([{ outcome: 'cancelled' }])
  })
})

describe('a store that is down', () => {
  test('H14: calls neither function, since nothing is mailed', async () => {
    const [locals, render] = [jest.fn(() => ({})), jest.fn(texts)]
    const down = (): Promise<never> => Promise.reject(new Error('down'))
    await start({ locals, render }, { store: { open: down, redeem: down, spend: down } })
    const jar = await host.signedIn()
    await jar.post('/2fa/send').send({}).expect(503)
    expect([locals, render].map(({ mock }) => mock.calls)).toEqual([[], []])
    expect(host.otp.health().queue).toBe(0)
  })
})

describe('typed addresses', () => {
  test.each([true, false])('H14: both functions are called alike, accepted or not: %s', async (isAccepted) => {
    const calls: string[] = []
    const locals = ({ email, user }: MailRecipient) => ({ n: calls.push(`locals ${email} ${user?.id}`) })
    const render = (context: MailContext): MailTexts => {
      calls.push(`render ${context.code.length} ${context.recipient.masked}`)
      return texts(context)
    }
    await start({ locals, render }, { ...TYPED, typedEmail: { accept: () => isAccepted } })
    await host.jar().post('/2fa/send').send({ email: EMAIL }).expect(200)
    expect(calls).toEqual([]) // not before the response
    await host.otp.close()
    expect(calls).toEqual([`locals ${EMAIL} undefined`, 'render 8 a•••@example.com'])
    expect(host.mailbox.received).toHaveLength(isAccepted ? 1 : 0)
  })

  test.each([true, false])(
    'H14: a function that hangs holds the same place, accepted or not: %s',
    async (isAccepted) => {
      const gate = new Gate()
      const called = new Gate()
      const locals = async () => {
        called.open()
        await gate.opened
        return {}
      }
      await start({ locals }, { ...TYPED, typedEmail: { accept: () => isAccepted } })
      await host.jar().post('/2fa/send').send({ email: EMAIL }).expect(200)
      await called.opened
      expect(host.otp.health().queue).toBe(1)
      gate.open()
      await host.otp.close()
      expect(host.otp.health().queue).toBe(0)
      expect(failures()).toEqual([])
    },
  )
})
