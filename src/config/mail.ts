import type { Brand } from './brand.js'
import type { Site } from './page.js'
import type { OtpUser } from '../identity/user.js'

/** What every mail template may use, and what `mail.render` gets. */
export interface MailContext {
  /** `code`, or `alert` for the warning to an owner, which has no code. */
  readonly mail: MailRecipient['mail']
  readonly locale: string
  readonly dir: 'ltr' | 'rtl'
  /** Physical sides for `dir`: mail clients do not support logical ones. */
  readonly start: 'left' | 'right'
  readonly end: 'left' | 'right'
  readonly site: Site
  readonly brand: Brand
  readonly purpose: string
  readonly purposeText: string
  /** `name`: as the host's user has it, for templates of the host's; ours do not use it. */
  readonly recipient: { readonly name: string; readonly masked: string }
  readonly code: string
  /** Whether the code is longer than 10 characters. */
  readonly isLong: boolean
  readonly codeInSubject: boolean
  /** `in` as "10 minutes", `at` as "14:32 UTC", `iso` as RFC 3339. */
  readonly expires: { readonly minutes: number; readonly in: string; readonly at: string; readonly iso: string }
  readonly request: { readonly tag: string; readonly at: string }
  /** `@domain #code`, the last line of the text; empty without `site.origin`. */
  readonly boundLine: string
  /** What the host's `mail.locals` returned; empty without it. */
  readonly custom: Readonly<Record<string, unknown>>
}

/** Who gets a mail, and which one, as `mail.locals` is told. */
export interface MailRecipient {
  /** `code`, or `alert` for the warning to an owner. */
  readonly mail: 'code' | 'alert'
  readonly purpose: string
  readonly locale: string
  readonly email: string
  /**
   * As `user(req)` gave it; null for a typed address. In a worker it is made of the job and has only `id` (as text), `email`,
   * `name` (as in `recipient.name`) and `version`.
   */
  readonly user: OtpUser | null
}

/** A whole mail, as `mail.render` returns it. */
export interface MailTexts {
  /** One line. Without the code, unless `codeInSubject` says that it may be there. */
  readonly subject: string
  /** With the code in one piece; 100 kB at most. */
  readonly html: string
  /** The same for readers of plain text, also with the code. */
  readonly text: string
}
