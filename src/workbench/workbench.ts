import path from 'node:path'
import express, { type Request, type Response } from 'express'
import type { OtpHandler, OtpRequest } from '../express-types.js'
import { type Services, servicesOf } from '../services.js'
import { OptionChecker } from '../validate.js'
import { DevInbox } from './dev-inbox.js'
import { requireDevelopment } from './development-only.js'
import { inboxRoutes } from './inbox-routes.js'
import { LiveEvents } from './live-events.js'
import { localRequestsOnly } from './local-requests.js'
import { previewRoutes } from './preview-routes.js'
import type { ScreenFrame } from './preview-screen.js'
import { ASSETS, loadScreens } from './screen.js'

const check = new OptionChecker('workbench')

const ASSET_FILES = ['workbench.css', 'workbench.js', 'frame.js', 'findings.js', 'contrast.js', 'scheme.js']

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
  return createWorkbench(services, inbox)
}

/**
 * The same whatever `site.origin` is, for a server that listens on this machine only. Each request is checked all the same.
 */
export function createWorkbench(services: Services, inbox?: DevInbox): OtpHandler {
  const live = new LiveEvents(services.settings.viewFolders, inbox)
  const render = loadScreens()
  const frameOf = ({ baseUrl }: OtpRequest): ScreenFrame => ({
    base: baseUrl,
    site: services.settings.site.name,
    hasInbox: inbox !== undefined,
    inboxCount: inbox?.mails.length ?? 0,
  })
  const router = express.Router()
  router.use(localRequestsOnly as unknown as express.RequestHandler)
  router.get('/live', (_req: Request, res: Response) => {
    live.subscribe(res)
  })
  for (const file of ASSET_FILES) {
    router.get(`/${file}`, (_req: Request, res: Response) => {
      res.sendFile(path.join(ASSETS, file), { cacheControl: false })
    })
  }
  if (inbox) router.use('/inbox', inboxRoutes({ inbox, render, frameOf }))
  router.use(previewRoutes({ services, render, frameOf }))
  return router as unknown as OtpHandler
}
