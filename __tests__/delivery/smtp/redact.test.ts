import { mentionsDailyLimit, parseRetryAfter } from '../../../src/delivery/smtp/parse-error.js'
import { redact } from '../../../src/delivery/smtp/redact.js'

const SECRETS = ['ana@example.com', 'ana', '482915', 'XK4PQ7M2A9TZR', 'wolfhart', 'bndg']

const WITHHELD = '(withheld: it repeats the address or the code)'

test.each([
  ['550 5.1.1 <ana@example.com>: no such user', '550 5.1.1 <•••>: no such user'],
  ['550 5.1.1 <ANA@Example.COM> unknown', '550 5.1.1 <•••> unknown'],
  ['550 user Ana unknown at example.com', '550 user ••• unknown at example.com'],
  ['550-5.1.1 <ana@\r\n550 5.1.1 example.com> no', '550-5.1.1 <•••@ •••• example.com> no'],
  ['554 subject "482915 is your code" looks like spam', '554 subject "••• is your code" looks like spam'],
  ['554 5.6.0 4 8 2 9 1 5', '554 5.6.0 ••••'],
  ['550 4 8 2 9 1 5', '550 ••••'],
  ['554 code 482 915, 482-915, 48 29 15, 48.29.15', '554 code ••••, ••••, ••••, ••••'],
  ['554 code ４８２９１５', '554 code •••'],
  ['554 code ٤٨٢٩١٥', '554 code ••••'],
  ['554 XK4PQ-7M2A-9TZR xk4pq 7m2a 9tzr', WITHHELD],
  ['554 Wolfhart', '554 •••'],
  ['554 code 4....8....2....9....1....5', WITHHELD],
  ['482 915 is the code in your message', WITHHELD],
  ['554 5.482.915 spam', '554 •••• spam'],
  ['554 subject =?UTF-8?B?NDgyOTE1IGlzIHlvdXIgQ2Fmw6kgY29kZQ==?= is spam', '554 subject ••• is spam'],
  ['554 subject =?UTF-8?B?bndgNDgyOTE1IGlzIHlvdXI=?= is spam', '554 subject ••• is spam'],
  [`554 =?UTF-8?B?${'A'.repeat(90)}NDgyOTE1?=`, '554 •••'],
  ['550 other.person@elsewhere.example is known', '550 ••• is known'],
  ['451 4.7.1 queue id 8815123, retry in 30 seconds', '451 4.7.1 queue id ••••, retry in 30 seconds'],
  ['421-4.7.0 one\r\n421 4.7.0 two\u0007\u202E', '421-4.7.0 one •••• two'],
  ['', ''],
])('%j becomes %j', (reply, redacted) => {
  expect(redact(reply, SECRETS)).toBe(redacted)
})

test.each([
  ['a code cut in two by a line break of the quoted text', '554 5.6.0 4829= 15 is your code'],
  ['a code with a comma in it', '554 code 482,9152'],
  ['a long code in other groups', '554 code XK 47321 M2A 9TZR'],
  ['an address in words', '550 there is no ana 1984 lopez here'],
  ['an address beside an at sign', '550 ana/1984/lopez@elsewhere.example: ana 1984 lopez@nowhere.example'],
])('C6: the digits that are masked hide no part of a secret from the check: %s', (_name, reply) => {
  const secrets = ['ana.1984.lopez@example.com', 'ana.1984.lopez', '482915', '4829152', 'XK47321M2A9TZR']
  expect(redact(reply, secrets)).toBe(WITHHELD)
})

test('S5: redacting takes linear time, whatever a person typed and a server says', () => {
  // Legal ones; a pattern that allows gaps between their characters would backtrack for years.
  const local = '-'.repeat(64)
  for (const name of [local, `a${local.slice(2)}b`, `${'a.'.repeat(31)}a`, 'ana.lopez']) {
    const reply = `450 4.1.2 <${name}@example.com>: Recipient address rejected: ${name.repeat(20)} not found`
    const redacted = redact(reply, [`${name}@example.com`, name, '482915'])
    expect(redacted).toMatch(/^450 4\.1\.2 <•••>: Recipient address rejected: (?:•••)+/)
  }
})

test('a long reply is cut, and characters of regular expressions are literal', () => {
  expect(redact('x'.repeat(1_000))).toHaveLength(201)
  expect(redact('a+b(c', ['a+b('])).toBe('•••c')
})

test.each([
  ['try again in 30 seconds', 30],
  ['Greylisted for 5 minutes', 300],
  ['retry after 90s', 90],
  ['come back in 00:04:59', 299],
  ['in 1 hour', 3_600],
  ['try again later', null],
  ['in 5.1.1', null],
  ['in 30', null],
])('"%s" asks for %p seconds', (reply, seconds) => {
  expect(parseRetryAfter(reply)).toBe(seconds)
})

test.each([
  ['Daily message quota exceeded', true],
  ['limit of 24-hour period', true],
  ['Maximum sending rate exceeded', false],
])('%s is a daily limit: %p', (reply, isDaily) => {
  expect(mentionsDailyLimit(reply)).toBe(isDaily)
})

test('a secret of fewer than four letters and digits is replaced, and hides nothing else', () => {
  expect(redact('550 Ana, a-n-a, banana', ['ana'])).toBe('550 •••, a-n-a, b•••na')
})
