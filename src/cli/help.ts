import type { Command, Flag } from './command.js'
import { HELP_FLAG } from './parse-arguments.js'

export async function generalHelp(commands: Readonly<Record<string, () => Promise<Command>>>): Promise<string> {
  const rows = Object.entries(commands).map(async ([name, load]) => {
    const { operands = '', summary } = await load()
    return [`${name} ${operands}`, summary] as const
  })
  return [
    'Usage: express-email-otp <command> [flags]',
    table(await Promise.all(rows)),
    'Flags of a command: express-email-otp <command> --help',
    'Exit codes: 0; 1 if errors were found; 2 for wrong use',
  ].join('\n\n')
}

export function commandHelp(name: string, { operands = '', summary, flags }: Command): string {
  const all: Readonly<Record<string, Flag>> = { ...flags, ...HELP_FLAG }
  const rows = Object.entries(all).map(([flag, { value = '', help }]) => [`--${flag} ${value}`, help] as const)
  return [`Usage: express-email-otp ${name} ${operands}`.trimEnd() + ' [flags]', `  ${summary}`, table(rows)].join(
    '\n\n',
  )
}

/** Two columns. */
export function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([first]) => first.trimEnd().length))
  return rows.map(([first, second]) => `  ${first.trimEnd().padEnd(width)}  ${second}`.trimEnd()).join('\n')
}
