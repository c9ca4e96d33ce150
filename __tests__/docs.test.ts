import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const ROOT = path.join(__dirname, '..')
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8')

/** Titles that begin with the ids of rules, such as "V1: …" or "S4 and W2: …". */
const TITLE = /(['"`])([A-Z]\d{1,2}(?:(?:, | and |\/)[A-Z]\d{1,2})*): (.*?)(?<!\\)\1/gs

describe('docs/security.md', () => {
  const rows = new Map(
    read('docs/security.md')
      .split('\n')
      .flatMap((line) => {
        const id = /^\| ([A-Z]\d+) /.exec(line)?.[1]
        return id === undefined ? [] : [[id, line] as const]
      }),
  )
  const tests = readdirSync(__dirname, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.test.ts'),
  )
  const proofs = tests.flatMap((file) =>
    [...read(`__tests__/${file}`).matchAll(TITLE)].flatMap(([, , ids = '', title = '']) =>
      ids.split(/, | and |\//).map((id) => ({ id, file, title })),
    ),
  )

  test('names each test that carries the id of a rule', () => {
    const isNamed = ({ id, file, title }: (typeof proofs)[number]): boolean =>
      (rows.get(id) ?? '').includes(`\`${file}\``) && (rows.get(id) ?? '').includes(title.replaceAll('|', '\\|'))
    expect(proofs.length).toBeGreaterThan(100)
    expect(proofs.filter((proof) => !isNamed(proof))).toEqual([])
  })

  test('leaves no rule without a test', () => {
    const proven = new Set(proofs.map(({ id }) => id))
    expect(rows.size).toBeGreaterThan(60)
    expect([...rows.keys()].filter((id) => !proven.has(id))).toEqual([])
  })
})

describe('the README', () => {
  const readme = read('README.md')

  test('names every option, and only such as exist', () => {
    const table = [...readme.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name]) => name)
    const options = /const OPTION_KEYS =\n([\s\S]*?)\n\n/.exec(read('src/config/settings.ts'))?.[1] ?? ''
    const names = [...options.matchAll(/[a-zA-Z]+/g)].map(([name]) => name)
    expect(names).toHaveLength(21)
    expect(table).toEqual(expect.arrayContaining(names))
  })

  test('names every problem and every event', () => {
    const problems = [...read('src/http/response/problem.ts').matchAll(/^ {2}(\w+): \d{3},/gm)].map(
      ([, code]) => code ?? '',
    )
    const events = [...read('src/events.ts').matchAll(/readonly type: '(\w+)'/g)].map(([, type]) => type ?? '')
    expect(problems).toHaveLength(16)
    expect(events).toHaveLength(10)
    for (const name of [...problems, ...events]) expect(readme).toContain(`\`${name}\``)
  })

  test('names every member and every outcome of the events, and all that `emailOtp()` gives', () => {
    const watch = /### Watch it([^]*?)\n## /.exec(readme)?.[1] ?? ''
    const events = read('src/events.ts').replace(/export type Published[^]*/, '')
    const members = [...events.matchAll(/readonly (\w+):/g)].map(([, name]) => name ?? '')
    const outcomes = [...events.matchAll(/readonly outcome: ('.*)$/gm)].flatMap(([, union = '']) =>
      [...union.matchAll(/'(\w+)'/g)].map(([, outcome]) => outcome ?? ''),
    )
    const implied = ['type', 'accepted', 'redeemed'] // said by the name of the event
    const all = [...new Set([...members, ...outcomes])].filter((name) => !implied.includes(name))
    expect(all.length).toBeGreaterThan(35)
    expect(all.filter((name) => !watch.includes(`\`${name}\``))).toEqual([])

    const plugin = /export interface EmailOtp \{([^]*?)\n\}/.exec(read('src/email-otp.ts'))?.[1] ?? ''
    const given = [...plugin.matchAll(/readonly (\w+):/g)].map(([, name]) => name ?? '')
    expect(readme).toContain(`\`emailOtp()\` gives \`{ ${given.join(', ')} }\`.`)
  })
})
