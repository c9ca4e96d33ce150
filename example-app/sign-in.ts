import { Router } from 'express'
import type { EmailOtp } from 'express-email-otp'
import type { RenderPage } from './pages.js'
import type { People, Person } from './people.js'

interface SignInDeps {
  readonly people: People
  readonly otp: EmailOtp
  readonly renderPage: RenderPage
  readonly currentUser: (req: Express.Request) => Person | null
}

/** Pages to continue with after signing in. */
const NEXT = ['statement', 'transfer']

/** Welcome page, sign-in and sign-out. One click is enough in a demo; your app has its own sign-in. */
export function signInPages({ people, otp, renderPage, currentUser }: SignInDeps): Router {
  const router = Router()

  router.get('/', async (req, res) => {
    const person = currentUser(req)
    const { verified, verifiedAt } = await otp.status(req)
    const since = verifiedAt?.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' }) ?? ''
    const next = nextOf(req.query)
    if (person) renderPage(req, res, { page: 'overview', title: 'Your bank', values: { person, verified, since } })
    else renderPage(req, res, { page: 'welcome', title: 'Welcome', values: { people: people.all, next } })
  })

  router.post('/sign-in', (req, res, next) => {
    const person = people.find((req.body as { person?: unknown }).person)
    if (!person) return void res.redirect(303, '/')
    const page = `/${nextOf(req.body)}`
    // A new session id prevents session fixation.
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

  // With `typedEmail`, requireOtp() alone lets in anyone with a verified address: require a signed-in customer first.
  router.use(['/statement', '/transfer'], (req, res, next) => {
    if (currentUser(req)) next()
    else res.redirect(303, `/?next=${req.baseUrl.slice(1)}`)
  })

  return router
}

function nextOf(fields: unknown): string {
  const { next } = fields as { next?: unknown }
  return NEXT.find((page) => page === next) ?? ''
}
