import { type NextFunction, type Request, type Response, Router } from 'express'
import type { EmailOtp } from 'express-email-otp'
import type { RenderPage } from './pages.js'
import type { People, Person, Transfer } from './people.js'
import { describeTransfer, euros, exactEuros, readTransferForm } from './transfer-form.js'

interface TransferDeps {
  readonly people: People
  readonly otp: EmailOtp
  readonly renderPage: RenderPage
  readonly currentUser: (req: Express.Request) => Person | null
}

const PURPOSE = 'transfer'

/**
 * Sending money: form → draft → code → confirm → done. Code and grant are bound to amount and payee, so they are valid
 * for no other transfer, and a grant is valid once.
 */
export function transferPages({ people, otp, renderPage, currentUser }: TransferDeps): Router {
  const router = Router()

  router.get('/', (req, res) => {
    renderForm(req, res)
  })

  // start() mails the code within this POST, so the next page is the one to type it.
  router.post('/draft', saveDraft, async (req, res) => {
    const details = draftOf(req)
    const returnTo = '/transfer/confirm'
    const { url } = await otp.start(req, { purpose: PURPOSE, details, describe: describeTransfer(details), returnTo })
    res.redirect(303, url)
  })

  router.get('/confirm', (req, res) => {
    const { draft } = req.session
    if (!draft) return void res.redirect(303, '/transfer')
    const values = { action: describeTransfer(draft), amount: draft.cents / 100, payee: draft.payee }
    renderPage(req, res, { page: 'confirm', title: 'Send it now?', values })
  })

  router.post(
    '/',
    saveDraft,
    otp.requireOtp({
      purpose: PURPOSE,
      maxAge: 300,
      details: draftOf,
      describe: (req) => describeTransfer(draftOf(req)),
    }),
    (req, res) => {
      const payer = currentUser(req)
      if (payer) people.send(payer, draftOf(req))
      req.session.sent = draftOf(req)
      delete req.session.draft
      res.redirect(303, '/transfer/done')
    },
  )

  router.get('/done', (req, res) => {
    const [{ sent }, payer] = [req.session, currentUser(req)]
    if (!sent || !payer) return void res.redirect(303, '/transfer')
    const values = {
      amount: euros(sent.cents),
      payee: sent.payee,
      balance: exactEuros(people.balance(payer)),
    }
    renderPage(req, res, { page: 'done', title: 'Sent', values })
  })

  /**
   * Saves the transfer of this very form, not an older one: the guard binds code and grant to it. The plugin never
   * replays a body, so after the code /transfer/confirm shows the saved draft again.
   */
  function saveDraft(req: Request, res: Response, next: NextFunction): void {
    const payer = currentUser(req)
    const form = readTransferForm(req.body, payer ? people.balance(payer) : 0, payer?.name ?? '')
    if (form.outcome === 'invalid') return void renderForm(req, res, form)
    req.session.draft = form.transfer
    next()
  }

  function renderForm(req: Request, res: Response, { errors, typed } = EMPTY): void {
    const isInvalid = errors.amount !== '' || errors.payee !== ''
    const title = isInvalid ? 'Error: Send money' : 'Send money'
    renderPage(req, res, { page: 'transfer', title, values: { errors, typed }, status: isInvalid ? 422 : 200 })
  }

  return router
}

const NOTHING = { amount: '', payee: '' }
const EMPTY = { errors: NOTHING, typed: NOTHING }

function draftOf({ session }: Express.Request): Transfer {
  if (session.draft) return session.draft
  throw new Error('There is no draft: saveDraft() must run first.')
}
