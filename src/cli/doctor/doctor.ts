import { Resolver } from 'node:dns/promises'
import { diagnose, type World } from './diagnose.js'
import { jsonReport, textReport } from './report.js'
import type { OtpOptions } from '../../config/options.js'

export interface DoctorOutput {
  /** Gets the whole report, without a line break at its end. */
  readonly write: (text: string) => void
  readonly json: boolean
  /** The selector of the DKIM key; without it the key cannot be looked up. */
  readonly dkimSelector?: string | undefined
}

const TIMEOUT_MS = 10_000

/** The DNS, the clock and the web as they are. */
function realWorld(): World {
  return {
    resolver: new Resolver({ timeout: TIMEOUT_MS / 4, tries: 2 }),
    now: Date.now,
    dateOf,
    stepTimeoutMs: TIMEOUT_MS,
  }
}

/**
 * Examines the mail of a host and writes what it finds. Sends no mail.
 * @returns the exit code: 1 if there are errors
 * @throws OtpError `invalid_option`
 */
export async function doctor(host: OtpOptions, output: DoctorOutput, world = realWorld()): Promise<0 | 1> {
  const subject = { mail: host.mail, site: host.site, dkimSelector: output.dkimSelector ?? null }
  const diagnoses = await diagnose(subject, world)
  output.write(output.json ? jsonReport(diagnoses) : textReport(diagnoses))
  return diagnoses.some(({ level }) => level === 'error') ? 1 : 0
}

async function dateOf(origin: string): Promise<string | null> {
  try {
    const { headers } = await fetch(origin, {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    return headers.get('date')
  } catch {
    return null
  }
}
