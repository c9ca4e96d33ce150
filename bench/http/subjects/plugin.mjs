// The plugin as a host mounts it for its signed-in users, with a transporter that takes every mail at once.
import { emailOtp, MemoryStore } from '../../../dist/index.js'
import { hostApp, page } from '../host.mjs'
import { ORIGIN, SECRET } from '../site.mjs'

/** The texts of mails by address; the code is looked for only when it is asked for, outside what is measured. */
class Mails extends Map {
  get(email) {
    return /\b\d{6}\b/.exec(super.get(email))?.[0]
  }
}

export function makeSubject() {
  const { app, sessions, clear } = hostApp()
  const codes = new Mails()
  const transport = {
    async sendMail({ to, text }) {
      const address = to.address ?? to
      codes.set(address, text)
      return { accepted: [address] }
    },
  }
  // The limits are the defaults, which a journey of somebody new never reaches.
  const otp = emailOtp({
    secret: SECRET,
    site: { name: 'Acme', origin: ORIGIN },
    mail: { transport, from: 'Acme <no-reply@acme.example>' },
    user: (req) => req.session.user ?? null,
    store: new MemoryStore({ maxEntries: 1_000_000 }),
  })
  const guard = otp.requireOtp()
  app.use('/2fa', otp.router)
  app.get('/guarded', guard, page)
  return {
    app,
    codes,
    clear,
    guard,
    sessions,
    steps: {
      login: { path: '/login', body: { id: '{id}', email: '{email}' } },
      send: { path: '/2fa/send', body: {} },
      wrong: { path: '/2fa/verify', body: { code: '{wrong}' }, status: 422 },
      right: { path: '/2fa/verify', body: { code: '{code}' } },
      plain: { path: '/plain' },
      guard: { path: '/guarded' },
    },
  }
}
