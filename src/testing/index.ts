import './refuse-production.js'

export { createClock, type TestClock } from './clock.js'
export { createMailbox, type Mailbox, type ReceivedMail, type WaitOptions } from './mailbox.js'
export { mailProof, type MailProofCase, type MailProofOptions } from './mail-proof.js'
export { passOtp, type PassOptions, type TestAgent, type TestRequest, type TestResponse } from './pass-otp.js'
