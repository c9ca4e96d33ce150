// The stores beside what they cannot beat.
import { cpus } from 'node:os'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { memory } from './memory.mjs'
import { postgres } from './postgres.mjs'
import { bytesInRedis, redis } from './redis.mjs'
import { say, write } from './report.mjs'
import { startRedis } from './servers.mjs'

export async function measure({ quick }) {
  const slices = quick ? { rounds: 5, calls: 2_000 } : { rounds: 15, calls: 10_000 }
  const server = await startRedis()
  const client = await createClient({ url: `redis://127.0.0.1:${server.port}` }).connect()
  const other = new Redis(server.port, '127.0.0.1')
  const send = (...args) => client.sendCommand(args)
  const version = /redis_version:(\S+)/.exec(String(await send('INFO', 'server')))[1]
  say('# Benchmark of the stores')
  say()
  say(
    `\`npm run bench -- stores\`, ${new Date().toISOString().slice(0, 10)}: ${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, Redis ${version}.`,
  )
  say('Medians of interleaved slices; each ratio is that of one round, and the A/A line says how much is noise.')
  say('Before each slice Redis is emptied and the challenges are opened anew.')
  say(
    'With node-redis client and server take turns: what was asked in one turn of the loop is sent together and answered',
  )
  say('together, so all that a script does adds up. The line "both keys read" is what any redeem has to begin with.')
  say()
  await redis('node-redis', send, slices)
  await redis('ioredis', (command, ...args) => other.call(command, ...args), slices)
  await bytesInRedis(send, quick ? 10_000 : 100_000)
  client.destroy()
  other.disconnect()
  server.stop()
  await memory(slices)
  await postgres(slices)
  if (!quick) write('stores.md')
}
