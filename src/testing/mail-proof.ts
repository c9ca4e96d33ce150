import { composeSampleMail, sampleNames, samplePurposes, type SampleMailRequest } from '../mail/sample-mail.js'
import { servicesOf } from '../services.js'
import { OptionChecker } from '../validate.js'
import type { Finding } from '../views/mail-findings.js'

const check = new OptionChecker('mailProof')

/** The proof of one mail in one language with one sample. */
export interface MailProofCase {
  /** Which mail it is. */
  readonly name: string
  /** Rejects with an Error that lists what is wrong, each with its cure. */
  readonly run: () => Promise<void>
}

export interface MailProofOptions {
  /** The languages; by default all that have texts. */
  locales?: readonly string[]
  /** Whether warnings fail too, and not only errors; `ignore` by default. */
  warnings?: 'ignore' | 'fail'
}

/**
 * Proves that the mails of a plugin can be read and used: each mail, as the host's templates and functions make it, in each
 * language, with plain, empty, very long and hostile values and with the host's own samples. Cases for any test runner.
 * Nothing is sent. Functions that the host gave for mails are called.
 * @example
 * ```ts
 * import test from 'node:test'
 * import { mailProof } from 'express-email-otp/testing'
 *
 * for (const { name, run } of mailProof(otp)) test(name, run)
 * ```
 * @param otp what `emailOtp()` returned
 */
export function mailProof(otp: object, options: MailProofOptions = {}): MailProofCase[] {
  const services = servicesOf('mailProof', otp)
  check.rejectUnknownKeys('', options, ['locales', 'warnings'])
  const { locales = services.views.locales, warnings = 'ignore' } = options
  const failing = check.oneOf('warnings', warnings, ['ignore', 'fail']) === 'fail' ? ['error', 'warning'] : ['error']
  const languages = locales.map((one) => check.oneOf('locales', one, services.views.locales))
  const prove = async (name: string, request: SampleMailRequest): Promise<void> => {
    const { findings } = await composeSampleMail(services, request)
    const wrong = findings.filter(({ level }) => failing.includes(level))
    if (wrong.length > 0) throw new Error(`${name}:\n${wrong.map(describe).join('\n')}`)
  }
  return samplePurposes(services.views).flatMap((purpose) =>
    languages.flatMap((locale) =>
      sampleNames(services.views).map((sample) => {
        const name = `the mail "${purpose}" in ${locale}, sample "${sample}"`
        return { name, run: () => prove(name, { purpose, locale, sample }) }
      }),
    ),
  )
}

function describe({ level, rule, part, message, cure }: Finding): string {
  return `- ${level} ${rule} in ${part}: ${message} ${cure}`
}
