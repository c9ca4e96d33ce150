// A host in a process of its own that mails the addresses of yes.example and no others:
// node timing-app.mjs <port of the mail server> <connections>
import express from 'express'
import session from 'express-session'
import { emailOtp, MemoryStore } from '../dist/index.js'

const [port, maxConnections] = process.argv.slice(2).map(Number)
const otp = emailOtp({
  secret: 'x'.repeat(32),
  site: { name: 'Acme', origin: 'https://acme.example' },
  mail: { transport: { host: '127.0.0.1', port, maxConnections }, from: 'Acme <no-reply@acme.example>' },
  typedEmail: { accept: (email) => email.endsWith('.yes.example') },
  limits: { sendsPerIp: { capacity: 1_000 } }, // of each of the client addresses that the measurer claims
  store: new MemoryStore({ maxEntries: 1_000_000 }),
})
const app = express()
app.set('trust proxy', 'loopback')
app.use(session({ secret: 'x'.repeat(32), resave: false, saveUninitialized: false }))
app.use('/2fa', otp.router)
const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))

process.on('message', () => process.send(otp.health()))
process.on('disconnect', () => process.exit())
