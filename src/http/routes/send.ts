import { issueChallenge } from '../../challenge/challenge.js'
import type { OpenChallenge } from '../../challenge/records.js'
import { composeDecoy, dispatchMail } from '../../delivery/dispatch.js'
import type { Rejection, Reservation } from '../../delivery/queue/reservation.js'
import { refundSend } from '../../delivery/refund.js'
import { sendAndWait } from '../../delivery/send-and-wait.js'
import { OtpError } from '../../errors.js'
import type { RequestContext } from '../request/context.js'
import type { Problem, RouteResult } from '../response/problem.js'
import { challengeJson, pageUrl } from '../response/state.js'
import { isAccepted, readTypedAddress, takeIpSend } from './typed-address.js'
import type { Identity } from '../../identity/user.js'
import type { CodeMailRequest } from '../../mail/mail-request.js'
import type { Services } from '../../services.js'
import { findChallenge, saveChallenge, updateChallenge } from '../../session/challenges.js'
import { saveSession } from '../../session/host-session.js'

type Sent = Extract<RouteResult, { redirectTo: string }>

const SUPERSEDED = { outcome: 'cancelled', reason: 'superseded' } as const

/**
 * `POST /send`: mails the code, to the known user or to the typed address. Whether mail can be taken at all is asked
 * first, so that a mail server that is down says nothing about anybody, and nothing is counted.
 */
export async function handleSend(services: Services, ctx: RequestContext): Promise<RouteResult> {
  if (ctx.identity === null && !services.settings.typedEmail) return { problem: 'sign_in_required' }
  const reservation = services.sendQueue.reserve(ctx.identity ? 'signed-in' : 'anonymous')
  if (reservation.outcome === 'rejected') return rejected(services, ctx, reservation)
  return reservation.use(() =>
    ctx.identity ? sendToUser(services, ctx, ctx.identity, reservation) : sendToTyped(services, ctx, reservation),
  )
}

/** A known user: the truth about the mail, as far as it is known in time. */
async function sendToUser(
  services: Services,
  ctx: RequestContext,
  identity: Identity,
  reservation: Reservation,
): Promise<RouteResult> {
  const { stepUp, req } = ctx
  const issued = await issueAndSave(services, ctx, identity, findChallenge(req, stepUp, identity.ref), true)
  if (issued.outcome === 'throttled') return throttled(issued.retryAfter)
  const { status, retryAfter } = await sendAndWait(services, reservation, {
    type: 'code',
    identity,
    stepUp,
    challenge: issued.challenge,
  })
  const isFailed = status === 'refused' || status === 'unavailable'
  const challenge: OpenChallenge = { ...issued.challenge, delivery: isFailed ? 'failed' : status }
  if (status !== 'queued') await updateChallenge(req, challenge, { delivery: challenge.delivery }, 'stored')
  if (!isFailed) return sentResult(services, ctx, challenge)
  return status === 'refused' ? { problem: 'mail_refused' } : unavailable(retryAfter)
}

/**
 * A typed address: one answer, whatever becomes of the mail. It is made after the answer, so that its time does not tell
 * whether a mail was made. Nothing is given back either: a budget that shrinks only for real mailboxes would tell the same.
 */
async function sendToTyped(services: Services, ctx: RequestContext, reservation: Reservation): Promise<RouteResult> {
  const identity = readTypedAddress(ctx)
  if ('problem' in identity) return identity
  const { req, stepUp } = ctx
  const existing = findChallenge(req, stepUp, identity.ref)
  const retryAfter = await takeIpSend(services, ctx, identity, existing)
  if (retryAfter !== null) return throttled(retryAfter)
  const canMail = await isAccepted(services, ctx, identity)
  const issued = await issueAndSave(services, ctx, identity, existing, canMail)
  if (issued.outcome === 'throttled') return throttled(issued.retryAfter)
  const mailRequest: CodeMailRequest = { type: 'code', identity, stepUp, challenge: issued.challenge }
  reservation.keep()
  return {
    ...sentResult(services, ctx, issued.challenge),
    afterResponse: () => {
      if (canMail) dispatchMail(services, reservation, mailRequest)
      else void composeDecoy(services, reservation, mailRequest)
    },
  }
}

/** Opens the challenge and has it remembered before any mail goes out. */
async function issueAndSave(
  services: Services,
  ctx: RequestContext,
  identity: Identity,
  existing: OpenChallenge | null,
  isMailable: boolean,
): Promise<Awaited<ReturnType<typeof issueChallenge>>> {
  const issued = await issueChallenge(services, identity, ctx.stepUp, existing, ctx.locale, isMailable)
  if (issued.outcome === 'throttled') return issued
  // A code that another one has replaced is not worth a mail any more.
  if (existing && existing.id !== issued.challenge.id) services.sendQueue.cancel(existing.id, SUPERSEDED)
  saveChallenge(ctx.req, issued.challenge)
  try {
    await saveSession(ctx.req)
  } catch (error) {
    // Nothing is mailed, so it costs nothing. Of a typed address every send costs the same.
    if (ctx.identity) {
      services.deliveryStatus.set(issued.challenge, { delivery: 'failed', failureClass: 'config' })
      await refundSend(services, { identity, challenge: issued.challenge })
    }
    throw error
  }
  return issued
}

function sentResult({ settings }: Services, ctx: RequestContext, challenge: OpenChallenge): Sent {
  return { redirectTo: pageUrl(settings, ctx.sealed), json: challengeJson(settings, challenge) }
}

function throttled(seconds: number): Problem {
  return { problem: 'too_many_requests', members: { retry_after: seconds } }
}

function unavailable(retryAfter: number): Problem {
  return { problem: 'mail_unavailable', ...(retryAfter > 0 && { members: { retry_after: retryAfter } }) }
}

function rejected(
  { events }: Services,
  { identity, stepUp }: RequestContext,
  { reason, retryAfter }: Rejection,
): Problem {
  const user = identity?.user ? identity.ref.id : null
  events.publish({ type: 'refused', user, purpose: stepUp.purpose, tag: null, outcome: `mail_${reason}` })
  return unavailable(retryAfter)
}

/** For `otp.start()`: the same as the form, for whoever is signed in. */
export async function sendForStart(
  services: Services,
  ctx: RequestContext,
): Promise<'sent' | 'queued' | 'failed' | 'throttled'> {
  if (ctx.identity === null) throw new OtpError('invalid_user', 'otp.start() needs a user: sign the person in first.')
  const answer = await handleSend(services, ctx)
  if (!('problem' in answer)) return 'json' in answer && answer.json.delivery === 'sent' ? 'sent' : 'queued'
  return answer.problem === 'too_many_requests' ? 'throttled' : 'failed'
}
