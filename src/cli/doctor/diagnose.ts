import { clockDiagnosis, type ToldTime } from './check-clock.js'
import { dkimDiagnosis } from './check-dkim.js'
import { dmarcDiagnosis } from './check-dmarc.js'
import { fromDiagnosis, isReserved } from './check-from.js'
import { mxDiagnosis } from './check-mx.js'
import { smtpDiagnoses } from './check-smtp.js'
import { spfDiagnosis } from './check-spf.js'
import { transporterDiagnosis } from './check-transporter.js'
import { type CheckName, type Diagnosis, problem } from './diagnosis.js'
import { DnsError, type DnsResolver } from './dns.js'
import { providerOf } from './sending-providers.js'
import { type SmtpServer, smtpServerOf } from './smtp-server.js'
import { converse, inspectTls, type SmtpSession } from './smtp-session.js'
import { type MailSettings, resolveMailSettings } from '../../config/mail-settings.js'
import type { OtpOptions } from '../../config/options.js'
import type { Site } from '../../config/page.js'
import { resolveSite } from '../../config/site.js'
import { classifyFailure } from '../../delivery/smtp/classify.js'

/** What is examined. */
export interface Subject {
  readonly mail: OtpOptions['mail']
  readonly site: OtpOptions['site']
  readonly dkimSelector: string | null
}

/** The rest of the world. */
export interface World {
  readonly resolver: DnsResolver
  readonly now: () => number
  /** The `Date` header of an origin, or null. Does not reject. */
  readonly dateOf: (origin: string) => Promise<string | null>
  /** Longest wait for each step of a conversation. */
  readonly stepTimeoutMs: number
}

/**
 * Why codes do not arrive: everything about mail that can be told without sending one.
 * @throws OtpError `invalid_option`
 */
export async function diagnose({ mail, site, dkimSelector }: Subject, world: World): Promise<Diagnosis[]> {
  const resolvedSite = resolveSite(site)
  const settings = resolveMailSettings(mail)
  const isOwn = typeof (mail.transport as { sendMail?: unknown }).sendMail !== 'function'
  const server = isOwn ? smtpServerOf(settings) : null
  const domain = settings.from.address.slice(settings.from.address.lastIndexOf('@') + 1)
  try {
    const { diagnoses, session } = await ofTransport(settings, server, world)
    const ofDomain = isReserved(domain) ? [] : await ofDns(domain, server?.host ?? null, dkimSelector, world.resolver)
    const clock = clockDiagnosis(await toldTimes(server, session, resolvedSite, world))
    return [...diagnoses, fromDiagnosis(domain, resolvedSite), ...ofDomain, clock]
  } finally {
    settings.close()
  }
}

async function ofTransport(
  settings: MailSettings,
  server: SmtpServer | null,
  { now, stepTimeoutMs }: World,
): Promise<{ diagnoses: readonly Diagnosis[]; session: SmtpSession | null }> {
  if (!server || server.needsNodemailer) {
    return { diagnoses: [await transporterDiagnosis(settings.transporter)], session: null }
  }
  const from = settings.from.address
  const plan = { login: server.login, from, now, stepTimeoutMs }
  const session = await converse(server.options, plan)
  const hasTlsFailed = session.failure && classifyFailure(session.failure.error).failureClass === 'tls'
  const inspected = hasTlsFailed ? await inspectTls(server.options, plan) : null
  return { diagnoses: smtpDiagnoses(server, session, inspected, from), session }
}

function ofDns(
  domain: string,
  host: string | null,
  dkimSelector: string | null,
  resolver: DnsResolver,
): Promise<Diagnosis[]> {
  const provider = host === null ? null : providerOf(host)
  return Promise.all([
    answered('mx', mxDiagnosis(resolver, domain)),
    answered('spf', spfDiagnosis(resolver, domain, host)),
    answered('dkim', dkimDiagnosis(resolver, domain, dkimSelector, provider)),
    answered('dmarc', dmarcDiagnosis(resolver, domain)),
  ])
}

async function answered(check: CheckName, diagnosis: Promise<Diagnosis>): Promise<Diagnosis> {
  try {
    return await diagnosis
  } catch (error) {
    if (!(error instanceof DnsError)) throw error
    const cure = 'Try again. If it stays, check the DNS of this machine and the name servers of the domain.'
    return problem('warning', check, `Not told: ${error.message}.`, cure)
  }
}

/** The mail server first: the site may run on this machine, and then its clock is this one. */
async function toldTimes(
  server: SmtpServer | null,
  session: SmtpSession | null,
  { origin }: Site,
  { dateOf, now }: World,
): Promise<ToldTime[]> {
  const greeting = session?.greeting && server && { by: server.host, ...session.greeting }
  const date = origin?.startsWith('https:') ? await dateOf(origin) : null
  const header = origin !== null && date !== null && { by: origin, text: date, at: now() }
  return [...(greeting ? [greeting] : []), ...(header ? [header] : [])]
}
