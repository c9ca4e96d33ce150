// The least that mails a code and checks it: a Map, one HMAC, nothing else.
import { createHmac, randomBytes } from 'node:crypto'
import express from 'express'
import { hostApp } from '../host.mjs'
import { SECRET } from '../site.mjs'

const LIFETIME_MS = 600_000

const codeOf = (id, nonce) =>
  String(createHmac('sha256', SECRET).update(`${id} ${nonce}`).digest().readUInt32BE(0) % 1_000_000).padStart(6, '0')

export function makeSubject() {
  const { app, clear } = hostApp()
  const codes = new Map()
  const open = new Map()
  const sendMail = async ({ to, code }) => void codes.set(to, code)

  app.use(express.json())
  app.post('/send', async (req, res) => {
    const { id, email } = req.session.user
    const nonce = randomBytes(16).toString('base64url')
    open.set(id, { nonce, attempts: 5, expires: Date.now() + LIFETIME_MS })
    await sendMail({ to: email, code: codeOf(id, nonce) })
    res.json({ sent: true })
  })
  app.post('/verify', (req, res) => {
    const { id } = req.session.user
    const challenge = open.get(id)
    if (!challenge || challenge.attempts < 1 || challenge.expires < Date.now()) return res.status(401).json({})
    challenge.attempts -= 1
    if (req.body.code !== codeOf(id, challenge.nonce)) return res.status(401).json({ left: challenge.attempts })
    open.delete(id)
    req.session.verified = Date.now()
    res.json({ verified: true })
  })
  return {
    app,
    codes,
    clear() {
      open.clear()
      clear()
    },
    steps: {
      login: { path: '/login', body: { id: '{id}', email: '{email}' } },
      send: { path: '/send', body: {} },
      wrong: { path: '/verify', body: { code: '{wrong}' }, status: 401 },
      right: { path: '/verify', body: { code: '{code}' } },
    },
  }
}
