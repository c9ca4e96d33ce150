import { OtpError } from 'express-email-otp'
import { CannotOpen, openBank } from './open.js'

async function main(): Promise<void> {
  const bank = await openBank(process.env)
  console.log(`Pebble Bank is open at ${bank.url}`)
  for (const hint of bank.hints) console.log(`  ${hint}`)
  console.log('  Ctrl+C closes it.')

  const stop = (): void => {
    console.log('Closing; a mail on its way may finish …')
    void bank.close()
  }
  // Once each: a second Ctrl+C ends the process at once.
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

main().catch((error: unknown) => {
  const isTold = error instanceof CannotOpen || error instanceof OtpError
  console.error(isTold ? `Pebble Bank cannot open: ${error.message}` : error)
  process.exit(1)
})
