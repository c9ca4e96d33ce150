const { createServer, request } = require('node:http')
const express = require('express')
const { emailOtp } = require('express-email-otp')
const session = require('express-session')
const { addRoutes, expressSession, listen, options } = require('../shop.cjs')

const app = express()
app.use(session({ secret: 'of the session', resave: false, saveUninitialized: false }))
app.use(express.urlencoded({ extended: false }), express.json())
const otp = emailOtp({ ...options, user: expressSession.user, basePath: '/shop' })
app.use('/2fa', otp.router)
addRoutes(app, otp, { ...expressSession, base: '/shop' })
const inner = app.listen(0, '127.0.0.1')

/** Takes the prefix away and forwards the rest, as `location /shop/ { proxy_pass http://app/; }` of nginx does. */
const proxy = createServer((req, res) => {
  if (!req.url.startsWith('/shop/')) return res.writeHead(404).end()
  const { method, headers } = req
  const forwarded = request({ port: inner.address().port, path: req.url.slice('/shop'.length), method, headers })
  forwarded.on('response', (answer) => {
    res.writeHead(answer.statusCode, answer.headers)
    answer.pipe(res)
  })
  req.pipe(forwarded)
})
listen(proxy)
