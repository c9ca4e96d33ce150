// The stores beside the fastest possible commands of their databases.
import { cpus } from 'node:os'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { memory } from './memory.mjs'
import { postgres } from './postgres.mjs'
import { bytesInRedis, redis } from './redis.mjs'
import { print, write } from './report.mjs'
import { startRedis } from './servers.mjs'

export async function measure({ quick }) {
  const slices = quick ? { rounds: 5, calls: 2_000 } : { rounds: 15, calls: 10_000 }
  const server = await startRedis()
  const client = await createClient({ url: `redis://127.0.0.1:${server.port}` }).connect()
  const other = new Redis(server.port, '127.0.0.1')
  const send = (...args) => client.sendCommand(args)
  const version = /redis_version:(\S+)/.exec(String(await send('INFO', 'server')))[1]
  print('# Benchmark of the stores')
  print()
  print(
    `\`npm run bench -- stores\`, ${new Date().toISOString().slice(0, 10)}: ${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, Redis ${version}.`,
  )
  print('Medians of interleaved slices; each ratio is that of one round, and the A/A line says how much is noise.')
  print('Before each slice Redis is emptied and the challenges are opened again.')
  print(
    'node-redis sends all commands of one turn of the event loop together, and Redis answers them together, so all time that',
  )
  print('scripts take adds up. The line "both keys read" is the minimum of any redeem.')
  print()
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
