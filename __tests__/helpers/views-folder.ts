import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { OtpError } from '../../src/index.js'
import { basePageContext, type MailContext, mailContextFor } from '../../src/views/context.js'
import { createRenderer, type RenderedMail } from '../../src/views/renderer.js'
import type { HostHelpers } from '../../src/views/template-helpers.js'

/** Files of a views folder, by their path in it. */
export type Files = Record<string, string | Buffer>

const folders: string[] = []
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** A folder for `views` that is removed after the tests. */
export function viewsFolder(files: Files): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'views-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) writeView(folder, name, text)
  return folder
}

export function writeView(folder: string, name: string, text: string | Buffer): void {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
  writeFileSync(path.join(folder, name), text)
}

/** `file:line:column message cure` of each mistake, with the file relative to the folder; empty if it starts. */
export function mistakesIn(files: Files, helpers: HostHelpers = {}): string[] {
  const folder = viewsFolder(files)
  try {
    createRenderer([folder], 'en', { helpers })
    return []
  } catch (error) {
    if (!(error instanceof OtpError)) throw error
    return error.issues.map(({ file, line, column, message, cure }) => {
      return `${path.relative(folder, file)}:${line}:${column} ${message} ${cure}`
    })
  }
}

const SITE = { name: 'A & B', origin: 'https://acme.example', domain: 'acme.example', supportUrl: '/help' }

/** The page `send` of a folder with these files, without the layout. */
export function renderedPage(files: Files, helpers: HostHelpers = {}, values: object = {}): string {
  const views = createRenderer([viewsFolder({ 'layouts/page.hbs': '{{body}}', ...files })], 'en', { helpers })
  const context = { ...basePageContext, page: 'send', title: 'Title', site: SITE, custom: views.emptyCustom } as const
  return views
    .renderPage({ ...context, recipient: { masked: 'a•••@b.c', typed: '', changeable: true }, ...values })
    .trim()
}

/** A mail of a folder with these files. */
export function renderedMail(
  files: Files,
  {
    helpers = {},
    purpose = 'access',
    ...values
  }: { helpers?: HostHelpers; purpose?: string } & Partial<MailContext> = {},
): RenderedMail {
  const views = createRenderer([viewsFolder(files)], 'en', { helpers })
  const context = { ...mailContextFor(SITE, 'en'), purpose, code: '482915', boundLine: '', ...values }
  return views.renderMail(purpose, context)
}
