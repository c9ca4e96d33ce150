#!/usr/bin/env node
import { didYouMean } from '../suggest.js'
import { packageVersion } from '../views/original.js'
import { CommandError } from './command.js'
import { COMMANDS } from './commands.js'
import { commandHelp, generalHelp } from './help.js'
import { type Io, processIo } from './io.js'
import { parseArguments } from './parse-arguments.js'

const io = processIo()
void run(process.argv.slice(2), io).then((exitCode) => {
  // The host's own pools and timers would keep the process running. What is written so far arrives first.
  process.stdout.write('', () => process.exit(exitCode))
})

async function run([name, ...args]: readonly string[], { write, note }: Io): Promise<number> {
  const print = (text: string): number => {
    write(text)
    return 0
  }
  try {
    if (name === undefined) throw new CommandError(`which command?\n\n${await generalHelp(COMMANDS)}`)
    if (name === '--version') return print(packageVersion())
    if (name === 'help' || name === '--help') return print(await generalHelp(COMMANDS))
    const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
    if (!load) throw new CommandError(unknownCommand(name))
    const command = await load()
    const parsed = parseArguments(command, args)
    return parsed.has('help') ? print(commandHelp(name, command)) : await command.run(parsed, io)
  } catch (error) {
    note(`express-email-otp: ${error instanceof Error ? error.message : String(error)}`)
    return error instanceof CommandError ? error.exitCode : 1
  }
}

function unknownCommand(name: string): string {
  const names = Object.keys(COMMANDS)
  return `unknown command "${name}".${didYouMean(name, names)} Known: ${names.join(', ')}.`
}
