import { request as httpRequest } from 'node:http'
import { gzipSync } from 'node:zlib'
import express from 'express'
import { HostApp } from '../helpers/host-app.js'
import { hashDetails } from '../../src/challenge/details.js'
import { isLargerThan } from '../../src/http/request/body.js'

let host: HostApp

afterEach(async () => {
  await host.close()
})

/** Sends a JSON body in chunks, so that it has no Content-Length. */
async function postChunked(path: string, body: string, cookie = ''): Promise<number> {
  return post(path, body, { 'Transfer-Encoding': 'chunked', Cookie: cookie })
}

async function post(path: string, body: string | Buffer, more: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', ...more }
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

test('V10: a small compressed body that the host has inflated to a large one is too large', async () => {
  host = await HostApp.start(parsesFirst)
  const body = gzipSync(JSON.stringify({ code: 'x'.repeat(100_000) }))
  expect(body.length).toBeLessThan(1_000)
  const headers = { 'Content-Encoding': 'gzip', 'Content-Length': String(body.length) }
  expect(await post('/2fa/verify', body, headers)).toBe(413)
})

/** An object with so many members, which counts how many of them are read. */
function counting(members: number): { readonly value: object; readonly reads: () => number } {
  let reads = 0
  const read = { enumerable: true, get: () => ++reads }
  const names = Array.from({ length: members }, (_, i) => [`k${i}`, read] as const)
  return { value: Object.defineProperties({}, Object.fromEntries(names)), reads: () => reads }
}

test('V10: of a body that is too large only as much is read as shows that it is', () => {
  const { value, reads } = counting(14_000)
  expect(isLargerThan(value, 16_384)).toBe(true)
  expect(reads()).toBeLessThan(3_000)
  expect(isLargerThan(Array(1_000_000).fill(0), 16_384)).toBe(true)
})

test('V10: of details that are too large only as much is read as shows that they are', () => {
  const { value, reads } = counting(14_000)
  expect(() => hashDetails(value)).toThrow(/^details are larger than 16384 characters of JSON\. Give what/)
  expect(reads()).toBeLessThan(3_000)
  expect(() => hashDetails(Array(1_000_000).fill(0))).toThrow('details are larger')
  expect(() => hashDetails({ text: 'x'.repeat(1_000_000) })).toThrow('details are larger')
  expect(hashDetails({ text: 'x'.repeat(16_000) })).toHaveLength(22)
})

test('V10: details that are too large are a bad request, and an event has the cure', async () => {
  host = await HostApp.start({
    after: (app, otp) => {
      app.post('/bulk', otp.requireOtp({ details: (req) => req.body as unknown }), (_req, res) => void res.send('done'))
    },
  })
  const jar = await host.signedIn()
  const members = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 1]))
  const { body } = await jar.post('/bulk').send(members(9_500)).expect(400)
  expect(body).toMatchObject({ code: 'bad_request' })
  expect(host.events.at(-1)).toMatchObject({
    type: 'failed',
    outcome: 'invalid_details',
    error: { message: expect.stringContaining('a hash of the rest') as string },
  })
  await jar.post('/bulk').send(members(900)).expect(401)
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
