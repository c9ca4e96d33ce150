import type { Clock } from '../clock.js'
import type { MailContext, MailTexts } from '../config/mail.js'
import type { MailSettings } from '../config/mail-settings.js'
import { deepFreeze } from '../deep-freeze.js'
import { OtpError, wrapError } from '../errors.js'
import { callWithTimeout } from '../host-callback.js'
import { spaced } from './without-code.js'
import { findErrorsInMail } from '../views/mail-findings.js'

/**
 * The mail that `mail.render` makes; null if it leaves this one to the templates. Checked at each send, since it may differ
 * at each.
 * @throws OtpError `host_callback`
 */
export async function hostMail(
  clock: Clock,
  render: NonNullable<MailSettings['render']>,
  context: MailContext,
): Promise<MailTexts | null> {
  try {
    return await callWithTimeout(clock, 'mail.render', async () => {
      const texts = await render(readOnly(context))
      return texts === null || texts === undefined ? null : checkTexts(texts, context)
    })
  } catch (error) {
    // Whatever it threw: an `invalid_view` of the host's own says nothing of our templates.
    const { message, cause } = wrapError('host_callback', '`mail.render` threw.', error)
    throw new OtpError('host_callback', message, { cause })
  }
}

/** The mail of the templates is made of the same context, so nothing may be changed in it. `custom` is the host's own. */
function readOnly({ custom, ...rest }: MailContext): MailContext {
  return Object.freeze({ ...deepFreeze(rest), custom })
}

function checkTexts(texts: object, context: MailContext): MailTexts {
  const { subject: line, html, text }: Partial<Record<keyof MailTexts, unknown>> = texts
  if (!isText(line)) throw unusable('it gave no `subject`', 'Return one line of text.')
  if (!isText(html)) throw unusable('it gave no `html`', 'Return the whole document as a string.')
  if (!isText(text)) throw unusable('it gave no `text`', 'Return the mail as plain text too: some read only this.')
  // Line breaks would begin another header (CWE-93).
  const subject = line.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  const { code, codeInSubject } = context
  if (code !== '' && !codeInSubject && spaced(code).test(subject)) {
    const cure = 'Leave it out unless `context.codeInSubject` is true (option `code.subject`).'
    throw unusable('the code is in `subject`', cure)
  }
  // `custom` is the host's own, and need not be readable.
  const [error] = findErrorsInMail({ subject, preheader: '', html, text }, { ...context, custom: {} })
  if (error) throw unusable(`in \`${error.part}\` ${withoutNumbers(error.message)}`, inCode(error.cure))
  return { subject, html, text }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}

/** A number in a mail without its code may be the code of somebody else. */
function withoutNumbers(message: string): string {
  return message.replace(/\d{4,}/g, '••••').replace(/\.$/, '')
}

/** Cures are written for templates. */
function inCode(cure: string): string {
  return cure.replace(/\{\{code\}\}( or \{\{> code\}\})?/, '`context.code`')
}

function unusable(reason: string, cure: string): OtpError {
  return new OtpError('host_callback', `\`mail.render\`: ${reason}. ${cure}`)
}
