import express, { type Request, type Response } from 'express'
import type { OtpHandler, OtpRequest } from '../express-types.js'
import { htmlWithImages } from './arrived-mail.js'
import type { DevInbox } from './dev-inbox.js'
import { sendFrame } from './frame-policy.js'
import { inboxScreen } from './inbox-screen.js'
import type { ScreenFrame } from './preview-screen.js'
import type { RenderScreen } from './screen.js'

interface InboxDeps {
  readonly inbox: DevInbox
  readonly render: RenderScreen
  readonly frameOf: (req: OtpRequest) => ScreenFrame
}

/** The mails that came, below `/inbox`. */
export function inboxRoutes({ inbox, render, frameOf }: InboxDeps): OtpHandler {
  const router = express.Router()
  /** The workbench is one level above. */
  const frameAbove = (req: OtpRequest): ScreenFrame => {
    const frame = frameOf(req)
    return { ...frame, base: frame.base.replace(/\/inbox$/, '') }
  }

  router.get('/', (req: Request, res: Response) => {
    res.type('html').send(render('screen', inboxScreen(frameAbove(req), inbox, inbox.mails[0] ?? null)))
  })

  router.post('/clear', (req: Request, res: Response) => {
    inbox.clear()
    res.redirect(303, req.baseUrl)
  })

  router.get('/:id', (req: Request<{ id: string }>, res: Response) => {
    const mail = inbox.find(req.params.id)
    // It may have been one too many, or the app was started again.
    if (!mail) return void res.redirect(303, req.baseUrl)
    res.type('html').send(render('screen', inboxScreen(frameAbove(req), inbox, mail)))
  })

  router.get('/:id/frame', (req: Request<{ id: string }>, res: Response) => {
    const mail = inbox.find(req.params.id)
    sendFrame(res, mail ? htmlWithImages(mail) : '')
  })

  router.get('/:id/mail.eml', (req: Request<{ id: string }>, res: Response, next) => {
    const mail = inbox.find(req.params.id)
    if (!mail) return void next()
    res.attachment('mail.eml').type('message/rfc822').send(mail.raw)
  })

  return router as unknown as OtpHandler
}
