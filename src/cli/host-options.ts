import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { OtpOptions } from '../config/options.js'
import { type Arguments, CommandError } from './command.js'
import type { Io } from './io.js'

export const CONFIG_FLAG = {
  config: {
    type: 'string',
    value: 'FILE',
    help: 'a module that exports the options of emailOtp() as `options` or default',
  },
} as const

export const HOST_FLAGS = {
  ...CONFIG_FLAG,
  views: {
    type: 'string',
    multiple: true,
    value: 'DIR',
    help: 'a folder of views, without an app; may be given again',
  },
  'site-name': { type: 'string', value: 'NAME', help: 'name of the site, with --views; Acme by default' },
} as const

/**
 * The options that the host names. No file is read that no flag names: a folder that somebody else may write to must not get
 * its code run.
 * @param isNeeded whether the package's own views will not do
 * @throws CommandError
 */
export async function hostOptions(args: Arguments, io: Io, { isNeeded = false } = {}): Promise<OtpOptions> {
  const file = args.text('config')
  const folders = args.texts('views')
  if (file === undefined) {
    if (isNeeded && folders.length === 0) throw new CommandError('Give --config FILE, or --views DIR.')
    return placeholderOptions(folders, args.text('site-name'))
  }
  const other = ['views', 'site-name'].find((flag) => args.has(flag))
  if (other !== undefined) throw new CommandError(`Give --config or --${other}, not both: the file says it.`)
  return loadOptions(file, io)
}

/** @throws CommandError without `--config` */
export async function configuredOptions(args: Arguments, io: Io): Promise<OtpOptions> {
  const file = args.text('config')
  if (file !== undefined) return loadOptions(file, io)
  throw new CommandError('Give --config FILE: a module that exports the options of emailOtp().')
}

async function loadOptions(file: string, io: Io): Promise<OtpOptions> {
  const absolute = path.resolve(file)
  if (!existsSync(absolute)) throw new CommandError(`--config: there is no file ${file}.`)
  const options = optionsIn(await importModule(file, absolute))
  if (typeof options !== 'object' || options === null) {
    throw new CommandError(
      `--config: ${file} exports neither \`options\` nor a default. Export the options of emailOtp().`,
    )
  }
  const { secret, mail } = options as Partial<OtpOptions>
  io.credentials.addFrom({ secret, mail })
  return options as OtpOptions
}

async function importModule(file: string, absolute: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(absolute).href)
  } catch (error) {
    const { code = '', message = String(error) } = (error ?? {}) as Partial<NodeJS.ErrnoException>
    const cure =
      code === 'ERR_UNKNOWN_FILE_EXTENSION' ? " This Node needs a loader for it: NODE_OPTIONS='--import tsx'." : ''
    throw new CommandError(`--config: ${file} could not be loaded. ${message}${cure}`, 1)
  }
}

/** Of an ES module, or of `module.exports`, which is the default of a CommonJS one. */
function optionsIn(module: unknown): unknown {
  const { options, default: byDefault } = module as { options?: unknown; default?: { options?: unknown } }
  return options ?? byDefault?.options ?? byDefault
}

function placeholderOptions(views: readonly string[], name = 'Acme'): OtpOptions {
  return {
    secret: randomBytes(32).toString('base64'),
    site: { name, origin: 'https://acme.example' },
    mail: {
      transport: { sendMail: () => Promise.reject(new Error('No mail is sent without --config.')) },
      from: 'no-reply@acme.example',
    },
    user: () => null,
    typedEmail: true,
    views,
  }
}
