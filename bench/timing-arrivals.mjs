// When the next mail arrives after an address was typed that is mailed, or one that is not.
import { Agent } from 'node:http'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers'
import { setTimeout as sleep } from 'node:timers/promises'
import { SMTPServer } from 'smtp-server'
import { startChild } from './child.mjs'
import { interleaved, newAddress, send } from './timing-client.mjs'

const APPS = 4
const MAIL_TAKES_MS = 300

/** A mail server in this process, which takes its time and tells when a mail to an address has come. */
async function inbox() {
  const waiting = new Map()
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onData(stream, { envelope }, done) {
      stream.resume().once('end', () => {
        waiting.get(envelope.rcptTo[0].address)?.(performance.now())
        setTimeout(done, MAIL_TAKES_MS)
      })
    },
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const arrival = (address) => new Promise((resolve) => waiting.set(address, resolve))
  return { port: server.server.address().port, arrival, close: () => server.close() }
}

/** {kind: milliseconds}, `perKind` of each. Several apps at once, since each trial is mostly waiting. */
export async function arrivals(perKind) {
  const mails = await inbox()
  const took = {}
  const trials = interleaved(perKind)
  const run = async () => {
    const app = await startChild('./timing-app.mjs', String(mails.port), '1')
    const agent = new Agent({ keepAlive: true })
    const own = async () => {
      const address = newAddress('accepted')
      const arrived = mails.arrival(address)
      const asked = performance.now()
      await send(agent, app.ready.port, address)
      return (await arrived) - asked
    }
    await own() // the first decoy takes as long as a mail before it
    for (const kind of trials) {
      while ((await app.ask('health')).queue > 0) await sleep(20)
      await send(agent, app.ready.port, newAddress(kind))
      ;(took[kind] ??= []).push(await own())
    }
    agent.destroy()
    app.stop()
  }
  await Promise.all(Array.from({ length: APPS }, run))
  mails.close()
  return took
}
