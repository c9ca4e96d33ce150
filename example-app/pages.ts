import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Request, Response } from 'express'
import Handlebars from 'handlebars'

const PAGES = [
  'welcome',
  'overview',
  'statement',
  'transfer',
  'confirm',
  'done',
  'address',
  'inbox',
  'mail',
  'problem',
] as const

/** A page: its template, title, and the values of the template. */
export interface Page {
  readonly page: (typeof PAGES)[number]
  readonly title: string
  readonly values?: Readonly<Record<string, unknown>>
  readonly status?: number
}

export type RenderPage = (req: Request, res: Response, page: Page) => void

/** The folder of templates and styles, both for the sources and for build/example-app. */
export const APP_FOLDER = path.resolve(__dirname, __filename.endsWith('.ts') ? '.' : '../../example-app')

// Nothing inline, nothing from other origins; `frame-src` is for the mails in the inbox.
const CSP =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; frame-src 'self'; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** Compiles the bank's own pages. `common` returns the values that the layout needs on each page. */
export function loadPages(common: (req: Request) => Readonly<Record<string, unknown>>): RenderPage {
  const handlebars = Handlebars.create()
  const compile = (name: string): Handlebars.TemplateDelegate =>
    handlebars.compile(readFileSync(path.join(APP_FOLDER, 'pages', `${name}.hbs`), 'utf8'), { strict: true })
  const layout = compile('layout')
  const bodies = new Map(PAGES.map((name) => [name, compile(name)]))

  return (req, res, { page, title, values = {}, status = 200 }) => {
    const context = { title, page, isInbox: page === 'inbox' || page === 'mail', ...common(req), ...values }
    const body = new Handlebars.SafeString(bodies.get(page)?.(context) ?? '')
    res.status(status)
    res.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' })
    res.set({ 'Content-Security-Policy': CSP, 'Referrer-Policy': 'same-origin' })
    res.type('html').send(layout({ ...context, body }))
  }
}
