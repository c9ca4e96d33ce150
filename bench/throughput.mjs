// Mails a second: the mailer with its queue, tries and breaker beside the pool of nodemailer that it hands mails to.
import { createRequire } from 'node:module'
import { performance } from 'node:perf_hooks'
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
import { goal, print, table } from './report.mjs'

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

/** All send the same message, through pools with the same options, and are done when the server has taken it. */
function senders(transport) {
  const options = { transport, from: 'Acme <no-reply@acme.example>' }
  const letter = makeLetter(options)
  const mail = resolveMail(options)
  const mailer = createMailer(mail, Date.now, () => undefined)
  const pool = createTransport({ ...mail.transporter.options })
  let posted = 0
  // One mail is under way to an address at a time.
  const toSome = (id) => {
    const address = `p${id}@example.com`
    return { address, message: { ...letter.message, to: { name: '', address } } }
  }
  const post = () =>
    new Promise((resolve, reject) => {
      const id = `${posted++}`
      const tell = ({ delivery }) => (delivery.outcome === 'accepted' ? resolve() : reject(delivery))
      const until = Date.now() + 300_000
      mailer.reserve(false).post({ ...letter, ...toSome(id), key: id, challenge: id, isKnown: false, until, tell })
    })
  return {
    operations: {
      'pool of nodemailer': { run: (i) => pool.sendMail(toSome(`${i}`).message) },
      mailer: { run: post },
    },
    async close() {
      pool.close()
      await mailer.close()
    },
  }
}

export async function throughput(slices) {
  const server = await startChild('./mail-server.mjs')
  const { operations, close } = senders({ host: '127.0.0.1', port: server.ready.port })
  print('### Mails a second')
  print()
  print(
    'The mail of a code, over three connections to a server on loopback; a mail is done when the server has taken it. All',
  )
  print(
    'of it is work of this process, which is the bottleneck here: what the mailer adds is its queue, a limit of time for',
  )
  print('each try, and looking at what became of it.')
  print()
  const ratios = []
  for (const inFlight of [400, 10]) {
    const [began, { cpu }] = [performance.now(), await server.ask({})]
    const results = await compare(operations, { ...slices, inFlight })
    const busy = ((await server.ask({})).cpu - cpu) / ((performance.now() - began) / 1_000)
    table(`${inFlight} in flight`, results, 'mails')
    print(`The mail server was busy for ${Math.round(100 * busy)} % of the time.`)
    print()
    ratios.push([inFlight, results.mailer.ratio])
  }
  for (const [inFlight, ratio] of ratios) {
    goal(`≥ 0.95 × the mails a second of the pool, ${inFlight} in flight (${ratio.toFixed(2)})`, ratio >= 0.95)
  }
  print()
  await close()
  server.stop()
}
