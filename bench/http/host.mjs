// The host app that all subjects with express-session have in common: a way to sign in, and a page.
import express from 'express'
import session from 'express-session'
import { SECRET } from './site.mjs'

export function hostApp() {
  const sessions = new session.MemoryStore()
  const app = express()
  app.use(session({ store: sessions, secret: SECRET, resave: false, saveUninitialized: false }))
  app.post('/login', express.json(), (req, res) => {
    const { id, email } = req.body
    req.session.user = { id, email }
    res.json({})
  })
  app.get('/plain', page)
  return { app, sessions, clear: () => sessions.clear() }
}

export function page(_req, res) {
  res.json({ balance: 1234 })
}
