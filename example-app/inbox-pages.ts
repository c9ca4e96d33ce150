import { Router } from 'express'
import type { Inbox, Mail } from './inbox.js'
import type { Show } from './pages.js'

// A mail is a stranger's HTML. It gets an origin of its own, no script, no form, and nothing to load: together with
// the `sandbox` attribute of the frame it can only be looked at.
const MAIL_CSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data: cid:; frame-ancestors 'self'"

/** The pages that show what came by SMTP; without an inbox they say where the mails went instead. */
export function inboxPages(inbox: Inbox | null, show: Show): Router {
  const router = Router()
  const newest = (): string => inbox?.mails[0]?.id ?? ''

  router.get('/', (req, res) => {
    const mails = inbox?.mails.map((mail) => ({ ...mail, ...timesOf(mail), snippet: snippetOf(mail) })) ?? []
    show(req, res, { page: 'inbox', title: 'Inbox', values: { mails, newest: newest() } })
  })

  // Asked by the page's script, so that a new mail shows by itself.
  router.get('/newest', (_req, res) => {
    res.set('Cache-Control', 'no-store').type('text').send(newest())
  })

  router.get('/:id', (req, res, next) => {
    const mail = inbox?.find(req.params.id)
    if (!mail) return void next()
    const values = { mail: { ...mail, ...timesOf(mail) }, newest: newest() }
    show(req, res, { page: 'mail', title: mail.subject, values })
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

/** The beginning of a mail, as mail programs show it in their lists. */
function snippetOf({ text }: Mail): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 110 ? `${line.slice(0, 110)}…` : line
}
