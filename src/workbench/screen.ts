import { readFileSync } from 'node:fs'
import path from 'node:path'
import Handlebars from 'handlebars'

/** Shipped with the package: the same path from `src` and from `dist`. */
export const ASSETS = path.join(__dirname, '..', '..', 'src', 'workbench', 'assets')

const PARTIALS = ['preview-list', 'inbox-list', 'toolbar', 'failure', 'panels', 'message', 'inbox-line'] as const

export type RenderScreen = (name: 'screen' | 'send-result', values: object) => string

/** Compiles the pages of the workbench itself, which have nothing of the host's templates. */
export function loadScreens(): RenderScreen {
  const handlebars = Handlebars.create()
  const read = (name: string): string => readFileSync(path.join(ASSETS, `${name}.hbs`), 'utf8')
  for (const name of PARTIALS) handlebars.registerPartial(name, read(name))
  const compile = (name: string): Handlebars.TemplateDelegate => handlebars.compile(read(name), { strict: true })
  const templates = { screen: compile('screen'), 'send-result': compile('send-result') }
  return (name, values) => templates[name](values)
}
