import type { Services } from '../../services.js'
import { OtpError, wrapError } from '../../errors.js'
import type { OtpRequest } from '../../express-types.js'
import { type Identity, identityFromUser } from '../../identity/user.js'
import type { Settings } from '../../config/settings.js'
import { unsealStepUp, PLAIN_ACCESS, type StepUp } from '../../challenge/step-up.js'

/** One request to our pages: who came, what for, and in which language. */
export interface RequestContext {
  readonly req: OtpRequest
  readonly identity: Identity | null
  readonly stepUp: StepUp
  /** The step-up as it travels; empty when none came, or one that counts as none. */
  readonly sealed: string
  readonly locale: string
}

/** Reads a request to our pages; null when its `for` has a shape that no form of ours sends. */
export async function createRequestContext(services: Services, req: OtpRequest): Promise<RequestContext | null> {
  const { settings } = services
  const identity = await resolveIdentity(settings, req)
  const text = readField(req.method === 'POST' ? req.body : req.query, 'for', 4096)
  if (text === undefined) return null
  const stepUp = text ? unsealStepUp(settings.keys, text, identity?.ref ?? null, settings.now()) : null
  const sealed = stepUp && text ? text : ''
  return { req, identity, stepUp: stepUp ?? PLAIN_ACCESS, sealed, locale: negotiateLocale(services, req, identity) }
}

/**
 * Asks the host who is signed in. Synchronous when the host's function is, so that the guard's open path waits
 * for nothing.
 */
export function resolveIdentity(settings: Settings, req: OtpRequest): Identity | null | Promise<Identity | null> {
  try {
    const user: unknown = settings.user?.(req)
    // Query builders give things that can be awaited without being promises of Node's own.
    if (typeof (user as PromiseLike<unknown> | null | undefined)?.then === 'function') {
      return Promise.resolve(user).then(identityOrNull).catch(rethrowHostError)
    }
    return identityOrNull(user)
  } catch (error) {
    return rethrowHostError(error)
  }
}

/**
 * One field of a form or JSON body: a single string (CVE-2023-7028). `code[]=` and the like name the field without
 * being it, whichever parser the host has put in front.
 * @returns null when it is not there, undefined when it is anything but one string of at most `longest` characters
 */
export function readField(body: unknown, name: string, maxLength: number): string | null | undefined {
  if (body === undefined || body === null) return null
  if (typeof body !== 'object' || Array.isArray(body) || Buffer.isBuffer(body)) return undefined
  if (Object.keys(body).some((key) => key.startsWith(`${name}[`) || key.startsWith(`${name}.`))) return undefined
  if (!Object.hasOwn(body, name)) return null
  const value = (body as Record<string, unknown>)[name]
  return typeof value === 'string' && value.length <= maxLength ? value : undefined
}

/** The language: the person's own, else the browser's, else the default; only such as have words. */
export function negotiateLocale({ settings, views }: Services, req: OtpRequest, identity: Identity | null): string {
  const { locales } = views
  const wanted = matchLocale(locales, identity?.locale ?? '')
  if (wanted !== undefined) return wanted
  // Without an Accept-Language header the first one wins, so the default stands first.
  const known = [settings.locale, ...locales.filter((tag) => tag !== settings.locale)]
  return req.acceptsLanguages(...known) || settings.locale
}

/** The locale itself, or its language, if there are words for it. */
export function matchLocale(locales: readonly string[], own: string): string | undefined {
  return locales.includes(own) ? own : locales.find((tag) => tag === own.replace(/-.*/, ''))
}

/** Runs a function of the host's. @throws OtpError `host_callback` with what it threw as the cause */
export async function callHostFunction<T>(name: string, call: () => T | Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw wrapError('host_callback', `\`${name}\` threw.`, error)
  }
}

// `(req) => req.isAuthenticated() && req.user` gives false: whatever is falsy is nobody.
function identityOrNull(user: unknown): Identity | null {
  return user ? identityFromUser(user) : null
}

function rethrowHostError(error: unknown): never {
  if (error instanceof OtpError) throw error
  throw new OtpError('host_callback', '`user(req)` threw.', { cause: error })
}
