/** What all hosts share: an account page with two forms, a transfer, and how they start. */

exports.options = {
  secret: 'a-secret-for-hosts-of-32-characters-or-more',
  site: { name: 'Acme', origin: 'https://acme.example' },
  mail: { transport: process.env.SMTP_URL, from: 'Acme <no-reply@acme.example>' },
  signIn: '/sign-in',
}

const transferOf = (req) => ({ amount: String(req.body?.amount), payee: String(req.body?.payee) })
exports.transfer = {
  purpose: 'transfer',
  maxAge: 300,
  details: transferOf,
  describe: (req) => `Send ${transferOf(req).amount} EUR to ${transferOf(req).payee}`,
}
exports.receipt = (req) => `${exports.transfer.describe(req)}: done`

/** @param fields hidden fields for the forms, as a CSRF check wants them */
exports.signInPage = (fields = {}, base = '') => form(`${base}/sign-in`, fields, ['email'])
exports.accountPage = ({ email }, fields = {}, base = '') =>
  `Hello ${email} ${form(`${base}/transfer`, fields, ['amount', 'payee'])} ${form(`${base}/sign-out`, fields, [])}`

function form(action, fields, inputs) {
  const hidden = Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`)
  const visible = inputs.map((name) => `<input name="${name}">`)
  return `<form method="post" action="${action}">${[...hidden, ...visible].join('')}<button>Go</button></form>`
}

/** Sign-in and sign-out with express-session, as its documentation has them. */
exports.expressSession = {
  user: (req) => req.session.user ?? null,
  async signIn(req, user) {
    await callSession(req, 'regenerate')
    req.session.user = user
    await callSession(req, 'save') // a redirect without a body reaches the client before the session is saved
  },
  signOut: (req) => callSession(req, 'destroy'),
}

function callSession(req, method) {
  return new Promise((resolve, reject) => req.session[method]((error) => (error ? reject(error) : resolve())))
}

/** The routes of the shop, for hosts that route as Express does. */
exports.addRoutes = (app, otp, { user, signIn, signOut, fields = () => ({}), base = '' }) => {
  const handle = (handler) => (req, res, next) => void handler(req, res).catch(next)
  app.get('/sign-in', (req, res) => res.send(exports.signInPage(fields(req, res), base)))
  app.get('/fields', (req, res) => res.json(fields(req, res)))
  app.post(
    '/sign-in',
    handle(async (req, res) => {
      await signIn(req, { id: req.body.email, email: req.body.email }, res)
      res.redirect(303, `${base}/account`)
    }),
  )
  app.post(
    '/sign-out',
    handle(async (req, res) => {
      await signOut(req, res)
      res.redirect(303, `${base}/sign-in`)
    }),
  )
  app.get(
    '/account',
    otp.requireOtp(),
    handle(async (req, res) => res.send(exports.accountPage(await user(req), fields(req, res), base))),
  )
  app.post('/transfer', otp.requireOtp(exports.transfer), (req, res) => res.send(exports.receipt(req)))
}

/** Tells the test where the host is. */
exports.listen = (app) => {
  const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))
}
