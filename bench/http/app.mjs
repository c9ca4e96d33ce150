// A server with one of the subjects, in a process of its own: node app.mjs <subject> <users at once>
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { Session } from 'node:inspector/promises'
// Loaded before NODE_ENV is set: it would complain about its MemoryStore.
import 'express-session'

process.env.NODE_ENV = 'production'
const [subject, users] = process.argv.slice(2)
const { makeSubject } = await import(`./subjects/${subject}.mjs`)
const { app, codes, clear, isPool, steps } = await makeSubject(Number(users))

const server = createServer(app)
server.keepAliveTimeout = 3_600_000 // the connections wait while other subjects have their turn
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port, isPool, steps }))

const profiler = new Session()
const answers = {
  cpu() {
    const { user, system } = process.cpuUsage()
    return { cpu: user + system }
  },
  codes: ({ emails }) => ({ codes: emails.map((email) => codes.get(email)) }),
  async clear() {
    codes.clear()
    await clear()
    return {}
  },
  async startProfile() {
    profiler.connect()
    await profiler.post('Profiler.enable')
    await profiler.post('Profiler.setSamplingInterval', { interval: 100 })
    await profiler.post('Profiler.start')
    return {}
  },
  async stopProfile({ file }) {
    const { profile } = await profiler.post('Profiler.stop')
    writeFileSync(file, JSON.stringify(profile))
    return {}
  },
}
process.on('message', async (asked) => process.send(await answers[asked.what](asked)))
process.on('disconnect', () => process.exit())
