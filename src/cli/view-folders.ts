import path from 'node:path'
import type { OtpOptions } from '../config/options.js'
import { CommandError } from './command.js'

/** The host's folders. */
export function viewFolders({ views = [] }: OtpOptions): readonly string[] {
  return [views].flat()
}

/** @throws CommandError if there is none */
export function firstViewFolder(options: OtpOptions): string {
  const [first] = viewFolders(options)
  if (first !== undefined) return first
  throw new CommandError('The options have no `views`: name the folder there.')
}

/** As somebody in this folder would type it. */
export function shownPath(file: string): string {
  const relative = path.relative(process.cwd(), file)
  return relative.startsWith('..') ? file : relative
}
