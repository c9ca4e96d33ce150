// Mails a second: the mailer with its queue, tries and breaker beside the pool of nodemailer that it hands mails to.
import { createRequire } from 'node:module'
import { parseAddress } from '../dist/address.js'
import { codeMail } from '../dist/mail/code-mail.js'
import { createMailer } from '../dist/mail/delivery.js'
import { resolveMail } from '../dist/mail/transport.js'
import { personOfAddress } from '../dist/person.js'
import { resolveSettings } from '../dist/settings.js'
import { PLAIN_ACCESS } from '../dist/step-up.js'
import { loadViews } from '../dist/views.js'
import { startChild } from './child.mjs'
import { compare } from './measure.mjs'
import { goal, say, table } from './report.mjs'

// The very copy that the mailer uses: `import` would load another one.
const { createTransport } = createRequire(import.meta.url)('nodemailer')

const ADDRESS = 'ana@example.com'

/** The mail of a code, as the plugin makes it. */
function makeLetter(options) {
  const site = { name: 'Acme', origin: 'https://acme.example' }
  const settings = resolveSettings({ secret: 'x'.repeat(32), site, mail: options, typedEmail: true })
  const room = { settings, views: loadViews([], 'en'), mail: resolveMail(options) }
  const { message, secrets } = codeMail(room, settings.keys.current, {
    person: personOfAddress(parseAddress(ADDRESS)),
    stepUp: PLAIN_ACCESS,
    challenge: 'abcdefghijklmnopqrstuv',
    kind: 'short',
    code: '48291537',
    tag: 'KZQ',
    locale: 'en',
    expires: Date.now() + 600_000,
  })
  return { message, secrets, address: ADDRESS }
}

/** Both send the same message, through pools with the same options; both are done when the server has taken it. */
function senders(transport) {
  const options = { transport, from: 'Acme <no-reply@acme.example>' }
  const letter = makeLetter(options)
  const mail = resolveMail(options)
  const mailer = createMailer(mail, Date.now, () => undefined)
  const pool = createTransport({ ...mail.transporter.options })
  let posted = 0
  const post = () =>
    new Promise((resolve, reject) => {
      const id = `${posted++}`
      const tell = ({ delivery }) => (delivery.outcome === 'accepted' ? resolve() : reject(delivery))
      const address = `p${id}@example.com`
      const message = { ...letter.message, to: { name: '', address } }
      const until = Date.now() + 300_000
      mailer.reserve(false).post({ ...letter, message, address, key: id, challenge: id, isKnown: false, until, tell })
    })
  return {
    raw: { act: () => pool.sendMail({ ...letter.message }) },
    own: { act: post },
    async close() {
      pool.close()
      await mailer.close()
    },
  }
}

async function measureOne(head, transport, waits, slices, server) {
  const { raw, own, close } = senders(transport)
  const [began, { cpu }] = [process.hrtime.bigint(), await server.ask({})]
  const results = await compare({ 'pool of nodemailer': raw, mailer: own }, { ...slices, inFlight: waits })
  const busy = ((await server.ask({})).cpu - cpu) / (Number(process.hrtime.bigint() - began) / 1e9)
  table(`${head}, ${waits} at once`, results, 'mails')
  say(`The mail server was busy for ${Math.round(100 * busy)} % of the time.`)
  say()
  await close()
  return results.mailer.ratio
}

export async function throughput(slices) {
  const server = await startChild('./mail-server.mjs')
  const transport = { host: '127.0.0.1', port: server.ready.port }
  say('### Mails a second')
  say()
  say(
    'The mail of a code, over three connections to a server on loopback. A mail is done when the server has taken it.',
  )
  say(
    'By default a connection ends after 100 mails. With mails waiting in it the pool then pauses for 100 ms; the mailer',
  )
  say(
    'keeps them in a queue of its own, and each one that it hands over opens a new connection at once. With connections',
  )
  say(
    'that stay there is no pause, and what is left is the work of the mailer itself, which is the same however many wait.',
  )
  say()
  const ratio = await measureOne('100 mails per connection', transport, 400, slices, server)
  const endless = { ...transport, maxMessages: 1e9 }
  await measureOne('connections stay', endless, 400, slices, server)
  await measureOne('connections stay', endless, 10, slices, server)
  goal(`≥ 0.95 × the mails a second of the pool (${ratio.toFixed(2)})`, ratio >= 0.95)
  say()
  server.stop()
}
