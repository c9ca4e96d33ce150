import { composeSampleMail, type SampleMail, sampleNames, samplePurposes } from '../mail/sample-mail.js'
import type { Services } from '../services.js'
import { didYouMean } from '../suggest.js'
import { matchLocale } from '../views/locales.js'
import { type Arguments, CommandError } from './command.js'

export const SAMPLE_FLAGS = {
  locale: { type: 'string', value: 'TAG', help: 'language; the default one of the options, or en' },
  sample: { type: 'string', value: 'NAME', help: 'typical, minimal, long, hostile, or one of samples/*.json' },
} as const

/** Composes the mail that the operand and the flags name. @throws CommandError */
export async function composeNamed(services: Services, args: Arguments): Promise<SampleMail> {
  const { views, settings } = services
  const purposes = [...samplePurposes(views), 'code']
  const [purpose, ...more] = args.operands
  if (purpose === undefined || more.length > 0) throw new CommandError(`Give one mail: ${purposes.join(', ')}.`)
  const locale = args.text('locale') ?? settings.locale
  const sample = args.text('sample') ?? 'typical'
  return composeSampleMail(services, {
    purpose: known('mail', purpose, purposes),
    locale: matchLocale(views.locales, locale) ?? known('--locale', locale, views.locales),
    sample: known('--sample', sample, sampleNames(views)),
  })
}

function known(what: string, name: string, names: readonly string[]): string {
  if (names.includes(name)) return name
  throw new CommandError(`unknown ${what} "${name}".${didYouMean(name, names)} Known: ${names.join(', ')}.`)
}
