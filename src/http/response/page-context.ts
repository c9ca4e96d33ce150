import { PLAIN_ACCESS } from '../../challenge/step-up.js'
import type { Brand } from '../../config/brand.js'
import type { PageContext, PageName } from '../../config/page.js'
import type { Settings } from '../../config/settings.js'
import { DIGITS, formatOf } from '../../crypto/code.js'
import { unkeyedHash } from '../../crypto/keys.js'
import type { OtpResponse } from '../../express-types.js'
import { callWithTimeout } from '../../host-callback.js'
import type { RequestContext } from '../request/context.js'
import { deliveryText, lostMailText } from './delivery-text.js'
import { hiddenFields } from './form-fields.js'
import { codeLabel, problemDetail, problemDetailFor, problemTitle } from './problem-text.js'
import { isTerminal, type Notice, type Problem } from './problem.js'
import { type ChallengeWithStatus, secondsUntil, stateOf, type VerificationState } from './state.js'
import { onwardUrl, pageUrl } from './urls.js'
import { maskAddress } from '../../identity/address.js'
import type { Services } from '../../services.js'
import { hasSession } from '../../session/host-session.js'
import { assetUrl } from '../../views/asset-url.js'
import { basePageContext } from '../../views/context.js'
import { dayCount, duration } from '../../views/formats.js'
import { textDirection } from '../../views/locales.js'
import { purposeText, translate } from '../../views/messages.js'

/** The page of the current state, with the problem if there is one. */
export async function pageContext(ctx: RequestContext, res: OtpResponse, notice: Notice | null): Promise<PageContext> {
  const { req, services, locale, identity, sealed } = ctx
  const { settings, views } = services
  if (notice && (isTerminal(notice.problem.code) || !hasSession(req))) {
    return problemContext(services, locale, notice.problem, pageUrl(settings, sealed))
  }
  const state = currentState(ctx, notice)
  const { step, challenge, grant } = state
  // What went wrong before the right code does not matter any more.
  const problem = step === 'verified' ? null : (notice?.problem ?? null)

  const custom = await customOf(ctx)
  const fields = step === 'verified' ? [] : await hiddenFields(ctx, res)
  return {
    ...basePage(services, locale, step, ctx),
    title:
      challenge && step === 'code'
        ? codeLabel(services, locale, challenge)
        : translate(views.messages(locale), `${step}.title`),
    autoSend: canAutoSend(ctx, state, problem) ? unkeyedHash(sealed) : '',
    recipient: {
      masked: grant ? maskAddress(grant.identity.email) : (identity?.masked ?? challenge?.masked ?? ''),
      typed: notice?.typed ?? '',
      changeable: identity === null,
    },
    ...(challenge && challengeContext(ctx, challenge)),
    error: problem ? problemDetailFor(ctx, problem) : lostMailText(ctx, state),
    returnTo: step === 'verified' ? onwardUrl(settings, ctx.stepUp) : '',
    fields,
    custom,
  }
}

/** The page after a right code, which goes on to the guarded page. */
export async function continueContext(ctx: RequestContext, to: string): Promise<PageContext> {
  const { services, locale } = ctx
  const custom = await customOf(ctx)
  const title = translate(services.views.messages(locale), 'continue.title')
  return { ...basePage(services, locale, 'continue', ctx), title, returnTo: to, custom }
}

/**
 * A page without identity, session and `locals`: any of them may be what is broken.
 * @param retryUrl where to try again
 */
export function problemContext(services: Services, locale: string, problem: Problem, retryUrl: string): PageContext {
  return {
    ...basePage(services, locale, 'problem', { sealed: '', stepUp: PLAIN_ACCESS }),
    title: problemTitle(services, locale, problem.code),
    error: problemDetail(services, locale, problem),
    returnTo: linkAfter(services.settings, problem, retryUrl),
    custom: services.views.emptyCustom,
  }
}

function customOf({ services, req }: RequestContext): Promise<PageContext['custom']> {
  const { settings } = services
  return callWithTimeout(settings.clock, 'locals', () => settings.locals(req))
}

function linkAfter({ home }: Settings, { code }: Problem, retryUrl: string): string {
  // Without an address, another try would end here again. The footer leads to `site.supportUrl`.
  if (code === 'no_address') return ''
  return code === 'step_up_expired' ? home : retryUrl
}

/** After `code_expired` there is no code to type, whatever the session says. */
function currentState(ctx: RequestContext, notice: Notice | null): VerificationState {
  const state = stateOf(ctx)
  return state.step === 'code' && notice?.problem.code === 'code_expired' ? { ...state, step: 'send' } : state
}

/** Not while a code is open whose mail failed: the visitor decides what to do about that. */
function canAutoSend(ctx: RequestContext, { step, challenge }: VerificationState, problem: Problem | null): boolean {
  const { settings } = ctx.services
  const hasUsableCode = challenge !== null && !challenge.isUsedUp && challenge.expires > settings.now()
  const isOffered = step === 'send' && ctx.identity !== null && !hasUsableCode && problem === null
  return settings.autoSend && isOffered && ctx.sealed !== ''
}

function basePage(
  services: Services,
  locale: string,
  page: PageName,
  { sealed, stepUp }: Pick<RequestContext, 'sealed' | 'stepUp'>,
): PageContext {
  const { settings, views } = services
  return {
    ...basePageContext,
    page,
    locale,
    dir: textDirection(locale),
    site: settings.site,
    brand: brandOf(services),
    path: settings.publicPath,
    assetVersion: views.assetVersion,
    for: sealed,
    purpose: stepUp.purpose,
    purposeText: stepUp.description ?? purposeText(views.messages(locale), stepUp.purpose),
  }
}

/** With the URL of the logo, where mails have its `cid:`. */
export function brandOf({ settings: { brand, logoFile, publicPath: path }, views: { assetVersion } }: Services): Brand {
  return logoFile ? { ...brand, logo: { ...brand.logo, src: assetUrl({ path, assetVersion }, logoFile.name) } } : brand
}

function challengeContext(ctx: RequestContext, challenge: ChallengeWithStatus): Partial<PageContext> {
  const { settings, trustedBrowser } = ctx.services
  const now = settings.now()
  const { alphabet, length } = formatOf(challenge, settings.code)
  const canTrust = trustedBrowser.isOffered(ctx.identity, ctx.stepUp)
  return {
    code: {
      label: codeLabel(ctx.services, ctx.locale, challenge),
      length,
      isLong: challenge.kind === 'long',
      inputMode: alphabet === DIGITS ? 'numeric' : 'text',
    },
    trustDays: canTrust ? dayCount(ctx.locale, settings.trustDays ?? 0) : '',
    expires: { in: duration(ctx.locale, secondsUntil(challenge.expires, now)) },
    resend: { seconds: secondsUntil(challenge.resendAt, now) },
    request: { tag: challenge.tag },
    delivery: challenge.delivery,
    deliveryText: deliveryText(ctx, challenge),
  }
}
