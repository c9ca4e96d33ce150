import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { resolveSettings } from '../src/config/settings.js'
import { PROBLEMS } from '../src/http/response/problem.js'
import { RENDER_FAILED } from '../src/mail/sample-mail.js'
import { MAIL_RULES } from '../src/views/mail-findings.js'
import { TEXT_RULES } from '../src/views/text-findings.js'
import { MAIL_VARIABLES, PAGE_VARIABLES } from '../src/views/variables.js'
import { PAGES } from './helpers/readme.js'

const ROOT = path.join(__dirname, '..')
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8')
const HEAD_PAGES = ['CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md']

/** Titles that begin with the ids of rules, one or several. */
const TITLE = /(['"`])([A-Z]\d{1,2}(?:(?:, | and |\/)[A-Z]\d{1,2})*): (.*?)(?<!\\)\1/gs

/** The part of a page below a heading, up to the next heading of the same level. */
function section(page: string, heading: string): string {
  const [, level = '', rest = ''] =
    new RegExp(`^(#+) ${heading.replace(/[()]/g, '\\$&')}\\n([^]*)`, 'm').exec(page) ?? []
  if (level === '') throw new Error(`there is no heading "${heading}"`)
  return rest.split(new RegExp(`^#{1,${level.length}} `, 'm'))[0] ?? ''
}

/** The rows of all tables in a text, as cells without padding; header and ruler are left out. */
function rows(text: string): string[][] {
  const lines = text.split('\n')
  const isRow = (line: string | undefined): boolean => line?.startsWith('|') ?? false
  const isRuler = (line: string | undefined): boolean => /^\|[ :|-]+\|$/.test(line ?? '')
  return lines
    .filter((line, i) => isRow(line) && !isRuler(line) && !isRuler(lines[i + 1]))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    )
}

/** The names in the first cells: `` `locale`, `dir` `` are two. */
function names(text: string): string[] {
  return rows(text).flatMap(([first = '']) => [...first.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''))
}

/** The names in backquotes anywhere in a text. */
function mentioned(text: string): Set<string> {
  return new Set([...text.matchAll(/`([^`\n]+)`/g)].map(([, name]) => name ?? ''))
}

/** Members of an interface, of its own level only. */
function members(source: string, name: string): string[] {
  const body = new RegExp(`export interface ${name} (?:extends \\w+ )?\\{([^]*?)\\n\\}`).exec(source)?.[1] ?? ''
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, member]) => member ?? '')
}

describe('docs/security.md', () => {
  const rules = new Map(
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
      (rules.get(id) ?? '').includes(`\`${file}\``) && (rules.get(id) ?? '').includes(title.replaceAll('|', '\\|'))
    expect(proofs.length).toBeGreaterThan(100)
    expect(proofs.filter((proof) => !isNamed(proof))).toEqual([])
  })

  test('leaves no rule without a test', () => {
    const proven = new Set(proofs.map(({ id }) => id))
    expect(rules.size).toBeGreaterThan(60)
    expect([...rules.keys()].filter((id) => !proven.has(id))).toEqual([])
  })
})

describe('docs/options.md', () => {
  const page = read('docs/options.md')
  const table = section(page, '`emailOtp(options)`').split('\n### ')[0] ?? ''
  const options = read('src/config/options.ts')
  const settings = resolveSettings({
    secret: 'x'.repeat(32),
    site: { name: 'Acme' },
    mail: { transport: 'smtp://localhost', from: 'no-reply@acme.example' },
    user: () => null,
  })

  test('documents every option, and only such as exist', () => {
    const existing = members(options, 'OtpOptions')
    expect(existing.length).toBeGreaterThan(20)
    expect(existing.filter((name) => !names(table).includes(name))).toEqual([])
    expect(names(table).filter((name) => !existing.includes(name))).toEqual([])
  })

  test('documents every option of `mail`, `site` and `code`, and every option of a guard', () => {
    const mail = /^ {2}mail: \{\n([^]*?)\n {2}\}/m.exec(options)?.[1] ?? ''
    const existing = [...mail.matchAll(/^ {4}(\w+)\??:/gm)].map(([, name]) => name)
    expect(names(section(page, 'mail')).sort()).toEqual(existing.sort())
    const code = mentioned(section(page, 'code'))
    expect(members(options, 'CodeOptions').every((name) => [...code].some((one) => one.includes(name)))).toBe(true)
    expect([...mentioned(section(page, 'site'))]).toEqual(expect.arrayContaining(['name', 'origin', 'supportUrl']))
    const guard = members(read('src/config/guard-options.ts'), 'GuardOptions')
    expect(names(section(page, '`requireOtp(options)`')).sort()).toEqual(guard.sort())
  })

  test('has the defaults of the code', () => {
    const defaults = Object.fromEntries(rows(table).map(([name, value]) => [name, value]))
    const { path: mountPath, locale, lifetime, attempts, grantMaxAge } = settings
    expect(defaults).toMatchObject({
      '`path`': `\`'${mountPath}'\``,
      '`locale`': `\`'${locale}'\``,
      '`lifetime`': `\`${lifetime}\``,
      '`attempts`': `\`${attempts}\``,
      '`grantMaxAge`': `\`${grantMaxAge}\``,
    })
    const limits = rows(section(page, 'limits')).map((cells) => cells.slice(0, 3))
    const { resend, sendsPerUser, sendsPerAddress, sendsPerIp, failures } = settings.limits
    const expected = Object.entries({ sendsPerUser, sendsPerAddress, sendsPerIp, resendAfter: resend, failures })
    expect(limits).toEqual(expected.map(([name, limit]) => [`\`${name}\``, `${limit.capacity}`, `\`${limit.refill}\``]))
  })

  test('names all that `emailOtp()` and `start()` return', () => {
    const plugin = members(read('src/email-otp.ts'), 'EmailOtp')
    expect(page).toContain(`\`emailOtp()\` returns \`{ ${plugin.join(', ')} }\`.`)
    const described = names(section(page, 'What you get back')).map((name) => name.replace(/\(.*/, ''))
    expect(described.filter((name) => plugin.includes(name)).sort()).toEqual(plugin.sort())
    const start = read('src/http/start.ts')
    const own = mentioned(section(page, 'Mail the code from your own POST'))
    const outcomes = [...(/readonly delivery: (.*)/.exec(start)?.[1] ?? '').matchAll(/'(\w+)'/g)].map(([, one]) => one)
    expect(outcomes).toHaveLength(5)
    expect([...own]).toEqual(expect.arrayContaining([...outcomes, ...members(start, 'StartOptions')]))
  })
})

describe('docs/json-api.md', () => {
  const page = read('docs/json-api.md')

  test('documents every problem code with its status, and only such as exist', () => {
    const documented = rows(section(page, 'Problems')).map(([code = '', status]) => [code.slice(1, -1), Number(status)])
    expect(Object.fromEntries(documented)).toEqual({ ...PROBLEMS })
  })

  test('documents every route', () => {
    const routes = [...read('src/http/router.ts').matchAll(/router\.post\('(\/\w+)'/g)].map(([, route]) => route)
    expect(routes).toHaveLength(3)
    const documented = names(section(page, 'Routes')).filter((name) => name.startsWith('POST'))
    expect(documented).toEqual(routes.map((route) => `POST ${route}`))
  })
})

describe('docs/events.md', () => {
  const page = read('docs/events.md')
  const source = read('src/events.ts').replace(/export type Published[^]*/, '')
  const quoted = (text: string): string[] => [...text.matchAll(/'([\w-]+)'/g)].map(([, one]) => one ?? '')

  test('documents every event, and only such as exist', () => {
    const types = [...source.matchAll(/readonly type: '(\w+)'/g)].map(([, type]) => type ?? '')
    expect(types.length).toBeGreaterThan(9)
    expect(names(section(page, 'Every event')).filter((name) => types.includes(name))).toEqual(
      expect.arrayContaining(types),
    )
    expect(
      rows(section(page, 'Every event'))
        .map(([type = '']) => type.slice(1, -1))
        .sort(),
    ).toEqual(types.sort())
  })

  test('documents every member and every outcome', () => {
    const documented = names(section(page, 'Members'))
    const existing = [...source.matchAll(/readonly (\w+):/g)].map(([, name]) => name ?? '')
    expect(existing.filter((name) => !documented.includes(name))).toEqual([])
    const outcomes = [...source.matchAll(/readonly outcome: ('.*)$/gm)].flatMap(([, union = '']) => quoted(union))
    expect(outcomes.length).toBeGreaterThan(20)
    expect(outcomes.filter((outcome) => !mentioned(page).has(outcome))).toEqual([])
  })

  test('documents every failure class, and so does docs/mail-delivery.md', () => {
    const declaration = /export type FailureClass =([^]*?)\n\n/
    const files = ['src/events.ts', 'src/delivery/smtp/classify.ts'].map(read)
    const classes = files.flatMap((file) => quoted(declaration.exec(file)?.[1] ?? ''))
    expect(classes).toHaveLength(14)
    expect(classes.filter((name) => !mentioned(section(page, 'Undelivered mail')).has(name))).toEqual([])
    expect(names(section(read('docs/mail-delivery.md'), 'Failure classes')).sort()).toEqual(classes.sort())
  })

  test('documents every error code', () => {
    const codes = /export type OtpErrorCode =([^]*?)\n\n/.exec(read('src/errors.ts'))?.[1] ?? ''
    const existing = [...codes.matchAll(/\| '(\w+)'/g)].map(([, code]) => code)
    expect(existing.length).toBeGreaterThan(10)
    expect(names(section(page, 'Error codes'))).toEqual(expect.arrayContaining(existing))
  })
})

describe('docs/troubleshooting.md', () => {
  const page = read('docs/troubleshooting.md')
  const sources = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => read(`src/${file}`))
    .join('\n')
  const headings = [...page.matchAll(/^### (\w+)$/gm)].map(([, heading = '']) => heading)
  const isWarning = (code: string): boolean => code.startsWith('OTP_')

  test('has a heading for each warning, and for each error that refers to it, and no other', () => {
    const declared = /export type WarningCode =([^]*?)\n\n/.exec(read('src/warn.ts'))?.[1] ?? ''
    const warnings = [...declared.matchAll(/\| '(\w+)'/g)].map(([, code]) => code)
    const errors = [...sources.matchAll(/troubleshooting\('(\w+)'\)/g)].map(([, code]) => code)
    expect([warnings.length, errors.length]).toEqual([12, 3])
    expect([...headings].sort()).toEqual([...warnings, ...errors].sort())
  })

  test('each warning is given somewhere, and nowhere but through src/warn.ts', () => {
    const given = new Set([...sources.matchAll(/\bwarn(?:Once)?\(\s*'(\w+)'/g)].map(([, code]) => code))
    expect([...given].sort()).toEqual(headings.filter(isWarning).sort())
    expect(sources.split('emitWarning')).toHaveLength(2)
  })

  test('tells symptom, cause and cure of each', () => {
    for (const heading of headings) {
      const words = [...section(page, heading).matchAll(/^\*\*(\w+)\*\*: \S/gm)].map(([, word]) => word)
      expect([heading, ...words]).toEqual([heading, 'Symptom', 'Cause', 'Cure'])
    }
  })
})

test('docs/template-reference.md documents every variable of pages and mails as src/views/variables.ts has it', () => {
  const page = read('docs/template-reference.md')
  for (const [heading, variables] of [
    ['Variables of pages', PAGE_VARIABLES],
    ['Variables of mails', MAIL_VARIABLES],
  ] as const) {
    const code = (text: string): string => text && `\`${text}\``
    const expected = Object.entries(variables).map(([name, { type, meaning, example }]) => {
      return [code(name), type, meaning, code(example)]
    })
    expect(rows(section(page, heading))).toEqual(expected)
  }
})

test('docs/template-reference.md documents every rule for mails and texts with its level, and only such as exist', () => {
  const documented = rows(section(read('docs/template-reference.md'), 'Rules for mails')).map(([rule, level]) => [
    rule,
    level,
  ])
  const existing = [RENDER_FAILED, ...MAIL_RULES, ...TEXT_RULES].map(({ rule, level }) => [`\`${rule}\``, level])
  expect(documented.sort()).toEqual(existing.sort())
})

test('docs/architecture.md names every folder of src, and only files that exist', () => {
  const folders = readdirSync(path.join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const page = read('docs/architecture.md')
  expect(folders.filter(({ name }) => !page.includes(`"${name}/<br/>`))).toEqual([])
  const paths = [...page.matchAll(/`([a-z-]+\/[a-z/-]*)`/g)].map(([, one = '']) => one)
  expect(paths.length).toBeGreaterThan(20)
  const exists = (one: string): boolean =>
    ['', '.ts'].some((ending) => existsSync(path.join(ROOT, 'src', one + ending)))
  expect(paths.filter((one) => !exists(one))).toEqual([])
})

describe('the README and docs/', () => {
  const pages = [...PAGES, ...HEAD_PAGES]

  test('the README is a first page: 200 lines at most', () => {
    expect(read('README.md').split('\n').length - 1).toBeLessThanOrEqual(200)
  })

  test.each(pages.filter((page) => page !== 'docs/security.md'))('%s has no table cell over 120 characters', (page) => {
    expect(
      rows(read(page))
        .flat()
        .filter((cell) => cell.length > 120),
    ).toEqual([])
  })

  test.each(pages)('every relative link of %s leads to a file and a heading', (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = '']) => link)
    expect(links.filter((link) => !resolves(page, link))).toEqual([])
  })

  test.each(pages)('every picture of %s exists', (page) => {
    const shown = [...read(page).matchAll(/!\[[^\]]*\]\(([^)\s]+)\)|\b(?:src|srcset)="(?!https?:|\{\{)([^"]+)"/g)]
    const files = shown.map(([, inMarkdown, inHtml]) => inMarkdown ?? inHtml ?? '')
    expect(files.filter((file) => !existsSync(path.join(ROOT, path.dirname(page), file)))).toEqual([])
  })

  test('promise no more than an e-mail code can show', () => {
    const claims = pages
      .filter((page) => page !== 'docs/security.md')
      .flatMap((page) => read(page).match(/.*\b(?:MFA|2FA login|AAL\d|phishing-resistant|two-factor)\b.*/gi) ?? [])
    expect(claims).toEqual([])
    expect(read('README.md')).toContain('An e-mail code shows that someone can read this mailbox right now.')
  })
})

function resolves(page: string, link: string): boolean {
  const [file = '', anchor] = link.split('#')
  const target = file === '' ? page : path.posix.join(path.posix.dirname(page), file)
  if (!existsSync(path.join(ROOT, target))) return false
  if (anchor === undefined) return true
  return statSync(path.join(ROOT, target)).isFile() && anchors(read(target)).includes(anchor)
}

/** Anchors as GitHub makes them of headings. */
function anchors(text: string): string[] {
  const headings = [...text.replace(/^```[^]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}
