import { type Finding, findErrorsInMail, findInMail, MAIL_RULES } from '../../src/views/mail-findings.js'
import { HOSTILE_TAG, sampleMail, SAMPLES } from '../../src/views/samples.js'
import { findInTexts } from '../../src/views/text-findings.js'

const [TYPICAL] = SAMPLES
if (!TYPICAL) throw new Error('there is no sample')
const CONTEXT = sampleMail(TYPICAL, { locale: 'en', purpose: 'access', codeInSubject: false, custom: {} })
const { code, boundLine } = CONTEXT
/** Opening tags of elements that no reader sees. */
const HIDING = [
  ...[
    'visibility:hidden',
    'opacity:0',
    'color:red;opacity: 0.0;',
    'max-height:0;overflow:hidden',
    'overflow:hidden;height:0px',
  ].map((style) => `div style="${style}"`),
  ...['p hidden', 'p hidden=""', 'template', 'noscript', 'textarea'],
]
const PADDING = 'Valid until 14:32 UTC. '.padEnd(150, '\u034f')

/** A mail in which nothing is wrong. */
const page = (body: string): string =>
  `<!doctype html><html lang="en" dir="ltr"><head><title>Your code</title><style>.c{color:#1d4ed8}</style></head>` +
  `<body><div style="display:none">${PADDING}</div>${body}</body></html>`
const SOUND = {
  subject: 'Your Acme code',
  preheader: 'Valid until 14:32 UTC.',
  html: page(`<p>Hello</p><b>${code}</b><a href="https://acme.example/help">Help</a><img src="cid:logo" alt="">`),
  text: `${'Enter it on the page that asked for it, within ten minutes from now on.\n'.repeat(2)}\n${code}\n\n${boundLine}\n`,
}
const LETTERS = Array.from(code, (digit) => `<i>${digit}</i>`).join('')
const html = (body: string): { html: string } => ({ html: page(body) })

type Changes = Partial<Record<keyof typeof SOUND, string>>
const rulesIn = (changes: Changes, context = {}): string[] =>
  findInMail({ ...SOUND, ...changes }, { ...CONTEXT, ...context }).map(({ rule, part }) => `${rule} ${part}`)

const inHtml: Record<string, string> = {
  'no code': 'Hello',
  'the code in a comment': `<!-- ${code} -->Hello`,
  'the code in an attribute': `<p title="a > ${code}">Hello</p>`,
  'the code in a longer number': `a1${code}`,
}
/** What is wrong, the parts that differ, and what is found. */
const WRONG: [name: string, Changes, ...found: string[]][] = [
  ['a blank subject', { subject: ' ' }, 'subject-empty subject'],
  ['no HTML', { html: '' }, 'html-empty html'],
  ['HTML without text', html('<p></p>'), 'html-empty html', 'code-missing html'],
  ['no text', { text: '\n' }, 'text-empty text', 'bound-line text'],
  ...Object.entries(inHtml).map(([name, body]): [string, Changes, string] => [name, html(body), 'code-missing html']),
  ['a fixed code', html('Your code: 123456'), 'other-number html', 'code-fixed html'],
  ['a space in the code', html('482 915'), 'code-split html'],
  ['a space without width in the code', html('482&#8203;915'), 'code-split html'],
  ['a tag for each digit', html(LETTERS), 'code-split html'],
  ['a tag for each digit, beside the code', html(`${code} ${LETTERS}`), 'code-letters html'],
  ['the code in the bound line only', { text: `${PADDING}\n${boundLine}\n` }, 'code-missing text'],
  ['dashes in the code', { text: `${PADDING}\n4-8-2-9-1-5\n${boundLine}` }, 'code-split text'],
  ['an object in HTML', html(`${code}[object Object]`), 'prints-object html'],
  ['an object in the subject', { subject: 'Code of [object Object]' }, 'prints-object subject'],
  ['undefined in HTML', html(`${code} Hello undefined!`), 'prints-undefined html'],
  ['undefined in text', { text: `undefined\n${SOUND.text}` }, 'prints-undefined text'],
  ['a remote image', html(`${code}<img src="https://x.example/a.png" alt="">`), 'remote-resource html'],
  ['a remote background', html(`${code}<td background=//x.example/a.png>`), 'remote-resource html'],
  ['a remote style sheet', html(`${code}<link href="https://x.example/a.css">`), 'remote-resource html'],
  ['an import', html(`${code}<style>@import "https://x.example/a.css";</style>`), 'remote-resource html'],
  ['a URL in a style', html(`${code}<p style="background:url('//x.example/a.png')">`), 'remote-resource html'],
  ['a relative link', html(`${code}<a href="/help">Help</a>`), 'relative-link html'],
  ['a relative image', html(`${code}<img src="logo.png" alt="Acme">`), 'relative-link html'],
  ['an image without alt', html(`${code}<img src="cid:logo">`), 'image-alt html'],
  ['no direction', { html: SOUND.html.replace(' dir="ltr"', '') }, 'html-lang html'],
  ['81 kB', html(`${code}${' '.repeat(80_000)}`), 'html-large html'],
  ['101 kB', html(`${code}${' '.repeat(100_000)}`), 'html-clipped html'],
  ['a year', html(`${code} © 2026 Acme`), 'other-number html'],
  ['a number in the subject', { subject: 'Order 12345' }, 'other-number subject'],
  ['a number in another script', { text: `Call ٠١٢٣٤\n${SOUND.text}` }, 'other-number text'],
  ['no bound line', { text: SOUND.text.replace(/\n@.*\n/, '') }, 'bound-line text'],
  ['something behind the bound line', { text: `${SOUND.text}Bye` }, 'bound-line text'],
  ['a long line', { text: `${'word '.repeat(16)}\n${SOUND.text}` }, 'long-line text'],
]

describe('findInMail', () => {
  test('finds nothing in a sound mail', () => {
    expect(rulesIn({})).toEqual([])
  })

  test.each(WRONG)('finds %s', (_name, changes, ...found) => {
    expect(rulesIn(changes)).toEqual(found)
  })

  test('H8: finds a code on the lock screen that is kept out of the subject', () => {
    const near = { html: `<html lang="en" dir="ltr">Code: ${code}</html>`, text: `Code:\n${code}\n${boundLine}` }
    const mail = { subject: `Code ${code}`, preheader: code, ...near }
    const found = ['subject', 'preheader', 'html', 'text'].map((part) => `preview-shows-code ${part}`)
    expect(rulesIn(mail)).toEqual(found)
    expect(rulesIn(mail, { codeInSubject: true })).toEqual([])
    const after = (length: number): string => `<html lang="en" dir="ltr">${'&zwnj;'.repeat(length)}<p>${code}</html>`
    expect(rulesIn({ html: after(140) })).toEqual([])
    expect(rulesIn({ html: after(138) })).toEqual(['preview-shows-code html'])
  })

  test('finds what a hostile value brings into the HTML, and nothing where it is escaped', () => {
    const hostile = { purposeText: `${HOSTILE_TAG} & more` }
    expect(rulesIn(html(`${code}${HOSTILE_TAG}`), hostile)).toEqual(['unescaped html'])
    expect(rulesIn(html(`${code}&lt;b&gt;otp-sample&lt;/b&gt; &amp; more`), hostile)).toEqual([])
    expect(rulesIn(html(`${code}<b>bold</b>`), hostile)).toEqual([])
  })

  test('lets the host say numbers and words of its own in the action, its name and its address', () => {
    const purposeText = 'Pay invoice 20261 of undefined Ltd'
    const brand = { ...CONTEXT.brand, address: '10115 Berlin' }
    expect(rulesIn(html(`${code} ${purposeText}, 10115 Berlin`), { purposeText, brand })).toEqual([])
  })

  test('asks the warning to an owner for no code', () => {
    const alert = { ...CONTEXT, code: '', boundLine: '' }
    expect(findInMail({ ...SOUND, ...html('Since 2019'), text: 'Hello' }, alert)).toEqual([])
  })

  test('finds a long code as it is shown, and not one without its dashes', () => {
    const long = { code: 'K7QF3-M2X9-TRWB', boundLine: '@acme.example #K7QF3M2X9TRWB' }
    const text = (shown: string): string => `${PADDING}\n${shown}\n${long.boundLine}\n`
    expect(rulesIn({ ...html(long.code), text: text(long.code) }, long)).toEqual([])
    expect(rulesIn({ ...html('K7QF3M2X9TRWB'), text: text(long.code) }, long)).toEqual(['code-split html'])
  })

  test('says of each finding where it is and what to write instead', () => {
    const mails: Changes[] = WRONG.map(([, changes]) => changes)
    const found = mails.flatMap((changes): Finding[] => findInMail({ ...SOUND, ...changes }, CONTEXT))
    for (const { message, cure } of found) {
      expect(message).toMatch(/^.{10,}\.$/s)
      expect(cure).toMatch(/^[A-Z].{5,}\.$/)
    }
    const tested = new Set([...found.map(({ rule }) => rule), 'preview-shows-code', 'unescaped'])
    expect(MAIL_RULES.map(({ rule }) => rule).filter((rule) => !tested.has(rule))).toEqual([])
  })

  test('reads HTML that is not closed as browsers do, in little time', () => {
    const started = performance.now()
    for (const open of ['<!-- ', '<style>', '<head>', '<a title="', '<a style="display:none"', '<p>'])
      expect(rulesIn({ html: `${SOUND.html}${open.repeat(2_000)}` })).toEqual([])
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  test('takes hidden text for no text, with all that is in it', () => {
    const hidden = `<div style="color:red; display: none"><div>a</div>${code}</div>`
    expect(rulesIn(html(`Hello${hidden}`))).toEqual(['code-missing html'])
    for (const open of HIDING)
      expect([open, rulesIn(html(`Hello<${open}>${code}</${open.split(' ')[0]}>`))]).toEqual([
        open,
        ['code-missing html'],
      ])
    for (const style of [
      'opacity:0.9',
      'opacity: 1',
      'max-height:0',
      'overflow:hidden',
      'font-size:0px',
      'line-height:0;height:01px',
    ])
      expect([style, rulesIn(html(`<p style="${style}">${code}</p>`))]).toEqual([style, []])
    expect(rulesIn(html(`${hidden}<img style="display:none" alt="">${code}`))).toEqual([])
    expect(rulesIn(html(`<p title=it's>${code}</p>`))).toEqual([])
  })
})

test('findErrorsInMail finds the errors only', () => {
  const mail = { ...SOUND, ...html('© 2026'), text: '' }
  expect(findErrorsInMail(mail, CONTEXT).map(({ rule }) => rule)).toEqual(['text-empty', 'code-fixed'])
})

describe('findInTexts', () => {
  const english = {
    title: 'Send the code',
    error: 'Error: {title}',
    left_one: '{count} guess left',
    left_other: '{count} left',
  }
  const find = (locale: string, texts: Record<string, string>): [string, readonly string[]][] =>
    findInTexts(locale, texts, english).map(({ rule, keys }) => [rule, keys])

  test('finds missing texts, a plural as one', () => {
    expect(find('de', { title: 'Code senden', error: 'Fehler' })).toEqual([['text-missing', ['left_other']]])
  })

  test('finds texts that are English, except for single words', () => {
    const texts = { ...english, left_one: 'x', left_other: 'y' }
    expect(find('es', { ...texts, left_many: 'z' })).toEqual([['text-english', ['title']]])
    expect(find('en-GB', texts)).toEqual([])
  })

  test('finds plural forms that a language has and the texts have not', () => {
    const texts = { title: 'a', error: 'b', left_one: 'c', left_other: 'd' }
    expect(find('pl', texts)).toEqual([['plural-missing', ['left_few', 'left_many']]])
    expect(find('de', texts)).toEqual([])
  })
})
