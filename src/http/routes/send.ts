import { issueChallenge, type IssueOutcome } from '../../challenge/challenge.js'
import { eventContext } from '../../challenge/event-context.js'
import type { OpenChallenge } from '../../challenge/records.js'
import { dispatchTypedMail } from '../../delivery/dispatch.js'
import type { Rejection, Reservation } from '../../delivery/queue/reservation.js'
import { refundSend } from '../../delivery/refund.js'
import { sendAndWait } from '../../delivery/send-and-wait.js'
import type { RequestContext } from '../request/context.js'
import { sendBuckets, takeIpSend } from '../request/send-limits.js'
import { challengeJson } from '../response/json.js'
import { sentUrl } from '../response/notice.js'
import { type Problem, problem, type RouteResult, temporaryProblem } from '../response/problem.js'
import { withStatus } from '../response/state.js'
import { isAccepted, readTypedAddress } from './typed-address.js'
import type { Identity } from '../../identity/user.js'
import type { CodeMailRequest } from '../../mail/mail-request.js'
import { findChallenge, updateChallenge, withChallenge } from '../../session/challenges.js'
import type { SessionData } from '../../session/schema.js'
import { dropEndedSession, updateSession } from '../../session/update-session.js'

type Redirect = Extract<RouteResult, { type: 'redirect' }>
/** Another request ended or renewed the session in the meantime. */
interface SessionEnded {
  readonly outcome: 'session_ended'
}

const SIGNED_IN = { browser: null, isDeliverable: true }
const SUPERSEDED = { outcome: 'cancelled', reason: 'superseded' } as const

/**
 * `POST /send`: mails the code, to the signed-in user or to the typed address. It first reserves a place in the send
 * queue, so that in an outage of the mail server everybody gets the same answer and nothing is counted.
 */
export async function handleSend(ctx: RequestContext): Promise<RouteResult> {
  const { identity, services } = ctx
  const reservation = services.sendQueue.reserve(identity ? 'signed-in' : 'anonymous')
  if (reservation.outcome === 'rejected') return rejected(ctx, reservation)
  return reservation.use(() =>
    identity ? sendToUser(ctx, identity, reservation) : sendToTypedAddress(ctx, reservation),
  )
}

/** Mails a signed-in user and responds with the delivery status. */
async function sendToUser(ctx: RequestContext, identity: Identity, reservation: Reservation): Promise<RouteResult> {
  const { services, req, stepUp } = ctx
  const { settings } = services
  const issued = await issueAndSave(ctx, identity, findChallenge(settings, req, stepUp, identity.ref))
  if (issued.outcome !== 'opened') return notSent(issued)
  const { challenge } = issued
  const { status, retryAfter } = await sendAndWait(services, reservation, { type: 'code', identity, stepUp, challenge })
  // Only a failure is saved in the session. The status cache of this process has everything else.
  if (status === 'sent' || status === 'queued') {
    await dropEndedSession(settings, req)
    return sentResult(ctx, challenge)
  }
  await updateChallenge(settings, req, ctx.expectedUser, challenge, { delivery: 'failed' })
  return status === 'refused' ? problem('mail_refused') : temporaryProblem('mail_unavailable', retryAfter)
}

/**
 * A typed address always gets the same response. The mail is composed after the response, so that the response time does
 * not reveal whether there is one. Nothing is refunded, since a refund would reveal which mailboxes exist.
 */
async function sendToTypedAddress(ctx: RequestContext, reservation: Reservation): Promise<RouteResult> {
  const { services, req, stepUp } = ctx
  const typed = readTypedAddress(ctx)
  if (typed.type === 'problem') return typed
  const { identity } = typed
  const existing = findChallenge(services.settings, req, stepUp, identity.ref)
  const browser = services.deviceCookie.knows(req, identity)
  const retryAfter = browser === null ? await takeIpSend(ctx, identity, existing) : null
  if (retryAfter !== null) return throttled(retryAfter)
  const isDeliverable = await isAccepted(ctx, identity)
  const issued = await issueAndSave(ctx, identity, existing, { browser, isDeliverable })
  if (issued.outcome !== 'opened') return notSent(issued)
  const mailRequest: CodeMailRequest = { type: 'code', identity, stepUp, challenge: issued.challenge }
  reservation.keep()
  return {
    ...sentResult(ctx, issued.challenge),
    afterResponse: () => {
      dispatchTypedMail(services, reservation, mailRequest, isDeliverable)
    },
  }
}

/** Opens the challenge, and saves it before any mail goes out. */
async function issueAndSave(
  ctx: RequestContext,
  identity: Identity,
  existing: OpenChallenge | null,
  { browser, isDeliverable }: { readonly browser: string | null; readonly isDeliverable: boolean } = SIGNED_IN,
): Promise<IssueOutcome | SessionEnded> {
  const { services, req, stepUp, locale } = ctx
  const before = existing && { ...existing, wasMailed: mayHaveBeenMailed(ctx, existing) }
  const buckets = sendBuckets(ctx, identity, existing, browser)
  const issued = await issueChallenge(services, { identity, stepUp, existing: before, locale, buckets, isDeliverable })
  if (issued.outcome === 'throttled') return issued
  const { challenge } = issued
  // A waiting mail with the replaced code is of no use any more.
  if (existing && existing.id !== challenge.id) services.sendQueue.cancel(existing.id, SUPERSEDED)
  let isSaved = false
  try {
    const change = (data: SessionData): Partial<SessionData> => withChallenge(data, challenge)
    isSaved = (await updateSession(services.settings, req, ctx.expectedUser, change)) === 'saved'
  } finally {
    // Nothing is mailed, so the send is refunded, except to a typed address: there every send costs the same.
    if (!isSaved && ctx.identity) {
      services.deliveryStatus.set(challenge, { delivery: 'failed', failureClass: 'config' })
      await refundSend(services, { identity, challenge }, buckets.extraBuckets)
    }
  }
  return isSaved ? issued : { outcome: 'session_ended' }
}

/** Another process may have sent the mail: only a failure is certain. */
function mayHaveBeenMailed({ services }: RequestContext, challenge: OpenChallenge): boolean {
  const status = services.deliveryStatus.get(challenge.sendId)
  return challenge.wasMailed || (status ? status.delivery === 'sent' : challenge.delivery !== 'failed')
}

function sentResult(ctx: RequestContext, challenge: OpenChallenge): Redirect {
  return { type: 'redirect', to: sentUrl(ctx), json: challengeJson(ctx, withStatus(ctx, challenge)) }
}

function notSent(issued: Exclude<IssueOutcome | SessionEnded, { outcome: 'opened' }>): Problem {
  return issued.outcome === 'throttled' ? throttled(issued.retryAfter) : problem('no_challenge')
}

function throttled(retryAfter: number): Problem {
  return problem('too_many_requests', { retry_after: retryAfter })
}

function rejected({ services, identity, stepUp }: RequestContext, { reason, retryAfter }: Rejection): Problem {
  services.events.publish({ type: 'refused', ...eventContext(identity, stepUp, null), outcome: `mail_${reason}` })
  return temporaryProblem('mail_unavailable', retryAfter)
}
