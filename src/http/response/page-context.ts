import { PLAIN_ACCESS } from '../../challenge/step-up.js'
import { DIGITS, formatOf } from '../../crypto/code.js'
import { unkeyedHash } from '../../crypto/keys.js'
import { callHostFunction } from '../../host-callback.js'
import { readField } from '../request/body.js'
import type { RequestContext } from '../request/context.js'
import { deliveryText, lostMailText } from './delivery-text.js'
import { codeLabel, problemDetail, problemDetailFor, problemTitle } from './problem-text.js'
import type { Problem, ProblemCode } from './problem.js'
import { type ChallengeWithStatus, secondsUntil, stateOf, type VerificationState } from './state.js'
import { pageUrl, returnUrl } from './urls.js'
import { maskAddress } from '../../identity/address.js'
import type { Services } from '../../services.js'
import { hasSession } from '../../session/host-session.js'
import { basePageContext, type PageContext, type PageName } from '../../views/context.js'
import { duration, textDirection, translate } from '../../views/messages.js'

/** Problems after which there is no form to continue with. They have a page of their own. */
const TERMINAL_PROBLEMS: readonly ProblemCode[] = [
  'sign_in_required',
  'no_address',
  'store_unavailable',
  'cross_site',
  'bad_request',
  'internal_error',
]

/** Renders the page of the current state, with the problem if there is one. */
export async function renderPage(ctx: RequestContext, problem: Problem | null): Promise<string> {
  const { req, services, locale, identity, sealed } = ctx
  if (problem && (TERMINAL_PROBLEMS.includes(problem.code) || !hasSession(req))) {
    return renderProblemPage(services, locale, problem, sealed)
  }
  const { settings, views } = services
  const state = currentState(ctx, problem)
  const { step, challenge, grant } = state

  const custom = await callHostFunction('locals', () => settings.locals(req))
  return views.renderPage({
    ...basePage(services, locale, step, ctx),
    title:
      challenge && step === 'code'
        ? codeLabel(services, locale, challenge)
        : translate(views.messages(locale), `${step}.title`),
    autoSend: canAutoSend(ctx, state, problem) ? unkeyedHash(sealed) : '',
    recipient: {
      masked: grant ? maskAddress(grant.identity.email) : (identity?.masked ?? challenge?.masked ?? ''),
      typed: problem?.code === 'invalid_email' ? (readField(req.body, 'email', 1024) ?? '') : '',
      changeable: identity === null,
    },
    ...(challenge && challengeContext(ctx, challenge)),
    error: problem ? problemDetailFor(ctx, problem) : lostMailText(ctx, state),
    returnTo: step === 'verified' ? continueUrl(ctx) : '',
    custom,
  })
}

/** Renders a page without identity, session and `locals`: any of them may be what is broken. */
export function renderProblemPage(services: Services, locale: string, problem: Problem, sealed = ''): string {
  return services.views.renderPage({
    ...basePage(services, locale, 'problem', { sealed, stepUp: PLAIN_ACCESS }),
    title: problemTitle(services, locale, problem.code),
    error: problemDetail(services, locale, problem),
    // Without an address, another try would end here again. The footer leads to `site.supportUrl`.
    returnTo: problem.code === 'no_address' ? '' : pageUrl(services.settings, sealed),
  })
}

/** After `code_expired` there is no code to type, whatever the session says. */
function currentState(ctx: RequestContext, problem: Problem | null): VerificationState {
  const state = stateOf(ctx)
  return state.step === 'code' && problem?.code === 'code_expired' ? { ...state, step: 'send' } : state
}

/** Not while a code is open whose mail failed: the visitor decides what to do about that. */
function canAutoSend(ctx: RequestContext, { step, challenge }: VerificationState, problem: Problem | null): boolean {
  const { settings } = ctx.services
  const hasUsableCode = challenge !== null && !challenge.isUsedUp && challenge.expires > settings.now()
  const isOffered = step === 'send' && ctx.identity !== null && !hasUsableCode && problem === null
  return settings.autoSend && isOffered && ctx.sealed !== ''
}

function basePage(
  { settings, views }: Services,
  locale: string,
  page: PageName,
  { sealed, stepUp }: Pick<RequestContext, 'sealed' | 'stepUp'>,
): PageContext {
  return {
    ...basePageContext,
    page,
    locale,
    dir: textDirection(locale),
    site: settings.site,
    path: settings.path,
    assetVersion: views.assetVersion,
    for: sealed,
    purpose: stepUp.purpose,
    purposeText: stepUp.description ?? views.messages(locale)[`purpose.${stepUp.purpose}`] ?? '',
  }
}

function challengeContext(ctx: RequestContext, challenge: ChallengeWithStatus): Partial<PageContext> {
  const { settings } = ctx.services
  const now = settings.now()
  const { alphabet, length } = formatOf(challenge, settings.code)
  return {
    code: {
      label: codeLabel(ctx.services, ctx.locale, challenge),
      length,
      isLong: challenge.kind === 'long',
      inputMode: alphabet === DIGITS ? 'numeric' : 'text',
    },
    expires: { in: duration(ctx.locale, secondsUntil(challenge.expires, now)) },
    resend: { seconds: secondsUntil(challenge.resendAt, now) },
    request: { tag: challenge.tag },
    delivery: challenge.delivery,
    deliveryText: deliveryText(ctx, challenge),
  }
}

/** Target of "continue"; empty if the host has made our own page its `home`. */
function continueUrl({ services, stepUp }: RequestContext): string {
  const url = returnUrl(services.settings, stepUp)
  return url === services.settings.path ? '' : url
}
