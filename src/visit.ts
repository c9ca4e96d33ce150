import type { Parts } from './parts.js'
import { OtpError, otpError } from './errors.js'
import type { OtpRequest } from './http.js'
import { type Person, personOf } from './person.js'
import type { Settings } from './settings.js'
import { openStepUp, PLAIN_ACCESS, type StepUp } from './step-up.js'

/** One request to our pages: who came, what for, and in which language. */
export interface Visit {
  readonly req: OtpRequest
  readonly person: Person | null
  readonly stepUp: StepUp
  /** The step-up as it travels; empty when none came, or one that counts as none. */
  readonly sealed: string
  readonly locale: string
}

/** Reads a request to our pages; null when its `for` has a shape that no form of ours sends. */
export async function arrive(parts: Parts, req: OtpRequest): Promise<Visit | null> {
  const { settings } = parts
  const person = await whoIs(settings, req)
  const text = readField(req.method === 'POST' ? req.body : req.query, 'for', 4096)
  if (text === undefined) return null
  const stepUp = text ? openStepUp(settings.keys, text, person?.holder ?? null, settings.now()) : null
  const sealed = stepUp && text ? text : ''
  return { req, person, stepUp: stepUp ?? PLAIN_ACCESS, sealed, locale: localeOf(parts, req, person) }
}

/**
 * Asks the host who is signed in. Synchronous when the host's function is, so that the guard's open path waits
 * for nothing.
 */
export function whoIs(settings: Settings, req: OtpRequest): Person | null | Promise<Person | null> {
  try {
    const user: unknown = settings.user?.(req)
    // Query builders give things that can be awaited without being promises of Node's own.
    if (typeof (user as PromiseLike<unknown> | null | undefined)?.then === 'function') {
      return Promise.resolve(user).then(personOrNobody).catch(failed)
    }
    return personOrNobody(user)
  } catch (error) {
    return failed(error)
  }
}

/**
 * One field of a form or JSON body: a single string (CVE-2023-7028). `code[]=` and the like name the field without
 * being it, whichever parser the host has put in front.
 * @returns null when it is not there, undefined when it is anything but one string of at most `longest` characters
 */
export function readField(body: unknown, name: string, longest: number): string | null | undefined {
  if (body === undefined || body === null) return null
  if (typeof body !== 'object' || Array.isArray(body) || Buffer.isBuffer(body)) return undefined
  if (Object.keys(body).some((key) => key.startsWith(`${name}[`) || key.startsWith(`${name}.`))) return undefined
  if (!Object.hasOwn(body, name)) return null
  const value = (body as Record<string, unknown>)[name]
  return typeof value === 'string' && value.length <= longest ? value : undefined
}

/** The language: the person's own, else the browser's, else the default; only such as have words. */
export function localeOf({ settings, views }: Parts, req: OtpRequest, person: Person | null): string {
  const { locales } = views
  const wanted = wordsFor(locales, person?.locale ?? '')
  if (wanted !== undefined) return wanted
  // Without an Accept-Language header the first one wins, so the default stands first.
  const known = [settings.locale, ...locales.filter((tag) => tag !== settings.locale)]
  return req.acceptsLanguages(...known) || settings.locale
}

/** The locale itself, or its language, if there are words for it. */
export function wordsFor(locales: readonly string[], own: string): string | undefined {
  return locales.includes(own) ? own : locales.find((tag) => tag === own.replace(/-.*/, ''))
}

/** Runs a function of the host's. @throws OtpError `host_callback` with what it threw as the cause */
export async function callHost<T>(name: string, call: () => T | Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw otpError('host_callback', `\`${name}\` threw.`, error)
  }
}

// `(req) => req.isAuthenticated() && req.user` gives false: whatever is falsy is nobody.
function personOrNobody(user: unknown): Person | null {
  return user ? personOf(user) : null
}

function failed(error: unknown): never {
  if (error instanceof OtpError) throw error
  throw new OtpError('host_callback', '`user(req)` threw.', { cause: error })
}
