const express = require('express')
const { emailOtp } = require('express-email-otp')
const session = require('express-session')
const passport = require('passport')
const { Strategy } = require('passport-local')
const { addRoutes, listen, options } = require('../shop.cjs')

const users = new Map()
passport.use(
  new Strategy({ usernameField: 'email', passwordField: 'email' }, (email, _password, done) =>
    done(null, users.get(email)),
  ),
)
passport.serializeUser((user, done) => done(null, user.id))
passport.deserializeUser((id, done) => done(null, users.get(id) ?? false))

const app = express()
app.use(session({ secret: 'of the session', resave: false, saveUninitialized: false }))
app.use(express.urlencoded({ extended: false }), express.json())
app.use(passport.session())
const user = (req) => req.isAuthenticated() && req.user
const otp = emailOtp({ ...options, user })
app.use('/2fa', otp.router)
addRoutes(app, otp, {
  user,
  signIn: (req, who, res) =>
    new Promise((resolve, reject) => {
      users.set(who.id, who)
      passport.authenticate('local')(req, res, (error) => (error ? reject(error) : resolve()))
    }),
  signOut: (req) =>
    new Promise((resolve, reject) => {
      otp.forget(req)
      req.logout((error) => (error ? reject(error) : resolve()))
    }),
})
listen(app)
