import type { MailContext } from '../context.js'
import type { ReadHtml } from './read-html.js'

export type MailPart = 'subject' | 'preheader' | 'html' | 'text'

/** The parts of a rendered mail. `preheader` is empty if it is not known. */
export type MailParts = Readonly<Record<MailPart, string>>

/** `error`: readers could not use the mail, so it does not start. `warning`: some readers or programs have trouble. */
export type Level = 'error' | 'warning'

/** What is wrong in one place of a mail. */
export interface Problem {
  readonly part: MailPart
  readonly message: string
  /** What to write instead. */
  readonly cure: string
  /** The text in the mail that this is about, such as a number or a URL; else empty. */
  readonly excerpt: string
}

/** A mail as the rules see it. */
export interface ReadMail extends MailParts {
  /** `html`, read once for all rules. */
  readonly read: ReadHtml
  /** What a reader sees of each part. */
  readonly shown: MailParts
  readonly context: MailContext
}

export interface MailRule {
  /** Its id. */
  readonly rule: string
  readonly level: Level
  readonly find: (mail: ReadMail) => readonly Problem[]
}

export const PARTS = ['subject', 'preheader', 'html', 'text'] as const satisfies readonly MailPart[]

export function problem(part: MailPart, message: string, cure: string, excerpt = ''): Problem {
  return { part, message, cure, excerpt }
}
