import express from 'express'
import { emailOtp } from 'express-email-otp'
import { getIronSession } from 'iron-session'
import { addRoutes, listen, options } from '../shop.cjs'

const app = express()
app.use(async (req, res, next) => {
  const password = 'of the session, 32 characters long'
  req.session = await getIronSession(req, res, { cookieName: 'session', password, cookieOptions: { secure: false } })
  next()
})
app.use(express.urlencoded({ extended: false }), express.json())
const user = (req) => req.session.user ?? null
const otp = emailOtp({ ...options, user })
app.use('/2fa', otp.router)
addRoutes(app, otp, {
  user,
  signIn: async (req, who) => {
    req.session.user = who
    await req.session.save()
  },
  signOut: async (req) => void req.session.destroy(),
})
listen(app)
