import { type NextFunction, type Request, type Response, Router } from 'express'
import type { EmailOtp } from 'express-email-otp'
import { euros, exactEuros, inWords, readDraft } from './draft.js'
import type { Show } from './pages.js'
import type { People, Person, Transfer } from './people.js'

interface TransferParts {
  readonly people: People
  readonly otp: EmailOtp
  readonly show: Show
  readonly who: (req: Express.Request) => Person | null
}

const PURPOSE = 'transfer'

/**
 * Sending money: form → draft → code → confirm → done. Code and grant are bound to amount and payee, so neither
 * opens any other transfer, and a grant sends once.
 */
export function transferPages({ people, otp, show, who }: TransferParts): Router {
  const router = Router()

  router.get('/', (req, res) => {
    showForm(req, res)
  })

  // The code is mailed right here, in a POST; so the next thing that the person sees is the field for it.
  router.post('/draft', keepDraft, async (req, res) => {
    const details = draftOf(req)
    const returnTo = '/transfer/confirm'
    const { url } = await otp.start(req, { purpose: PURPOSE, details, describe: inWords(details), returnTo })
    res.redirect(303, url)
  })

  router.get('/confirm', (req, res) => {
    const { draft } = req.session
    if (!draft) return void res.redirect(303, '/transfer')
    const values = { action: inWords(draft), amount: draft.cents / 100, payee: draft.payee }
    show(req, res, { page: 'confirm', title: 'Send it now?', values })
  })

  router.post(
    '/',
    keepDraft,
    otp.requireOtp({
      purpose: PURPOSE,
      maxAge: 300,
      details: draftOf,
      describe: (req) => inWords(draftOf(req)),
    }),
    (req, res) => {
      const payer = who(req)
      if (payer) people.send(payer, draftOf(req))
      req.session.sent = draftOf(req)
      delete req.session.draft
      res.redirect(303, '/transfer/done')
    },
  )

  router.get('/done', (req, res) => {
    const [{ sent }, payer] = [req.session, who(req)]
    if (!sent || !payer) return void res.redirect(303, '/transfer')
    const values = {
      amount: euros(sent.cents),
      payee: sent.payee,
      balance: exactEuros(people.balance(payer)),
    }
    show(req, res, { page: 'done', title: 'Sent', values })
  })

  /**
   * Takes what this very form says, not what an older one said, and keeps it: the guard binds to it, and since a body
   * is never replayed, /transfer/confirm shows it again after a code was asked for.
   */
  function keepDraft(req: Request, res: Response, next: NextFunction): void {
    const payer = who(req)
    const draft = readDraft(req.body, payer ? people.balance(payer) : 0, payer?.name ?? '')
    if (draft.outcome === 'faulty') return void showForm(req, res, draft)
    req.session.draft = draft.transfer
    next()
  }

  function showForm(req: Request, res: Response, { errors, typed } = EMPTY): void {
    const isFaulty = errors.amount !== '' || errors.payee !== ''
    const title = isFaulty ? 'Error: Send money' : 'Send money'
    show(req, res, { page: 'transfer', title, values: { errors, typed }, status: isFaulty ? 422 : 200 })
  }

  return router
}

const NOTHING = { amount: '', payee: '' }
const EMPTY = { errors: NOTHING, typed: NOTHING }

function draftOf({ session }: Express.Request): Transfer {
  if (session.draft) return session.draft
  throw new Error('There is no draft: keepDraft() must run first.')
}
