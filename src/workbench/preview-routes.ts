import express, { type Request, type Response } from 'express'
import { sendTestMail } from '../delivery/trial-send.js'
import type { OtpHandler, OtpRequest } from '../express-types.js'
import { parseAddress } from '../identity/address.js'
import { composeSampleMail } from '../mail/sample-mail.js'
import type { Services } from '../services.js'
import { readBadges } from './badges.js'
import { CatalogueReader, viewId } from './catalogue.js'
import { sendFrame } from './frame-policy.js'
import { createPreview, type Preview } from './preview.js'
import { previewScreen, type ScreenFrame } from './preview-screen.js'
import type { RenderScreen } from './screen.js'
import { queryOf, readSelection, type Selection } from './selection.js'
import { sendResult, unsentResult } from './send-result.js'
import { parseValues, TypedValues } from './typed-values.js'

interface PreviewRoutesDeps {
  readonly services: Services
  readonly render: RenderScreen
  readonly frameOf: (req: OtpRequest) => ScreenFrame
}

const MAX_BODY = '64kb'

/** The mails and pages with samples, and the test mail. */
export function previewRoutes({ services, render, frameOf }: PreviewRoutesDeps): OtpHandler {
  const router = express.Router()
  const typedValues = new TypedValues()
  const form = express.urlencoded({ extended: false, limit: MAX_BODY })
  const catalogues = new CatalogueReader(services)
  const selectionOf = (values: unknown, catalogue = catalogues.read()): Selection =>
    readSelection(catalogue, services.settings.locale, values)
  const previewOf = async (req: Request, res: Response, selection = selectionOf(req.query)): Promise<Preview> => {
    const preview = await createPreview({ services, typedValues }, selection, req, res)
    if (preview.failure?.issues.length) catalogues.keepFailure(preview.failure)
    return preview
  }

  const showScreen = async (req: Request, res: Response): Promise<void> => {
    const catalogue = catalogues.read()
    const selection = selectionOf(req.query, catalogue)
    const preview = await previewOf(req, res, selection)
    const badgeOf = readBadges(services.settings.viewFolders)
    res.type('html').send(render('screen', previewScreen(frameOf(req), catalogue, badgeOf, selection, preview)))
  }

  const showFrame = async (req: Request, res: Response): Promise<void> => {
    const { html, mail } = await previewOf(req, res)
    sendFrame(res, html, mail ? undefined : services.settings.contentSecurityPolicy)
  }

  const sendMessage = async (req: Request, res: Response): Promise<void> => {
    const { mail } = await previewOf(req, res)
    if (!mail) return void res.sendStatus(404)
    res.attachment('mail.eml').type('message/rfc822').send(mail.raw)
  }

  /** The worst finding of each mail and page. It comes after the first paint, since it renders them all. */
  const sendLevels = async (req: Request, res: Response): Promise<void> => {
    const selection = selectionOf(req.query)
    const levels: Record<string, string> = {}
    for (const view of catalogues.read().views) {
      levels[viewId(view)] = levelOf(await previewOf(req, res, { ...selection, view }))
    }
    res.json(levels)
  }

  const keepValues = (req: Request, res: Response): void => {
    const body = (req.body ?? {}) as Record<string, unknown>
    const text = typeof body.values === 'string' ? body.values.trim() : ''
    const selection = { ...selectionOf({ ...body, values: '' }), values: text && typedValues.keep(text) }
    res.redirect(303, `${req.baseUrl}/${queryOf(selection)}`)
  }

  const sendTest = async (req: Request, res: Response): Promise<void> => {
    const body = (req.body ?? {}) as Record<string, unknown>
    const { view, locale, sample, values } = selectionOf(body)
    const address = parseAddress(typeof body.to === 'string' ? body.to : '')?.address
    res.type('html')
    if (address === undefined) {
      return void res.status(422).send(render('send-result', unsentResult('That is not an e-mail address.')))
    }
    try {
      const mailValues = parseValues(typedValues.textOf(values))
      const mail = await composeSampleMail(services, { purpose: view.name, locale, sample, values: mailValues })
      res.send(render('send-result', sendResult(await sendTestMail(services, mail.message, address))))
    } catch (error) {
      res.status(422).send(render('send-result', unsentResult((error as Error).message)))
    }
  }

  router.get('/', forwardErrors(showScreen))
  router.get('/frame', forwardErrors(showFrame))
  router.get('/mail.eml', forwardErrors(sendMessage))
  router.get('/levels', forwardErrors(sendLevels))
  router.post('/values', form, keepValues)
  router.post('/send', form, forwardErrors(sendTest))
  return router as unknown as OtpHandler
}

/** Express 4 does not look at promises. */
function forwardErrors(handle: (req: Request, res: Response) => Promise<void>): express.RequestHandler {
  return (req, res, next) => void handle(req, res).catch(next)
}

function levelOf({ failure, findings }: Preview): 'ok' | 'warning' | 'error' {
  if (failure || findings.some(({ level }) => level === 'error')) return 'error'
  return findings.length > 0 ? 'warning' : 'ok'
}
