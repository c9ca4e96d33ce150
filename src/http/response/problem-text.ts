import type { OpenChallenge } from '../../challenge/records.js'
import { DIGITS, formatOf } from '../../crypto/code.js'
import type { RequestContext } from '../request/context.js'
import { failureText } from './delivery-text.js'
import type { Problem, ProblemCode } from './problem.js'
import { stateOf } from './state.js'
import type { Services } from '../../services.js'
import { hasSession } from '../../session/host-session.js'
import { duration } from '../../views/formats.js'
import { translate } from '../../views/messages.js'

type TextDeps = Pick<Services, 'settings' | 'views'>

export function problemTitle({ views }: TextDeps, locale: string, code: ProblemCode): string {
  return translate(views.messages(locale), `problem.${code}.title`)
}

/** The text of a problem without a session: on the page, and as `detail` in JSON. */
export function problemDetail(deps: TextDeps, locale: string, problem: Problem, recipient = ''): string {
  const { code, members, textKey = `problem.${code}.detail` } = problem
  const messages = deps.views.messages(locale)
  if (code === 'mail_unavailable' && members.retry_after === undefined) {
    return translate(messages, 'problem.mail_unavailable.now')
  }
  if (code === 'wrong_code' && members.attempts_left === 0) return translate(messages, 'problem.wrong_code.none')
  return translate(messages, textKey, {
    recipient,
    count: members.attempts_left,
    in: duration(locale, Number(members.retry_after ?? 0)),
  })
}

/** The same with a session, which may allow a more specific text. */
export function problemDetailFor(ctx: RequestContext, problem: Problem): string {
  const { services, req, locale, identity } = ctx
  const { code, members } = problem
  const challenge = code === 'invalid_code_format' && hasSession(req) ? stateOf(ctx).challenge : null
  if (challenge) return codeLabel(services, locale, challenge)
  const isUnavailable = code === 'mail_unavailable' && members.retry_after === undefined
  const exact = isUnavailable
    ? failureText(ctx, null)
    : code === 'mail_refused'
      ? failureText(ctx, 'mailbox-full')
      : null
  return exact ?? problemDetail(services, locale, problem, identity?.masked)
}

/** "Enter the 6-digit code". */
export function codeLabel(
  { settings, views }: TextDeps,
  locale: string,
  challenge: Pick<OpenChallenge, 'kind' | 'identity'>,
): string {
  const { alphabet, length } = formatOf(challenge, settings.code)
  return translate(views.messages(locale), alphabet === DIGITS ? 'code.digits' : 'code.characters', { count: length })
}
