import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'
import { didYouMean } from '../../suggest.js'
import { listViews } from '../../views/files.js'
import {
  builtInText,
  type Original,
  originalOf,
  packageVersion,
  restamped,
  stamped,
  stampOf,
} from '../../views/original.js'
import { type Command, CommandError, JSON_FLAG } from '../command.js'
import { HOST_FLAGS, hostOptions } from '../host-options.js'
import type { Io } from '../io.js'
import { keepOriginal, keptOriginal } from '../originals.js'
import { shownPath, viewFolders } from '../view-folders.js'

/** A file that was copied from one of the package. */
interface Copy {
  readonly folder: string
  readonly path: string
  readonly file: string
  readonly original: Original
}

export const diff: Command = {
  summary: 'what changed in the originals of your copies since you made them; exit code 1 if anything did',
  operands: '[path…]',
  flags: {
    ...HOST_FLAGS,
    accept: { type: 'boolean', help: 'note that your copies <path…> now have what is new' },
    ...JSON_FLAG,
  },
  async run(args, io) {
    const options = await hostOptions(args, io, { isNeeded: true })
    const copies = viewFolders(options).flatMap(copiesIn)
    if (args.has('accept')) {
      if (args.operands.length === 0) throw new CommandError('--accept: give the paths of what you have merged.')
      for (const copy of find(copies, args.operands)) accept(copy, io)
      return 0
    }
    const asked = args.operands.length === 0 ? copies : find(copies, args.operands)
    const changes = asked.filter(({ original }) => original.isOutdated).map((copy) => changeOf(copy))
    if (args.has('json')) io.write(JSON.stringify(changes, null, 2))
    else for (const { patch } of changes) io.write(colored(patch, io))
    return changes.length > 0 ? 1 : 0
  },
}

function copiesIn(folder: string): Copy[] {
  return listViews(folder, null, () => undefined).flatMap(({ absolute: file }) => {
    const original = originalOf(file)
    return original ? [{ folder, path: path.relative(folder, file).split(path.sep).join('/'), file, original }] : []
  })
}

/** @throws CommandError with the nearest name */
function find(copies: readonly Copy[], paths: readonly string[]): Copy[] {
  const names = copies.flatMap((copy) => [copy.path, copy.path.replace(/\.hbs$/, '')])
  return paths.map((one) => {
    const found = copies.find((copy) => copy.path === one || copy.path === `${one}.hbs`)
    if (found) return found
    throw new CommandError(`No copy of a built-in file is at ${one}.${didYouMean(one, names)}`)
  })
}

/** As a patch that fits the copy. Where the original as it was is not kept, it is one from the copy to the original. */
function changeOf({
  folder,
  file,
  original,
}: Copy): Readonly<Record<'file' | 'original' | 'from' | 'to' | 'patch', string>> {
  const [from, to] = [original.version, packageVersion()]
  const name = shownPath(file)
  const before = keptOriginal(folder, original)
  const labels = before === null ? ['your copy', to] : [from, to]
  // With the comment of the copy, so that the patch fits it.
  const oldText = before === null ? readFileSync(file, 'utf8') : stamped(before, original)
  const newText = stamped(builtInText(original.path) ?? '', original)
  const patch = createTwoFilesPatch(name, name, oldText, newText, labels[0], labels[1], {
    context: 3,
    stripTrailingCr: true,
    headerOptions: FILE_HEADERS_ONLY,
  })
  return { file: name, original: original.path, from, to, patch: patch.trimEnd() }
}

function accept({ folder, file, original }: Copy, io: Io): void {
  const text = builtInText(original.path)
  if (text === null)
    throw new CommandError(`The package has no ${original.path} any more: ${shownPath(file)} is yours.`, 1)
  writeFileSync(file, restamped(readFileSync(file, 'utf8'), stampOf(original.path, text)))
  keepOriginal(folder, original.path, text)
  io.write(`${shownPath(file)}: has what is new in ${packageVersion()}`)
}

function colored(patch: string, io: Io): string {
  const color = (line: string): string =>
    line.startsWith('+') ? io.style('green', line) : line.startsWith('-') ? io.style('red', line) : line
  return patch.split('\n').map(color).join('\n')
}
