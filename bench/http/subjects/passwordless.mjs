// passwordless with a store of tokens in a Map; the one in its own collection hashes them by bcrypt in JavaScript.
import { createHash } from 'node:crypto'
import express from 'express'
import { Passwordless } from 'passwordless'
import { hostApp } from '../host.mjs'

const hashOf = (token) => createHash('sha256').update(token).digest('base64url')

function tokenStore() {
  const tokens = new Map()
  return {
    storeOrUpdate(token, uid, msToLive, _origin, done) {
      tokens.set(uid, { hash: hashOf(token), expires: Date.now() + msToLive })
      done()
    },
    authenticate(token, uid, done) {
      const kept = tokens.get(uid)
      done(null, kept !== undefined && kept.expires > Date.now() && kept.hash === hashOf(token), null)
    },
    invalidateUser(uid, done) {
      tokens.delete(uid)
      done()
    },
    clear: () => tokens.clear(),
  }
}

export function makeSubject() {
  const { app, clear } = hostApp()
  const codes = new Map()
  const tokens = tokenStore()
  const passwordless = new Passwordless()
  passwordless.init(tokens)
  const deliver = (token, _uid, recipient, done) => {
    codes.set(recipient, token)
    done()
  }
  passwordless.addDelivery(deliver, { numberToken: { max: 1_000_000 }, ttl: 600_000 })
  const find = (email, _delivery, done) => done(null, email)

  app.use(passwordless.sessionSupport())
  app.post('/send', express.json(), passwordless.requestToken(find), (_req, res) => res.json({ sent: true }))
  app.post('/verify', express.json(), passwordless.acceptToken({ allowPost: true }), (req, res) => {
    res.status(req.user ? 200 : 401).json({ verified: Boolean(req.user) })
  })
  return {
    app,
    codes,
    clear() {
      tokens.clear()
      clear()
    },
    steps: {
      login: { path: '/login', body: { id: '{id}', email: '{email}' } },
      send: { path: '/send', body: { user: '{email}' } },
      wrong: { path: '/verify', body: { uid: '{email}', token: '{wrong}' }, status: 401 },
      right: { path: '/verify', body: { uid: '{email}', token: '{code}' } },
    },
  }
}
