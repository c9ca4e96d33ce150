/**
 * One journey through the installed package: a page, one code in a mailbox, and the guarded route.
 * The modules come from the caller, who has loaded them by require or by import.
 */
module.exports = async function smoke({ express, session, emailOtp, storeConformance, createMailbox }) {
  if (typeof storeConformance !== 'function') throw new Error('storeConformance is not exported')
  const mailbox = createMailbox()
  const otp = emailOtp({
    secret: 'x'.repeat(32),
    site: { name: 'Acme' },
    user: (req) => req.session.user ?? null,
    mail: { from: 'no-reply@acme.example', transport: mailbox },
  })
  const app = express()
    .use(session({ secret: 'x', resave: false, saveUninitialized: false }))
    .use('/2fa', otp.router)
    .post('/login', (req, res) => {
      req.session.user = { id: 'u1', email: 'ana@example.com' }
      res.send('hello')
    })
    .get('/secret', otp.requireOtp(), (_req, res) => res.send('the secret'))
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))

  let cookie = ''
  async function call(path, status, { body, accept = 'application/json' } = {}) {
    const response = await fetch(`http://127.0.0.1:${server.address().port}${path}`, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: { cookie, accept, ...(body && { 'content-type': 'application/json' }) },
    })
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    const text = await response.text()
    if (response.status !== status) throw new Error(`${path} gave ${response.status}: ${text}`)
    return text
  }

  await call('/login', 200, { body: {} })
  const page = await call('/2fa', 200, { accept: 'text/html' })
  if (!page.includes('action="/2fa/send"')) throw new Error(`not our page: ${page}`)
  await call('/2fa/assets/otp.css', 200)
  await call('/2fa/send', 200, { body: {} })
  await call('/secret', 401)
  await call('/2fa/verify', 200, { body: { code: await mailbox.codeFor('ana@example.com') } })
  console.log(await call('/secret', 200))
  server.closeAllConnections()
  server.close()
  await otp.close()
}
