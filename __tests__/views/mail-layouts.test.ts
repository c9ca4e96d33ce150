import { mailContextFor } from '../../src/views/context.js'
import { isDocument } from '../../src/views/locale-views.js'
import { mistakesIn, renderedMail } from '../helpers/views-folder.js'

describe('a layout in the folder of a mail', () => {
  const FILES = {
    'layouts/mail.html.hbs': '<p>all</p> {{body}}',
    'layouts/mail.text.hbs': 'all\n\n{{body}}',
    'mail/transfer/layout.html.hbs': '<p>transfer</p> {{body}}',
    'mail/transfer/layout.text.hbs': 'transfer\n\n{{body}}',
  }

  test('is for that mail alone', () => {
    const transfer = renderedMail(FILES, { purpose: 'transfer' })
    expect(transfer.html).toMatch(/^<p>transfer<\/p> [^]*482915/)
    expect(transfer.text).toMatch(/^transfer\n\n[^]*482915/)
    expect(transfer.view).toBe('transfer')
    const other = renderedMail(FILES)
    expect(other.html).toMatch(/^<p>all/)
    expect(other.text).toMatch(/^all\n\n/)
  })

  test('one of `code` is for all codes, and not for the alert; a purpose goes first', () => {
    const files = { ...FILES, 'mail/code/layout.html.hbs': '<p>code</p> {{body}}' }
    expect(renderedMail(files).html).toMatch(/^<p>code/)
    expect(renderedMail(files, { purpose: 'payout' }).html).toMatch(/^<p>code/)
    expect(renderedMail(files, { purpose: 'transfer' }).html).toMatch(/^<p>transfer/)
    expect(renderedMail(files, { purpose: 'alert', code: '' }).html).toMatch(/^<p>all/)
  })

  test('may be for one language', () => {
    const files = { ...FILES, 'mail/transfer/layout.html.de.hbs': '<p>Überweisung</p> {{body}}' }
    const german = { ...mailContextFor({ name: 'A', origin: null, domain: null, supportUrl: null }, 'de') }
    expect(renderedMail(files, { ...german, purpose: 'transfer', code: '482915' }).html).toMatch(/^<p>Überweisung/)
    expect(renderedMail(files, { purpose: 'transfer' }).html).toMatch(/^<p>transfer/)
  })

  test.each(['mail/transfer/layout.html.hbs', 'mail/code/layout.text.hbs', 'mail/alert/layout.html.de.hbs'])(
    '%s without its body is a mistake',
    (file) => {
      expect(mistakesIn({ [file]: '<p>x' })).toEqual([
        `${file}:1:1 the layout lacks its body. Write {{body}} where it goes.`,
      ])
    },
  )

  test('a mistyped name of one is an error', () => {
    expect(mistakesIn({ 'mail/code/layout.hbs': '{{body}}' })[0]).toContain('matches no known view')
  })
})

describe('a mail that is a whole document', () => {
  test.each([
    '<!doctype html><html>',
    '<!DOCTYPE html PUBLIC "x">\n<html>',
    '\n <html lang="en">',
    '<!-- a -->\n<!--[if mso]>x<![endif]-->\n<HTML>',
  ])('begins with %j, and gets no layout', (begin) => {
    const files = { 'mail/code/html.hbs': `${begin}<body>{{preheader}} {{code}}</body></html>` }
    const { html, text } = renderedMail(files)
    expect(html).toContain(`${begin}<body>`)
    expect(html.match(/<body/g)).toHaveLength(1)
    expect(text).toContain('482915')
  })

  test.each(['<p>x', '<htmlx>', '&lt;html>', 'x<html>', ''])('%j is none', (html) => {
    expect(isDocument(html)).toBe(false)
  })

  test('may come from a partial, and for one purpose or language', () => {
    const files = {
      'partials/doc.html.hbs': '<html><body>{{> @partial-block}}</body></html>',
      'mail/transfer/html.hbs': '{{#> doc}}{{code}}{{/doc}}',
    }
    expect(renderedMail(files, { purpose: 'transfer' }).html).toBe('<html><body>482915</body></html>')
    expect(renderedMail(files).html).toMatch(/<!doctype html>/)
  })

  test('is found in linear time among comments', () => {
    const started = performance.now()
    isDocument(`${'<!-- x -->\n'.repeat(5_000)}<p>`)
    expect(performance.now() - started).toBeLessThan(1_000)
  })

  test('without the code is a mistake all the same', () => {
    expect(mistakesIn({ 'mail/code/html.hbs': '<html><body>x</body></html>' })[0]).toContain(
      'mail/code/html.hbs:1:1 the mail does not show the code.',
    )
  })
})

test('a path in `site.supportUrl` is an absolute URL in mails, and nothing where there is no origin', () => {
  const site = { name: 'A', origin: 'https://acme.example', domain: 'acme.example', supportUrl: '/help?a=1' }
  const supportUrlOf = (changes: object): unknown => mailContextFor({ ...site, ...changes }, 'en').site.supportUrl
  expect(supportUrlOf({})).toBe('https://acme.example/help?a=1')
  expect(supportUrlOf({ origin: null })).toBeNull()
  expect(supportUrlOf({ supportUrl: 'mailto:help@acme.example' })).toBe('mailto:help@acme.example')
  expect(supportUrlOf({ supportUrl: 'https://help.example/', origin: null })).toBe('https://help.example/')
  expect(supportUrlOf({ supportUrl: null })).toBeNull()
})
