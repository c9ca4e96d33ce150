import type { OtpOptions } from '../../config/options.js'
import { emailOtp } from '../../email-otp.js'
import { OtpError } from '../../errors.js'
import { servicesOf } from '../../services.js'
import { type Command, type ExitCode } from '../command.js'
import { type Format, formatFound, type Found, FORMATS } from '../found.js'
import { HOST_FLAGS, hostOptions } from '../host-options.js'
import type { Io } from '../io.js'
import { findInMails } from '../mail-check.js'
import { oneOf } from '../parse-arguments.js'
import { findInHostTexts } from '../text-check.js'

export const check: Command = {
  summary: 'what the start checks, and warnings about your texts and all mails in all languages; exit code 1 on errors',
  flags: {
    ...HOST_FLAGS,
    format: {
      type: 'string',
      value: FORMATS.join('|'),
      help: 'text by default; github makes annotations of a workflow',
    },
  },
  async run(args, io) {
    const format = oneOf(args, 'format', FORMATS) ?? 'text'
    const options = await hostOptions(args, io, { isNeeded: true })
    const found = await findAll(options, args.text('config') ?? '', io)
    return report(found, format, io)
  },
}

async function findAll(options: OtpOptions, configFile: string, io: Io): Promise<readonly Found[]> {
  try {
    const otp = emailOtp(options)
    const services = servicesOf('check', otp)
    const found = [...findInHostTexts(services.settings.viewFolders), ...(await findInMails(services, io))]
    await otp.close()
    return found
  } catch (error) {
    if (!(error instanceof OtpError)) throw error
    const whole = { file: configFile, line: 1, column: 1, message: error.message, cure: '' }
    const issues = error.issues.length > 0 ? error.issues : [whole]
    return issues.map((one) => ({ ...one, level: 'error', rule: null, mails: [], locales: [], samples: [] }))
  }
}

function report(found: readonly Found[], format: Format, io: Io): ExitCode {
  io.write(formatFound(found, format))
  return found.some(({ level }) => level === 'error') ? 1 : 0
}
