import { randomUUID } from 'node:crypto'
import { buildMessage, type ComposeDeps, type ComposedMail } from './message.js'
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
 * @throws OtpError `invalid_option` for an unknown sample, `render_failed`
 */
export async function composeSampleMail(deps: ComposeDeps, request: SampleMailRequest): Promise<SampleMail> {
  const { settings, views } = deps
  const { purpose, locale, values = {} } = request
  const sample = findSample(views, request.sample)
  const format = settings.code[settings.user ? 'user' : 'address']
  const code = codeOf(sample, format)
  const codeInSubject = settings.codeInSubject === 'always' || (settings.codeInSubject === 'auto' && !settings.user)
  const options = { locale, purpose, codeInSubject, custom: sample.custom, site: settings.site, brand: settings.brand }
  const context = deepMerge(sampleMail({ ...sample, code }, options), values)
  const rendered = await Promise.resolve(views.renderMail(purpose, context))
  const send = { id: randomUUID(), at: settings.now() }
  const { message } = buildMessage(deps, rendered, { ...send, to: ADDRESS, code: context.code || null })
  return { context, rendered, message, findings: findInMail(rendered, context) }
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
