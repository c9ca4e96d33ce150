// Mails a second: the send queue beside the pool of nodemailer that it hands mails to.
import { createRequire } from 'node:module'
import { performance } from 'node:perf_hooks'
import { PLAIN_ACCESS } from '../dist/challenge/step-up.js'
import { systemClock } from '../dist/clock.js'
import { resolveMailSettings } from '../dist/config/mail-settings.js'
import { resolveSettings } from '../dist/config/settings.js'
import { SendQueue } from '../dist/delivery/queue/send-queue.js'
import { parseAddress } from '../dist/identity/address.js'
import { identityFromAddress } from '../dist/identity/user.js'
import { composeMail } from '../dist/mail/compose.js'
import { createRenderer } from '../dist/views/renderer.js'
import { startChild } from './child.mjs'
import { compare } from './measure.mjs'
import { goal, print, table } from './report.mjs'

// The very copy that the queue uses: `import` would load another one.
const { createTransport } = createRequire(import.meta.url)('nodemailer')

const ADDRESS = 'ana@example.com'

/** No mail of the bench may fail. */
function fail(error) {
  throw error
}

/** The mail of a code, as the plugin composes it. */
async function codeMail(options, mailSettings) {
  const site = { name: 'Acme', origin: 'https://acme.example' }
  const settings = resolveSettings({ secret: 'x'.repeat(32), site, mail: options, typedEmail: true })
  const identity = identityFromAddress(parseAddress(ADDRESS))
  const challenge = {
    id: 'abcdefghijklmnopqrstuv',
    secret: settings.keys.current.fingerprint,
    kind: 'short',
    purpose: 'access',
    details: null,
    tag: 'KZQ',
    locale: 'en',
    identity: identity.ref,
    expires: Date.now() + 600_000,
  }
  const deps = { settings, views: createRenderer([], 'en'), mailSettings }
  const request = { type: 'code', identity, stepUp: PLAIN_ACCESS, challenge }
  const { message, secrets } = await composeMail(deps, request, { id: 'a mail', at: Date.now() }, fail)
  return { message, secrets, address: ADDRESS }
}

/** All send the same message, through pools with the same options, and are done when the server has taken it. */
async function senders(transport) {
  const options = { transport, from: 'Acme <no-reply@acme.example>' }
  const mailSettings = resolveMailSettings(options)
  const mail = await codeMail(options, mailSettings)
  const queue = new SendQueue(mailSettings, systemClock, () => undefined)
  const pool = createTransport({ ...mailSettings.transporter.options })
  let count = 0
  // One mail is under way to an address at a time.
  const to = (id) => {
    const address = `p${id}@example.com`
    return { address, message: { ...mail.message, to: { name: '', address } } }
  }
  const send = () =>
    new Promise((resolve, reject) => {
      const challengeId = `${count++}`
      const onUpdate = ({ result }) => (result.outcome === 'accepted' ? resolve() : reject(result))
      const { address, message } = to(challengeId)
      const compose = () => Promise.resolve({ ...mail, address, message })
      const until = systemClock.now() + 300_000
      const times = { firstAttemptUntil: until, retryUntil: until }
      queue.reserve('anonymous').enqueue({ address, compose, ...times, challengeId, onUpdate })
    })
  return {
    operations: {
      'pool of nodemailer': { run: (i) => pool.sendMail(to(`${i}`).message) },
      'send queue': { run: send },
    },
    async close() {
      pool.close()
      await queue.close()
    },
  }
}

export async function throughput(slices) {
  const server = await startChild('./mail-server.mjs')
  const { operations, close } = await senders({ host: '127.0.0.1', port: server.ready.port })
  print('### Mails a second')
  print()
  print(
    'The mail of a code, over three connections to a server on loopback; a mail is done when the server has taken it. All',
  )
  print(
    'of it is work of this process, which is the bottleneck here: what the send queue adds is its order, a timeout for',
  )
  print('each attempt, and reading how it ended.')
  print()
  const ratios = []
  for (const inFlight of [400, 10]) {
    const [began, { cpu }] = [performance.now(), await server.ask({})]
    const results = await compare(operations, { ...slices, inFlight })
    const busy = ((await server.ask({})).cpu - cpu) / ((performance.now() - began) / 1_000)
    table(`${inFlight} in flight`, results, 'mails')
    print(`The mail server was busy for ${Math.round(100 * busy)} % of the time.`)
    print()
    ratios.push([inFlight, results['send queue'].ratio])
  }
  for (const [inFlight, ratio] of ratios) {
    goal(`≥ 0.95 × the mails a second of the pool, ${inFlight} in flight (${ratio.toFixed(2)})`, ratio >= 0.95)
  }
  print()
  await close()
  server.stop()
}
