// better-auth in an Express app, with SQLite in memory: its own memory adapter looks through all rows for each one.
import Database from 'better-sqlite3'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node'
import express from 'express'
import { page } from '../host.mjs'
import { ORIGIN, SECRET } from '../site.mjs'

export const API = '/api/auth'

export async function authApp(plugins) {
  const database = new Database(':memory:')
  const options = {
    database,
    plugins,
    secret: SECRET,
    baseURL: ORIGIN,
    basePath: API,
    rateLimit: { enabled: false }, // in production it is on
    logger: { disabled: true },
    telemetry: { enabled: false },
    emailAndPassword: {
      enabled: true,
      // Passwords are no part of what is measured.
      password: { hash: async (password) => password, verify: async ({ hash, password }) => hash === password },
    },
  }
  await (await getMigrations(options)).runMigrations()
  const auth = betterAuth(options)
  const guard = async (req, res, next) => {
    const session = await auth.api.getSession({ headers: fromNodeHeaders(req.headers) })
    if (session) next()
    else res.status(401).json({})
  }
  const app = express()
  app.all(`${API}/*rest`, toNodeHandler(auth))
  app.get('/guarded', guard, page)
  const clear = () => database.exec('DELETE FROM session; DELETE FROM verification')
  return { app, auth, clear }
}
