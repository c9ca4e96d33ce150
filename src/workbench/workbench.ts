import express from 'express'
import type { OtpHandler } from '../express-types.js'
import { servicesOf } from '../services.js'
import { DevInbox } from './dev-inbox.js'
import { requireDevelopment } from './development-only.js'
import { localRequestsOnly } from './local-requests.js'
import { OptionChecker } from '../validate.js'

const check = new OptionChecker('workbench')

export interface WorkbenchOptions {
  /** What `devInbox()` returned, to show the mails that came. */
  inbox?: DevInbox
}

/**
 * Shows the mails and pages of a plugin to its developer, as they are with the host's own options and files.
 * @example
 * ```ts
 * if (process.env.NODE_ENV !== 'production') app.use('/workbench', workbench(otp))
 * ```
 * @param otp what `emailOtp()` returned
 * @throws OtpError `invalid_option` with NODE_ENV=production, or if `site.origin` is not on this machine
 */
export function workbench(otp: object, options: WorkbenchOptions = {}): OtpHandler {
  const services = servicesOf('workbench', otp)
  requireDevelopment('workbench()', services.settings.site.domain)
  check.rejectUnknownKeys('', options, ['inbox'])
  const { inbox } = options
  if (inbox !== undefined && !(inbox instanceof DevInbox)) {
    throw check.invalid('inbox', inbox, 'Give what devInbox() returned, the same as in `mail.transport`.')
  }
  const router = express.Router()
  router.use(localRequestsOnly as unknown as express.RequestHandler)
  router.get('/', (_req, res) => void res.send('soon'))
  router.post('/values', (_req, res) => void res.send('soon'))
  return router as unknown as OtpHandler
}
