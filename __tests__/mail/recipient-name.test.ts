import { recipientName } from '../../src/mail/recipient-name.js'

test.each([
  ['Ana', 'Ana'],
  ['  Ana  María\tde la Ó ', 'Ana María de la Ó'],
  ['J. R. R. Tolkien', 'J. R. R. Tolkien'],
  ['Dr. Müller', 'Dr. Müller'],
  ["O'Brien & <b>Sons</b>", "O'Brien & <b>Sons</b>"],
  ['王小明', '王小明'],
  ['ශ්\u200dරී', 'ශ්\u200dරී'],
  ['x'.repeat(64), 'x'.repeat(64)],
])('the name %j is printed as %j', (name, printed) => {
  expect(recipientName(name)).toBe(printed)
})

test.each([
  ['a mark that turns the direction', 'Ana\u202enuj', 'Ananuj'],
  ['an isolate', '\u2067Ana\u2069', 'Ana'],
  ['a zero-width space', 'A\u200bn\u200ba', 'Ana'],
  ['a control character', 'A\u0000na\u001b[31m', 'Ana[31m'],
  ['half of a surrogate pair', 'Ana\ud83d', 'Ana'],
])('H14: %s is removed from a name', (_what, name, printed) => {
  expect(recipientName(name)).toBe(printed)
})

test.each([
  'http://evil.example',
  'Ana, see https://evil.example/now',
  'mailto:ana@evil.example',
  'javascript:alert(1)',
  'evil.example',
  'Ana evil.example/pay',
  'www.evil',
  'WWW.e',
  'ana@evil',
  '//evil',
  'evil\u200b.example',
  'evil\u200d.\u200dexample',
  'evil．example',
  'evil。example',
  'http：//evil',
  'ⓦⓦⓦ.evil',
  'пример.рф',
])('H14: the name %j is left out, since a mail program could make a link of it', (name) => {
  expect(recipientName(name)).toBe('')
})

test.each([
  ['of two lines', 'Ana\nCall 0800'],
  ['with a carriage return', 'Ana\rBcc'],
  ['with a line separator', 'Ana\u2028Call 0800'],
  ['of 65 characters', 'x'.repeat(65)],
  ['of nothing but joiners', '\u200d\u200c'],
  ['of white space', ' \n '],
  ['that is no text', 42],
  ['that is missing', undefined],
  ['that is null', null],
])('H14: a name %s is left out', (_what, name) => {
  expect(recipientName(name)).toBe('')
})
