import { type InventoryEntry, listInventory } from '../../views/inventory.js'
import { resolveHelpers } from '../../views/template-helpers.js'
import { textCoverage } from '../../views/text-coverage.js'
import { type Command, JSON_FLAG } from '../command.js'
import { HOST_FLAGS, hostOptions } from '../host-options.js'
import { shownPath, viewFolders } from '../view-folders.js'

const STYLES = { 'built-in': 'dim', yours: 'green', outdated: 'yellow', invalid: 'red' } as const

export const list: Command = {
  summary: 'each file: built-in, yours, outdated or invalid; how many texts each language has',
  flags: { ...HOST_FLAGS, ...JSON_FLAG },
  async run(args, io) {
    const options = await hostOptions(args, io)
    const folders = viewFolders(options)
    const files = listInventory(folders, options.locale ?? 'en', {
      helpers: resolveHelpers(options.helpers),
      hasMailLocals: options.mail.locals !== undefined,
    })
    const locales = textCoverage(folders)
    if (args.has('json')) {
      const shown = files.map(({ path, file, state, original, issues }) => {
        return {
          path,
          file: shownPath(file),
          state,
          original,
          issues: issues.map((one) => ({ ...one, file: shownPath(one.file) })),
        }
      })
      io.write(JSON.stringify({ files: shown, locales }, null, 2))
    } else {
      for (const entry of files) io.write(`${io.style(STYLES[entry.state], entry.state.padEnd(8))}  ${nameOf(entry)}`)
      io.write('')
      for (const { locale, texts, missing } of locales) {
        io.write(`${locale.padEnd(8)}  ${texts} texts${missing.length > 0 ? `, without ${listed(missing)}` : ''}`)
      }
    }
    return files.some(({ state }) => state === 'invalid') ? 1 : 0
  },
}

function nameOf({ path, file, state, original, issues: [issue] }: InventoryEntry): string {
  if (state === 'built-in') return path
  const name = shownPath(file)
  if (issue) return `${name}:${issue.line}:${issue.column}: ${issue.message}`
  return original ? `${name} (copied from ${original.version})` : name
}

function listed(keys: readonly string[]): string {
  return keys.slice(0, 5).join(', ') + (keys.length > 5 ? ` and ${keys.length - 5} more` : '')
}
