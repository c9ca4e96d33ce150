import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import path from 'node:path'

/**
 * The direction of imports, from top to bottom: a file may import from its own folder and from the lines below it.
 * Files that stand in `src/` itself are `primitives`, except those that have a line of their own.
 */
const LAYERS = [
  ['cli'],
  ['index', 'store-conformance', 'testing'],
  ['workbench'],
  ['email-otp'],
  ['http'],
  ['services'],
  ['delivery'],
  ['mail'],
  ['session'],
  ['challenge', 'views'],
  ['config'],
  ['stores'],
  ['identity'],
  ['crypto'],
  ['primitives'],
]

/** Imports that go against the direction, each with its reason. */
const EXCEPTIONS: readonly string[] = []

/** The packages that may be imported, and the folders that may do it; null is any folder. */
const PACKAGES: Record<string, readonly string[] | null> = {
  express: ['http', 'workbench', 'cli'],
  nodemailer: null,
  handlebars: null,
  diff: ['cli'],
  'postal-mime': ['workbench'],
}

const MAX_LINES = 200
const MAX_FLAT_FILES = 15

const ROOT = path.join(__dirname, '..')
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8')
const filesBelow = (folder: string): string[] =>
  readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))

/** The sources in `src/`, without folder and ending: `http/guard`. */
const FILES = filesBelow('src').flatMap((file) => /^src\/(.*)\.ts$/.exec(file)?.[1] ?? [])
/** What runs in a browser. */
const SCRIPTS = filesBelow('src').filter((file) => file.endsWith('.js'))
const textOf = (file: string): string => read(`src/${file}.ts`)
const codeOf = (file: string): string => textOf(file).replace(/\/\*[^]*?\*\//g, '')

function importsOf(file: string): string[] {
  // `from '…'` of imports and re-exports, type-only ones too; `import '…'`; import('…') and require('…')
  const specifiers =
    /^(?:import|export|\})[^'"]*\bfrom\s*['"]([^'"]+)|^import\s*['"]([^'"]+)|\b(?:import|require)\(\s*['"]([^'"]+)/gm
  return [...codeOf(file).matchAll(specifiers)].map(([, a, b, c]) => a ?? b ?? c ?? '')
}

function ownImportsOf(file: string): string[] {
  return importsOf(file)
    .filter((one) => one.startsWith('.'))
    .map((one) => path.posix.join(path.posix.dirname(file), one).replace(/\.js$/, ''))
}

/** The name by which a file stands in LAYERS. */
function unitOf(file: string): string {
  const [first = ''] = file.split('/')
  return first !== file || LAYERS.flat().includes(file) ? first : 'primitives'
}

const layerOf = (file: string): number => LAYERS.findIndex((units) => units.includes(unitOf(file)))

/** All imports among our files that match, as "a imports b". */
function importsThat(matches: (from: string, to: string) => boolean): string[] {
  return FILES.flatMap((file) =>
    ownImportsOf(file)
      .filter((one) => matches(file, one))
      .map((one) => `${file} imports ${one}`),
  )
}

describe('imports', () => {
  test('every import line of src is seen', () => {
    const lines = FILES.flatMap((file) =>
      codeOf(file)
        .split('\n')
        .filter(
          (line) => /^(?:import\b|export .*\bfrom\b|\} from\b)|\b(?:import|require)\(/.test(line) && /['"]/.test(line),
        ),
    )
    expect(FILES.flatMap(importsOf)).toHaveLength(lines.length)
    expect(lines.length).toBeGreaterThan(FILES.length)
  })

  test('every folder of src has its line', () => {
    expect(FILES.filter((file) => layerOf(file) < 0)).toEqual([])
    const units = new Set(FILES.map(unitOf))
    expect(LAYERS.flat().filter((unit) => !units.has(unit))).toEqual([])
  })

  test('imports go one way: from a folder only to those below it', () => {
    const upward = importsThat((from, to) => unitOf(to) !== unitOf(from) && layerOf(to) <= layerOf(from))
    expect(upward.sort()).toEqual([...EXCEPTIONS].sort())
  })

  test('only http and the assembly see all services', () => {
    const allowed = ['http', 'email-otp', 'services', 'testing', 'workbench', 'cli']
    expect(importsThat((from, to) => to === 'services' && !allowed.includes(unitOf(from)))).toEqual([])
  })

  test('the conformance suite imports only from stores and below', () => {
    const isOther = (file: string): boolean =>
      unitOf(file) !== 'store-conformance' && layerOf(file) < layerOf('stores/store')
    expect(importsThat((from, to) => unitOf(from) === 'store-conformance' && isOther(to))).toEqual([])
  })

  test('there is no cycle', () => {
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

  test('nothing else is imported but Node itself and the packages above', () => {
    const others = FILES.flatMap((file) =>
      importsOf(file)
        .filter((one) => !one.startsWith('.') && !isAllowed(one, file))
        .map((one) => `${file} imports ${one}`),
    )
    expect(others).toEqual([])
  })

  test('W8: the ranges of the dependencies begin behind their known holes', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> }
    const minimum = (name: string): number[] => (dependencies[name] ?? '').replace('^', '').split('.').map(Number)
    expect(Object.keys(dependencies).sort()).toEqual(['diff', 'handlebars', 'nodemailer', 'postal-mime'])
    expect(dependencies.handlebars).toMatch(/^\^4\.\d+\.\d+$/)
    expect(dependencies.nodemailer).toMatch(/^\^10\.\d+\.\d+$/)
    const [, minor = 0, patch = 0] = minimum('handlebars')
    expect(minor * 1_000 + patch).toBeGreaterThanOrEqual(7_010)
    expect(minimum('nodemailer')[1]).toBeGreaterThanOrEqual(3)
  })

  function isAllowed(specifier: string, file: string): boolean {
    if (specifier.startsWith('node:')) return isBuiltin(specifier)
    const name = specifier.split('/')[0] ?? ''
    return Object.hasOwn(PACKAGES, name) && (PACKAGES[name]?.includes(unitOf(file)) ?? true)
  }
})

describe('files and words', () => {
  test(`no file of src has more than ${MAX_LINES} lines`, () => {
    const lineCount = (text: string): number => text.trimEnd().split('\n').length
    expect(FILES.filter((file) => lineCount(textOf(file)) > MAX_LINES)).toEqual([])
    expect(SCRIPTS.filter((file) => lineCount(read(file)) > MAX_LINES)).toEqual([])
  })

  test(`at most ${MAX_FLAT_FILES} files stand in src itself`, () => {
    expect(FILES.filter((file) => !file.includes('/')).length).toBeLessThanOrEqual(MAX_FLAT_FILES)
  })

  test('no file has a name that fits everything', () => {
    expect(FILES.filter((file) => /(^|\/)(helpers?|utils?|shared|common|types|misc)$/.test(file))).toEqual([])
  })

  test('no private word is left', () => {
    // Words of earlier versions for which there is a standard term. CONTRIBUTING.md has the vocabulary.
    const words =
      'deed deeds errand errands fate fates flying giveBack holder holders hurry lane lanes letGo mailNobody news pail ' +
      'pails patience scene shelf takeOff unlessHeldUp whoIs wiretap withdraw withdrawn'
    const pattern = new RegExp(`\\b(${words.replaceAll(' ', '|')})\\b`, 'gi')
    const folders = ['src', 'views', 'example-app', 'docs', 'bench', '__tests__']
    const texts = folders.flatMap(filesBelow).filter((file) => !/node_modules|imports\.test\.ts$|\.json$/.test(file))
    const found = [...texts, 'README.md', 'SECURITY.md', 'CONTRIBUTING.md'].flatMap((file) => {
      const hits = new Set([...read(file).matchAll(pattern)].map(([word]) => word))
      return hits.size > 0 ? [`${file}: ${[...hits].join(', ')}`] : []
    })
    expect(found).toEqual([])
  })
})
