import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Files, viewsFolder } from '../helpers/views-folder.js'
import { OtpError } from '../../src/index.js'
import { createRenderer } from '../../src/views/renderer.js'

function errorOf(folder: string): OtpError {
  try {
    createRenderer([folder], 'en')
  } catch (error) {
    if (error instanceof OtpError) return error
    throw error
  }
  throw new Error('it started')
}

/** `file:line:column` of each mistake, and what is said about it. */
function mistakes(folder: string): [place: string, text: string][] {
  return errorOf(folder).issues.map(({ file, line, column, message, cure }) => [
    `${path.relative(folder, file)}:${line}:${column}`,
    `${message} ${cure}`,
  ])
}

const FORM = '<form method="post">{{> form}}<input name="code"></form>'

/** Files, the place of the mistake, and what the message and the cure contain. */
const BROKEN: [Files, place: string, message: string, cure: string][] = [
  // syntax
  [{ 'pages/send.hbs': '<p>\n  {{#if error}}\n<b>' }, 'pages/send.hbs:2:3', '{{#if error}} is not closed', '{{/if}}'],
  [
    { 'pages/send.hbs': '{{#each fields}}\n{{#if error}}x\n{{/each}}' },
    'pages/send.hbs:2:1',
    'is closed by {{/each}}',
    '{{/if}}',
  ],
  [{ 'pages/send.hbs': 'a\n b{{/if}}' }, 'pages/send.hbs:2:3', 'closes no block', '{{#if'],
  [{ 'pages/send.hbs': '\n{{else}}' }, 'pages/send.hbs:2:1', 'stands in no block', 'delete it'],
  [{ 'pages/send.hbs': '<p>\n{{t "send.title}}</p>' }, 'pages/send.hbs:2:5', 'the quote " in', 'same quote'],
  [{ 'pages/send.hbs': '{{t "send.lead" recipient="x}}' }, 'pages/send.hbs:1:27', 'the quote " in', 'same quote'],
  [{ 'pages/send.hbs': 'x {{site.name' }, 'pages/send.hbs:1:3', 'not closed', '}}'],
  [{ 'pages/send.hbs': 'x {{site.name <b>\n{{title}}' }, 'pages/send.hbs:1:3', 'not closed', '}}'],
  [{ 'pages/send.hbs': '\n{{t "send.lead" recipient=}}' }, 'pages/send.hbs:2:27', 'cannot be read', '{{t "key"'],
  [{ 'pages/send.hbs': '{{#if a == b}}x{{/if}}' }, 'pages/send.hbs:1:10', 'cannot be read', 'no operators'],
  [{ 'pages/send.hbs': '{{#if}}x{{/if}}' }, 'pages/send.hbs:1:1', 'has 0 values', '{{#if variable}}'],
  // names
  [{ 'mail/code/text.hbs': '\n  {{otp}}' }, 'mail/code/text.hbs:2:5', 'unknown variable "otp"', '"code"'],
  [{ 'mail/code/html.hbs': '{{token}}' }, 'mail/code/html.hbs:1:3', 'unknown variable "token"', '"code"'],
  [{ 'mail/code/html.hbs': '{{verificationCode}}' }, 'mail/code/html.hbs:1:3', 'unknown variable', '"code"'],
  [{ 'mail/code/html.hbs': '{{product_name}}' }, 'mail/code/html.hbs:1:3', 'unknown variable', '"site.name"'],
  [{ 'mail/code/html.hbs': '{{email}}' }, 'mail/code/html.hbs:1:3', 'unknown variable', '"recipient.masked"'],
  [
    { 'mail/code/html.hbs': 'Hi {{name}}' },
    'mail/code/html.hbs:1:6',
    'unknown variable',
    'Here it is named "recipient.name"',
  ],
  [{ 'pages/code.hbs': '{{> form}}{{name}}' }, 'pages/code.hbs:1:13', 'unknown variable', 'No name of the person'],
  [{ 'mail/code/html.hbs': '{{expires_at}}' }, 'mail/code/html.hbs:1:3', 'unknown variable', '"expires.in"'],
  [{ 'mail/code/html.hbs': '{{code.lable}}' }, 'mail/code/html.hbs:1:3', 'unknown variable "code.lable"', ''],
  [{ 'pages/send.hbs': '{{support_url}}' }, 'pages/send.hbs:1:3', 'unknown variable', '"site.supportUrl"'],
  [{ 'pages/send.hbs': '{{@root.sit.name}}' }, 'pages/send.hbs:1:3', 'unknown variable', 'site.name'],
  [{ 'pages/send.hbs': '{{#with site}}\n{{nam}}{{/with}}' }, 'pages/send.hbs:2:3', 'unknown variable "nam"', '"name"'],
  [{ 'pages/send.hbs': '{{#each fields}}{{nmae}}{{/each}}' }, 'pages/send.hbs:1:19', '"nmae"', '"name"'],
  [{ 'pages/send.hbs': '{{#with site}}{{../titel}}{{/with}}' }, 'pages/send.hbs:1:17', 'unknown variable', ''],
  [{ 'pages/send.hbs': '{{> actoin}}' }, 'pages/send.hbs:1:1', 'unknown partial', '"action"'],
  [{ 'pages/send.hbs': '{{upper site.name}}' }, 'pages/send.hbs:1:1', 'unknown helper "upper"', 'Known are'],
  [
    { 'pages/send.hbs': '\n {{asset "opt.css"}}' },
    'pages/send.hbs:2:2',
    'no asset has the name "opt.css"',
    '"otp.css"',
  ],
  [{ 'pages/send.hbs': '{{asset "brand.cs"}}' }, 'pages/send.hbs:1:1', 'no asset has the name', '"brand.css"'],
  [
    { 'partials/action.html.hbs': '{{asset "a/b.wof"}}', 'assets/a/b.woff': '' },
    'partials/action.html.hbs:1:1',
    'no asset',
    '"a/b.woff"',
  ],
  [{ 'pages/send.hbs': '{{asset title}}' }, 'pages/send.hbs:1:1', '{{asset}} has no name', 'in quotes'],
  [{ 'pages/send.hbs': '{{asset}}' }, 'pages/send.hbs:1:1', '{{asset}} has no name', 'in quotes'],
  [{ 'mail/code/html.hbs': '{{> code}}{{asset "otp.css"}}' }, 'mail/code/html.hbs:1:11', 'mails load nothing', 'logo'],
  [{ 'layouts/mail.html.hbs': '{{body}}{{asset "otp.css"}}' }, 'layouts/mail.html.hbs:1:9', 'mails load nothing', ''],
  [{ 'mail/code/text.hbs': '{{> code}}{{asset "otp.css"}}' }, 'mail/code/text.hbs:1:11', 'mails load nothing', ''],
  [
    { 'partials/code.html.hbs': '{{code}}\n{{asset "otp.css"}}' },
    'partials/code.html.hbs:2:1',
    'mails load nothing',
    'logo',
  ],
  [{ 'pages/send.hbs': '{{t "send.titel"}}' }, 'pages/send.hbs:1:5', 'no text has the key', '"send.title"'],
  [{ 'pages/send.hbs': '{{site}}' }, 'pages/send.hbs:1:3', '[object Object]', 'site.name'],
  [{ 'mail/code/html.hbs': '{{> code}}{{expires}}' }, 'mail/code/html.hbs:1:13', '[object Object]', 'expires.in'],
  [{ 'mail/code/html.hbs': '{{#each code}}{{this}}{{/each}}' }, 'mail/code/html.hbs:1:9', 'has no items', 'letter-sp'],
  [
    { 'partials/code.html.hbs': '{{#each code}}{{this}}{{/each}}' },
    'partials/code.html.hbs:1:9',
    'no items',
    '{{code}}',
  ],
  // unescaped
  [{ 'pages/send.hbs': '<i>{{{purposeText}}}' }, 'pages/send.hbs:1:4', 'unescaped', 'two braces'],
  [{ 'pages/send.hbs': '{{&title}}' }, 'pages/send.hbs:1:1', 'unescaped', 'two braces'],
  [{ 'mail/code/html.hbs': '{{> code}}{{{site.name}}}' }, 'mail/code/html.hbs:1:11', 'unescaped', 'two braces'],
  [{ 'layouts/mail.html.hbs': '{{{preheader}}}{{body}}' }, 'layouts/mail.html.hbs:1:1', 'unescaped', 'two braces'],
  [{ 'pages/send.hbs': '{{{t "send.lead" recipient=recipient.masked}}}' }, 'pages/send.hbs:1:1', 'unescaped', ''],
  // files
  [{ 'pages/sent.hbs': 'x' }, 'pages/sent.hbs:1:1', 'matches no known view', '"pages/send.hbs"'],
  [{ 'pages/send.hbs': Buffer.from('a\nfür', 'latin1') }, 'pages/send.hbs:2:2', 'is not UTF-8', 'as UTF-8'],
  [{ 'locales/de.json': Buffer.from('{"send.title":"für"}', 'latin1') }, 'locales/de.json:1:17', 'not UTF-8', 'UTF-8'],
  [{ 'partials/lonely.html.hbs': 'x' }, 'partials/lonely.html.hbs:1:1', 'no template uses', '{{> lonely}}'],
  // texts
  [{ 'locales/en.json': '{\n  "send.titel": "x"\n}' }, 'locales/en.json:2:3', 'no text has the key', '"send.title"'],
  [{ 'locales/en.json': '{\n  "greeting": "x"\n}' }, 'locales/en.json:2:3', 'no text has the key', '"custom."'],
  [{ 'locales/en.json': '{\n "send.title": "x",\n}' }, 'locales/en.json:3:1', 'comma stands before', 'last comma'],
  [{ 'locales/en.json': '{\n "send.title": "x"\n "send.lead": "y"}' }, 'locales/en.json:3:2', 'comma is missing', ','],
  [{ 'locales/en.json': '{ "send.title" "x" }' }, 'locales/en.json:1:16', 'colon is missing', ':'],
  [{ 'locales/en.json': "{ 'send.title': 'x' }" }, 'locales/en.json:1:3', 'single quotes', 'double quotes'],
  [{ 'locales/en.json': '{\n // titles\n "send.title": "x" }' }, 'locales/en.json:2:2', 'comment', 'Delete'],
  [{ 'locales/en.json': '{ "send.title": "a\nb" }' }, 'locales/en.json:1:17', 'line break', '\\n'],
  [{ 'locales/en.json': '{ "send.title": ' }, 'locales/en.json:1:17', 'the file ends', '}'],
  [{ 'locales/en.json': '{ "send.title": "x" } x' }, 'locales/en.json:1:23', 'after the end', 'Delete'],
  [{ 'locales/en.json': '{ "send": { "title": "x" } }' }, 'locales/en.json:1:11', 'not a string', 'flat'],
  [{ 'locales/en.json': '[]' }, 'locales/en.json:1:1', 'not a JSON object', '{ "key": "text" }'],
  [{ 'locales/en.json': '{ "mail.intro": "Hello {name}" }' }, 'locales/en.json:1:3', 'has no {name}', '{site}'],
  [{ 'locales/de.json': '{\n"code.expires": "{min}" }' }, 'locales/de.json:2:1', 'has no {min}', '{in}'],
  // rendering
  [{ 'pages/send.hbs': '<p>\n{{t "send.lead"}}' }, 'pages/send.hbs:2:1', 'needs {recipient}', 'recipient=…'],
  [
    { 'pages/send.hbs': 'x\n {{t "custom.hi"}}', 'locales/de.json': '{ "custom.hi": "Hallo" }' },
    'pages/send.hbs:2:2',
    'in the locale "en"',
    'default locale',
  ],
  [
    {
      'partials/note.html.hbs': 'a\n{{deliveryText}}',
      'mail/code/html.hbs': '{{> note}}{{> code}}',
      'pages/send.hbs': '{{> note}}',
    },
    'partials/note.html.hbs:2:3',
    'does not exist in mails',
    '',
  ],
  [{ 'mail/code/text.hbs': '{{> code}}\n{{custom.shop}}' }, 'mail/code/text.hbs:2:3', 'custom.shop', 'empty in mails'],
  [{ 'mail/code/text.hbs': '{{> code}}\n{{custom.a.b}}' }, 'mail/code/text.hbs:2:3', 'custom.a.b', 'empty in mails'],
  [{ 'partials/code.html.hbs': 'x\n {{> code}}' }, 'partials/code.html.hbs:2:2', 'includes itself', 'Delete'],
  [{ 'mail/code/html.hbs': '<p>Hello' }, 'mail/code/html.hbs:1:1', 'does not show the code', '{{> code}}'],
  [{ 'mail/code/text.hbs': 'See the HTML part.' }, 'mail/code/text.hbs:1:1', 'does not show the code', '{{code}}'],
  [{ 'mail/code/html.hbs': 'Your code: 123456' }, 'mail/code/html.hbs:1:12', '123456 is there for all', '{{code}}'],
  [{ 'mail/transfer/html.hbs': '{{preheader}} {{subject}}' }, 'mail/transfer/html.hbs:1:1', 'not show the code', ''],
  [{ 'mail/code/html.hbs': '{{#if purposeText}}{{code}}{{else}}x{{/if}}' }, 'mail/code/html.hbs:1:1', 'not show', ''],
  [{ 'partials/code.html.hbs': '<b>code</b>' }, 'partials/code.html.hbs:1:1', 'does not show the code', '{{code}}'],
  [{ 'partials/code.text.hbs': 'code' }, 'partials/code.text.hbs:1:1', 'does not show the code', '{{code}}'],
  [{ 'mail/code/subject.hbs': '\n' }, 'mail/code/subject.hbs:1:1', 'subject is empty', 'one line'],
  [{ 'mail/alert/text.hbs': '' }, 'mail/alert/text.hbs:1:1', 'text of the mail is empty', 'read only this'],
  [{ 'mail/alert/html.hbs': ' ' }, 'mail/alert/html.hbs:1:1', 'the mail is empty', 'Write its text'],
  [{ 'layouts/mail.html.hbs': '<p>{{site.name}}' }, 'layouts/mail.html.hbs:1:1', 'lacks its body', '{{body}}'],
  [{ 'layouts/mail.text.hbs': 'x' }, 'layouts/mail.text.hbs:1:1', 'lacks its body', '{{body}}'],
  [{ 'layouts/page.hbs': '<p>{{title}}' }, 'layouts/page.hbs:1:1', 'lacks its body', '{{body}}'],
  [
    { 'pages/code.hbs': '<h1>{{code.label}}</h1>' },
    'pages/code.hbs:1:1',
    'no form with the field "code"',
    '{{> form}}',
  ],
  [
    { 'pages/code.hbs': '<form>{{> form}}<input name="code_1"></form>' },
    'pages/code.hbs:1:1',
    'the field "code"',
    'name="code"',
  ],
  [{ 'pages/code.hbs': `{{#if error}}${FORM}{{/if}}` }, 'pages/code.hbs:1:1', 'the field "code"', ''],
  [{ 'pages/email.hbs': '<form>{{> form}}</form>' }, 'pages/email.hbs:1:1', 'the field "email"', 'name="email"'],
]

describe('a broken file is an error at start, at its place, with a cure', () => {
  test.each(BROKEN)('%j: %s', (files, place, message, cure) => {
    const found = mistakes(viewsFolder(files))
    expect(found.map(([at]) => at)).toContain(place)
    const [, text] = found.find(([at]) => at === place) ?? []
    expect(text).toContain(message)
    expect(text).toContain(cure)
    expect(text).not.toMatch(/Expecting|EOF|OPEN_|undefined/)
    // One mistake is told once.
    expect(new Set(found.map(([at]) => at)).size).toBe(1)
  })
})

describe('all mistakes come in one error', () => {
  test('of all files, each with file, line, column, message and cure', () => {
    const folder = viewsFolder({
      'pages/sent.hbs': 'x',
      'pages/send.hbs': '{{titel}}\n{{sit.name}}',
      'mail/code/text.hbs': '{{#if code}}',
      'locales/de.json': '{ "send.titel": "x", "send.lead": 7 }',
    })
    const places = mistakes(folder).map(([place]) => place)
    expect(places.sort()).toEqual(
      [
        'locales/de.json:1:35',
        'locales/de.json:1:3',
        'mail/code/text.hbs:1:1',
        'pages/send.hbs:1:3',
        'pages/send.hbs:2:3',
        'pages/sent.hbs:1:1',
      ].sort(),
    )
    const error = errorOf(folder)
    expect(error.code).toBe('invalid_view')
    for (const { file, message, cure } of error.issues) {
      expect(error.message).toContain(file)
      expect(error.message).toContain(`: ${message} ${cure}`)
    }
  })

  test('the message lists ten, and says how many more there are', () => {
    const { message, issues } = errorOf(viewsFolder({ 'pages/send.hbs': '{{x1}}\n'.repeat(13) }))
    expect(issues).toHaveLength(13)
    expect(message.match(/unknown variable/g)).toHaveLength(10)
    expect(message).toMatch(/^views: 13 mistakes\.\n[^]*\nand 3 more$/)
  })

  test('a text file that cannot be read causes no error about its texts elsewhere', () => {
    const folder = viewsFolder({ 'locales/en.json': '{ "custom.hi": ', 'pages/send.hbs': '{{t "custom.hi"}}' })
    expect(mistakes(folder).map(([place]) => place)).toEqual(['locales/en.json:1:16'])
  })

  test('a folder that was sound is checked again when a file of it changes', () => {
    const folder = viewsFolder({ 'mail/code/text.hbs': '{{code}}' })
    const renderer = createRenderer([folder], 'en')
    writeFileSync(path.join(folder, 'mail/code/text.hbs'), 'none')
    expect(() => {
      renderer.reload()
    }).toThrow(/mail\/code\/text\.hbs:1:1: the mail does not show the code/)
  })

  test('a broken template behind a link is told', () => {
    const target = viewsFolder({ 'text.hbs': '{{otp}}' })
    const folder = viewsFolder({})
    mkdirSync(path.join(folder, 'mail'))
    symlinkSync(target, path.join(folder, 'mail', 'code'))
    expect(mistakes(folder)).toEqual([['mail/code/text.hbs:1:3', expect.stringContaining('"otp"')]])
  })
})

test('a template for a locale without texts is a warning, once in a process', () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  const folder = viewsFolder({ 'mail/code/subject.sv.hbs': 'Kod', 'mail/code/subject.pt.hbs': 'Seu código' })
  createRenderer([folder], 'en')
  createRenderer([folder], 'en')
  expect(warn.mock.calls).toEqual([
    [
      expect.stringContaining('subject.sv.hbs, so it is never used.'),
      expect.objectContaining({ code: 'OTP_UNUSED_TEMPLATE' }),
    ],
  ])
  expect(String(warn.mock.calls[0]?.[0])).not.toContain('subject.pt.hbs')
  warn.mockRestore()
})
