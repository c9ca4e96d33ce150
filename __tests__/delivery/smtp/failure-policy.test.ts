import { readFileSync } from 'node:fs'
import path from 'node:path'
import { FAILURE_POLICY, type FailurePolicy } from '../../../src/delivery/smtp/failure-policy.js'
import type { FailureClass } from '../../../src/index.js'

const WHAT_HAPPENED: Record<FailureClass, string> = {
  connect: 'no server, connection lost, 421, timeout',
  tls: 'no STARTTLS, a bad certificate, too old TLS',
  blocked: '5xx as greeting',
  auth: 'login refused or not offered, 530, 535',
  quota: 'a sending limit, short-term or daily',
  sender: 'the server does not let you send as `mail.from`',
  content: 'the message was refused after it was transmitted',
  config: 'the transport cannot work, or took another address',
  recipient: 'no such mailbox',
  'mailbox-full': 'the mailbox has no room',
  greylist: '450, 451, "try again"',
  transient: 'any other 4xx',
  aborted: 'it took longer than 20 seconds',
  unknown: 'anything else',
}
const RETRY: Record<FailurePolicy['retry'], string> = {
  never: 'no',
  once: 'once',
  always: 'yes',
  ifTransient: 'after 4xx',
  unlessDaily: 'short-term: yes; daily: no',
}
const ABOUT_ALL: Record<NonNullable<FailurePolicy['aboutAllElsewhere']>, string> = {
  threeDomains: 'or to three domains',
  signedIn: 'or to a signed-in user',
}
const BREAKER: Record<FailurePolicy['breaker'], string> = {
  counts: 'counts',
  opensIfPermanent: 'opens at once, except 4xx',
  opensIfDaily: 'daily: opens at once',
  resets: 'resets',
  ignored: '–',
}

/** The rows of docs/mail-delivery.md; run `npx prettier --write docs/mail-delivery.md` after pasting them. */
function failureTable(): string[] {
  const classes = Object.entries(FAILURE_POLICY) as [FailureClass, FailurePolicy][]
  return [
    '| class | what happened | another attempt | breaker | about all mail |',
    ...classes.map(
      ([name, { retry, breaker, ...policy }]) =>
        `| \`${name}\` | ${WHAT_HAPPENED[name]} | ${RETRY[retry]} | ${BREAKER[breaker]} | ${aboutAll(policy)} |`,
    ),
  ]
}

function aboutAll({ aboutAllAt, aboutAllElsewhere }: Omit<FailurePolicy, 'retry' | 'breaker'>): string {
  const elsewhere = aboutAllElsewhere ? [ABOUT_ALL[aboutAllElsewhere]] : []
  const stages = aboutAllAt.map((stage) => (stage === 'connection' ? stage : `\`${stage}\``))
  return [...stages, ...elsewhere].join(', ').replace(/^or /, '') || '–'
}

test('the table of docs/mail-delivery.md says what the policy of each failure class is', () => {
  const docs = readFileSync(path.join(__dirname, '../../../docs/mail-delivery.md'), 'utf8')
  const table = /<!-- failure-policy:start -->([^]*?)<!-- failure-policy:end -->/.exec(docs)?.[1] ?? ''
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('|') && !line.startsWith('| -'))
    .map((line) => line.replace(/ +/g, ' '))
  expect(rows).toEqual(failureTable())
})

test.each(Object.entries(FAILURE_POLICY))('the advice of class %s is a sentence of its own', (_name, policy) => {
  for (const { advice } of [policy, policy.whenGivenUp ?? policy]) expect(advice).toMatch(/^[A-Z].*\.$/s)
})
