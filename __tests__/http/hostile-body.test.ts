import { request as httpRequest } from 'node:http'
import express from 'express'
import { HostApp } from '../helpers/host-app.js'

let host: HostApp

afterEach(async () => {
  await host.close()
})

/** Sends a JSON body in chunks, so that it has no Content-Length. */
async function postChunked(path: string, body: string, cookie = ''): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked', Cookie: cookie }
    const req = httpRequest(`${host.origin}${path}`, { method: 'POST', headers }, (res) => {
      res.resume()
      resolve(res.statusCode ?? 0)
    })
    req.on('error', reject)
    req.end(body)
  })
}

/** A host that parses bodies before us, with a limit of its own. */
const parsesFirst = { before: (app: express.Express) => void app.use(express.json({ limit: '10mb' })) }

test.each([
  ['nested ten thousand deep', `{"for":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
  ['with fourteen thousand keys', `{${Array.from({ length: 14_000 }, (_, i) => `"k${i}":1`).join(',')}}`],
  ['with one long text', JSON.stringify({ code: 'x'.repeat(100_000) })],
  ['with many short texts', JSON.stringify({ code: Array<string>(10_000).fill('') })],
])('V10: a chunked body %s that the host has parsed before us is too large', async (_name, body) => {
  host = await HostApp.start(parsesFirst)
  expect(await postChunked('/2fa/verify', body)).toBe(413)
  expect(host.events.filter(({ type }) => type === 'failed')).toEqual([])
})

test('V10: a small chunked body that the host has parsed before us is read as usual', async () => {
  host = await HostApp.start(parsesFirst)
  const login = await host.jar().post('/login').send({}).expect(200)
  const cookie = String(login.get('Set-Cookie')?.[0]).split(';')[0]
  expect(await postChunked('/2fa/verify', JSON.stringify({ code: '123456' }), cookie)).toBe(422)
})

const HOSTILE = { toString: 1, valueOf: null }

test('V10: an object that cannot be made a text is a bad request where `details` reads it', async () => {
  host = await HostApp.start()
  const jar = await host.signedIn()
  const { body } = await jar.post('/transfer').send({ amount: HOSTILE, payee: 'Ben' }).expect(400)
  expect(body).toMatchObject({ code: 'bad_request' })
  expect(host.events.at(-1)).toMatchObject({ type: 'failed', outcome: 'invalid_details' })
  expect(host.transfers).toEqual([])
})

test('V10: an object that cannot be made a text is a bad request where `describe` reads it', async () => {
  const describe = (req: { body?: unknown }): string => `Delete ${(req.body as { file: string }).file}`
  host = await HostApp.start({
    after: (app, otp) =>
      void app.post('/delete', otp.requireOtp({ describe }), (_req, res) => void res.send('deleted')),
  })
  const jar = await host.signedIn()
  await jar.post('/delete').send({ file: HOSTILE }).expect(400)
  await jar.post('/delete').send({ file: 'a.txt' }).expect(401)
})
