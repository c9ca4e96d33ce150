import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { didYouMean } from '../../suggest.js'
import { builtInPaths, builtInText, packageVersion, stamped, stampOf } from '../../views/original.js'
import { type Command, CommandError } from '../command.js'
import { HOST_FLAGS, hostOptions } from '../host-options.js'
import { keepOriginal } from '../originals.js'
import { firstViewFolder, shownPath } from '../view-folders.js'

export const eject: Command = {
  summary: 'copy built-in files into your first folder of views, to change them there',
  operands: '<path…>',
  flags: HOST_FLAGS,
  async run(args, io) {
    const folder = firstViewFolder(await hostOptions(args, io, { isNeeded: true }))
    if (args.operands.length === 0)
      throw new CommandError('Give paths, such as mail/code/html.hbs. `list` has them all.')
    const paths = args.operands.map(findBuiltIn)
    const existing = paths.map((one) => path.join(folder, one)).filter((file) => existsSync(file))
    if (existing.length > 0)
      throw new CommandError(`${existing.map(shownPath).join(', ')} exists: nothing was copied.`, 1)
    for (const one of paths) {
      const text = builtInText(one) ?? ''
      const file = path.join(folder, one)
      mkdirSync(path.dirname(file), { recursive: true })
      writeFileSync(file, stamped(text, stampOf(one, text)), { flag: 'wx' })
      keepOriginal(folder, one, text)
      io.write(`${shownPath(file)}: a copy of that of ${packageVersion()}`)
    }
    return 0
  },
}

/** @throws CommandError with the nearest name */
function findBuiltIn(name: string): string {
  const paths = builtInPaths()
  const found = paths.find((one) => one === name || one === `${name}.hbs`)
  if (found !== undefined) return found
  const inFolder = paths.filter((one) => one.startsWith(`${name.replace(/\/$/, '')}/`))
  if (inFolder.length > 0) throw new CommandError(`${name} is a folder. Give its files: ${inFolder.join(' ')}`)
  throw new CommandError(`There is no built-in file "${name}".${didYouMean(name, paths)} \`list\` has them all.`)
}
