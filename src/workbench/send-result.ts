import type { TestSend } from '../delivery/trial-send.js'
import { kilobytes } from './message-view.js'

interface SendResult {
  readonly outcome: TestSend['outcome']
  readonly heading: string
  readonly lines: readonly { readonly name: string; readonly value: string }[]
}

/** How a test mail went, for its page. */
export function sendResult({ outcome, server, encryption, answer, advice, ms, bytes }: TestSend): SendResult {
  const lines = [
    { name: 'Answer', value: answer },
    { name: 'What to do', value: advice },
    { name: 'Server', value: server },
    { name: 'Encryption', value: encryption },
    { name: 'Time', value: `${ms} ms` },
    { name: 'Size', value: bytes === null ? '' : kilobytes(bytes) },
  ]
  return {
    outcome,
    heading: outcome === 'accepted' ? 'The server took the mail' : 'The mail was not sent',
    lines: lines.filter(({ value }) => value !== ''),
  }
}

/** The same if there was nothing to send. */
export function unsentResult(reason: string): SendResult {
  return { outcome: 'failed', heading: 'The mail was not sent', lines: [{ name: 'Reason', value: reason }] }
}
