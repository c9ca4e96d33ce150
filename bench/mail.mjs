// Mail: what the queue costs, and whether a slow mail server can be felt.
import { cpus } from 'node:os'
import { latency } from './latency.mjs'
import { print, write } from './report.mjs'
import { throughput } from './throughput.mjs'

export async function measure({ quick }) {
  print('# Benchmark of mail')
  print()
  print(
    `\`npm run bench -- mail\`, ${new Date().toISOString().slice(0, 10)}: ${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}.`,
  )
  print('Medians of interleaved slices; each ratio is that of one round, and the A/A line says how much is noise.')
  print()
  await throughput(quick ? { rounds: 5, calls: 900 } : { rounds: 15, calls: 1_800 })
  await latency(quick ? { rounds: 3, gap: 5 } : { rounds: 20, gap: 10 })
  if (!quick) write('mail.md')
}
