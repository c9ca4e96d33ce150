/** What random requests are made of. */
export const PAGES = [
  '/2fa',
  '/2fa/',
  '/2FA',
  '/2fa/send',
  '/2fa/verify',
  '/2fa/restart',
  '/2fa/continue',
  '/2fa/continue',
  '/2fa//send',
] as const
export const ASSETS = [
  'otp.css',
  'otp.js',
  'none',
  '../otp.css',
  '%2e%2e/%2e%2e/package.json',
  '%00',
  'otp.css%00.js',
] as const
export const GUARDED = [
  '/vault',
  '/deep',
  '/pay',
  '/VAULT',
  '/vault/',
  '/vault?x=1',
  '/%76ault',
  '//vault',
  '/secret',
] as const
export const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'PROPFIND'] as const
export const HEADERS: Readonly<Record<string, readonly string[]>> = {
  Accept: ['text/html', 'application/json', '*/*', '', 'text/html;q=x', 'application/problem+json', ','.repeat(3_000)],
  'Accept-Language': ['de', 'en', '*', 'x'.repeat(3_000), ';;q=,', 'pt-BR,pt;q=0.9'],
  'Sec-Fetch-Site': ['same-origin', 'none', 'cross-site', 'same-site', 'odd'],
  'Sec-Fetch-Dest': ['document', 'empty', 'iframe', ''],
  Origin: ['https://acme.example', 'null', 'https://evil.example', 'http://127.0.0.1', '://'],
  Referer: ['https://acme.example/a', '//evil.example', 'javascript:1', '/\\evil', 'x'.repeat(2_000)],
  'X-Forwarded-For': ['1.2.3.4', '::1', 'junk, 9.9.9.9'],
  'X-HTTP-Method-Override': ['DELETE', 'GET'],
  Host: ['evil.example', 'acme.example', '127.0.0.1:1'],
  'Content-Encoding': ['gzip', 'identity', 'odd'],
}
export const TYPES = [
  ...['application/x-www-form-urlencoded', 'application/json', 'text/plain', 'multipart/form-data; boundary=x'],
  ...['application/json; charset=utf-16', 'application/x-www-form-urlencoded; charset=odd', 'odd'],
]
export const ODD_VALUES: readonly unknown[] = [
  ...[null, 0, 1e308, true, [], {}, [[]], ['a', 'b'], { toString: 1 }, { __proto__: null, length: 3 }, ''],
  ...['\u0000', '\ud800', '\u202e', '{{code}}', "'; DROP TABLE", '𝟙𝟚𝟛', 'a'.repeat(5_000), '%00', '../../etc/passwd'],
]
export const ADDRESSES = [
  't1@fuzz.example',
  'T2@fuzz.example',
  'no3@fuzz.example',
  ' t4@fuzz.example ',
  'u1@fuzz.example',
] as const
export const NO_ADDRESSES = [
  't1@fuzz.example,t2@fuzz.example',
  't1@',
  '@fuzz.example',
  'a b@fuzz.example',
  't1＠fuzz.example',
] as const
