import request from 'supertest'
import { type Agent, BROWSER, JSON_CLIENT } from './host-app.js'
import type { Mailbox } from './mailbox.js'
import { hiddenFields } from '../../src/testing/hidden-fields.js'

/** A visitor of a program of the docs: cookies, forms, and the codes that were mailed. */
export class RecipeVisitor {
  readonly #jar: Agent

  constructor(
    origin: string,
    readonly mailbox: Mailbox,
  ) {
    this.#jar = request.agent(origin)
  }

  get(path: string): request.Test {
    return this.#jar.get(path)
  }

  post(path: string): request.Test {
    return this.#jar.post(path)
  }

  /** Opens a page, or the one that a redirect leads to, as a browser without script. */
  async open(from: string | request.Response): Promise<request.Response> {
    const path = typeof from === 'string' ? from : (from.get('Location') ?? 'no redirect')
    return this.#jar.get(path).set(BROWSER)
  }

  /** Submits the form of a page, with its hidden fields. */
  async submit(page: request.Response, fields: object = {}): Promise<request.Response> {
    const [, attributes = '', inner = ''] = /<form([^>]*)>([^]*?)<\/form>/.exec(page.text) ?? []
    const unescape = (text: string): string => text.replaceAll('&amp;', '&').replaceAll('&#x3D;', '=')
    const action = unescape(/action="([^"]*)"/.exec(attributes)?.[1] ?? '') || new URL(page.request.url).pathname
    const all = { ...hiddenFields(inner), ...fields }
    return this.#jar.post(action).set(BROWSER).type('form').send(all)
  }

  /** From a refused GET to the page after the right code. */
  async passAsBrowser(path: string): Promise<request.Response> {
    const offer = await this.open(await this.get(path).set(BROWSER).expect(303))
    return this.typeCode(await this.open(await this.submit(offer)))
  }

  /** Types the newest code into a page; resolves with the page that says "Verified". */
  async typeCode(page: request.Response): Promise<request.Response> {
    const verified = await this.open(await this.submit(page, { code: this.mailbox.code }))
    expect([verified.status, verified.get('Refresh')]).toEqual([200, expect.stringMatching(/^0; *url=/)])
    return verified
  }

  /** Makes a call that is refused, then the same one with the code that was mailed to `to`. */
  async withCode(call: () => request.Test, to = 'ana@example.com'): Promise<request.Response> {
    const { body } = await call().set(JSON_CLIENT).expect(401)
    const before = this.mailbox.received.length
    await this.post(String(body.send_url)).send({ for: body.for }).expect(200)
    await this.mailbox.mails(before + 1)
    expect(this.mailbox.last.to).toEqual([to])
    const typed = { for: body.for, code: this.mailbox.code }
    await this.post(String(body.verify_url)).send(typed).expect(200)
    return call()
  }
}
