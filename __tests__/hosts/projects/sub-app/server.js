const express = require('express')
const { emailOtp } = require('express-email-otp')
const session = require('express-session')
const { addRoutes, expressSession, listen, options } = require('../shop.cjs')

const shop = express.Router()
shop.use(session({ secret: 'of the session', resave: false, saveUninitialized: false }))
shop.use(express.urlencoded({ extended: false }), express.json())
const otp = emailOtp({
  ...options,
  user: expressSession.user,
  path: '/shop/2fa',
  signIn: '/shop/sign-in',
  home: '/shop/account',
})
shop.use('/2fa', otp.router)
addRoutes(shop, otp, { ...expressSession, base: '/shop' })

const app = express()
app.use('/shop', shop)
listen(app)
