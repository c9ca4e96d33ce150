import { parseArgs } from 'node:util'
import { didYouMean } from '../suggest.js'
import { type Arguments, type Command, CommandError, type Flag } from './command.js'

export const HELP_FLAG: Readonly<Record<string, Flag>> = { help: { type: 'boolean', help: 'this text' } }

/** @throws CommandError with what is known and the nearest name */
export function parseArguments({ flags, operands }: Command, args: readonly string[]): Arguments {
  const known = { ...flags, ...HELP_FLAG }
  const { values, positionals } = parse(known, args)
  if (operands === undefined && positionals[0] !== undefined && values.help !== true) {
    throw new CommandError(`unexpected "${positionals[0]}". ${list(known)}`)
  }
  return {
    operands: positionals,
    text: (flag) => values[flag] as string | undefined,
    texts: (flag) => (values[flag] ?? []) as readonly string[],
    has: (flag) => values[flag] !== undefined,
  }
}

type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>

function parse(
  known: Readonly<Record<string, Flag>>,
  args: readonly string[],
): { values: Values; positionals: string[] } {
  const options = Object.fromEntries(
    Object.entries(known).map(([name, { type, multiple = false }]) => [name, { type, multiple }]),
  )
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const unknown = /'(-[^' ]*)'/.exec(message)?.[1]
    if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION' || unknown === undefined) throw new CommandError(`${message}.`)
    const names = Object.keys(known).map((name) => `--${name}`)
    throw new CommandError(`unknown ${unknown}.${didYouMean(unknown, names)} ${list(known)}`)
  }
}

function list(flags: Readonly<Record<string, Flag>>): string {
  return `Known here: ${Object.keys(flags)
    .map((name) => `--${name}`)
    .join(', ')}.`
}

/** The value of a flag, if it is one of those. @throws CommandError */
export function oneOf<T extends string>(args: Arguments, flag: string, known: readonly T[]): T | undefined {
  const value = args.text(flag)
  const found = known.find((one) => one === value)
  if (value === undefined || found !== undefined) return found
  throw new CommandError(`unknown --${flag} "${value}".${didYouMean(value, known)} Known: ${known.join(', ')}.`)
}
