import { maskAddress } from './address.js'
import type { Parts } from './parts.js'
import { DIGITS, LONG } from './code.js'
import { hasSession } from './host-session.js'
import { fingerprint } from './keys.js'
import type { Problem, ProblemCode } from './problem.js'
import type { OpenChallenge } from './session-records.js'
import { deliveryText, lossText, refusalText } from './delivery-text.js'
import { destination, type LiveChallenge, pageUrl, secondsUntil, stateOf } from './state.js'
import { PLAIN_ACCESS } from './step-up.js'
import type { PageContext, PageName } from './view-context.js'
import { callHost, readField, type Visit } from './visit.js'
import { directionOf, duration, say, type Words } from './words.js'

/** Problems that leave a person no form to go on with: they get a page of their own. */
const DEAD_ENDS: readonly ProblemCode[] = [
  'sign_in_required',
  'store_unavailable',
  'cross_site',
  'bad_request',
  'internal_error',
]

/** The page that shows where the person stands, with what went wrong, if anything did. */
export async function renderPage(parts: Parts, visit: Visit, problem: Problem | null): Promise<string> {
  if (problem && (DEAD_ENDS.includes(problem.problem) || !hasSession(visit.req))) {
    return renderDeadEnd(parts, visit, problem)
  }
  const { settings, views } = parts
  const { challenge, grant, ...stands } = stateOf(parts, visit)
  // The store knows better than the session whether there is a code to type.
  const state = stands.state === 'code' && problem?.problem === 'code_expired' ? 'send' : stands.state
  const words = views.words(visit.locale)
  const error = problem ? detailOf(parts, visit, problem) : lossText(parts, visit, state, challenge)
  const custom = await callHost('locals', () => settings.locals(visit.req))
  const mayPress = settings.autoSend && state === 'send' && challenge === null && !problem && visit.sealed !== ''
  return views.page({
    ...emptyPage(parts, visit, state),
    title: state === 'code' ? codeLabel(parts, words, challenge) : say(words, `${state}.title`),
    autoSend: mayPress ? fingerprint(visit.sealed) : '',
    recipient: {
      masked: grant ? maskAddress(grant.holder.email) : (visit.person?.masked ?? challenge?.masked ?? ''),
      typed: problem?.problem === 'invalid_email' ? (readField(visit.req.body, 'email', 1024) ?? '') : '',
      changeable: visit.person === null,
    },
    ...(challenge && challengeContext(parts, words, visit, challenge)),
    error,
    returnTo: state === 'verified' ? continueTo(parts, visit) : '',
    custom,
  })
}

/** A page without any of the host's values: it must render whatever is broken. */
export function renderDeadEnd(
  parts: Parts,
  visit: Pick<Visit, 'locale' | 'sealed'> & Partial<Visit>,
  problem: Problem,
): string {
  const words = parts.views.words(visit.locale)
  return parts.views.page({
    ...emptyPage(parts, { ...visit, stepUp: PLAIN_ACCESS }, 'problem'),
    title: say(words, `problem.${problem.problem}.title`),
    error: detailOf(parts, { locale: visit.locale, person: visit.person ?? null }, problem),
    returnTo: pageUrl(parts.settings, visit.sealed),
  })
}

/** What a problem says to the person, on the page and as `detail` in JSON. */
export function detailOf(
  parts: Parts,
  visit: Pick<Visit, 'locale'> & Partial<Visit>,
  { problem, members = {} }: Problem,
): string {
  const words = parts.views.words(visit.locale)
  if (problem === 'invalid_code_format') {
    return codeLabel(parts, words, visit.req ? stateOf(parts, visit as Visit).challenge : null)
  }
  if (problem === 'mail_unavailable' && members.retry_after === undefined) {
    return refusalText(parts, visit, null) ?? say(words, 'problem.mail_unavailable.now')
  }
  if (problem === 'mail_refused') {
    const full = refusalText(parts, visit, 'mailbox-full')
    if (full) return full
  }
  if (problem === 'wrong_code' && members.attempts_left === 0) return say(words, 'problem.wrong_code.none')
  return say(words, `problem.${problem}.detail`, {
    recipient: visit.person?.masked ?? '',
    left: members.attempts_left,
    in: duration(visit.locale, Number(members.retry_after ?? 0)),
  })
}

export function titleOf({ views }: Parts, locale: string, code: ProblemCode): string {
  return say(views.words(locale), `problem.${code}.title`)
}

function emptyPage(
  { settings, views }: Parts,
  { locale, sealed, stepUp }: Pick<Visit, 'locale' | 'sealed' | 'stepUp'>,
  page: PageName,
): PageContext {
  const words = views.words(locale)
  return {
    page,
    title: '',
    locale,
    dir: directionOf(locale),
    site: settings.site,
    path: settings.path,
    for: sealed,
    autoSend: '',
    purpose: stepUp.purpose,
    purposeText: stepUp.description ?? words[`purpose.${stepUp.purpose}`] ?? '',
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
  { settings }: Parts,
  words: Words,
  visit: Visit,
  challenge: LiveChallenge,
): Partial<PageContext> {
  const { kind, delivery, tag } = challenge
  const now = settings.now()
  const { alphabet, length } = kind === 'long' ? LONG : settings.code
  return {
    code: {
      label: codeLabel({ settings }, words, challenge),
      length,
      isLong: kind === 'long',
      inputMode: alphabet === DIGITS ? 'numeric' : 'text',
    },
    expires: { in: duration(visit.locale, secondsUntil(challenge.expires, now)) },
    resend: { seconds: secondsUntil(challenge.resendAt, now) },
    request: { tag },
    delivery,
    deliveryText: deliveryText(words, visit, challenge),
  }
}

function codeLabel({ settings }: Pick<Parts, 'settings'>, words: Words, challenge: OpenChallenge | null): string {
  const { alphabet, length } = challenge?.kind === 'long' ? LONG : settings.code
  return say(words, alphabet === DIGITS ? 'code.digits' : 'code.characters', { length })
}

function continueTo({ settings }: Parts, visit: Visit): string {
  const to = destination(settings, visit)
  return to === settings.path ? '' : to
}
