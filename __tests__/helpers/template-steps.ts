import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { ParsedMail } from 'mailparser'
import { ANA, HostApp, JSON_CLIENT, NAVIGATE } from './host-app.js'
import { Mailbox } from './mailbox.js'
import { readPage, runLines } from './readme.js'
import type { OtpOptions, OtpUser } from '../../src/index.js'

/** Has the options of a step; all other files are written. */
const APP = 'app.js'
const LOGO = path.join(__dirname, 'acme-logo.png')

/** The files that each step of docs/templates.md shows. A block is a file if its name stands in bold letters above it. */
export const STEPS: ReadonlyMap<number, ReadonlyMap<string, string>> = new Map(
  readPage('docs/templates.md')
    .split(/^(?=## )/m)
    .flatMap((text) => {
      const [, number] = /^## (\d+)\. /.exec(text) ?? []
      const blocks = [...text.matchAll(/^\*\*`(\S+)`\*\*\n\n```\w+\n([^]*?)^```/gm)]
      return number ? [[Number(number), new Map(blocks.map(([, name = '', code = '']) => [name, code]))]] : []
    }),
)

/** The page that asks for a code, and the mail that has it. */
interface Asked {
  readonly page: string
  readonly mail: ParsedMail
  readonly code: string
  /** The letters that page and mail have in common. */
  readonly tag: string
}

/** An app with the files and options of docs/templates.md up to a step. */
export class StepApp {
  private constructor(
    readonly host: HostApp,
    readonly folder: string,
  ) {}

  static async start(last: number): Promise<StepApp> {
    const folder = mkdtempSync(path.join(tmpdir(), 'template-steps-'))
    const mailbox = await new Mailbox().listen()
    const steps = [...STEPS].filter(([number]) => number <= last).map(([, files]) => files)
    write(folder, 'public/logo.png')
    cpSync(LOGO, path.join(folder, 'public/logo.png'))
    let options: Partial<OtpOptions> = {
      site: { name: 'Acme', origin: 'https://acme.example', supportUrl: '/help' },
      mail: { transport: mailbox.url, from: 'Acme <no-reply@acme.example>' },
    }
    for (const files of steps) {
      for (const [name, text] of files) if (name !== APP) write(folder, name, text)
      options = await optionsIn(files.get(APP), options)
    }
    const host = await HostApp.start({
      mailbox,
      otp: below(folder, options),
      after: (app, otp) => {
        app.get('/delete-account', otp.requireOtp({ purpose: 'delete-account' }), (_req, res) => void res.send('gone'))
        const text = (req: { query?: unknown }): string => String((req.query as { text?: unknown }).text)
        const action = otp.requireOtp({ purpose: 'action', describe: text })
        app.get('/action', action, (_req, res) => void res.send('done'))
      },
    })
    return new StepApp(host, folder)
  }

  /** Asks for the code of a guarded page. */
  async ask(guarded: string, user: Partial<OtpUser> = {}): Promise<Asked> {
    const { mailbox } = this.host
    const before = mailbox.received.length
    const jar = await this.host.signedIn({ ...ANA, ...user })
    const closed = await jar.get(guarded).set(JSON_CLIENT).expect(401)
    const sent = await jar.post('/2fa/send').send({ for: closed.body.for }).expect(200)
    const { text: page } = await jar.get(String(closed.body.page_url)).set(NAVIGATE).expect(200)
    await mailbox.mails(before + 1)
    return { page, mail: mailbox.last.mail, code: mailbox.code, tag: String(sent.body.tag) }
  }

  async close(): Promise<void> {
    await this.host.close()
    rmSync(this.folder, { recursive: true })
  }
}

function write(folder: string, name: string, text = ''): void {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
  writeFileSync(path.join(folder, name), text)
}

/** The options that the lines of a step give to `emailOtp()`. */
async function optionsIn(lines: string | undefined, rest: Partial<OtpOptions>): Promise<Partial<OtpOptions>> {
  if (lines === undefined) return rest
  const emailOtp = (options: Partial<OtpOptions>): Partial<OtpOptions> => options
  return (await runLines(`${lines}\nreturn otp`, { emailOtp, rest })) as Partial<OtpOptions>
}

/** With the paths in a folder, as if the app had been started there. */
function below(folder: string, { views, brand, ...rest }: Partial<OtpOptions>): Partial<OtpOptions> {
  const logo = brand?.logo && { ...brand.logo, file: path.join(folder, brand.logo.file) }
  return {
    ...rest,
    ...(brand && { brand: { ...brand, ...(logo && { logo }) } }),
    ...(typeof views === 'string' && { views: path.join(folder, views) }),
  }
}
