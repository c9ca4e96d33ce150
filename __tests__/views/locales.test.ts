import { type Agent, ANA, BROWSER, HostApp } from '../helpers/host-app.js'
import { canonicalTag, matchLocale, textDirection } from '../../src/views/locales.js'
import { createRenderer } from '../../src/views/renderer.js'

const SHIPPED = createRenderer([], 'en').locales

describe('the nearest language', () => {
  test.each([
    ['en-GB', 'en'],
    ['de-CH', 'de'],
    ['de-CH-1996', 'de'],
    ['de-u-nu-arab', 'de'],
    ['es-419', 'es'],
    ['pt', 'pt-BR'],
    ['pt-PT', 'pt-BR'],
    ['pt_br', 'pt-BR'],
    ['PT_BR', 'pt-BR'],
    ['zh', 'zh-Hans'],
    ['zh-CN', 'zh-Hans'],
    ['zh-SG', 'zh-Hans'],
    ['zh-TW', 'zh-Hant'],
    ['zh_HK', 'zh-Hant'],
    ['zh-Hant-MO', 'zh-Hant'],
    ['zh-hans-HK', 'zh-Hans'],
    ['iw', 'he'],
    ['ar-EG', 'ar'],
  ])('%s reads %s', (tag, locale) => {
    expect(matchLocale(SHIPPED, tag)).toBe(locale)
  })

  test.each([
    ['az-Arab', ['az', 'az-Latn']],
    ['az-IR', ['az']],
    ['sr-Latn', ['sr', 'sr-Cyrl']],
    ['sr', ['sr-Latn']],
    ['zh-TW', ['zh', 'zh-Hans', 'zh-CN']],
    ['zh-CN', ['zh-Hant', 'zh-TW']],
    ['ru-Latn', ['ru']],
    ['ku-Arab', ['ku']],
    ['pa-PK', ['pa']],
  ])('%s never gets the texts of another script: %j', (tag, available) => {
    expect(matchLocale(available, tag)).toBeUndefined()
  })

  test.each([
    ['de-AT', ['de', 'de-AT'], 'de-AT'],
    ['de-DE', ['de-AT', 'de'], 'de'],
    ['pt-PT', ['pt-BR', 'pt'], 'pt'],
    ['pt', ['pt-AO', 'pt-BR'], 'pt-BR'],
    ['zh-CN', ['zh', 'zh-Hans'], 'zh-Hans'],
    ['sv-SE', ['sv-FI'], 'sv-FI'],
    ['xx-YY', ['xx'], 'xx'],
    ['fil', ['fi'], undefined],
  ])('of %s, %j the nearest is %s', (tag, available, locale) => {
    expect(matchLocale(available, tag)).toBe(locale)
  })

  test.each(['', '*', '-', '_', 'x', 'C', 'de-', 'de_DE.UTF-8', 'not a tag', '../en', '😀', 'a'.repeat(5_000)])(
    'the malformed tag %j matches nothing and never throws',
    (tag) => {
      expect(matchLocale(SHIPPED, tag)).toBeUndefined()
      expect(canonicalTag(tag)).toBeNull()
      expect(textDirection(tag)).toBe('ltr')
    },
  )
})

test.each(
  'ar fa he ur ps sd ug ckb dv yi ks syr nqo ar-EG az-Arab az-IR pa-Arab pa-PK ku-Arab uz-AF ff-Adlm rhg'.split(' '),
)('%s runs from right to left', (tag) => {
  expect(textDirection(tag)).toBe('rtl')
})

test.each('en az az-Latn pa ku uz zh-Hant ja hi ar-Latn ff xx'.split(' '))('%s runs from left to right', (tag) => {
  expect(textDirection(tag)).toBe('ltr')
})

describe('a request', () => {
  let host: HostApp
  beforeEach(async () => {
    host = await HostApp.start()
  })
  afterEach(() => host.close())

  const languageOf = async (jar: Agent, header = ''): Promise<string> => {
    const { text } = await jar.get('/2fa').set(BROWSER).set('Accept-Language', header).expect(200)
    return /<html lang="([^"]*)"/.exec(text)?.[1] ?? ''
  }

  test.each([
    ['zh-TW', 'zh-Hant'],
    ['zh-TW, zh;q=0.9, en;q=0.8', 'zh-Hant'],
    ['zh;q=0.5, zh-HK', 'zh-Hant'],
    ['az-Arab, tr;q=0.5', 'tr'],
    ['fi, de-CH;q=0.7, en;q=0.9', 'en'],
    ['fi, *;q=0.5', 'en'],
    ['fr;q=0, it;q=0.1', 'it'],
    ['fi', 'en'],
    [';;q=,-,x-,*-CH', 'en'],
    ['', 'en'],
  ])('with Accept-Language %j is answered in %s', async (header, locale) => {
    expect(await languageOf(await host.signedIn(), header)).toBe(locale)
  })

  test('of a user with a malformed locale is answered in the language of the browser', async () => {
    for (const locale of ['not a tag', 'x', 'de_DE.UTF-8', '\0']) {
      expect(await languageOf(await host.signedIn({ ...ANA, locale }), 'de')).toBe('de')
    }
  })

  test('of a user with a locale of their own is answered in it, however it is written', async () => {
    for (const locale of ['pt_BR', 'pt-br', 'pt', 'PT-pt']) {
      expect(await languageOf(await host.signedIn({ ...ANA, locale }), 'de')).toBe('pt-BR')
    }
  })
})
