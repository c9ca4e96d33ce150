import { RedisStore as RedisSessions } from 'connect-redis'
import express from 'express'
import { emailOtp, RedisStore } from 'express-email-otp'
import session from 'express-session'
import { createClient } from 'redis'
import { addRoutes, expressSession, listen, options } from '../shop.cjs'

const client = await createClient({ url: process.env.REDIS_URL }).connect()
const app = express()
const store = new RedisSessions({ client })
app.use(session({ store, secret: 'of the session', resave: false, saveUninitialized: false }))
app.use(express.urlencoded({ extended: false }), express.json())
const otp = emailOtp({
  ...options,
  user: expressSession.user,
  store: new RedisStore({ send: (...args) => client.sendCommand(args) }),
})
app.use('/2fa', otp.router)
addRoutes(app, otp, expressSession)
listen(app)
