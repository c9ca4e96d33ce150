import type { OpenChallenge } from '../../challenge/records.js'
import { PLAIN_ACCESS } from '../../challenge/step-up.js'
import { DIGITS, LONG_FORMAT } from '../../crypto/code.js'
import { unkeyedHash } from '../../crypto/keys.js'
import { callHostFunction } from '../../host-callback.js'
import { readField } from '../request/body.js'
import type { RequestContext } from '../request/context.js'
import { deliveryText, failureText, lostMailText } from './delivery-text.js'
import type { Problem, ProblemCode } from './problem.js'
import { type ChallengeWithStatus, pageUrl, returnUrl, secondsUntil, stateOf } from './state.js'
import { maskAddress } from '../../identity/address.js'
import type { Services } from '../../services.js'
import { hasSession } from '../../session/host-session.js'
import type { PageContext, PageName } from '../../views/context.js'
import { duration, type Messages, textDirection, translate } from '../../views/messages.js'

/** Problems that leave a person no form to go on with: they get a page of their own. */
const TERMINAL_PROBLEMS: readonly ProblemCode[] = [
  'sign_in_required',
  'store_unavailable',
  'cross_site',
  'bad_request',
  'internal_error',
]

/** The page that shows where the person stands, with what went wrong, if anything did. */
export async function renderPage(services: Services, ctx: RequestContext, problem: Problem | null): Promise<string> {
  if (problem && (TERMINAL_PROBLEMS.includes(problem.problem) || !hasSession(ctx.req))) {
    return renderProblemPage(services, ctx, problem)
  }
  const { settings, views } = services
  const { challenge, grant, ...current } = stateOf(services, ctx)
  // The store knows better than the session whether there is a code to type.
  const state = current.step === 'code' && problem?.problem === 'code_expired' ? 'send' : current.step
  const messages = views.messages(ctx.locale)
  const error = problem ? problemDetail(services, ctx, problem) : lostMailText(services, ctx, state, challenge)
  const custom = await callHostFunction('locals', () => settings.locals(ctx.req))
  const canAutoSend = settings.autoSend && state === 'send' && challenge === null && !problem && ctx.sealed !== ''
  return views.renderPage({
    ...basePageContext(services, ctx, state),
    title: state === 'code' ? codeLabel(services, messages, challenge) : translate(messages, `${state}.title`),
    autoSend: canAutoSend ? unkeyedHash(ctx.sealed) : '',
    recipient: {
      masked: grant ? maskAddress(grant.identity.email) : (ctx.identity?.masked ?? challenge?.masked ?? ''),
      typed: problem?.problem === 'invalid_email' ? (readField(ctx.req.body, 'email', 1024) ?? '') : '',
      changeable: ctx.identity === null,
    },
    ...(challenge && challengeContext(services, messages, ctx, challenge)),
    error,
    returnTo: state === 'verified' ? continueUrl(services, ctx) : '',
    custom,
  })
}

/** A page without any of the host's values: it must render whatever is broken. */
export function renderProblemPage(
  services: Services,
  ctx: Pick<RequestContext, 'locale' | 'sealed'> & Partial<RequestContext>,
  problem: Problem,
): string {
  const messages = services.views.messages(ctx.locale)
  return services.views.renderPage({
    ...basePageContext(services, { ...ctx, stepUp: PLAIN_ACCESS }, 'problem'),
    title: translate(messages, `problem.${problem.problem}.title`),
    error: problemDetail(services, { locale: ctx.locale, identity: ctx.identity ?? null }, problem),
    returnTo: pageUrl(services.settings, ctx.sealed),
  })
}

/** What a problem says to the person, on the page and as `detail` in JSON. */
export function problemDetail(
  services: Services,
  ctx: Pick<RequestContext, 'locale'> & Partial<RequestContext>,
  { problem, members = {} }: Problem,
): string {
  const messages = services.views.messages(ctx.locale)
  if (problem === 'invalid_code_format') {
    return codeLabel(services, messages, ctx.req ? stateOf(services, ctx as RequestContext).challenge : null)
  }
  if (problem === 'mail_unavailable' && members.retry_after === undefined) {
    return failureText(services, ctx, null) ?? translate(messages, 'problem.mail_unavailable.now')
  }
  if (problem === 'mail_refused') {
    const full = failureText(services, ctx, 'mailbox-full')
    if (full) return full
  }
  if (problem === 'wrong_code' && members.attempts_left === 0) return translate(messages, 'problem.wrong_code.none')
  return translate(messages, `problem.${problem}.detail`, {
    recipient: ctx.identity?.masked ?? '',
    left: members.attempts_left,
    in: duration(ctx.locale, Number(members.retry_after ?? 0)),
  })
}

export function problemTitle({ views }: Services, locale: string, code: ProblemCode): string {
  return translate(views.messages(locale), `problem.${code}.title`)
}

function basePageContext(
  { settings, views }: Services,
  { locale, sealed, stepUp }: Pick<RequestContext, 'locale' | 'sealed' | 'stepUp'>,
  page: PageName,
): PageContext {
  const messages = views.messages(locale)
  return {
    page,
    title: '',
    locale,
    dir: textDirection(locale),
    site: settings.site,
    path: settings.path,
    for: sealed,
    autoSend: '',
    purpose: stepUp.purpose,
    purposeText: stepUp.description ?? messages[`purpose.${stepUp.purpose}`] ?? '',
    recipient: { masked: '', typed: '', changeable: false },
    code: { label: '', length: 0, isLong: false, inputMode: 'text' },
    expires: { in: '' },
    resend: { seconds: 0 },
    request: { tag: '' },
    delivery: '',
    deliveryText: '',
    error: '',
    returnTo: '',
    custom: {},
  }
}

function challengeContext(
  { settings }: Services,
  messages: Messages,
  ctx: RequestContext,
  challenge: ChallengeWithStatus,
): Partial<PageContext> {
  const { kind, delivery, tag } = challenge
  const now = settings.now()
  const { alphabet, length } = kind === 'long' ? LONG_FORMAT : settings.code
  return {
    code: {
      label: codeLabel({ settings }, messages, challenge),
      length,
      isLong: kind === 'long',
      inputMode: alphabet === DIGITS ? 'numeric' : 'text',
    },
    expires: { in: duration(ctx.locale, secondsUntil(challenge.expires, now)) },
    resend: { seconds: secondsUntil(challenge.resendAt, now) },
    request: { tag },
    delivery,
    deliveryText: deliveryText(messages, ctx, challenge),
  }
}

function codeLabel(
  { settings }: Pick<Services, 'settings'>,
  messages: Messages,
  challenge: OpenChallenge | null,
): string {
  const { alphabet, length } = challenge?.kind === 'long' ? LONG_FORMAT : settings.code
  return translate(messages, alphabet === DIGITS ? 'code.digits' : 'code.characters', { length })
}

function continueUrl({ settings }: Services, ctx: RequestContext): string {
  const to = returnUrl(settings, ctx)
  return to === settings.path ? '' : to
}
