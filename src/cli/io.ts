import { styleText } from 'node:util'
import { Credentials } from './credentials.js'

type Style = Parameters<typeof styleText>[0]

/** Where a command writes. What is known to be a credential is never written. */
export interface Io {
  /** The result, to the standard output. */
  readonly write: (text: string) => void
  /** What is no result, to the standard error. */
  readonly note: (text: string) => void
  /** Shows how far a long command is, if somebody looks; the next one replaces it. */
  readonly progress: (text: string) => void
  /** Colours a text of the result, if somebody looks. */
  readonly style: (style: Style, text: string) => string
  readonly credentials: Credentials
}

const CLEAR_LINE = '\r\u001b[K'

export function processIo(): Io {
  const { stdout, stderr, env } = process
  // A reader that has seen enough, such as `head`, is no failure.
  stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1))
  const credentials = new Credentials(env)
  const isColored = stdout.isTTY && !env.NO_COLOR && env.TERM !== 'dumb'
  return {
    write: (text) => void stdout.write(`${credentials.hide(text)}\n`),
    note: (text) => void stderr.write(`${credentials.hideInMessage(text)}\n`),
    progress: (text) => void (stderr.isTTY && stderr.write(CLEAR_LINE + text)),
    style: (style, text) => (isColored ? styleText(style, text) : text),
    credentials,
  }
}

/** A text of others on one line, without what would act on a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
}
