import type { PageContext } from '../config/page.js'
import type { MailContext } from './context.js'

/** What a template may name: type, meaning and an example. The tables of docs/template-reference.md are made of these. */
export interface Variable<T extends VariableType = VariableType> {
  readonly type: T
  readonly meaning: string
  /** As it is printed; empty where nothing is. */
  readonly example: string
}

export type VariableType = 'text' | 'number' | 'boolean' | 'list' | 'object' | 'html'

type TypeOf<V> = V extends boolean
  ? 'boolean'
  : V extends number
    ? 'number'
    : V extends readonly unknown[]
      ? 'list'
      : V extends object
        ? 'object'
        : 'text'

/** The paths of the members of a context that have no members of their own. */
type Path<T> = {
  [K in keyof T & string]: TypeOf<T[K]> extends 'object' ? (string extends keyof T[K] ? K : `${K}.${Path<T[K]>}`) : K
}[keyof T & string]

type ValueAt<T, P extends string> = P extends keyof T
  ? T[P]
  : P extends `${infer K extends keyof T & string}.${infer Rest}`
    ? ValueAt<T[K], Rest>
    : never

/** The compiler refuses a table that misses a member of the context, has one too many, or gives it another type. */
type VariablesOf<T> = { readonly [P in Path<T>]: Variable<TypeOf<ValueAt<T, P>>> }

const text = (meaning: string, example = ''): Variable<'text'> => ({ type: 'text', meaning, example })
const number = (meaning: string, example: string): Variable<'number'> => ({ type: 'number', meaning, example })
const boolean = (meaning: string): Variable<'boolean'> => ({ type: 'boolean', meaning, example: 'false' })
const object = (meaning: string): Variable<'object'> => ({ type: 'object', meaning, example: '' })
const html = (meaning: string): Variable<'html'> => ({ type: 'html', meaning, example: '' })

const COMMON = {
  locale: text('language tag', 'en'),
  dir: text('`ltr` or `rtl`', 'ltr'),
  'site.name': text('name of your site', 'Acme'),
  'site.origin': text('scheme and host of your site', 'https://acme.example'),
  'site.domain': text('its host name', 'acme.example'),
  'site.supportUrl': text('where to get help', '/help'),
  'brand.accent': text('colour of buttons and links', '#1d4ed8'),
  'brand.accentInk': text('colour of text on `brand.accent`', '#ffffff'),
  'brand.accentDark': text('`brand.accent` on a dark ground', '#8fb0ff'),
  'brand.accentDarkInk': text('colour of text on `brand.accentDark`', '#0d1630'),
  'brand.logo.src': text('URL of the logo, its `cid:` in mails; empty without a logo'),
  'brand.logo.width': number('width of the logo in px', '120'),
  'brand.logo.height': number('height of the logo in px', '40'),
  'brand.logo.alt': text('text of the logo', 'Acme'),
  'brand.address': text('your postal address; empty if there is none', '1 Main Street, Springfield'),
  'brand.colorScheme': text('`light dark`, or `light`', 'light dark'),
  purpose: text('name of the purpose', 'transfer'),
  purposeText: text('the action in words; empty for plain access', 'Send 50.00 EUR to Ana'),
  'recipient.masked': text('the address, shortened', 'a•••@example.com'),
  'expires.in': text('how long the code works', '10 minutes'),
  'request.tag': text('three letters that page and mail have in common', 'KQF'),
}

const PAGE = {
  page: text('`email`, `send`, `code`, `verified`, `continue` or `problem`', 'code'),
  title: text('heading of the page', 'Enter the code'),
  ...COMMON,
  path: text('where the router is mounted', '/2fa'),
  assetVersion: text('hash of all assets, for their URLs: `?v={{assetVersion}}`'),
  for: text('what the guard asked for, sealed; empty if no guard led here'),
  fields: {
    type: 'list',
    meaning: 'further hidden fields of each form, `{ name, value }`, from `formFields`',
    example: '',
  },
  autoSend: text('not empty if the script may press "send"'),
  'recipient.typed': text('what was typed and is not an address', 'ana@example'),
  'recipient.changeable': boolean('whether another address may be typed'),
  'code.label': text('label of the field', 'Enter the 6-digit code'),
  'code.length': number('characters of the code', '6'),
  'code.isLong': boolean('whether it is the 13-character code'),
  'code.inputMode': text('`numeric` or `text`', 'numeric'),
  trustDays: text('for how long the box `trust` is offered; else empty', '30 days'),
  'resend.seconds': number('seconds until the next mail is allowed', '30'),
  delivery: text('`sent`, `queued`, `failed` or empty', 'sent'),
  deliveryText: text('the same in words'),
  error: text('what went wrong, in words; else empty', 'That code is wrong.'),
  returnTo: text('where "continue" and "try again" lead', '/account'),
  custom: object('what your `locals` function returned; empty on problem pages'),
} as const satisfies VariablesOf<PageContext>

const MAIL = {
  ...COMMON,
  mail: text('`code`, or `alert` for the warning to an owner', 'code'),
  start: text('`left`, or `right` for `rtl`: mail programs know no logical sides', 'left'),
  end: text('the side opposite to `start`', 'right'),
  'recipient.name': text('name of the user, if it is safe to print; empty for typed addresses', 'Ana'),
  code: text('the code as it is typed; empty in `mail/alert/`', '482915'),
  isLong: boolean('whether the code is longer than 10 characters'),
  codeInSubject: boolean('whether the subject shows the code'),
  'expires.minutes': number('minutes that are left', '10'),
  'expires.at': text('when the code ends', '14:32 UTC'),
  'expires.iso': text('the same as RFC 3339', '2030-01-01T14:32:00.000Z'),
  'request.at': text('when the mail was made', '14:22 UTC'),
  boundLine: text('the last line of the text; empty without `site.origin`', '@acme.example #482915'),
  custom: object('what your `mail.locals` returned; empty without it'),
} as const satisfies VariablesOf<MailContext>

/** By path. The layouts get a few more than the context has. Any name under `custom` is allowed. */
export const PAGE_VARIABLES: Readonly<Record<string, Variable>> = { ...PAGE, body: html('in the layout: the page') }
export const MAIL_VARIABLES: Readonly<Record<string, Variable>> = {
  ...MAIL,
  subject: text('the rendered subject; in `preheader`, `html`, `text` and layouts', 'Your Acme code'),
  preheader: text('the rendered preheader; in `html`, `text` and layouts'),
  body: html('in the layouts: the mail'),
}

/** The names that templates may use, checked at start: `site` too, for `{{#with site}}`. */
export const VARIABLES: Readonly<Record<'page' | 'mail', readonly string[]>> = {
  page: withObjects(Object.keys(PAGE_VARIABLES)),
  mail: withObjects(Object.keys(MAIL_VARIABLES)),
}

/** Those of them that have members, or are a list: they print nothing useful. */
export const OBJECTS: Readonly<Record<'page' | 'mail', readonly string[]>> = {
  page: objectsOf(VARIABLES.page),
  mail: objectsOf(VARIABLES.mail),
}

/** The variables in `{{#each fields}}`. */
export const FIELD_VARIABLES: readonly string[] = ['fields[].name', 'fields[].value']

/** `brand`, `brand.logo`, `brand.logo.src`, … */
function withObjects(paths: readonly string[]): string[] {
  const prefixes = (path: string): string[] => path.split('.').map((_, i, names) => names.slice(0, i + 1).join('.'))
  return [...new Set(paths.flatMap(prefixes))]
}

function objectsOf(paths: readonly string[]): string[] {
  return ['custom', 'fields', ...paths].filter((one, i, all) => i < 2 || all.some((path) => path.startsWith(`${one}.`)))
}
