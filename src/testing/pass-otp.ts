import { maskAddress } from '../identity/address.js'
import { hiddenFields } from './hidden-fields.js'
import type { Mailbox } from './mailbox.js'

/** What is needed of a supertest response. */
export interface TestResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: unknown
  readonly text: string
}

/** What is needed of a supertest request. */
export interface TestRequest<R extends TestResponse> extends PromiseLike<R> {
  set(header: string, value: string): TestRequest<R>
  type(type: string): TestRequest<R>
  send(fields: object): TestRequest<R>
}

/** What is needed of a supertest agent: `request.agent(app)`, or of a URL. */
export interface TestAgent<R extends TestResponse> {
  get(url: string): TestRequest<R>
  post(url: string): TestRequest<R>
}

export interface PassOptions {
  /** What to type as the address when nobody is signed in. */
  email?: string
}

/** The members of our JSON that are read. */
interface Answer {
  readonly type?: string
  readonly state?: string
  readonly code?: string
  readonly detail?: string
  readonly sent_to?: string
  readonly tag?: string
  readonly delivery?: string
  readonly page_url?: string
}

const LIMITS =
  'Each test may use a user or an app of its own; or give the app `limits`, or move a clock that is its `now`.'
const NO_SESSION =
  'The agent did not keep its session: use `request.agent(app)`, and no `Secure` cookie, since tests use plain http.'
const BROKEN = 'Listen to `otp.events.on("failed", …)` for the error.'

/** What to do about a problem, by its code. */
const CURES: Readonly<Record<string, string>> = {
  sign_in_required: 'Sign the agent in first.',
  invalid_email: 'Nobody is signed in: sign the agent in first, or give `{ email }`.',
  no_address: '`user(req)` must give an `email` that can be mailed.',
  too_many_requests: LIMITS,
  code_exhausted: LIMITS,
  no_challenge: NO_SESSION,
  cookies_required: NO_SESSION,
  mail_refused: 'Is `mail.transport` the mailbox?',
  mail_unavailable: 'Is `mail.transport` the mailbox?',
  store_unavailable: BROKEN,
  internal_error: BROKEN,
}

/** What to do when the host answers in our place, by the status. */
const NOT_OURS: Readonly<Record<number, string>> = {
  403: 'A CSRF check of your own in front of the router needs the option `formFields`.',
  404: 'Is the router mounted at `path`? Leave `basePath` out in tests, where no proxy strips it.',
}

/**
 * Lets an agent that stands before a closed route do what a person does: request the code, read it in the mailbox, type
 * it, and go back.
 * @example
 * ```ts
 * const page = await passOtp(agent, '/account', mailbox)
 * const sent = await passOtp(agent, () => agent.post('/transfer').send({ amount: 50 }), mailbox)
 * ```
 * @param guarded the path of a guarded page, or a function that makes the guarded request
 * @returns the response of the guarded route; at once if it was not closed
 * @throws Error that says which step failed, and what to do
 */
export async function passOtp<R extends TestResponse>(
  agent: TestAgent<R>,
  guarded: string | (() => PromiseLike<R>),
  mailbox: Mailbox,
  { email }: PassOptions = {},
): Promise<R> {
  const request = typeof guarded === 'string' ? () => agent.get(guarded) : guarded
  const first = await request()
  const page = pageOf(first)
  if (page === null) return rejectProblem(first)

  const state = read(await agent.get(page).set('Accept', 'application/json'), `GET ${page.replace(/\?.*/, '')}`)
  const isMailed = state.state === 'code' && (email === undefined || maskAddress(email) === state.sent_to)
  const { sent_to: masked, tag, delivery } = isMailed ? state : await post(agent, page, 'send', email ? { email } : {})
  const { code } = await mailbox.waitFor(
    (mail) => mail.tag === tag && mail.to.some((address) => maskAddress(address) === masked),
    {},
    `code for ${email ?? masked ?? ''} (${tag ?? ''}, delivery: ${delivery ?? ''})`,
  )
  await post(agent, page, 'verify', { code })

  const last = await request()
  if (pageOf(last) === null) return last
  const details = 'Or `details` of the guard differ from one request to the next.'
  throw new Error(`passOtp: the code was right, but the route is still closed. ${NO_SESSION} ${details}`)
}

/** Our page, if the guard has closed the route. */
function pageOf({ status, headers, body }: TestResponse): string | null {
  const { code, page_url: url } = (body ?? {}) as Answer
  if (status === 401 && code === 'otp_required') return url ?? null
  const location = typeof headers.location === 'string' ? headers.location : ''
  return status === 303 && /[?&]for=/.test(location) ? location : null
}

/** A guard that answers with any other problem has not opened the route. */
function rejectProblem<R extends TestResponse>(response: R): R {
  const { type = '' } = (response.body ?? {}) as Answer
  if (type.startsWith('urn:express-email-otp:')) read(response, 'the guarded route')
  return response
}

/** Posts the form of the page, with its hidden fields: the host may have added some for its own CSRF check. */
async function post<R extends TestResponse>(
  agent: TestAgent<R>,
  page: string,
  action: string,
  fields: object,
): Promise<Answer> {
  const { status, text } = await agent.get(page).set('Accept', 'text/html')
  if (status !== 200)
    throw new Error(`passOtp: the page, GET ${page.replace(/\?.*/, '')}, answered ${status}. ${BROKEN}`)
  const { pathname, searchParams } = new URL(page, 'http://localhost')
  const url = `${pathname}/${action}`
  const form = { ...hiddenFields(text), for: searchParams.get('for'), ...fields }
  return read(await agent.post(url).set('Accept', 'application/json').type('form').send(form), `POST ${url}`)
}

/** The JSON of a success. */
function read({ status, body, text }: TestResponse, request: string): Answer {
  const answer = (body ?? {}) as Answer
  if (status === 200) return answer
  const { code = text.slice(0, 200), detail = '' } = answer
  throw new Error(`passOtp: ${request} answered ${status} ${code}. ${detail} ${CURES[code] ?? NOT_OURS[status] ?? ''}`)
}
