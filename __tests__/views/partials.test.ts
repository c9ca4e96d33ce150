import { createRenderer } from '../../src/views/renderer.js'
import { basePageContext } from '../../src/views/context.js'
import { type Files, mistakesIn, renderedMail, renderedPage, viewsFolder } from '../helpers/views-folder.js'

const send = (template: string, partials: Record<string, string> = {}): Files => ({
  'pages/send.hbs': template,
  ...Object.fromEntries(Object.entries(partials).map(([name, text]) => [`partials/${name}.html.hbs`, text])),
})

/** Template, partials, and what is rendered. */
const SOUND: Record<string, [template: string, partials: Record<string, string>, html: string]> = {
  'parameters: texts, numbers, variables and helpers': [
    '{{> button label="Go" count=3 to=site.domain again=(t "send.again")}}',
    { button: '{{label}} {{count}} {{to}} {{again}} {{title}}' },
    'Go 3 acme.example Mail me a new code Title',
  ],
  'a parameter with members': [
    '{{> row item=site as="x"}}',
    { row: '{{item.name}} {{#with item}}{{domain}}{{/with}}' },
    'A &amp; B acme.example',
  ],
  'a parameter that only some callers give, behind a question': [
    '{{> row label="a"}}{{> row}}',
    { row: '[{{#if label}}{{label}}{{/if}}]' },
    '[a][]',
  ],
  'a parameter that goes on to the next partial': [
    '{{> outer label="a" who=recipient}}',
    { outer: '{{> inner text=label person=who}}', inner: '{{text}} {{label}} {{person.masked}}' },
    'a a a•••@b.c',
  ],
  'a context': ['{{> card recipient}}', { card: '{{masked}} {{@root.title}}' }, 'a•••@b.c Title'],
  'a context with parameters': ['{{> card site label="x"}}', { card: '{{name}} {{label}}' }, 'A &amp; B x'],
  'several contexts for one partial': [
    '{{> card site}}{{> card label="y" name="z"}}',
    { card: '{{name}}{{#if label}}{{label}}{{/if}} ' },
    'A &amp; B zy',
  ],
  'the whole as context, from within a block': [
    '{{#with site}}{{> card ..}}{{> card @root}}{{/with}}',
    { card: '{{title}} ' },
    'Title Title',
  ],
  'the items of a list': [
    '{{#each fields}}{{> row this}}{{> row field=.}}{{/each}}-',
    { row: '{{#if name}}{{name}}{{/if}}{{#if field}}{{field.value}}{{/if}}' },
    'csrfcsrftoken-',
  ],
  'block parameters as parameters': [
    '{{#each fields as |field i|}}{{> row item=field index=i}}{{/each}}{{#with recipient as |r|}}{{> who r}}{{/with}}',
    { row: '{{item.name}}={{item.value}};{{index}} ', who: '{{masked}}' },
    'csrf=token;0 a•••@b.c',
  ],
  'a value of the host as context and as parameter': [
    '{{> card custom.shop}}{{> row who=custom.user}}{{#each custom.links}}{{> link this}}{{/each}}',
    { card: '[{{name}}]', row: '[{{who.name}}{{#if who.city}}{{who.city}}{{/if}}]', link: '{{url}}' },
    '[][]',
  ],
  'a partial block': [
    '{{#> frame label="x"}}<i>{{title}} {{label}}</i>{{/frame}}',
    { frame: '<div>{{> @partial-block}}{{label}}</div>' },
    '<div><i>Title x</i>x</div>',
  ],
  'the content of a partial block has the context in which the partial shows it': [
    '{{#> frame}}{{name}} {{../title}}{{/frame}}',
    { frame: '{{#with site}}{{> @partial-block}}{{/with}}' },
    'A &amp; B Title',
  ],
  'a partial block in itself, and in another one': [
    '{{#> frame}}a{{#> frame}}b{{#> other}}{{> leaf text="c"}}{{/other}}{{/frame}}{{/frame}}',
    { frame: '({{> @partial-block}})', other: '<{{> @partial-block}}>', leaf: '{{text}}' },
    '(a(b&lt;c>))'.replace('&lt;', '<'),
  ],
  'a partial that may have a block': [
    '{{> frame}}{{#> frame}}x{{/frame}}',
    { frame: '[{{#if @partial-block}}{{> @partial-block}}{{/if}}]' },
    '[][x]',
  ],
  'what a partial shows where its caller gives no block': [
    '{{> frame}}{{#> frame}}x{{/frame}}',
    { frame: '[{{#> @partial-block}}{{title}}{{/@partial-block}}]' },
    '[Title][x]',
  ],
  'an inline partial': [
    '{{#*inline "row"}}<li>{{label}} {{title}}</li>{{/inline}}{{> row label="a"}}{{> row label="b"}}',
    {},
    '<li>a Title</li><li>b Title</li>',
  ],
  'an inline partial, in which `../` leads out of the block that defines it': [
    '{{#with site}}{{#*inline "row"}}{{masked}} {{../title}}{{/inline}}{{> row ../recipient}}{{/with}}',
    {},
    'a•••@b.c Title',
  ],
  'inline partials for the slots of a frame': [
    '{{#> frame}}{{#*inline "nav"}}N{{title}}{{/inline}}{{#*inline "foot"}}F{{/inline}}{{/frame}}{{#> frame}}{{#*inline "foot"}}G{{/inline}}{{/frame}}',
    { frame: '{{#> nav}}no nav {{/nav}}{{> foot}}' },
    'NTitleFno nav G',
  ],
  'an inline partial in the place of a file': [
    '{{> row}}{{#if title}}{{#*inline "row"}}inline{{/inline}}{{> row}}{{/if}}',
    { row: 'file ' },
    'file inline',
  ],
  'a partial with its own inline partial': [
    '{{> list}}',
    { list: '{{#*inline "row"}}<{{text}}>{{/inline}}{{> row text="a"}}{{> row text=title}}' },
    '<a><Title>',
  ],
  'a partial that includes itself as long as there is more': [
    '{{> tree custom.menu}}-',
    { tree: '{{#each items}}{{name}}{{> tree this}}{{/each}}' },
    '-',
  ],
  'names with dashes, and partials in quotes': ['{{> "my-row" label="x"}}', { 'my-row': '{{label}}' }, 'x'],
}

const VALUES = { fields: [{ name: 'csrf', value: 'token' }] }

describe('partials', () => {
  test.each(Object.keys(SOUND))('%s', (name) => {
    const [template, partials, html] = SOUND[name] ?? ['', {}, '']
    expect(renderedPage(send(template, partials), {}, VALUES)).toBe(html)
  })

  test('a value of the host is given to partials', () => {
    const [template, partials] = SOUND['a value of the host as context and as parameter'] ?? ['', {}]
    const custom = { shop: { name: 'Shop' }, user: { name: 'Ana', city: ' Oslo' }, links: [{ url: '/a' }] }
    expect(renderedPage(send(template, partials), {}, { custom })).toBe('[Shop][Ana Oslo]/a')
  })

  test('HTML is escaped in partials, blocks and inline partials, and text is not', () => {
    const html =
      '{{#*inline "row"}}{{label}}{{/inline}}{{#> frame label=site.name}}{{label}}{{> row label=site.name}}{{/frame}}'
    const files = {
      'partials/frame.html.hbs': '{{label}}{{> @partial-block}} {{code}}',
      'partials/frame.text.hbs': '{{label}}{{> @partial-block}} {{code}}',
      'mail/code/html.hbs': html,
      'mail/code/text.hbs': html,
    }
    const mail = renderedMail(files)
    expect(mail.html).toContain('A &amp; BA &amp; BA &amp; B 482915')
    expect(mail.text).toBe('A & BA & BA & B 482915\n')
  })

  test('two renders do not see the inline partials of each other', () => {
    const folder = viewsFolder({
      'layouts/page.hbs': '{{body}}',
      ...send('{{#if error}}{{#*inline "row"}}inline{{/inline}}{{> row}}{{else}}{{> row}}{{/if}}', { row: 'file' }),
    })
    const views = createRenderer([folder], 'en')
    const render = (error: string): string => views.renderPage({ ...basePageContext, page: 'send', error }).trim()
    expect(['', 'x', '', 'x'].map(render)).toEqual(['file', 'inline', 'file', 'inline'])
  })
})

/** Template, partials, and the mistakes. */
const BROKEN: [template: string, partials: Record<string, string>, ...mistakes: string[]][] = [
  [
    '{{> row label="a"}}',
    { row: '\n {{labl}}' },
    'partials/row.html.hbs:2:4 unknown variable "labl". Did you mean "label"?',
  ],
  [
    '{{> row lable="a"}}',
    { row: '{{label}}' },
    'partials/row.html.hbs:1:3 unknown variable "label". Did you mean "lable"?',
  ],
  [
    '{{> row label=titel}}',
    { row: '{{label}}' },
    'pages/send.hbs:1:15 unknown variable "titel". Did you mean "title"?',
  ],
  [
    '{{> row item=site}}',
    { row: '{{item.nmae}}' },
    'partials/row.html.hbs:1:3 unknown variable "item.nmae". docs/template-reference.md lists all variables.',
  ],
  [
    '{{> row item=site}}',
    { row: '{{item}}' },
    'partials/row.html.hbs:1:3 "item" is no text, and would print [object Object]. Write one of its members: site.name, site.origin, site.domain, site.supportUrl.',
  ],
  ['{{> card site}}', { card: '{{nam}}' }, 'partials/card.html.hbs:1:3 unknown variable "nam". Did you mean "name"?'],
  [
    '{{> card site}}',
    { card: '{{title}}' },
    'partials/card.html.hbs:1:3 unknown variable "title". docs/template-reference.md lists all variables.',
  ],
  [
    '{{#if custom.never}}{{> card site}}{{/if}}',
    { card: '{{title}}' },
    'partials/card.html.hbs:1:3 unknown variable "title". docs/template-reference.md lists all variables.',
  ],
  [
    '{{> outer label="a"}}',
    { outer: '{{> inner text=labl}}', inner: '{{text}}' },
    'partials/outer.html.hbs:1:16 unknown variable "labl". Did you mean "label"?',
  ],
  [
    '{{> row label="a"}}{{> row}}',
    { row: 'x\n{{label}}' },
    'partials/row.html.hbs:2:3 "label" is not given by all that include this. Ask with {{#if label}}, or give it wherever the partial is included.',
  ],
  [
    '{{#> frame}}{{titel}}{{/frame}}',
    { frame: '{{> @partial-block}}' },
    'pages/send.hbs:1:15 unknown variable "titel". Did you mean "title"?',
  ],
  [
    '{{#> frame}}{{title}}{{/frame}}',
    { frame: '{{#with site}}{{> @partial-block}}{{/with}}' },
    'pages/send.hbs:1:15 unknown variable "title". docs/template-reference.md lists all variables.',
  ],
  [
    '{{#> frame}}x{{/frame}}',
    { frame: 'y' },
    'pages/send.hbs:1:1 the partial does not show what stands in it here. Write {{> @partial-block}} in the partial.',
  ],
  [
    '{{#> fram}}x{{/fram}}',
    { frame: '' },
    'pages/send.hbs:1:1 unknown partial "fram". Did you mean "frame"?',
    'partials/frame.html.hbs:1:1 is a partial that no template uses. Write {{> frame}} where it belongs, or delete the file.',
  ],
  [
    '{{> frame}}',
    { frame: 'x\n {{> @partial-block}}' },
    'partials/frame.html.hbs:2:2 it is included without a block, and needs one. Write {{#> name}}…{{/name}} where it is included.',
  ],
  [
    '{{#*inline "row"}}{{titel}}{{/inline}}{{> row}}',
    {},
    'pages/send.hbs:1:21 unknown variable "titel". Did you mean "title"?',
  ],
  [
    '{{#*inline "row"}}x{{/inline}}{{> rwo}}',
    {},
    'pages/send.hbs:1:31 unknown partial "rwo". Did you mean "row"?',
    'pages/send.hbs:1:1 nothing uses the inline partial "row". Write {{> row}} where it belongs, or delete it.',
  ],
  [
    '{{#> frame}}{{#*inline "nva"}}x{{/inline}}{{/frame}}',
    { frame: '{{#> nav}}none{{/nav}}' },
    'partials/frame.html.hbs:1:1 unknown partial "nav". Did you mean "nva"?',
    'pages/send.hbs:1:13 nothing uses the inline partial "nva". Write {{> nva}} where it belongs, or delete it.',
  ],
  [
    '{{#if title}}{{#*inline "row"}}x{{/inline}}{{> row}}{{/if}}{{> row}}',
    {},
    'pages/send.hbs:1:60 unknown partial "row". Known are: action, code, error, footer, form, head, mail-action, mail-footer, mail-logo, mail-preheader, tick.',
  ],
  [
    '{{#*inline "row"}}x{{/inline}}{{> row}}',
    { row: 'file' },
    'partials/row.html.hbs:1:1 is a partial that no template uses. Write {{> row}} where it belongs, or delete the file.',
  ],
  [
    'x',
    { tree: '{{#*inline "row"}}{{> tree}}{{/inline}}{{> row}}' },
    'partials/tree.html.hbs:1:1 is a partial that no template uses. Write {{> tree}} where it belongs, or delete the file.',
  ],
  [
    '{{#*inline row}}x{{/inline}}',
    {},
    'pages/send.hbs:1:1 no inline partial is defined here. Write {{#*inline "name"}}…{{/inline}}.',
  ],
  [
    '{{#*frame "row"}}x{{/frame}}',
    {},
    'pages/send.hbs:1:1 no inline partial is defined here. Write {{#*inline "name"}}…{{/inline}}.',
  ],
  ['{{* place}}', {}, 'pages/send.hbs:1:1 no decorator is known. Inline partials are {{#*inline "name"}}…{{/inline}}.'],
  [
    '{{> (lookup . "title")}}',
    {},
    'pages/send.hbs:1:1 the name of this partial is not fixed. Write its name, such as {{> card}}; if there are several, each in an {{#if …}}.',
  ],
  [
    '{{> row title error}}',
    { row: '' },
    'pages/send.hbs:1:1 this partial has 2 contexts. Write one, and the rest as name=value.',
  ],
  [
    '{{> row label=title}}',
    { row: '{{{label}}}' },
    'partials/row.html.hbs:1:1 "label" would reach the HTML unescaped. Write two braces. Only `body` and `custom.…` may have three.',
  ],
  [
    '{{> row label=(or title "x")}}',
    { row: '{{{label}}}' },
    'partials/row.html.hbs:1:1 "label" would reach the HTML unescaped. Write two braces. Only `body` and `custom.…` may have three.',
  ],
  [
    '{{#with recipient as |r|}}{{{r.masked}}}{{r.maskd}}{{/with}}',
    {},
    'pages/send.hbs:1:27 "r.masked" would reach the HTML unescaped. Write two braces. Only `body` and `custom.…` may have three.',
    'pages/send.hbs:1:43 unknown variable "r.maskd". Did you mean "masked"?',
  ],
  [
    '{{> 404}}',
    {},
    'pages/send.hbs:1:1 unknown partial "404". Known are: action, code, error, footer, form, head, mail-action, mail-footer, mail-logo, mail-preheader, tick.',
  ],
]

describe('a mistake in partials is an error at start, at its place', () => {
  test.each(BROKEN)('%s, %j', (template, partials, ...mistakes) => {
    expect(mistakesIn(send(template, partials)).sort()).toEqual(mistakes.sort())
  })

  test('what fails in a block or an inline partial is told in its file, not in the partial that shows it', () => {
    const files = {
      'partials/frame.html.hbs': '\n\n\n{{> @partial-block}}{{> row}}',
      'mail/code/html.hbs': '{{code}}\n {{#> frame}}{{custom.a}}{{/frame}}{{#*inline "row"}}x{{/inline}}',
    }
    expect(mistakesIn(files)).toEqual([
      'mail/code/html.hbs:2:16 "custom.a" does not exist in mails. `custom` is empty in mails without `mail.locals`.',
    ])
    const inline = {
      ...files,
      'mail/code/html.hbs': '{{code}}{{#> frame}}x{{/frame}}\n{{#*inline "row"}}{{t "send.lead"}}{{/inline}}',
    }
    expect(mistakesIn(inline)).toEqual([
      'mail/code/html.hbs:2:19 the text "send.lead" needs {recipient}, which is not given here. Write {{t "send.lead" recipient=…}}.',
    ])
  })

  test('an inline partial that includes itself is told', () => {
    expect(mistakesIn(send('{{#*inline "row"}}\n{{> row}}{{/inline}}{{> row}}'))).toEqual([
      'pages/send.hbs:2:1 the partial "row" includes itself without end. Delete the inclusion.',
    ])
  })

  test('a name is known in a partial if one of its callers knows it, a page or a mail', () => {
    const files = { ...send('{{> note}}', { note: '{{#if deliveryText}}{{deliveryText}}{{/if}}{{site.name}}' }) }
    expect(mistakesIn({ ...files, 'mail/code/html.hbs': '{{> note}} {{code}}' })).toEqual([])
    expect(
      mistakesIn({
        'partials/note.html.hbs': '{{#if deliveryText}}x{{/if}}',
        'mail/code/html.hbs': '{{> note}} {{code}}',
      }),
    ).toEqual([
      'partials/note.html.hbs:1:7 unknown variable "deliveryText". docs/template-reference.md lists all variables.',
    ])
  })

  test('a broken file causes no error about what it might have used', () => {
    const files = send('{{#> frame}}{{#*inline "row"}}x{{/inline}}y{{/frame}}', {
      frame: '{{#if title}}{{> row}}',
      other: 'x',
    })
    expect(mistakesIn(files).map((one) => one.replace(/ .*/, ''))).toEqual(['partials/frame.html.hbs:1:1'])
  })

  test('a parameter with the name of a helper is a mistake, since the helper would be called', () => {
    expect(mistakesIn(send('{{> row vip="x"}}', { row: '{{vip}}' }), { vip: () => 'y' })).toEqual([
      'pages/send.hbs:1:9 "vip" is the name of a helper. Give the parameter another name.',
    ])
  })
})

describe('a text that no sample reaches', () => {
  test.each([
    '{{#with purposeText}}{{{this}}}{{/with}}',
    '{{#with (or purposeText "x")}}{{{this}}}{{/with}}',
    '{{#with (and title purposeText) as |x|}}{{{x}}}{{/with}}',
    '{{#with @root}}{{{purposeText}}}{{/with}}',
    '{{#with this as |page|}}{{{page.purposeText}}}{{/with}}',
    '{{#with custom.a}}{{#with ..}}{{{purposeText}}}{{/with}}{{/with}}',
    '{{#with custom.a}}{{#each ..}}{{{this}}}{{/each}}{{/with}}',
    '{{#each recipient}}{{{this}}}{{/each}}',
    '{{#each site as |value|}}{{{value}}}{{/each}}',
    '{{#each (or fields title)}}{{{value}}}{{/each}}',
    '{{#*inline "row"}}{{{this}}}{{/inline}}{{> row (or purposeText "x")}}',
  ])('W5: %s is a mistake', (template) => {
    const [mistake] = mistakesIn(send(`{{#if custom.never}}${template}{{/if}}`))
    expect(mistake).toContain('would reach the HTML unescaped')
  })

  test('the items and members of `custom` may be HTML', () => {
    const template = '{{#each custom.rows}}{{{this}}}{{/each}}{{#with custom.note}}{{{html}}}{{/with}}'
    expect(mistakesIn(send(template))).toEqual([])
  })
})
