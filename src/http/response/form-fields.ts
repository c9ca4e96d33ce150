import type { PageContext } from '../../config/page.js'
import { OtpError } from '../../errors.js'
import type { OtpResponse } from '../../express-types.js'
import { callWithTimeout } from '../../host-callback.js'
import type { RequestContext } from '../request/context.js'

/** Fields of ours. A second one of the same name would make a list of it, which is refused. */
const OWN_FIELDS = /^(for|code|email|trust)($|[.[])/

/** The hidden fields that the host adds to each of our forms, such as the token of its own CSRF check. */
export async function hiddenFields(
  { services, req }: RequestContext,
  res: OtpResponse,
): Promise<PageContext['fields']> {
  const { formFields, clock } = services.settings
  if (formFields === null) return []
  const fields: unknown = await callWithTimeout(clock, 'formFields', () => formFields(req, res))
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) throw invalid('it gave no object')
  return Object.entries(fields).map(([name, value]: [string, unknown]) => {
    if (OWN_FIELDS.test(name)) throw invalid(`\`${name}\` is a field of ours`)
    if (typeof value !== 'string') throw invalid(`\`${name}\` is not a string`)
    return { name, value }
  })
}

function invalid(reason: string): OtpError {
  const cure = 'Give names and texts of your own, such as `{ _csrf: req.csrfToken() }`.'
  return new OtpError('host_callback', `\`formFields(req, res)\`: ${reason}. ${cure}`)
}
