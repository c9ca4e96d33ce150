import { hostMail } from './host-mail.js'
import type { MailContext, MailRecipient } from '../config/mail.js'
import type { MailSettings } from '../config/mail-settings.js'
import type { Settings } from '../config/settings.js'
import { OtpError, wrapError } from '../errors.js'
import { callWithTimeout } from '../host-callback.js'
import { withoutCode } from './without-code.js'
import type { RenderedMail, Renderer } from '../views/renderer.js'

/** What rendering a mail needs. */
export interface RenderMailDeps {
  readonly settings: Pick<Settings, 'clock'>
  readonly views: Renderer
  readonly mailSettings: Pick<MailSettings, 'locals' | 'render'>
}

/** Called with each failure, without the code, after which there is a mail all the same. */
export type OnRenderFailure = (error: OtpError) => void

/** A mail, before `mail.locals` was asked. */
export type PlainMailContext = Omit<MailContext, 'custom'>

/**
 * Renders a mail: as `mail.render` does it, with what `mail.locals` returned as `custom`; else with the files in `views`; if
 * they fail or leave out the code, with an empty `custom`; and if that fails, with the package's own files. Takes ten seconds at most, five for
 * each of the two functions.
 * @throws OtpError `invalid_view` after a broken edit outside production, where a mail in another look would hide it
 */
export async function renderMail(
  deps: RenderMailDeps,
  recipient: MailRecipient,
  mail: PlainMailContext,
  onFailure: OnRenderFailure,
): Promise<RenderedMail> {
  const { views, mailSettings } = deps
  const purpose = recipient.mail === 'alert' ? 'alert' : recipient.purpose
  const plain: MailContext = { ...mail, custom: views.emptyCustom }
  const attempts: (() => RenderedMail | Promise<RenderedMail | null>)[] = [() => views.renderMail(purpose, plain)]
  try {
    const context: MailContext = { ...mail, custom: await customFor(deps, recipient) }
    if (mailSettings.locals) attempts.unshift(() => views.renderMail(purpose, context))
    attempts.unshift(() => renderByHost(deps, purpose, context))
  } catch (error) {
    // `mail.render` is left out: it may print what is missing in `custom`.
    onFailure(failureOf(error))
  }
  for (const attempt of attempts) {
    try {
      const rendered = await attempt()
      if (rendered) return withCode(rendered, mail)
    } catch (error) {
      if (error instanceof OtpError && error.code === 'invalid_view') throw error
      onFailure(withoutCode(failureOf(error), mail.code))
    }
  }
  return views.renderBuiltInMail(purpose, plain)
}

/**
 * No sample has all values: a template may show the code only for some. Here it need only be there, since the start has
 * looked at the rest.
 */
function withCode(rendered: RenderedMail, { code, boundLine }: PlainMailContext): RenderedMail {
  const { html, view } = rendered
  const text = rendered.text.replace(boundLine, '')
  // The title in the head repeats the subject, which may have the code.
  const body = html.slice(html.indexOf('</head') + 1)
  if (body.includes(code) && text.includes(code)) return rendered
  const part = body.includes(code) ? 'text' : 'html'
  const cure = 'Write {{> code}} outside of every {{#if}}.'
  throw new OtpError(
    'render_failed',
    `views: mail/${view}/${part} lacks the code with the values of this mail. ${cure}`,
  )
}

async function renderByHost(
  { settings, views, mailSettings: { render } }: RenderMailDeps,
  purpose: string,
  context: MailContext,
): Promise<RenderedMail | null> {
  const texts = render && (await hostMail(settings.clock, render, context))
  return texts && { ...texts, preheader: '', view: views.mailTemplateFolder(purpose, context.locale) }
}

/** What `mail.locals` returns for a recipient. @throws OtpError `host_callback` */
async function customFor(
  { settings, mailSettings: { locals } }: RenderMailDeps,
  recipient: MailRecipient,
): Promise<MailContext['custom']> {
  if (locals === null) return {}
  const custom: unknown = await callWithTimeout(settings.clock, 'mail.locals', () => locals(recipient))
  if (isPlainObject(custom)) return custom
  const cure = 'Return one, such as { plan: user?.plan }; {} when there is nothing to add.'
  throw new OtpError('host_callback', `\`mail.locals\` gave no plain object. ${cure}`)
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null // `Object.prototype`, of any realm
}

function failureOf(error: unknown): OtpError {
  return wrapError('render_failed', 'a mail could not be rendered.', error)
}
