import cookieParser from 'cookie-parser'
import { doubleCsrf } from 'csrf-csrf'
import express from 'express'
import { emailOtp } from 'express-email-otp'
import session from 'express-session'
import helmet from 'helmet'
import { addRoutes, expressSession, listen, options } from '../shop.cjs'

const app = express()
app.use(helmet())
app.use(cookieParser())
app.use(session({ secret: 'of the session', resave: false, saveUninitialized: true }))
app.use(express.urlencoded({ extended: false }), express.json())
const { doubleCsrfProtection, generateCsrfToken } = doubleCsrf({
  getSecret: () => 'of the tokens',
  getSessionIdentifier: (req) => req.session.id,
  getCsrfTokenFromRequest: (req) => req.body._csrf,
  cookieName: 'csrf',
  cookieOptions: { secure: false },
})
app.use(doubleCsrfProtection)
const formFields = (req, res) => ({ _csrf: generateCsrfToken(req, res) })
const otp = emailOtp({ ...options, user: expressSession.user, formFields })
app.use('/2fa', otp.router)
addRoutes(app, otp, { ...expressSession, fields: formFields })
listen(app)
