import { Router } from 'express'
import type { EmailOtp } from 'express-email-otp'
import type { Show } from './pages.js'
import type { People, Person } from './people.js'

interface SignInParts {
  readonly people: People
  readonly otp: EmailOtp
  readonly show: Show
  readonly who: (req: Express.Request) => Person | null
}

/** Where a visitor may be led after signing in. */
const NEXT = ['statement', 'transfer']

/** The front door: who are you, and out again. A demo, so one click is enough; your app has its own sign-in. */
export function signInPages({ people, otp, show, who }: SignInParts): Router {
  const router = Router()

  router.get('/', async (req, res) => {
    const person = who(req)
    const { verified, verifiedAt } = await otp.status(req)
    const since = verifiedAt?.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' }) ?? ''
    const next = nextOf(req.query)
    if (person) show(req, res, { page: 'overview', title: 'Your bank', values: { person, verified, since } })
    else show(req, res, { page: 'welcome', title: 'Welcome', values: { people: people.all, next } })
  })

  router.post('/sign-in', (req, res, next) => {
    const person = people.find((req.body as { person?: unknown }).person)
    if (!person) return void res.redirect(303, '/')
    const page = `/${nextOf(req.body)}`
    // A new session id: one that somebody planted before must not become a signed-in one.
    req.session.regenerate((error: unknown) => {
      if (error) return next(error)
      req.session.customer = person.id
      res.redirect(303, page)
    })
  })

  router.post('/sign-out', (req, res) => {
    otp.forget(req)
    delete req.session.customer
    delete req.session.draft
    delete req.session.sent
    res.redirect(303, '/')
  })

  // Since an address may be typed, requireOtp() alone would let any proven stranger in: ask for a customer first.
  router.use(['/statement', '/transfer'], (req, res, next) => {
    if (who(req)) next()
    else res.redirect(303, `/?next=${req.baseUrl.slice(1)}`)
  })

  return router
}

function nextOf(fields: unknown): string {
  const { next } = fields as { next?: unknown }
  return NEXT.find((page) => page === next) ?? ''
}
