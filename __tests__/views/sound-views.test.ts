import { mkdirSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { viewsFolder } from '../helpers/views-folder.js'
import { createRenderer } from '../../src/views/renderer.js'
import * as samples from '../../src/views/samples.js'

const CELL = '<td style="font-family:Arial,sans-serif;font-size:16px;padding:24px">'

/** Designs as companies and tools make them. */
const SOUND: Record<string, Record<string, string>> = {
  'no file': {},
  'a hybrid table with conditional comments of Outlook': {
    'layouts/mail.html.hbs':
      '<!DOCTYPE html><html lang="{{locale}}" dir="{{dir}}" xmlns:o="urn:schemas-microsoft-com:office:office"><head><!--[if mso]><xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml><![endif]-->' +
      '<title>{{subject}}</title></head><body><!--[if mso]><table width="600"><tr><td><![endif]--><div style="max-width:600px">{{body}}</div><!--[if mso]></td></tr></table><![endif]--></body></html>',
  },
  'a code for Outlook alone, and one for all others': {
    'mail/code/html.hbs': '<!--[if mso]><p>{{code}}</p><![endif]--><!--[if !mso]><!--><p>{{code}}</p><!--<![endif]-->',
  },
  'dark mode in a style element': {
    'layouts/mail.html.hbs':
      '<html><head><style>:root{color-scheme:light dark}@media (prefers-color-scheme: dark){.c{background:#101010!important;color:#fff!important}}</style></head><body class="c">{{preheader}}{{{body}}}</body></html>',
  },
  'output of MJML': {
    'mail/code/html.hbs': `<div style="background:#ffffff;margin:0px auto;max-width:600px"><table align="center" border="0" role="presentation"><tbody><tr>${CELL}<div style="font-size:40px;letter-spacing:8px">{{code}}</div></td></tr></tbody></table></div>`,
    'mail/code/html.mjml': '<mjml><mj-body></mj-body></mjml>',
  },
  'output of React Email': {
    'mail/code/html.hbs':
      '<!--$--><table align="center" width="100%"><tbody><tr><td><p style="font-size:14px">Hello from<!-- --> <!-- -->{{site.name}}</p><code style="display:inline-block">{{code}}</code></td></tr></tbody></table><!--/$-->',
    'mail/code/html.tsx': 'export default () => null',
  },
  Arabic: {
    'locales/ar.json': '{ "mail.subject": "رمزك من {site}", "send.title": "أكّد أنه أنت" }',
    'mail/code/html.ar.hbs': '<p dir="{{dir}}" align="{{start}}">رمزك: <span dir="ltr">{{code}}</span></p>',
    'mail/code/text.ar.hbs': 'رمزك: {{code}}',
  },
  'German texts in the file for it alone': {
    'locales/de.json': '{ "custom.gruss": "Guten Tag", "purpose.transfer": "Überweisung" }',
    'mail/code/text.de.hbs': '{{t "custom.gruss"}},\n\nIhr Code lautet:\n\n{{code}}\n',
  },
  'numbers beside the code: a year, a phone number, a postcode': {
    'layouts/mail.html.hbs': '{{body}}<p>© 2026 Acme, 10115 Berlin, 030 123456</p>',
    'layouts/mail.text.hbs': '{{body}}\n© 2026 Acme, 10115 Berlin',
  },
  'a layout with values of the host, a list and a person': {
    'layouts/page.hbs':
      '<html><body>{{#if custom.user}}Hi {{custom.user.name}}{{/if}}{{#each custom.links}}<a href="{{url}}">{{@index}} {{this.text}}</a>{{else}}none{{/each}}{{{custom.header}}}{{body}}</body></html>',
  },
  'a text whose key the host gives': { 'layouts/page.hbs': '{{t custom.heading}}{{body}}' },
  'an inline script that says undefined': {
    'layouts/page.hbs': '<script>if (typeof window === "undefined") { f({}) }</script>{{body}}',
  },
  'blocks with members, parents and block parameters': {
    'pages/send.hbs':
      '{{#with site}}{{name}} {{this.domain}} {{../title}}{{/with}}{{#each fields as |field|}}{{field.name}}{{@key}}{{/each}}{{#with recipient as |r|}}{{r.masked}}{{/with}}{{@root.site.name}}{{this.title}}',
  },
  'else if, unless, and inverse blocks': {
    'pages/send.hbs':
      '{{#if error}}a{{else if purposeText}}b{{else}}c{{/if}}{{#unless for}}d{{/unless}}{{^if returnTo}}e{{/if}}{{~#if title~}} f {{~/if~}}',
  },
  'comments with braces': { 'pages/send.hbs': '{{!-- {{#if x}} "quote --}}{{! it\'s }}\\{{name}}<h1>{{title}}</h1>' },
  'a shared partial that asks before it prints': {
    'partials/note.html.hbs': '{{#if error}}{{error}}{{/if}}{{site.name}}',
    'pages/send.hbs': '{{> note}}',
    'mail/code/html.hbs': '{{> note}}{{> code}}',
  },
  'an own code page': {
    'pages/code.hbs':
      "<FORM method=post action='{{path}}/verify?for={{for}}'>{{> form}}<input autofocus name=code maxlength=64 inputmode={{code.inputMode}}></FORM>",
  },
  'an own page for the address': {
    'pages/email.hbs':
      '<form method="post" action="{{path}}/send">{{> form}}<input type="email" name=\'email\'></form>',
  },
  'a page that greets and nothing more': { 'pages/send.hbs': 'x', 'pages/verified.hbs': '<p>Thanks</p>' },
  'a mail for a purpose whose subject changes with the code': {
    'mail/transfer/subject.hbs': '{{#if codeInSubject}}\n{{code}} confirms\n{{else}}\nConfirm\n{{/if}}\n',
    'mail/transfer/text.hbs': '{{t "mail.intro" site=site.name}} {{code}}, {{expires.minutes}} min\n\n{{boundLine}}',
  },
  'text with what would be HTML': { 'mail/code/text.hbs': '{{{site.name}}} & <{{site.origin}}>\n\n{{{code}}}' },
  'a text with HTML in it': {
    'locales/en.json': '{ "custom.note": "<b>Note</b>" }',
    'pages/send.hbs': '{{{t "custom.note"}}}',
  },
  'braces in the text of a purpose': { 'locales/en.json': '{ "purpose.transfer": "Send {amount}" }' },
  'a text with fewer values, plurals, and escapes': {
    'locales/en.json':
      '{"mail.again":"Use it soon.","code.digits_one":"one","code.digits_other":"{count} \\u2713 \\"ok\\"","problem.wrong_code.none":""}',
  },
  'a text of ours with a value that only our code gives': {
    'locales/en.json': '{ "problem.mail_unavailable.detail": "Nothing can go to {recipient} for {in}." }',
  },
  'a byte order mark and line ends of Windows': {
    'locales/en.json': '\uFEFF{\r\n  "send.title": "Is it you?"\r\n}\r\n',
    'pages/send.hbs': '\uFEFF<h1>{{t "send.title"}}</h1>\r\n',
  },
  'what editors and other tools leave': {
    'pages/send.hbs~': '{{',
    'pages/send.hbs.swp': '{{',
    'pages/.DS_Store': '{{',
    '.git/config': '{{',
    'README.md': '{{',
    'mail/code/notes.md': '{{',
  },
  'assets of any kind': { 'assets/note.md': 'x', 'assets/widget.hbs': '{{anything}}', 'assets/otp.css': 'a{}' },
}

describe('sound files start', () => {
  test.each(Object.keys(SOUND))('%s', (name) => {
    createRenderer([viewsFolder(SOUND[name] ?? {})], 'en')
  })

  test.each(['de', 'fr', 'ar', 'ja', 'xx'])('with the default locale %s', (locale) => {
    createRenderer([viewsFolder({ ...SOUND.Arabic, ...SOUND['output of MJML'] })], locale)
  })

  test('linked files and folders, also with a link to the folder above', () => {
    const target = viewsFolder({ 'text.hbs': 'linked {{code}}', '..data/x': '' })
    const folder = viewsFolder({ 'assets/a.css': '' })
    mkdirSync(path.join(folder, 'mail'))
    symlinkSync(target, path.join(folder, 'mail', 'code'))
    symlinkSync(folder, path.join(folder, 'assets', 'loop'))
    symlinkSync('/no/such/file', path.join(folder, 'assets', 'gone'))
    createRenderer([folder], 'en')
  })

  test('without files of the host nothing is rendered', () => {
    const render = jest.spyOn(samples, 'samplePages')
    createRenderer([], 'en')
    expect(render).not.toHaveBeenCalled()
    render.mockRestore()
  })

  test('files that were proven once are not rendered again by another plugin', () => {
    const render = jest.spyOn(samples, 'samplePages')
    const start = (text: string): void => void createRenderer([viewsFolder({ 'pages/send.hbs': text })], 'en')
    start('{{title}} once')
    const once = render.mock.calls.length
    expect(once).toBeGreaterThan(0)
    start('{{title}} once')
    expect(render).toHaveBeenCalledTimes(once)
    start('{{title}} edited')
    expect(render).toHaveBeenCalledTimes(2 * once)
    render.mockRestore()
  })
})
