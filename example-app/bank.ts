import path from 'node:path'
import express, { type NextFunction, type Request, type Response } from 'express'
import { emailOtp } from 'express-email-otp'
import { workbench } from 'express-email-otp/workbench'
import session from 'express-session'
import type { Inbox } from './inbox.js'
import { inboxPages } from './inbox-pages.js'
import { APP_FOLDER, loadPages } from './pages.js'
import { People, type Person, type Transfer } from './people.js'
import { signInPages } from './sign-in.js'
import { statementPages } from './statement.js'
import { transferPages } from './transfer.js'

declare module 'express-session' {
  interface SessionData {
    /** Id of the signed-in person. */
    customer: string
    draft: Transfer
    sent: Transfer
  }
}

export interface BankOptions {
  readonly origin: string
  readonly otpSecret: string
  readonly sessionSecret: string
  readonly mail: { readonly transport: string; readonly from: string }
  /** Null if `SMTP_URL` names another mail server. */
  readonly inbox: Inbox | null
  /** Whether developers see all mails and pages at /workbench. It answers this machine only, and not in production. */
  readonly hasWorkbench: boolean
  /** Address for the mails of both demo people; null for made-up ones. */
  readonly email: string | null
}

export interface Bank {
  readonly app: express.Express
  readonly close: () => Promise<void>
}

/** The whole app: a session, the plugin at /2fa, and the bank's pages. */
export function createBank(options: BankOptions): Bank {
  const people = new People(options.email)
  const currentUser = (req: Express.Request): Person | null => people.find(req.session.customer)
  const hasInbox = options.inbox !== null
  const { hasWorkbench } = options

  const otp = emailOtp({
    secret: options.otpSecret,
    site: { name: 'Pebble Bank', origin: options.origin },
    mail: options.mail,
    user: currentUser,
    typedEmail: true, // if nobody is signed in, ask for an address and verify that
    home: '/',
    views: path.join(APP_FOLDER, 'views'), // one file in there: our header around the /2fa pages
    locals: () => ({ hasInbox }), // {{custom.hasInbox}} in that file
    limits: { sendsPerUser: { capacity: 100, refill: 60 } }, // for playing; leave this out in a real app
  })

  const renderPage = loadPages((req) => ({ name: currentUser(req)?.name ?? '', hasInbox, hasWorkbench }))
  const deps = { people, otp, renderPage, currentUser }

  const app = express()
  app.disable('x-powered-by')
  app.use(express.static(path.join(APP_FOLDER, 'public')))
  // SameSite=Lax keeps this cookie out of POSTs that other sites send: enough for the forms of a demo. A real bank
  // also looks at Sec-Fetch-Site or Origin, as the plugin does for its own forms, and sets `secure: true`.
  app.use(
    session({
      name: 'pebble-bank',
      secret: options.sessionSecret,
      resave: false,
      saveUninitialized: false,
      cookie: { httpOnly: true, sameSite: 'lax' },
    }),
  )
  app.use('/2fa', otp.router)
  if (hasWorkbench) app.use('/workbench', workbench(otp))
  app.use(express.urlencoded({ extended: false, limit: '4kb' }))
  app.use(signInPages(deps))
  app.use(statementPages(deps))
  app.use('/transfer', transferPages(deps))
  app.use('/inbox', inboxPages(options.inbox, renderPage))

  app.use((req, res) => {
    const reason = 'There is no page at this address. It may have been a mail that is no longer kept.'
    renderPage(req, res, { page: 'problem', title: 'Nothing here', values: { reason }, status: 404 })
  })
  app.use((error: unknown, req: Request, res: Response, next: NextFunction) => {
    if (res.headersSent) return void next(error)
    const { status = 500 } = error as { status?: number }
    if (status >= 500) console.error(error)
    const reason = status < 500 ? 'We could not read what was sent.' : 'Nothing was sent. Please try again.'
    renderPage(req, res, { page: 'problem', title: 'That did not work', values: { reason }, status })
  })

  return { app, close: otp.close }
}
