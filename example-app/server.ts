import { OtpError } from 'express-email-otp'
import { StartupError, startBank } from './start-bank.js'

async function main(): Promise<void> {
  const bank = await startBank(process.env)
  console.log(`Pebble Bank is open at ${bank.url}`)
  for (const hint of bank.hints) console.log(`  ${hint}`)
  console.log('  Ctrl+C closes it.')

  const stop = (): void => {
    console.log('Closing; waiting for mails in progress …')
    void bank.close()
  }
  // `once`: a second Ctrl+C ends the process at once.
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

main().catch((error: unknown) => {
  const isExpected = error instanceof StartupError || error instanceof OtpError
  console.error(isExpected ? `Pebble Bank cannot open: ${error.message}` : error)
  process.exit(1)
})
