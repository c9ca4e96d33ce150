import { OtpError } from '../errors.js'

// The mailbox keeps codes in the clear, and the clock stops expiry.
if (process.env.NODE_ENV === 'production') {
  const cure = 'Import it in tests only, and run them with another NODE_ENV.'
  throw new OtpError('invalid_option', `express-email-otp/testing cannot be loaded with NODE_ENV=production. ${cure}`)
}
