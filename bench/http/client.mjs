// The client: as light as it can be, since it shares the machine with the server.
import { Buffer } from 'node:buffer'
import { Agent, request } from 'node:http'
import { performance } from 'node:perf_hooks'
import { startChild } from '../child.mjs'
import { ORIGIN } from './site.mjs'
import { keepCode, keepCookies, usersOf } from './users.mjs'

/** @param users how many make a slice */
export async function startSubject(name, users) {
  const { ready, ask, stop } = await startChild('./http/app.mjs', name, String(users))
  const agents = new Map()
  return {
    ...ready,
    users,
    ask: (what, more) => ask({ what, ...more }),
    agent(connections) {
      if (!agents.has(connections)) agents.set(connections, new Agent({ keepAlive: true, maxSockets: connections }))
      return agents.get(connections)
    },
    stop() {
      for (const agent of agents.values()) agent.destroy()
      stop()
    },
  }
}

/** All that can be made before the clock runs. */
function callOf({ port }, { path, body, status = 200 }, user) {
  const filled = body && JSON.stringify(body).replace(/\{(\w+)\}/g, (_, name) => user[name])
  const headers = { accept: 'application/json', origin: ORIGIN, 'sec-fetch-site': 'same-origin' }
  if (user.jar.size > 0) headers.cookie = [...user.jar].map(([name, value]) => `${name}=${value}`).join('; ')
  if (filled)
    Object.assign(headers, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(filled) })
  const options = { host: '127.0.0.1', port, path, method: filled ? 'POST' : 'GET', headers }
  return { options, filled, status, user }
}

function exchange(agent, { options, filled, status, user }, isRead) {
  return new Promise((resolve, reject) => {
    const asked = request({ agent, ...options }, (answer) => {
      let text = ''
      if (isRead || answer.statusCode !== status) answer.setEncoding('utf8').on('data', (part) => (text += part))
      else answer.resume()
      answer.once('end', () => {
        if (answer.statusCode !== status) return reject(new Error(`${options.path}: ${answer.statusCode} ${text}`))
        keepCookies(user, answer.headers['set-cookie'])
        resolve(text)
      })
    })
    asked.once('error', reject).end(filled)
  })
}

/** One request for each user, by so many connections: microseconds a request, of the server's CPU and of the clock. */
export async function slice(subject, step, users, connections) {
  const calls = users.map((user) => callOf(subject, subject.steps[step], user))
  const agent = subject.agent(connections)
  let next = 0
  const worker = async () => {
    while (next < calls.length) await exchange(agent, calls[next++])
  }
  const { cpu: before } = await subject.ask('cpu')
  const began = performance.now()
  await Promise.all(Array.from({ length: connections }, worker))
  const wall = performance.now() - began
  const { cpu } = await subject.ask('cpu')
  return { cpu: (cpu - before) / calls.length, wall: (1_000 * wall) / calls.length }
}

/** As many users as make a slice, ready for what is measured, signed in where the subject wants that. */
export async function arrivals(subject) {
  const users = usersOf(subject)
  for (const step of ['login', 'prepare']) {
    if (!subject.steps[step]) continue
    const come = async (user) => {
      const text = await exchange(subject.agent(16), callOf(subject, subject.steps[step], user), true)
      Object.assign(user, JSON.parse(text))
    }
    await Promise.all(users.map(come))
  }
  return users
}

export async function readMails(subject, users) {
  const { codes } = await subject.ask('codes', { emails: users.map(({ email }) => email) })
  users.forEach((user, i) => keepCode(user, codes[i]))
}
