import { randomUUID } from 'node:crypto'
import { buildMessage, type ComposeDeps, type ComposedMail } from './message.js'
import { renderMail } from './render-mail.js'
import type { MailRecipient } from '../config/mail.js'
import type { CodeFormat } from '../crypto/code.js'
import { OtpError } from '../errors.js'
import { didYouMean } from '../suggest.js'
import type { MailContext } from '../views/context.js'
import { deepMerge } from '../views/deep-merge.js'
import { type Finding, findInMail } from '../views/mail-findings.js'
import type { RenderedMail, Renderer } from '../views/renderer.js'
import { type Sample, sampleMail, SAMPLES } from '../views/samples.js'

/** Which mail to compose, and with which values. */
export interface SampleMailRequest {
  /** A purpose, or `alert`. */
  readonly purpose: string
  readonly locale: string
  /** Name of a sample. */
  readonly sample: string
  /** Replace members of the context, such as `{ recipient: { name: 'Ben' } }`. */
  readonly values?: Readonly<Record<string, unknown>>
}

/** A mail as the host's templates and functions make it, for nobody. */
export interface SampleMail {
  readonly context: MailContext
  readonly rendered: RenderedMail
  /** For nodemailer. The recipient is that of the sample. */
  readonly message: ComposedMail['message']
  readonly findings: readonly Finding[]
}

/** The rule for what throws: templates of the host's, `mail.locals`, `mail.render`. */
export const RENDER_FAILED = { rule: 'render-failed', level: 'error' } as const

const ADDRESS = { address: 'ana@example.com', key: 'ana@example.com' }

/** Names of all samples: ours, and those of the host. */
export function sampleNames({ samples }: Renderer): string[] {
  return samples.map(({ name }) => name)
}

/** Whose mails differ: plain access, purposes with templates or a text of their own, and the alert. */
export function samplePurposes(views: Renderer): string[] {
  const own = views.purposes.filter((purpose) => !['access', 'code', 'alert'].includes(purpose))
  return ['access', ...own, 'alert']
}

/**
 * Composes a mail with the values of a sample, as it would go out. No challenge has its code, so nothing can be verified
 * with it.
 * @throws OtpError `invalid_option` for an unknown sample, `invalid_view`
 */
export async function composeSampleMail(deps: ComposeDeps, request: SampleMailRequest): Promise<SampleMail> {
  const { settings, views } = deps
  const { purpose, locale, values = {} } = request
  const sample = findSample(views, request.sample)
  const format = settings.code[settings.user ? 'user' : 'address']
  const code = codeOf(sample, format)
  const codeInSubject = settings.codeInSubject === 'always' || (settings.codeInSubject === 'auto' && !settings.user)
  const options = { locale, purpose, codeInSubject, custom: sample.custom, site: settings.site, brand: settings.brand }
  const plain = deepMerge(sampleMail({ ...sample, code }, options), values)
  const { rendered, custom, failures } = await render(deps, plain)
  const context = { ...plain, custom }
  const send = { id: randomUUID(), at: settings.now() }
  const { message } = buildMessage(deps, rendered, { ...send, to: ADDRESS, code: context.code || null })
  return { context, rendered, message, findings: [...failures, ...findInMail(rendered, context)] }
}

/** As for a send, with what a failure would hide. `custom` of the sample goes over that of `mail.locals`. */
async function render(
  deps: ComposeDeps,
  plain: MailContext,
): Promise<Pick<MailContext, 'custom'> & { rendered: RenderedMail; failures: readonly Finding[] }> {
  const { mail, locale, purpose, recipient } = plain
  const { locals } = deps.mailSettings
  let custom: MailContext['custom'] = {}
  const localsWithSample = async (to: MailRecipient): Promise<MailContext['custom']> => {
    const own = (await locals?.(to)) ?? {}
    return (custom = Object.keys(plain.custom).length > 0 ? deepMerge(own, plain.custom) : own)
  }
  const mailSettings = { ...deps.mailSettings, locals: locals && localsWithSample }
  const { address: email } = ADDRESS
  const user = deps.settings.user && { id: 'otp-sample', email, name: recipient.name, locale }
  const failures: Finding[] = []
  const rendered = await renderMail(
    { ...deps, mailSettings },
    { mail, purpose, locale, email, user },
    plain,
    (error) => {
      failures.push(failureFinding(error))
    },
  )
  return { rendered, custom, failures }
}

function failureFinding({ message, cause }: OtpError): Finding {
  const [first = ''] = cause instanceof Error ? cause.message.split('\n', 1) : [] // the rest is its stack
  const reason = `${message} ${first}`.trim()
  const cure = 'Mend it: until then another mail goes out.'
  return { ...RENDER_FAILED, part: 'html', message: reason, cure, excerpt: '' }
}

function findSample(views: Renderer, name: string): Sample {
  const found = views.samples.find((sample) => sample.name === name)
  if (found) return found
  throw new OtpError('invalid_option', `There is no sample "${name}".${didYouMean(name, sampleNames(views))}`)
}

/** A code of ours in the format of the host's: of its length, in its alphabet. One that the host's sample gives stays. */
function codeOf({ code }: Sample, { alphabet, length }: CodeFormat): string {
  if (code.includes('-') || !SAMPLES.some((ours) => ours.code === code)) return code
  const index = (i: number): number => Number(code.charAt(i % code.length)) + 3 * Math.floor(i / code.length)
  return Array.from({ length }, (_, i) => alphabet.charAt(index(i) % alphabet.length)).join('')
}
