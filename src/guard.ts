import { OtpError } from './errors.js'
import type { Parts } from './parts.js'
import { checkGuard, type GuardOptions, plain } from './guard-options.js'
import { requireSession } from './host-session.js'
import type { OtpHandler, OtpRequest, OtpResponse } from './http.js'
import type { Person } from './person.js'
import { isNavigation, redirect, respondToFailure, respondWithout, sendProblem } from './respond.js'
import { isSitePath, isUnder, refererPath } from './same-origin.js'
import { freshGrant, useUp } from './session.js'
import type { Grant } from './session-records.js'
import type { Settings } from './settings.js'
import { pageUrl } from './state.js'
import { fingerprintDetails, sealStepUp, type StepUp } from './step-up.js'
import { callHost, localeOf, whoIs } from './visit.js'

/**
 * Middleware that keeps a route shut until the session holds a fresh grant. It writes no session and, while the
 * grant is fresh, does no I/O; whatever breaks, the route stays shut.
 * @throws OtpError `invalid_option`
 */
export function createGuard(parts: Parts, options: GuardOptions = {}): OtpHandler {
  const { settings } = parts
  const { purpose, maxAge, details, describe } = checkGuard(options)
  const oldest = maxAge ?? settings.grantMaxAge
  if (details && oldest > settings.grantMaxAge) {
    const cure = `With \`details\` give at most \`grantMaxAge\`, ${settings.grantMaxAge}: the grant is for one deed, soon.`
    throw new OtpError('invalid_option', `requireOtp: option \`maxAge\` is ${oldest}. ${cure}`)
  }

  return (incoming, res, next) => {
    const req = incoming as OtpRequest
    const fail = (error: unknown): void => {
      respondToFailure(parts, req, res, error)
    }
    const decide = (person: Person | null): void => {
      if (person === null && !settings.typedEmail) return askToSignIn(parts, req, res)
      const holder = person?.holder ?? null
      if (!details) {
        if (freshGrant(req, { purpose, details: null }, holder, oldest, settings.now())) return next()
        ask(person, null).catch(fail)
        return
      }
      spendGrant(person, details).then((isOpen) => {
        if (isOpen) next()
      }, fail)
    }
    try {
      requireSession(req)
      const person = whoIs(settings, req)
      if (person instanceof Promise) person.then(decide).catch(fail)
      else decide(person)
    } catch (error) {
      fail(error)
    }

    /** A grant bound to details opens once: two requests at the same time, and the store lets one of them. */
    async function spendGrant(person: Person | null, bind: (req: OtpRequest) => unknown): Promise<boolean> {
      const print = fingerprintDetails(await callHost('details', () => bind(req)))
      const grant = freshGrant(req, { purpose, details: print }, person?.holder ?? null, oldest, settings.now())
      if (grant) {
        const isFirst = await spendOnce(grant)
        // Also when it was spent before: the session of a slower request may have brought it back, and our page would
        // go on calling it verified.
        useUp(req, grant)
        if (isFirst) return true
      }
      await ask(person, print)
      return false
    }

    async function spendOnce({ id }: Grant): Promise<boolean> {
      // Keyed by the grant's own random id, and empty for longer than any guard of the deed takes it.
      const once = { user: id, bucket: 'grant', capacity: 1, refill: 2 * settings.grantMaxAge }
      return (await parts.store.spend(once)).outcome === 'spent'
    }

    async function ask(person: Person | null, print: string | null): Promise<void> {
      const words = describe ? await callHost('describe', () => describe(req)) : ''
      const returnTo = pageToReturnTo(settings, req)
      const stepUp: StepUp = {
        purpose,
        details: print,
        description: plain(words),
        returnTo,
        maxAge: maxAge ?? null,
      }
      const sealed = sealStepUp(settings.keys.current, stepUp, person?.holder ?? null, settings.now())
      if (isNavigation(req)) return void redirect(settings, res, pageUrl(settings, sealed))
      const members = {
        max_age: oldest,
        purpose,
        for: sealed,
        send_url: `${settings.path}/send`,
        verify_url: `${settings.path}/verify`,
        page_url: pageUrl(settings, sealed),
      }
      sendProblem(parts, res, { locale: localeOf(parts, req, person) }, { problem: 'otp_required', members })
    }
  }
}

/** A GET leads back to itself, anything else to the page it came from: bodies are never replayed. */
function pageToReturnTo({ path, site }: Settings, req: OtpRequest): string | null {
  const isPage = req.method === 'GET' || req.method === 'HEAD'
  const page = isPage ? req.originalUrl : refererPath(req.headers, site.origin)
  return page !== null && isSitePath(page) && !isUnder(page, path) ? page : null
}

function askToSignIn(parts: Parts, req: OtpRequest, res: OtpResponse): void {
  const { signIn } = parts.settings
  if (signIn !== null && isNavigation(req)) return redirect(parts.settings, res, signIn)
  if (isNavigation(req)) return respondWithout(parts, req, res, { problem: 'sign_in_required' })
  sendProblem(parts, res, { locale: localeOf(parts, req, null) }, { problem: 'sign_in_required' })
}
