// What a careful engineer writes by hand: a token against CSRF, limits, security headers, a mail of text and HTML, a
// renewed session.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { Buffer } from 'node:buffer'
import express from 'express'
import { hostApp, page } from '../host.mjs'
import { ORIGIN, SECRET } from '../site.mjs'
import { Limit } from './hand-limit.mjs'
import { mailOf } from './hand-mail.mjs'

const LIFETIME_MS = 600_000
const GRANT_MS = 43_200_000
const POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

const codeOf = (id, nonce) =>
  String(createHmac('sha256', SECRET).update(`${id} ${nonce}`).digest().readUInt32BE(0) % 1_000_000).padStart(6, '0')

const isSame = (left, right) => {
  const [one, other] = [Buffer.from(String(left)), Buffer.from(String(right))]
  return one.length === other.length && timingSafeEqual(one, other)
}

function secure(_req, res, next) {
  res.set({
    'Cache-Control': 'no-store',
    'Content-Security-Policy': POLICY,
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  })
  next()
}

function refuseCrossSite(req, res, next) {
  const isOurs = req.headers.origin === ORIGIN && isSame(req.body?.csrf, req.session.csrf)
  if (isOurs) next()
  else res.status(403).json({ code: 'cross_site' })
}

function renew(req, kept) {
  return new Promise((resolve, reject) => {
    req.session.regenerate((error) => {
      if (error) return reject(error)
      Object.assign(req.session, kept) // express-session saves it before the answer ends
      resolve()
    })
  })
}

export function makeSubject() {
  const { app, clear } = hostApp()
  const codes = new Map()
  const open = new Map()
  const limits = { sends: new Limit(5, 5_760), resend: new Limit(1, 30), failures: new Limit(10, 432_000) }
  const sendMail = async ({ to, code }) => void codes.set(to, code)
  const route = [secure, express.json({ limit: 4096 }), refuseCrossSite]

  app.get('/csrf', (req, res) => {
    req.session.csrf ??= randomBytes(18).toString('base64url')
    res.json({ csrf: req.session.csrf })
  })
  app.post('/send', route, async (req, res) => {
    const { id, email } = req.session.user
    if (!limits.resend.take(id) || !limits.sends.take(id)) return res.status(429).json({ code: 'too_many_requests' })
    const nonce = randomBytes(16).toString('base64url')
    open.set(id, { nonce, attempts: 5, expires: Date.now() + LIFETIME_MS })
    await sendMail(mailOf({ to: email, code: codeOf(id, nonce), minutes: LIFETIME_MS / 60_000 }))
    res.json({ sent: true })
  })
  app.post('/verify', route, async (req, res) => {
    const { user, csrf } = req.session
    const challenge = open.get(user.id)
    if (!challenge || challenge.expires < Date.now()) return res.status(401).json({ code: 'code_expired' })
    if (challenge.attempts < 1 || !limits.failures.take(user.id)) return res.status(429).json({ code: 'exhausted' })
    challenge.attempts -= 1
    if (!isSame(req.body.code, codeOf(user.id, challenge.nonce))) {
      return res.status(401).json({ code: 'wrong_code', attempts_left: challenge.attempts })
    }
    open.delete(user.id)
    limits.failures.reset(user.id)
    await renew(req, { user, csrf, verified: { id: user.id, at: Date.now() } })
    res.json({ verified: true })
  })
  const guard = (req, res, next) => {
    const { user, verified } = req.session
    if (user && verified?.id === user.id && Date.now() - verified.at < GRANT_MS) return next()
    res.status(401).json({ code: 'otp_required' })
  }
  app.get('/guarded', guard, page)

  return {
    app,
    codes,
    clear() {
      open.clear()
      for (const limit of Object.values(limits)) limit.clear()
      clear()
    },
    steps: {
      login: { path: '/login', body: { id: '{id}', email: '{email}' } },
      prepare: { path: '/csrf' },
      send: { path: '/send', body: { csrf: '{csrf}' } },
      wrong: { path: '/verify', body: { csrf: '{csrf}', code: '{wrong}' }, status: 401 },
      right: { path: '/verify', body: { csrf: '{csrf}', code: '{code}' } },
      guard: { path: '/guarded' },
    },
  }
}
