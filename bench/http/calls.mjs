// The guard alone, in a process of its own: microseconds of CPU per call while it is open, without HTTP.
// Each call has a request of its own, with its session parsed as express-session does it: as in a real app, nothing
// that the guard might remember of an earlier one is there.
import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { request } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { makeSubject } from './subjects/plugin.mjs'

const CALLS = 200_000
const AT_ONCE = 5_000

const { app, codes, guard, sessions } = makeSubject()
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')

let cookie = ''
async function post(path, body) {
  const headers = { 'content-type': 'application/json', accept: 'application/json', cookie }
  const asked = request({ host: '127.0.0.1', port: server.address().port, path, method: 'POST', headers }).end(
    JSON.stringify(body),
  )
  const [answer] = await once(asked, 'response')
  answer.resume()
  assert.equal(answer.statusCode, 200, path)
  cookie = answer.headers['set-cookie']?.[0].split(';', 1)[0] ?? cookie
}
await post('/login', { id: 'ana', email: 'ana@example.com' })
await post('/2fa/send', {})
await post('/2fa/verify', { code: codes.get('ana@example.com') })
server.close()

const [text] = Object.values(sessions.sessions)
const headers = { host: '127.0.0.1', accept: 'application/json', cookie }
const requestOf = () => ({ method: 'GET', originalUrl: '/guarded', headers, session: JSON.parse(text) })

let opened = 0
const open = () => void opened++

/** Microseconds a call, of each lot. */
async function lots(handler) {
  const all = []
  for (let lot = -4; lot < CALLS / AT_ONCE; lot++) {
    const requests = Array.from({ length: AT_ONCE }, requestOf)
    const before = process.cpuUsage()
    for (const req of requests) handler(req, {}, open)
    await setImmediate() // the guard decides asynchronously
    const { user, system } = process.cpuUsage(before)
    if (lot >= 0) all.push((user + system) / AT_ONCE) // the first ones warm up
  }
  return all
}

const bare = await lots((_req, _res, next) => next())
opened = 0
const guarded = await lots(guard)
assert.equal(opened, CALLS + 4 * AT_ONCE, 'the guard is open')
process.send({ bare, guarded })
process.on('disconnect', () => process.exit())
