const cookieSession = require('cookie-session')
const express = require('express')
const { emailOtp } = require('express-email-otp')
const { addRoutes, listen, options } = require('../shop.cjs')

const app = express()
app.use(cookieSession({ keys: ['of the session'] }))
app.use(express.urlencoded({ extended: false }), express.json())
const user = (req) => req.session.user ?? null
const otp = emailOtp({ ...options, user })
app.use('/2fa', otp.router)
addRoutes(app, otp, {
  user,
  signIn: async (req, who) => void (req.session = { user: who }),
  signOut: async (req) => void (req.session = null),
})
listen(app)
