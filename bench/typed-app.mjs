// A host in a process of its own, where anybody may prove a typed address: node typed-app.mjs <port of the mail server>
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import session from 'express-session'
import { emailOtp, MemoryStore } from '../dist/index.js'

const otp = emailOtp({
  secret: 'x'.repeat(32),
  site: { name: 'Acme', origin: 'https://acme.example' },
  mail: { transport: { host: '127.0.0.1', port: Number(process.argv[2]) }, from: 'Acme <no-reply@acme.example>' },
  typedEmail: true,
  store: new MemoryStore({ maxEntries: 1_000_000 }),
})
const sessions = new session.MemoryStore()
const app = express()
app.set('trust proxy', 'loopback') // each send is by a client address of its own, or the limits would end it
app.use(session({ store: sessions, secret: 'x'.repeat(32), resave: false, saveUninitialized: false }))
app.use('/2fa', otp.router)
const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))

process.on('message', async (asked) => {
  const { queue } = otp.health()
  if (asked === 'rest') {
    while (otp.health().queue > 0) await sleep(10)
    sessions.clear()
  }
  process.send({ queue })
})
process.on('disconnect', () => process.exit())
