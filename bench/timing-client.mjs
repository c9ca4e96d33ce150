// Requests of new clients for typed addresses, some of which are mailed.
import { Buffer } from 'node:buffer'
import { randomInt } from 'node:crypto'
import { request } from 'node:http'
import { performance } from 'node:perf_hooks'

/** The third is the first again: its AUC shows the noise. */
export const KINDS = { accepted: 'yes', refused: 'not', 'accepted (A/A)': 'yes' }

let count = 0

/** An address that nobody has used, at a domain of its own. */
export const newAddress = (kind) => `p${count}@d${count++}.${KINDS[kind]}.example`

/** Milliseconds until the whole response is there, and the cookie that it sets. */
export function call(agent, port, { method = 'GET', path = '/2fa', cookie, body } = {}) {
  const text = body === undefined ? '' : JSON.stringify(body)
  const headers = {
    accept: 'application/json',
    'x-forwarded-for': `10.${[16, 8, 0].map((bits) => (count >> bits) & 255).join('.')}`,
    ...(cookie && { cookie }),
    ...(text && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
  }
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const asked = request({ agent, port, host: '127.0.0.1', path, method, headers }, (response) => {
      response.resume().once('end', () => {
        if (response.statusCode !== 200) return reject(new Error(`${method} is answered ${response.statusCode}`))
        const [set] = response.headers['set-cookie'] ?? []
        resolve({ ms: performance.now() - began, cookie: set?.replace(/;.*/, '') })
      })
    })
    asked.once('error', reject).end(text)
  })
}

export const send = (agent, port, email) => call(agent, port, { method: 'POST', path: '/2fa/send', body: { email } })

/** The kinds, as often as `rounds` says, in an order that is random in each round. */
export function* interleaved(rounds) {
  for (let round = 0; round < rounds; round++) {
    const names = Object.keys(KINDS)
    while (names.length > 0) yield names.splice(randomInt(names.length), 1)[0]
  }
}
