import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import path from 'node:path'

/** The floor plan: a file imports from its own level or from one below, never from one above. */
const LEVELS = [
  // pure values and contracts
  `errors events keys code address bucket person step-up stores/store check same-origin deadline http network problem seal mail/failure mail/report mail/server-words mail/advice`,
  // what is made once of the options, and the rooms for session, words, mail and stores
  `options policy settings session-records session host-session guard-options words view-* views mail/* stores/*`,
  // one request, step by step
  `parts challenge errand job mailing mail-report patience alert visit state delivery-text page respond send typed verify start`,
  // where Express hands over
  `guard router`,
  // assembly
  `email-otp`,
  // the public door
  `index`,
]

/** The only packages, and the only files that may import them; null is any file. */
const PACKAGES: Record<string, readonly string[] | null> = {
  express: ['router'],
  nodemailer: null,
  handlebars: null,
}

const SRC = path.join(__dirname, '../src')
const FILES = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replaceAll(path.sep, '/').replace(/\.ts$/, ''))

function importsOf(file: string): string[] {
  const text = readFileSync(path.join(SRC, `${file}.ts`), 'utf8')
  // `from '…'` of imports and re-exports, type-only ones too; `import '…'`; import('…') and require('…')
  const specifiers =
    /^(?:import|export|\})[^'"]*\bfrom\s*['"]([^'"]+)|^import\s*['"]([^'"]+)|\b(?:import|require)\(\s*['"]([^'"]+)/gm
  return [...text.matchAll(specifiers)].map(([, a, b, c]) => a ?? b ?? c ?? '')
}

function ownImportsOf(file: string): string[] {
  return importsOf(file)
    .filter((one) => one.startsWith('.'))
    .map((one) => path.posix.join(path.posix.dirname(file), one).replace(/\.js$/, ''))
}

/** The named place of a file; an exact name counts before a pattern. */
function levelOf(file: string): number {
  const fits = (pattern: string): boolean => pattern.endsWith('*') && file.startsWith(pattern.slice(0, -1))
  const exact = LEVELS.findIndex((level) => level.split(' ').includes(file))
  return exact >= 0 ? exact : LEVELS.findIndex((level) => level.split(' ').some(fits))
}

test('every import line of src is seen', () => {
  const lines = FILES.flatMap((file) =>
    readFileSync(path.join(SRC, `${file}.ts`), 'utf8')
      .split('\n')
      .filter((line) => /^(?:import\b|export .*\bfrom\b|\} from\b)/.test(line) && /['"]/.test(line)),
  )
  expect(FILES.flatMap(importsOf)).toHaveLength(lines.length)
  expect(lines.length).toBeGreaterThan(FILES.length)
})

test('every file of src has its place in the floor plan', () => {
  expect(FILES.filter((file) => levelOf(file) < 0)).toEqual([])
})

test('imports run one way: every file imports only from its own level or below', () => {
  const upward = FILES.flatMap((file) =>
    ownImportsOf(file)
      .filter((one) => levelOf(one) > levelOf(file))
      .map((one) => `${file} imports ${one}`),
  )
  expect(upward).toEqual([])
})

test('no import leads back to where it came from', () => {
  const done = new Set<string>()
  const cycles: string[] = []
  const walk = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) return void cycles.push([...way.slice(way.indexOf(file)), file].join(' → '))
    if (done.has(file)) return
    for (const one of ownImportsOf(file)) walk(one, [...way, file])
    done.add(file)
  }
  for (const file of FILES) walk(file, [])
  expect(cycles).toEqual([])
})

test('every relative import names a file of src by its built name', () => {
  const relative = FILES.flatMap((file) => importsOf(file).filter((one) => one.startsWith('.')))
  expect(relative.filter((one) => !one.endsWith('.js'))).toEqual([])
  expect(FILES).toEqual(expect.arrayContaining(FILES.flatMap(ownImportsOf)))
})

test('nothing is imported but nodemailer, handlebars, Node itself, and express where HTTP begins', () => {
  const strangers = FILES.flatMap((file) =>
    importsOf(file)
      .filter((one) => !one.startsWith('.') && !isAllowed(one, file))
      .map((one) => `${file} imports ${one}`),
  )
  expect(strangers).toEqual([])
})

test('no file of src has more than 160 lines', () => {
  const lines = (file: string): number =>
    readFileSync(path.join(SRC, `${file}.ts`), 'utf8')
      .trimEnd()
      .split('\n').length
  expect(FILES.filter((file) => lines(file) > 160)).toEqual([])
})

function isAllowed(specifier: string, file: string): boolean {
  if (specifier.startsWith('node:')) return builtinModules.includes(specifier.slice('node:'.length))
  const name = specifier.split('/')[0] ?? ''
  if (!Object.hasOwn(PACKAGES, name)) return false
  return PACKAGES[name]?.includes(file) ?? true
}
