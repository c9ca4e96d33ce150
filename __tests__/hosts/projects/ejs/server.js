const express = require('express')
const { emailOtp } = require('express-email-otp')
const session = require('express-session')
const { addRoutes, expressSession, listen, options } = require('../shop.cjs')

const app = express()
app.set('view engine', 'ejs')
app.set('views', 'views')
app.use(session({ secret: 'of the session', resave: false, saveUninitialized: false }))
app.use(express.urlencoded({ extended: false }), express.json())
const renderPage = (req, _res, { locale, dir, title, head, body }) =>
  new Promise((resolve, reject) => {
    const values = { locale, dir, title, head, body, user: req.session.user }
    app.render('layout', values, (error, html) => (error ? reject(error) : resolve(html)))
  })
const otp = emailOtp({ ...options, user: expressSession.user, renderPage })
app.use('/2fa', otp.router)
addRoutes(app, otp, expressSession)
listen(app)
