import { mistakesPage } from './mistakes-page.js'
import { problemContext } from './page-context.js'
import type { Problem } from './problem.js'
import type { PageContext } from '../../config/page.js'
import type { Settings } from '../../config/settings.js'
import { OtpError, wrapError } from '../../errors.js'
import type { OtpRequest, OtpResponse, RenderingResponse } from '../../express-types.js'
import { callWithTimeout } from '../../host-callback.js'
import type { Services } from '../../services.js'

/** Where a page goes to. */
export interface PageTarget {
  readonly services: Services
  readonly req: OtpRequest
  readonly res: OtpResponse
  readonly status: number
}

/**
 * Renders a page: as the host does it; if that fails, with the files in `views` and an empty `custom`; and if that fails,
 * with the package's own files. Each failure is published, and the visitor has a page that works.
 * @throws OtpError `invalid_view` after a broken edit outside production, where a page in another look would hide it
 */
export async function renderPage(target: PageTarget, context: PageContext): Promise<string> {
  const { services } = target
  const { settings, views } = services
  const { renderPage: render } = settings
  const plain = { ...context, custom: views.emptyCustom }
  const attempts: (() => string | Promise<string>)[] = [() => views.renderPage(plain)]
  if (render) attempts.unshift(() => renderInHostLayout(target, render, context))
  else if (context.custom !== views.emptyCustom) attempts.unshift(() => views.renderPage(context))
  for (const attempt of attempts) {
    try {
      return await attempt()
    } catch (error) {
      if (isBrokenEdit(error)) throw error
      publishFailure(services, error)
    }
  }
  return views.renderBuiltInPage(plain)
}

/**
 * The page of a problem. If the host's own texts break it, it is in English and has nothing of the host's. After a broken edit
 * it tells the mistakes, outside production.
 */
export async function renderProblemPage(
  target: PageTarget,
  locale: string,
  problem: Problem,
  retryUrl: string,
): Promise<string> {
  const { services } = target
  try {
    return await renderPage(target, problemContext(services, locale, problem, retryUrl))
  } catch (error) {
    publishFailure(services, error)
    if (isBrokenEdit(error)) return mistakesPage(error)
  }
  const views = services.views.builtIn()
  return views.renderPage(problemContext({ ...services, views }, 'en', problem, retryUrl))
}

/** The views can turn out broken as a page is rendered only where edits are taken up: not in production. */
function isBrokenEdit(error: unknown): error is OtpError {
  return error instanceof OtpError && error.code === 'invalid_view' && process.env.NODE_ENV !== 'production'
}

async function renderInHostLayout(
  { services, req, res, status }: PageTarget,
  render: NonNullable<Settings['renderPage']>,
  context: PageContext,
): Promise<string> {
  const { page: name, locale, dir } = context
  const page = { name, ...services.views.pageParts(context), status, locale, dir, context }
  const expressRes = res as RenderingResponse // this router runs in an Express app
  const html: unknown = await callWithTimeout(services.settings.clock, 'renderPage', () =>
    render(req, expressRes, page),
  )
  if (res.headersSent) throw unusable('it has sent the response, which is ours to send')
  if (typeof html !== 'string' || html === '') throw unusable('it gave no HTML')
  return html
}

function unusable(reason: string): OtpError {
  const cure =
    'Return the page as a string. With `res.render(view, data, callback)` the callback gets it, and nothing is sent.'
  return new OtpError('host_callback', `\`renderPage(req, res, page)\`: ${reason}. ${cure}`)
}

function publishFailure({ events }: Services, thrown: unknown): void {
  const error = wrapError('render_failed', 'a page could not be rendered.', thrown)
  events.publish({ type: 'failed', outcome: error.code, error })
}
