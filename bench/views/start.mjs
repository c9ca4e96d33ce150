// Starts the plugin once in a new process, with a folder of views if one is named, and sends how long that took.
import { createRequire } from 'node:module'
import { performance } from 'node:perf_hooks'

const require = createRequire(import.meta.url)
const { emailOtp } = require('../../dist/index.js')
const [, , views] = process.argv

const options = {
  secret: 'a secret of a benchmark, which is long enough',
  site: { name: 'Acme', origin: 'https://acme.example' },
  mail: { transport: { sendMail: async () => ({}) }, from: 'Acme <no-reply@acme.example>' },
  user: () => null,
  ...(views && { views }),
}
const began = performance.now()
emailOtp(options)
process.send({ ms: performance.now() - began })
process.once('disconnect', () => process.exit())
