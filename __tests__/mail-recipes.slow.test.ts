import { rmSync } from 'node:fs'
import path from 'node:path'
import { Mailbox, type Received } from './helpers/mailbox.js'
import { run } from './helpers/packed.js'
import { snippet } from './helpers/readme.js'
import { compiled, RecipeProject } from './helpers/recipe-project.js'
import { RecipeVisitor } from './helpers/recipe-visitor.js'

const PACKAGES = [
  'express@5 express-session@1 mjml@5',
  'react@19 react-dom@19 @react-email/components@1 @react-email/render@2',
].flatMap((line) => line.split(' '))

/** The program of the page about React Email, with its component as the compiler makes it. */
const react = (name: string): string => snippet(name).replace('./code-mail.js', './code-mail.mjs')

/** The same program with the templates in `views`. */
const withViews = (): string =>
  react('react-email')
    .replace(/^ +render: renderMail,\n/m, '')
    .replace('emailOtp({', "emailOtp({ views: 'views',")

let mailbox: Mailbox
let project: RecipeProject
beforeAll(async () => {
  project = await RecipeProject.install(PACKAGES)
  project.write('code-mail.mjs', compiled(snippet('code-mail.tsx'), 'code-mail.tsx'))
  mailbox = await new Mailbox().listen()
}, 180_000)
afterEach(() => {
  project.stop()
  rmSync(path.join(project.folder, 'views'), { recursive: true, force: true })
})
afterAll(async () => {
  project.remove()
  await mailbox.close()
})

/** The mail that a visitor of the program gets. Its code opens the page. */
async function mailOf(source: string): Promise<Received> {
  const origin = await project.runSource('app', source, { SMTP_URL: mailbox.url })
  const ana = new RecipeVisitor(origin, mailbox)
  await ana.post('/sign-in')
  await ana.withCode(() => ana.get('/account'))
  await ana.get('/account').expect(200, 'Hello ana@example.com')
  return mailbox.last
}

test('MJML: the command makes a template, and the mail has the code', async () => {
  project.write('views/mail/code/html.mjml', snippet('html.mjml'))
  await run(project.folder, 'npx', 'mjml', 'views/mail/code/html.mjml', '-o', 'views/mail/code/html.hbs')
  const { mail } = await mailOf(withViews())
  expect(mail.html).toContain('mj-column-per-100')
  expect(mail.html).toContain(`>${mailbox.code}</span>`)
  expect(mail.html).not.toContain('{{')
})

test('React Email ahead of time: the component makes a template, and the mail has the code', async () => {
  await run(project.folder, process.execPath, project.write('make-mails.mjs', react('make-mails')))
  const { mail } = await mailOf(withViews())
  expect(mail.html).toContain('Your <!-- -->Acme<!-- --> code')
  expect(mail.html).toContain(`<span dir="ltr">${mailbox.code}</span>`)
  expect(mail.html).not.toContain('{{')
})

test('React Email live: subject, HTML and text are those of the component', async () => {
  const { mail } = await mailOf(react('react-email'))
  expect(mail.subject).toBe('Your Acme code')
  expect(mail.html).toContain(`<span dir="ltr">${mailbox.code}</span>`)
  expect(mail.text).toMatch(/It works for 10 minutes\./)
  expect(mail.text?.trim()).toMatch(new RegExp(`@acme\\.example #${mailbox.code}$`))
})
