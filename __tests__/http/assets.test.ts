import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { HostApp, memorySession, NAVIGATE } from '../helpers/host-app.js'

const ASSET = /\/2fa\/assets\/otp\.(?:css|js)\?v=[\w-]{22}/g

describe('H1: assets behind a session that sets a cookie on each response', () => {
  const environment = process.env.NODE_ENV
  const folder = mkdtempSync(path.join(tmpdir(), 'assets-'))
  let host: HostApp

  beforeAll(() => {
    mkdirSync(path.join(folder, 'assets'))
    writeFileSync(path.join(folder, 'assets', 'bank.woff2'), 'a font')
  })
  afterEach(async () => {
    process.env.NODE_ENV = environment
    await host.close()
  })
  afterAll(() => {
    rmSync(folder, { recursive: true })
  })

  async function start(name: string): Promise<string[]> {
    process.env.NODE_ENV = name
    jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    host = await HostApp.start({ otp: { views: folder }, session: memorySession({ rolling: true }) })
    const jar = await host.signedIn()
    return (await jar.get('/2fa').set(NAVIGATE).expect(200)).text.match(ASSET) ?? []
  }

  async function cacheControl(url: string): Promise<string> {
    const jar = await host.signedIn()
    const answer = await jar.get(url).expect(200)
    expect(answer.get('Set-Cookie')).toHaveLength(1)
    expect(answer.get('X-Content-Type-Options')).toBe('nosniff')
    return answer.get('Cache-Control') ?? ''
  }

  test('H1: a hashed URL is kept by the browser alone; any other is checked at each use', async () => {
    const urls = await start('production')
    expect(urls).toHaveLength(2)
    for (const url of urls) {
      expect(await cacheControl(url)).toBe('private, max-age=31536000, immutable')
      for (const other of [url.replace(/\?.*/, ''), `${url}x`, `${url}&v=x`, url.replace(/=.*/, '[]=1')])
        expect([other, await cacheControl(other)]).toEqual([other, 'private, no-cache'])
    }
    expect(await cacheControl('/2fa/assets/bank.woff2')).toBe('private, no-cache')
    const { headers } = await host.jar().get('/2fa/assets/nothing.css').expect(404)
    expect(headers['cache-control']).toBeUndefined()
  })

  test('H1: outside production each use is checked, and answered with 304 while nothing has changed', async () => {
    const [url = ''] = await start('development')
    expect(await cacheControl(url)).toBe('private, no-cache')
    const jar = await host.signedIn()
    const tag = (await jar.get(url).expect(200)).get('ETag') ?? ''
    const unchanged = await jar.get(url).set('If-None-Match', tag).expect(304)
    expect(unchanged.get('Cache-Control')).toBe('private, no-cache')
  })

  test('the version changes with each asset, and with no other file', async () => {
    const [before] = await start('production')
    await host.close()
    mkdirSync(path.join(folder, 'locales'), { recursive: true })
    writeFileSync(path.join(folder, 'locales', 'en.json'), '{}')
    const [same] = await start('production')
    expect(same).toBe(before)
    await host.close()
    writeFileSync(path.join(folder, 'assets', 'bank.woff2'), 'another font')
    const [after] = await start('production')
    expect(after).not.toBe(before)
  })
})
