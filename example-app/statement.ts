import { Router } from 'express'
import type { EmailOtp } from 'express-email-otp'
import { exactEuros } from './transfer-form.js'
import type { RenderPage } from './pages.js'
import type { Entry, People, Person } from './people.js'

interface StatementDeps {
  readonly people: People
  readonly otp: EmailOtp
  readonly renderPage: RenderPage
  readonly currentUser: (req: Express.Request) => Person | null
}

/** The two pages behind a plain `requireOtp()`: a customer's statement, and "verify any e-mail address". */
export function statementPages({ people, otp, renderPage, currentUser }: StatementDeps): Router {
  const router = Router()

  router.get('/statement', otp.requireOtp(), (req, res) => {
    const person = currentUser(req)
    if (!person) return void res.redirect(303, '/')
    const values = { balance: exactEuros(people.balance(person)), entries: person.entries.map(asLine) }
    renderPage(req, res, { page: 'statement', title: 'Statement', values })
  })

  // If nobody is signed in, the guard asks for an address and opens once that address is verified.
  router.get('/address', otp.requireOtp(), async (req, res) => {
    const { email } = await otp.status(req)
    renderPage(req, res, { page: 'address', title: 'Address verified', values: { email } })
  })

  return router
}

function asLine({ at, what, cents }: Entry): Record<string, unknown> {
  return {
    day: at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' }),
    iso: at.toISOString().slice(0, 10),
    what,
    amount: `${cents < 0 ? '−' : '+'}${exactEuros(Math.abs(cents))}`,
    isIn: cents > 0,
  }
}
