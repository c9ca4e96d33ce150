import type { RequestContext } from '../request/context.js'
import { readField } from '../request/body.js'
import { isTerminal, type Notice, problem, type Problem, type ProblemCode } from './problem.js'
import { pageUrl } from './urls.js'
import { unkeyedHash } from '../../crypto/keys.js'
import { seal, unseal } from '../../crypto/seal.js'
import { hasSession, sharedId } from '../../session/host-session.js'
import { MAX_REDIRECT_LENGTH } from '../../url.js'

interface SealedNotice {
  readonly code: ProblemCode
  readonly members: Problem['members']
  readonly typed: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly reader: string
}

const ONE_MINUTE_MS = 60_000
const MAX_TYPED_LENGTH = 254

export function noticeOf({ req }: RequestContext, problem: Problem): Notice {
  const typed = problem.code === 'invalid_email' ? readField(req.body, 'email', MAX_TYPED_LENGTH) : null
  return { problem, typed: typed ?? '' }
}

/**
 * Where a POST of a browser redirects to after a problem. Null for a problem that is answered in place: it has a page of its
 * own, or the URL would be too long for a header.
 */
export function noticeUrl(ctx: RequestContext, notice: Notice): string | null {
  const isRedirected = ctx.req.method === 'POST' && !isTerminal(notice.problem.code) && hasSession(ctx.req)
  return isRedirected ? pageWithNotice(ctx, notice) : null
}

/** The page after a send. A browser that has not shown yet that it keeps the session cookie shows it there. */
export function sentUrl(ctx: RequestContext): string {
  const plain = pageUrl(ctx.services.settings, ctx.sealed)
  if (!hasSession(ctx.req) || sharedId(ctx.req) !== null) return plain
  return pageWithNotice(ctx, noticeOf(ctx, problem('cookies_required'))) ?? plain
}

function pageWithNotice(ctx: RequestContext, { problem, typed }: Notice): string | null {
  const { settings } = ctx.services
  const { code, members } = problem
  const notice: SealedNotice = { code, members, typed, at: settings.now(), reader: readerOf(ctx) }
  const url = pageUrl(settings, ctx.sealed, seal(settings.keys.current.notice, JSON.stringify(notice)))
  return url.length > MAX_REDIRECT_LENGTH ? null : url
}

/**
 * The notice in the URL. One that is altered, old, or of another step-up, identity or session counts as none. So does one
 * behind a link of another site: a visitor without a session has nothing else that tells their notice from a stranger's.
 */
export function readNotice(ctx: RequestContext): Notice | null {
  const { services, req } = ctx
  const { keys, now } = services.settings
  if (req.headers['sec-fetch-site'] === 'cross-site') return null
  const sealed = readField(req.query, 'notice', MAX_REDIRECT_LENGTH)
  const noticeKeys = keys.all.map((one) => one.notice)
  const text = sealed ? unseal(noticeKeys, sealed) : null
  if (text === null) return null
  const { code, members, typed, at, reader } = JSON.parse(text) as SealedNotice
  const age = now() - at
  if (age > ONE_MINUTE_MS || reader !== readerOf(ctx)) return null
  return { problem: problem(code, afterWaiting(members, age)), typed }
}

/** Who may read it: this identity, in this session, on the page of this step-up. */
function readerOf({ req, expectedUser, sealed }: RequestContext): string {
  return unkeyedHash(JSON.stringify([sealed, expectedUser, sharedId(req)]))
}

/** The seconds to wait, less those that have passed. */
function afterWaiting(members: Problem['members'], age: number): Problem['members'] {
  const { retry_after: wait } = members
  return wait === undefined ? members : { ...members, retry_after: Math.max(0, Math.ceil(Number(wait) - age / 1000)) }
}
