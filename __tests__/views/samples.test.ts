import { viewsFolder } from '../helpers/views-folder.js'
import { OtpError } from '../../src/index.js'
import { createRenderer, type Renderer, type RendererOptions } from '../../src/views/renderer.js'
import { DEFAULT_BRAND } from '../../src/config/brand.js'

const render = (options: Partial<RendererOptions>, ...files: Record<string, string>[]): Renderer =>
  createRenderer(files.map(viewsFolder), 'en', { brand: DEFAULT_BRAND, logoFile: null, ...options })

const MISTAKES: [text: string, place: string, message: string, cure: string][] = [
  ['{\n "custom": {},\n}', '3:1', '"}" cannot stand here', 'double quotes'],
  ['{ "custom": { "a": 1 }', '1:23', 'its end is missing', 'double quotes'],
  ['{ "custom": {} } x', '1:18', '"x" cannot stand here', ''],
  ['{ "a": tru }', '1:8', '"t" cannot stand here', ''],
  ['[]', '1:1', 'is no sample', '{ "name": "value" }'],
  ['{\n  "custm": {}\n}', '2:3', 'no "custm"', '"custom"'],
  ['{ "shop": "x" }', '1:3', 'no "shop"', 'in "custom"'],
  ['{ "custom": { "code": 1 }, "code": 1 }', '1:28', '"code" is of another kind', '482915'],
  ['{ "code": "4 8" }', '1:3', '"code" is of another kind', 'digits, letters'],
  ['{ "purposeText": 7 }', '1:3', '"purposeText" is of another kind', 'double quotes'],
  ['{ "custom": [] }', '1:3', '"custom" is of another kind', 'an object'],
  ['{ "recipient": "Ana" }', '1:3', '"recipient" is of another kind', 'an object'],
  ['{ "recipient": {\n "nam": "Ana" } }', '2:2', 'no "recipient.nam"', '"recipient.name"'],
  ['{ "recipient": { "name": null } }', '1:18', '"recipient.name" is of another kind', ''],
]

describe('a file in samples/', () => {
  test.each(MISTAKES)('%j is an error at %s', (text, place, message, cure) => {
    let found: unknown
    try {
      render({}, { 'samples/order.json': text })
    } catch (error) {
      found = error
    }
    const [issue, ...others] = (found as OtpError).issues
    expect(others).toEqual([])
    expect(`${issue?.line}:${issue?.column}`).toBe(place)
    expect(issue?.file).toMatch(/samples\/order\.json$/)
    expect(issue?.message).toContain(message)
    expect(issue?.cure).toContain(cure)
  })

  test('is a sample of its own, with the values of `typical` for those that it lacks', () => {
    const order = {
      purposeText: 'Ship it',
      recipient: { name: 'Ben' },
      code: '123456',
      custom: { shop: { name: 'A' } },
    }
    const { samples } = render({}, { 'samples/order.json': JSON.stringify(order) })
    expect(samples.map(({ name }) => name)).toEqual(['typical', 'minimal', 'long', 'hostile', 'order'])
    expect(samples[4]).toMatchObject({ ...order, recipient: { name: 'Ben', masked: 'a•••@example.com' } })
    expect(samples.map(({ custom }) => custom)).toEqual(Array(5).fill(order.custom))
  })

  test('with the name of one of ours changes that one; that of the first folder counts', () => {
    const [first, second] = ['{ "code": "111111" }', '{ "code": "222222" }']
    const { samples } = render({}, { 'samples/typical.json': first }, { 'samples/typical.json': second })
    expect(samples.map(({ code }) => code).slice(0, 2)).toEqual(['111111', '730164'])
    expect(samples).toHaveLength(4)
  })

  test('may have names of JavaScript objects', () => {
    const { samples } = render({}, { 'samples/a.json': '{ "custom": { "__proto__": { "x": 1 }, "constructor": 2 } }' })
    expect(Object.keys(samples[0]?.custom ?? {})).toEqual(['__proto__', 'constructor'])
    expect(({} as { x?: number }).x).toBeUndefined()
  })
})

describe('`custom` of the samples', () => {
  const page = '{{#each custom.links}}<a href="{{url}}">{{{text}}}</a>{{/each}}{{custom.shop.name}}{{custom.other}}'

  test('is what pages are tried with at start; what it lacks is empty', () => {
    const links = (text: string): string =>
      JSON.stringify({ custom: { links: [{ url: '/a', text }], shop: { name: 'A' } } })
    const wrong = { 'pages/send.hbs': `${page}{{#each custom.links}}{{this}}{{/each}}`, 'samples/a.json': links('A') }
    render({}, { 'pages/send.hbs': page, 'samples/a.json': links('A') })
    expect(() => render({}, wrong)).toThrow(/pages\/send\.hbs:1:1: it prints \[object Object\]/)
  })

  test('is in mails only if `mail.locals` gives it there too', () => {
    const files = {
      'mail/code/text.hbs': '{{code}} {{custom.shop}}',
      'samples/a.json': '{ "custom": { "shop": "A" } }',
    }
    render({ hasMailLocals: true }, files)
    expect(() => render({}, files)).toThrow(/text\.hbs:1:12: "custom\.shop" does not exist in mails/)
  })
})
