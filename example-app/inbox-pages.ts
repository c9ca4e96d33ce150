import { Router } from 'express'
import type { Inbox, Mail } from './inbox.js'
import type { RenderPage } from './pages.js'

// A mail is untrusted HTML. Together with the frame's `sandbox` attribute this gives it an opaque origin, without
// scripts, forms or remote resources.
const MAIL_CSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data: cid:; frame-ancestors 'self'"

/** The pages that show received mails; without an inbox they say where the mails went. */
export function inboxPages(inbox: Inbox | null, renderPage: RenderPage): Router {
  const router = Router()
  const newest = (): string => inbox?.mails[0]?.id ?? ''

  router.get('/', (req, res) => {
    const mails = inbox?.mails.map((mail) => ({ ...mail, ...timesOf(mail), snippet: snippetOf(mail) })) ?? []
    renderPage(req, res, { page: 'inbox', title: 'Inbox', values: { mails, newest: newest() } })
  })

  // Polled by the page's script.
  router.get('/newest', (_req, res) => {
    res.set('Cache-Control', 'no-store').type('text').send(newest())
  })

  router.get('/:id', (req, res, next) => {
    const mail = inbox?.find(req.params.id)
    if (!mail) return void next()
    const values = { mail: { ...mail, ...timesOf(mail) }, newest: newest() }
    renderPage(req, res, { page: 'mail', title: mail.subject, values })
  })

  router.get('/:id/html', (req, res, next) => {
    const mail = inbox?.find(req.params.id)
    if (!mail?.html) return void next()
    res.set({ 'Content-Security-Policy': MAIL_CSP, 'X-Content-Type-Options': 'nosniff' })
    res.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' })
    res.type('html').send(mail.html)
  })

  return router
}

function timesOf({ at }: Mail): { time: string; iso: string } {
  return { time: at.toLocaleTimeString('en-GB'), iso: at.toISOString() }
}

/** The beginning of a mail, as in the list of a mail client. */
function snippetOf({ text }: Mail): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 110 ? `${line.slice(0, 110)}…` : line
}
