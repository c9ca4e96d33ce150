import type { PageContext, PageName } from '../config/page.js'
import { type OtpError, wrapError } from '../errors.js'
import { type OtpEvent, OtpEvents } from '../events.js'
import type { OtpRequest, OtpResponse } from '../express-types.js'
import { callWithTimeout } from '../host-callback.js'
import { renderPage } from './response/page.js'
import { brandOf } from './response/page-context.js'
import { problemDetail, problemTitle } from './response/problem-text.js'
import { problem, type Problem } from './response/problem.js'
import type { Services } from '../services.js'
import { deepMerge } from '../views/deep-merge.js'
import { dayCount } from '../views/formats.js'
import { translate } from '../views/messages.js'
import { type Sample, samplePages } from '../views/samples.js'

/** The pages in the states that visitors see: each with what went wrong, if anything did. */
export const PAGE_STATES = {
  email: { page: 'email', problem: null },
  'email, wrong': { page: 'email', problem: problem('invalid_email') },
  send: { page: 'send', problem: null },
  'send, expired': { page: 'send', problem: problem('code_expired') },
  code: { page: 'code', problem: null },
  'code, wrong': { page: 'code', problem: problem('wrong_code', { attempts_left: 3 }) },
  'code, mail failed': { page: 'code', problem: null },
  verified: { page: 'verified', problem: null },
  continue: { page: 'continue', problem: null },
  problem: { page: 'problem', problem: problem('store_unavailable') },
} as const satisfies Readonly<Record<string, { readonly page: PageName; readonly problem: Problem | null }>>

export type PageState = keyof typeof PAGE_STATES

export interface SamplePageRequest {
  readonly state: PageState
  readonly locale: string
  readonly sample: Sample
  /** Merged over the sample. */
  readonly values: Readonly<Record<string, unknown>>
}

export interface SamplePage {
  readonly html: string
  readonly context: PageContext
  /** What a visitor would not notice, since another layout stands in. */
  readonly failures: readonly OtpError[]
}

/** Renders a page as the host's visitors get it, with `locals` and `renderPage` of the host. Publishes nothing. */
export async function renderSamplePage(
  services: Services,
  req: OtpRequest,
  res: OtpResponse,
  { state, locale, sample, values }: SamplePageRequest,
): Promise<SamplePage> {
  const failures = new Failures(services.settings.now)
  const quiet = { ...services, events: failures }
  const custom = deepMerge(sample.custom, await customOf(quiet, req))
  const plain = contextOf(services, state, locale, sample, custom)
  const context = deepMerge(plain, values)
  const status = PAGE_STATES[state].problem?.status ?? 200
  const html = await renderPage({ services: quiet, req, res, status }, context)
  return { html, context, failures: failures.errors }
}

/** Instead of the plugin's events, which tell the host of real visitors. */
class Failures extends OtpEvents {
  readonly errors: OtpError[] = []
  override publish(event: OtpEvent): void {
    if (event.type === 'failed') this.errors.push(event.error)
  }
}

async function customOf({ settings, views, events }: Services, req: OtpRequest): Promise<PageContext['custom']> {
  try {
    return await callWithTimeout(settings.clock, 'locals', () => settings.locals(req))
  } catch (thrown) {
    const error = wrapError('host_callback', '`locals` threw.', thrown)
    events.publish({ type: 'failed', outcome: error.code, error })
    return views.emptyCustom
  }
}

function contextOf(
  services: Services,
  state: PageState,
  locale: string,
  sample: Sample,
  custom: PageContext['custom'],
): PageContext {
  const { settings, views } = services
  const { page, problem } = PAGE_STATES[state]
  const [base] = samplePages(sample, locale, custom).filter((one) => one.page === page && one.error === '')
  if (!base) throw new Error(`no sample of the page ${page}`)
  const messages = views.messages(locale)
  const count = base.code.length
  const isDigits = base.code.inputMode === 'numeric' && !base.code.isLong
  const label = translate(messages, isDigits ? 'code.digits' : 'code.characters', { count })
  const delivery = state === 'code, mail failed' ? 'failed' : 'sent'
  const isProblem = problem !== null && page === 'problem'
  return {
    ...base,
    title: isProblem
      ? problemTitle(services, locale, problem.code)
      : page === 'code'
        ? label
        : translate(messages, `${page}.title`),
    site: settings.site,
    brand: brandOf(services),
    path: settings.publicPath,
    assetVersion: views.assetVersion,
    code: { ...base.code, label },
    trustDays: settings.trustDays === null ? '' : dayCount(locale, settings.trustDays),
    delivery,
    deliveryText: translate(messages, `code.${delivery}`, { recipient: base.recipient.masked }),
    error: problem ? problemDetail(services, locale, problem, base.recipient.masked) : '',
    returnTo: '#',
    custom: isProblem ? views.emptyCustom : custom,
  }
}
