import { cureForVariable } from '../../views/nearest-name.js'
import { MAIL_VARIABLES, PAGE_VARIABLES, type Variable } from '../../views/variables.js'
import { type Command, CommandError, JSON_FLAG } from '../command.js'

const VARIABLES = { page: PAGE_VARIABLES, mail: MAIL_VARIABLES }
const KINDS = ['page', 'mail'] as const

export const vars: Command = {
  summary: 'what a template may name, with types, meanings and examples',
  operands: '[page|mail] [name]',
  flags: JSON_FLAG,
  run({ operands, has }, { write, style }) {
    const kinds = KINDS.filter((kind) => !KINDS.includes(operands[0] as 'page') || kind === operands[0])
    const [name = ''] = operands.slice(kinds.length === 1 ? 1 : 0)
    const found = kinds.map(
      (kind) => [kind, Object.entries(VARIABLES[kind]).filter(([one]) => isAt(one, name))] as const,
    )
    if (found.every(([, variables]) => variables.length === 0)) {
      const cures = kinds.map((kind) => cureForVariable(name, Object.keys(VARIABLES[kind])))
      throw new CommandError(`There is no variable "${name}". ${cures.find((one) => one.includes('"')) ?? cures[0]}`)
    }
    if (has('json')) {
      write(JSON.stringify(Object.fromEntries(found.map(([kind, rows]) => [kind, Object.fromEntries(rows)])), null, 2))
    } else {
      for (const [kind, rows] of found) {
        write(style('bold', `Variables of ${kind}s`))
        for (const row of rows) write(line(row))
      }
    }
    return Promise.resolve(0)
  },
}

/** `brand.logo` has `brand.logo.src` too. */
function isAt(path: string, name: string): boolean {
  return name === '' || path === name || path.startsWith(`${name}.`)
}

function line([name, { type, meaning, example }]: [string, Variable]): string {
  return `  ${name.padEnd(22)}  ${type.padEnd(7)}  ${meaning}${example && ` (${example})`}`
}
