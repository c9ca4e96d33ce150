import Handlebars from 'handlebars'
import { emailOtp, type OtpOptions, type TemplateHelper } from '../../src/index.js'
import { createRenderer } from '../../src/views/renderer.js'
import { basePageContext } from '../../src/views/context.js'
import { mistakesIn, renderedMail, renderedPage, viewsFolder } from '../helpers/views-folder.js'

const upper: TemplateHelper = (text) => String(text).toUpperCase()
const send = (template: string): Record<string, string> => ({ 'pages/send.hbs': template })

describe('eq, ne, and, or', () => {
  const TRUE = ['eq title "Title"', 'ne title "x"', 'and title site.name', 'or error title', 'eq (or error "a") "a"']
  const FALSE = [
    'eq title "x"',
    'ne title "Title"',
    'and title error',
    'or error purpose',
    'and (eq title "Title") error',
  ]

  test.each(TRUE)('{{#if (%s)}} holds', (condition) => {
    expect(renderedPage(send(`{{#if (${condition})}}yes{{else}}no{{/if}}`))).toBe('yes')
  })

  test.each(FALSE)('{{#if (%s)}} does not hold', (condition) => {
    expect(renderedPage(send(`{{#if (${condition})}}yes{{else}}no{{/if}}`))).toBe('no')
  })

  test('stand in `else if`, `unless`, and where a value is printed', () => {
    const template =
      '{{#if (eq title "x")}}1{{else if (eq title "Title")}}2{{else}}3{{/if}}{{#unless (ne title "Title")}}4{{/unless}}{{or error "there"}}'
    expect(renderedPage(send(template))).toBe('24there')
  })

  test('compare without conversion, and take an empty list for false as {{#if}} does', () => {
    expect(
      renderedPage(send('{{eq resend.seconds "0"}} {{eq resend.seconds 0}} {{#if (or fields error)}}x{{/if}}')),
    ).toBe('false true')
  })

  test('a value that decides is given, also if it is empty', () => {
    expect(
      renderedPage(send('[{{and error title}}][{{and title purpose site.name}}][{{and title site.domain}}]')),
    ).toBe('[][][acme.example]')
  })

  test('a mail for one purpose differs by it', () => {
    const files = { 'mail/code/subject.hbs': '{{#if (eq purpose "transfer")}}Transfer{{else}}Code{{/if}}' }
    expect(renderedMail(files, { purpose: 'transfer' }).subject).toBe('Transfer')
    expect(renderedMail(files).subject).toBe('Code')
  })

  test.each([
    ['{{#if (eq title)}}x{{/if}}', '1:7 {{eq}} has 1 values. Write {{eq a b}}.'],
    ['{{#if (eq title "a" "b")}}x{{/if}}', '1:7 {{eq}} has 3 values. Write {{eq a b}}.'],
    ['{{#if (or title)}}x{{/if}}', '1:7 {{or}} has 1 values. Write {{or a b}}.'],
    ['{{#eq title "a"}}x{{/eq}}', '1:1 the helper "eq" opens no block. Write {{eq …}}, or {{#if (eq …)}}.'],
    ['{{#if (eq titel "a")}}x{{/if}}', '1:11 unknown variable "titel". Did you mean "title"?'],
    ['{{if title}}', '1:1 "if" opens a block. Write {{#if …}}…{{/if}}.'],
    ['{{t}}', '1:1 {{t}} has 0 values. Write {{t "key"}}.'],
    [
      '{{#if (equal title "a")}}x{{/if}}',
      '1:7 unknown helper "equal". Known are: t, asset, eq, ne, and, or, if, unless, each, with.',
    ],
    [
      '{{{or title "a"}}}',
      '1:1 "or" would reach the HTML unescaped. Write two braces. Only `body` and `custom.…` may have three.',
    ],
    [
      '{{{t "custom.a" name=(or title "a")}}}',
      '1:1 "or" would reach the HTML unescaped. Write two braces. Only `body` and `custom.…` may have three.',
    ],
    ['{{log title}}', '1:1 unknown helper "log". Did you mean "or"?'],
    [
      '{{lookup site "name"}}',
      '1:1 unknown helper "lookup". Known are: t, asset, eq, ne, and, or, if, unless, each, with.',
    ],
  ])('%s is a mistake', (template, mistake) => {
    const texts = { 'locales/en.json': '{ "custom.a": "{name}" }' }
    expect(mistakesIn({ ...send(template), ...texts })).toEqual([`pages/send.hbs:${mistake}`])
  })
})

describe('helpers of the host', () => {
  test('stand where a text may stand: printed, in a condition, as a value, and in a partial', () => {
    const files = {
      'partials/badge.html.hbs': '<b>{{upper label}}</b>',
      ...send(
        '{{upper title}} {{#if (upper error)}}1{{/if}}{{t "send.lead" recipient=(upper title)}}{{> badge label=(upper "x")}}{{now}}',
      ),
    }
    const html = renderedPage(files, { upper, now: () => 7 })
    expect(html).toMatch(/^TITLE [^]*TITLE[^]*<b>X<\/b>7$/)
  })

  test('get the values of the tag, then its names as an object, and nothing of Handlebars', () => {
    const calls: unknown[][] = []
    const spy = function (this: unknown, ...values: unknown[]): string {
      calls.push([this, ...values])
      return ''
    }
    renderedPage(send('{{spy}}{{spy title 5 true}}{{spy title size="big" to=site.domain}}'), { spy })
    expect(calls.slice(-3)).toEqual([
      [undefined],
      [undefined, 'Title', 5, true],
      [undefined, 'Title', { size: 'big', to: 'acme.example' }],
    ])
  })

  test('the body of a layout is given as text', () => {
    const seen = new Set<string>()
    const files = { 'layouts/page.hbs': '{{kind body}}{{body}}', 'pages/send.hbs': '<p>x' }
    const kind = (body: unknown): string => {
      seen.add(typeof body)
      return ''
    }
    renderedPage(files, { kind })
    expect([...seen]).toEqual(['string'])
  })

  test('results are text: HTML escapes them, plain text does not', () => {
    const helpers = { tag: () => '<b>&' }
    expect(renderedPage(send('{{tag}}'), helpers)).toBe('&lt;b&gt;&amp;')
    const { subject, html } = renderedMail(
      { 'mail/code/subject.hbs': '{{tag}}', 'mail/code/html.hbs': '{{tag}} {{code}}' },
      { helpers },
    )
    expect(subject).toBe('<b>&')
    expect(html).toContain('&lt;b&gt;&amp; 482915')
  })

  test.each<[string, unknown, string]>([
    ['a number', 0, '0'],
    ['a boolean', false, 'false'],
    ['null', null, ''],
    ['nothing', undefined, ''],
  ])('%s is printed as text', (_what, result, text) => {
    expect(renderedPage(send('[{{x1}}]'), { x1: () => result as string })).toBe(`[${text}]`)
  })

  test.each<[string, unknown, string]>([
    ['an object', { a: 1 }, 'gave no text. Return a string or a number.'],
    ['a list', ['a'], 'gave no text. Return a string or a number.'],
    ['a SafeString', new Handlebars.SafeString('<b>'), 'gave no text. Return a string or a number.'],
    ['what looks like one', { toHTML: () => '<b>' }, 'gave no text. Return a string or a number.'],
    ['a function', () => 'x', 'gave no text. Return a string or a number.'],
    ['a symbol', Symbol('x'), 'gave no text. Return a string or a number.'],
    [
      'a promise',
      Promise.reject(new Error('late')),
      'gave a promise. Helpers are synchronous: let `locals` or `mail.locals` do that.',
    ],
  ])('one that gives %s is a mistake at start, at the place of its call', (_what, result, message) => {
    const found = mistakesIn(send('<p>\n  {{price title}}'), { price: () => result as string })
    expect(found).toEqual([`pages/send.hbs:2:3 the helper "price" ${message}`])
  })

  test('one that throws with the values of a page is a mistake at start, at the place of its call', () => {
    const files = { 'partials/total.html.hbs': '\n {{price error}}', ...send('{{> total}}') }
    const price = (text: unknown): string => {
      if (text === '') throw new Error('no amount')
      return 'x'
    }
    expect(mistakesIn(files, { price })).toEqual([
      'partials/total.html.hbs:2:2 the helper "price" threw: no amount. It must take any value of a variable, the empty one too.',
    ])
  })

  test('one that throws when it is rendered is an error that does not show the values', () => {
    const price = (text: unknown): string => {
      if (text === '111111') throw new Error(`no ${text}`)
      return 'x'
    }
    const files = { 'mail/code/html.hbs': '{{code}} {{price code}}' }
    expect(() => renderedMail(files, { helpers: { price }, code: '111111' })).toThrow(
      /^views: the helper "price" threw\.$/,
    )
  })

  test('in an empty `custom` one gets undefined; what throws then prints nothing', () => {
    const helpers = {
      fixed: (amount: unknown) => (amount as number).toFixed(2),
      fallback: (text: unknown, other: unknown) => String(text ?? other),
    }
    const files = send('[{{fixed custom.amount}}][{{fallback custom.name "you"}}]')
    expect(renderedPage(files, helpers)).toBe('[][you]')
    expect(renderedPage(files, helpers, { custom: { amount: 5, name: 'Ana' } })).toBe('[5.00][Ana]')
  })

  test('two plugins in one process have different ones of the same name', () => {
    const folder = viewsFolder({ ...send('{{mark title}}'), 'layouts/page.hbs': '{{body}}' })
    const [a, b] = ['a', 'b'].map((text) => createRenderer([folder], 'en', { helpers: { mark: () => text } }))
    const page = { ...basePageContext, page: 'send' } as const
    expect([a, b, a].map((one) => one?.renderPage(page).trim())).toEqual(['a', 'b', 'a'])
    expect(() => createRenderer([folder], 'en')).toThrow('unknown helper "mark"')
    expect(() => createRenderer([folder], 'en', { helpers: { mark: () => ({}) as string } })).toThrow(
      'the helper "mark" gave no text',
    )
  })

  test.each([
    ['{{uper title}}', '1:1 unknown helper "uper". Did you mean "upper"?'],
    ['{{#upper title}}x{{/upper}}', '1:1 the helper "upper" opens no block. Write {{upper …}}, or {{#if (upper …)}}.'],
    ['{{#if vip}}x{{/if}}', '1:7 unknown variable "vip". It is a helper: write (vip).'],
    [
      '{{{upper title}}}',
      '1:1 "upper" would reach the HTML unescaped. Write two braces. Only `body` and `custom.…` may have three.',
    ],
    [
      '{{{vip}}}',
      '1:1 "vip" would reach the HTML unescaped. Write two braces. Only `body` and `custom.…` may have three.',
    ],
    ['{{upper titel}}', '1:9 unknown variable "titel". Did you mean "title"?'],
  ])('%s is a mistake', (template, mistake) => {
    expect(mistakesIn(send(template), { upper, vip: () => true })).toEqual([`pages/send.hbs:${mistake}`])
  })
})

describe('the option `helpers`', () => {
  const start = (helpers: unknown): void => {
    const options = {
      secret: 'x'.repeat(32),
      site: { name: 'Acme' },
      user: () => null,
      helpers,
    } as unknown as OtpOptions
    emailOtp({
      ...options,
      mail: { transport: { sendMail: () => Promise.resolve({}) }, from: 'no-reply@acme.example' },
    })
  }

  const NAMES =
    't if unless each with eq ne and or asset log lookup inline helperMissing constructor toString hasOwnProperty'
  test.each(NAMES.split(' '))('a helper with our name "%s" is refused', (name) => {
    expect(() => {
      start({ [name]: upper })
    }).toThrow(/^emailOtp: option `helpers` is ".*"\. That name has a meaning in templates/)
  })

  test.each(['code', 'site', 'custom', 'body', 'recipient', 'name', 'fields', 'masked'])(
    'a helper with the name of the variable "%s" is refused, which it would hide',
    (name) => {
      expect(() => {
        start({ [name]: upper })
      }).toThrow('That is the name of a variable')
    },
  )

  test.each<[unknown, string]>([
    [[upper], 'Give an object of names and functions.'],
    [null, 'Give an object of names and functions.'],
    [{ upper: 'x' }, '`helpers.upper` is "x". Give a function.'],
    [{ 'to-upper': upper }, 'Names are letters, digits and underscores'],
    [{ ['__proto__']: upper }, 'Names are letters, digits and underscores'],
  ])('%j is refused', (helpers, message) => {
    expect(() => {
      start(helpers)
    }).toThrow(message)
  })
})
