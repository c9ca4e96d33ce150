import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { codeLabel } from '../../src/http/response/problem-text.js'
import { PROBLEMS } from '../../src/http/response/problem.js'
import { mailContextFor, basePageContext } from '../../src/views/context.js'
import { dayCount, duration, timeOfDay } from '../../src/views/formats.js'
import { textDirection } from '../../src/views/locales.js'
import { translate } from '../../src/views/messages.js'
import { createRenderer } from '../../src/views/renderer.js'
import { resolveSettings } from '../../src/config/settings.js'
import { PAGES } from '../../src/config/page.js'
import { SECRET } from '../helpers/host-app.js'

type Texts = Record<string, string>

const FOLDER = path.join(__dirname, '..', '..', 'views', 'locales')
const textsOf = (locale: string): Texts =>
  JSON.parse(readFileSync(path.join(FOLDER, `${locale}.json`), 'utf8')) as Texts

const LOCALES = 'ar de en es fr he hi it ja ko nl pl pt-BR ru sq tr uk zh-Hans zh-Hant'.split(' ')
const TRANSLATIONS = LOCALES.filter((locale) => locale !== 'en')
const ENGLISH = textsOf('en')
const PLURALS = Object.keys(ENGLISH).flatMap((key) => (key.endsWith('_other') ? [key.slice(0, -'_other'.length)] : []))

const isPlural = (key: string): boolean => PLURALS.some((base) => key.startsWith(`${base}_`))
const placeholders = (text = ''): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').sort()
/** The English text that a text translates: for plurals the form `other`. */
const originalOf = (key: string): string => ENGLISH[isPlural(key) ? key.replace(/_[a-z]+$/, '_other') : key] ?? ''

/** Texts that are the same word in English, by key. */
const SAME_AS_ENGLISH: Record<string, string[]> = {
  // "Error" is Spanish too.
  'error.prefix': ['es'],
}

test('nineteen languages are shipped', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(LOCALES.map((locale) => `${locale}.json`).sort())
})

describe.each(LOCALES)('the texts of %s', (locale) => {
  const texts = textsOf(locale)
  const { pluralCategories } = new Intl.PluralRules(locale).resolvedOptions()

  test('are all there, in the order of English, with each plural form of the language and no other', () => {
    const expected = Object.keys(ENGLISH).filter((key) => !isPlural(key))
    expect(Object.keys(texts).filter((key) => !isPlural(key))).toEqual(expected)
    const forms = PLURALS.flatMap((base) => pluralCategories.map((category) => `${base}_${category}`))
    expect(Object.keys(texts).filter(isPlural).sort()).toEqual(forms.sort())
  })

  test('have the placeholders of English', () => {
    const different = Object.entries(texts).filter(
      ([key, text]) => placeholders(text).join() !== placeholders(originalOf(key)).join(),
    )
    expect(different).toEqual([])
  })

  test('hold no HTML, no run of digits that could be taken for a code, and no straight quote', () => {
    for (const text of Object.values(texts)) {
      expect(text).not.toMatch(/[<>&]|\p{Nd}{2}|["']|\.\.\.| {2}|^\s|\s$/u)
    }
  })

  test('isolate what may be Latin, where the language runs from right to left', () => {
    const isolated = (text: string): number => [...text.matchAll(/\u2068\{\w+\}\u2069/g)].length
    for (const [key, text] of Object.entries(texts)) {
      const isSubject = key.includes('subject')
      const names = placeholders(text).filter((name) => ['site', 'domain', 'recipient', 'purpose', 'at'].includes(name))
      expect([key, isolated(text)]).toEqual([key, textDirection(locale) === 'rtl' && !isSubject ? names.length : 0])
    }
  })

  test('begin the subject with the code, so that a lock screen shows it', () => {
    expect(texts['mail.subject.code']).toMatch(/^\{code\}/)
  })

  test('give times and durations in Latin digits', () => {
    expect(timeOfDay(locale, Date.UTC(2030, 0, 1, 14, 32))).toBe('14:32\u00a0UTC')
    expect(duration(locale, 600)).toMatch(/^10\D+$/)
    expect(duration(locale, 45)).toMatch(/^45\D+$/)
    expect(dayCount(locale, 30)).toMatch(/^30\D+$/)
    if (locale !== 'en') expect(duration(locale, 45)).not.toBe(duration('en', 45))
  })
})

test.each(TRANSLATIONS)('no text of %s is English', (locale) => {
  const same = Object.entries(textsOf(locale)).filter(
    ([key, text]) => text !== '' && text === originalOf(key) && !SAME_AS_ENGLISH[key]?.includes(locale),
  )
  expect(same).toEqual([])
})

describe.each(LOCALES)('in %s', (locale) => {
  const settings = resolveSettings({
    secret: SECRET,
    site: { name: 'Acme', origin: 'https://acme.example', supportUrl: '/help' },
    mail: { transport: 'smtp://localhost', from: 'no-reply@acme.example' },
    user: () => null,
  })
  const views = createRenderer([], 'en')
  const dir = textDirection(locale)
  const messages = views.messages(locale)

  /** Words of English texts of some length, which no translation contains by chance. */
  const remnants = Object.entries(ENGLISH)
    .flatMap(([, text]) => text.split(/\{\w+\}/))
    .map((text) => text.trim())
    .filter((text) => text.length > 11)
  const expectNoEnglish = (text: string): void => {
    if (locale !== 'en') expect(remnants.filter((remnant) => text.includes(remnant))).toEqual([])
  }

  test.each(PAGES)('the page %s', (page) => {
    for (const [kind, error] of [
      ['short', ''],
      ['long', translate(messages, 'problem.wrong_code.detail', { count: 4 })],
    ] as const) {
      const label = codeLabel({ settings, views }, locale, {
        kind,
        identity: { type: 'user', id: '1', email: '', version: '' },
      })
      const html = views.renderPage({
        ...basePageContext,
        ...{ page, locale, dir, site: settings.site, title: label, error, returnTo: '/x', delivery: 'sent' },
        code: { label, length: 6, isLong: kind === 'long', inputMode: 'numeric' },
        recipient: { masked: 'a•••@example.com', typed: '', changeable: true },
        deliveryText: translate(messages, 'code.sent', { recipient: 'a•••@example.com' }),
        expires: { in: duration(locale, 600) },
        trustDays: dayCount(locale, 30),
        request: { tag: 'KQF' },
      })
      expect(html).toContain(`<html lang="${locale}" dir="${dir}">`)
      expect(html).not.toMatch(/\{\w+\}|undefined/)
      expectNoEnglish(html)
    }
  })

  test.each(['access', 'alert'])('the mail of %s', (purpose) => {
    for (const purposeText of ['', '支払い 50']) {
      for (const site of [settings.site, { ...settings.site, domain: null }]) {
        for (const codeInSubject of [true, false]) {
          const at = timeOfDay(locale, Date.UTC(2030, 0, 1, 14, 32))
          const mail = views.renderMail(purpose, {
            ...mailContextFor(site, locale),
            ...{ purpose, purposeText, codeInSubject, code: '482915' },
            expires: { minutes: 10, in: duration(locale, 600), at, iso: '' },
            request: { tag: 'KQF', at },
          })
          const all = [mail.subject, mail.html, mail.text].join('\n')
          expect(mail.html).toContain(`<html lang="${locale}" dir="${dir}">`)
          expect(mail.html).toContain(`align="${dir === 'rtl' ? 'right' : 'left'}"`)
          expect(all).not.toMatch(/\{\w+\}|undefined/)
          expect(mail.text).not.toMatch(/\b(?!482915)\d{4,8}\b/)
          expectNoEnglish(all)
        }
      }
    }
  })

  test('every problem has a title and a text', () => {
    for (const code of Object.keys(PROBLEMS)) {
      const values = { recipient: 'a•••@example.com', count: 4, in: duration(locale, 45) }
      expectNoEnglish(translate(messages, `problem.${code}.title`))
      expectNoEnglish(translate(messages, `problem.${code}.detail`, values))
    }
  })
})

test('Slavic and Arabic plurals follow their rules', () => {
  const views = createRenderer([], 'en')
  const left = (locale: string, count: number): string =>
    translate(views.messages(locale), 'problem.wrong_code.detail', { count })
  expect([1, 3, 5].map((count) => left('ru', count))).toEqual([
    'Код неверный. Осталась 1 попытка.',
    'Код неверный. Осталось 3 попытки.',
    'Код неверный. Осталось 5 попыток.',
  ])
  expect([1, 4, 5].map((count) => left('pl', count))).toEqual([
    'Ten kod jest niepoprawny. Pozostała 1 próba.',
    'Ten kod jest niepoprawny. Pozostały 4 próby.',
    'Ten kod jest niepoprawny. Pozostało 5 prób.',
  ])
  expect([3, 11].map((count) => left('ar', count))).toEqual([
    'هذا الرمز غير صحيح. بقيت 3 محاولات.',
    'هذا الرمز غير صحيح. بقيت 11 محاولة.',
  ])
})
