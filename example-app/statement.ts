import { Router } from 'express'
import type { EmailOtp } from 'express-email-otp'
import { exactEuros } from './draft.js'
import type { Show } from './pages.js'
import type { Entry, People, Person } from './people.js'

interface StatementParts {
  readonly people: People
  readonly otp: EmailOtp
  readonly show: Show
  readonly who: (req: Express.Request) => Person | null
}

/** The two pages that plain `requireOtp()` guards: a customer's statement, and "verify any e-mail address". */
export function statementPages({ people, otp, show, who }: StatementParts): Router {
  const router = Router()

  router.get('/statement', otp.requireOtp(), (req, res) => {
    const person = who(req)
    if (!person) return void res.redirect(303, '/')
    const values = { balance: exactEuros(people.balance(person)), entries: person.entries.map(asLine) }
    show(req, res, { page: 'statement', title: 'Statement', values })
  })

  // With nobody signed in the guard asks for an address, and opens when that one is proven.
  router.get('/address', otp.requireOtp(), async (req, res) => {
    const { email } = await otp.status(req)
    show(req, res, { page: 'address', title: 'Address verified', values: { email } })
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
