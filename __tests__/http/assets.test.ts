import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { HostApp, memorySession, NAVIGATE } from '../helpers/host-app.js'
import { ImageFolder, PNG } from '../helpers/logo.js'
import type { OtpOptions, PageContext } from '../../src/index.js'

const ASSET = /\/2fa\/assets\/otp\.(?:css|js)\?v=[\w-]{22}/g

const images = new ImageFolder()
afterAll(() => {
  images.remove()
})

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
    const otp = { views: folder, brand: { logo: { file: images.write('a.png', PNG), width: 120, height: 40 } } }
    host = await HostApp.start({ otp, session: memorySession({ rolling: true }) })
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
    const generated = ['brand.css', 'brand-logo.png'].map((name) => (urls[0] ?? '').replace('otp.css', name))
    for (const url of [...urls, ...generated]) {
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

describe('the generated style sheet', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'brand-'))
  let host: HostApp
  afterEach(() => host.close())
  afterAll(() => {
    rmSync(folder, { recursive: true })
  })

  const start = async (otp: Partial<OtpOptions>): Promise<void> => {
    host = await HostApp.start({ otp })
  }
  const sheet = async (): Promise<string> => (await host.jar().get('/2fa/assets/brand.css').expect(200)).text
  const block = (css: string, dark: boolean): string => css.split('@media')[dark ? 1 : 0] ?? ''

  test('has the colours for light and for dark grounds, in a layer', async () => {
    await start({ brand: { accent: '#063', accentDark: '#7fd4a8' } })
    const { headers } = await host.jar().head('/2fa/assets/brand.css').expect(200)
    expect(headers).toMatchObject({ 'content-type': 'text/css; charset=utf-8', 'x-content-type-options': 'nosniff' })
    const css = await sheet()
    expect(css).toMatch(/^@layer otp \{\n:root \{\n/)
    expect(block(css, false)).toContain('--otp-color-scheme: light dark;')
    expect(block(css, false)).toContain('--otp-accent: #006633;\n  --otp-accent-ink: #ffffff;')
    expect(block(css, true)).toMatch(/^ \(prefers-color-scheme: dark\)/)
    expect(block(css, true)).toContain('--otp-accent: #7fd4a8;\n  --otp-accent-ink: #0d1630;')
    const names = (text: string): string[] => text.match(/--otp-(?!color-scheme)[a-z-]+/g) ?? []
    expect(names(block(css, true))).toEqual(names(block(css, false)))
  })

  test('has nothing dark with the color scheme `light`', async () => {
    await start({ brand: { colorScheme: 'light' } })
    expect(await sheet()).toMatch(/--otp-color-scheme: light;/)
    expect(await sheet()).not.toContain('@media')
  })

  test('is another version with other colours, and answered with 304 while it is the same', async () => {
    const version = async (otp: Partial<OtpOptions>): Promise<string> => {
      await start(otp)
      const jar = await host.signedIn()
      return /\?v=([\w-]{22})/.exec((await jar.get('/2fa').set(NAVIGATE).expect(200)).text)?.[1] ?? ''
    }
    const plain = await version({})
    const tag = (await host.jar().get('/2fa/assets/brand.css')).get('ETag') ?? ''
    await host.jar().get('/2fa/assets/brand.css').set('If-None-Match', tag).expect(304)
    await host.close()
    expect(await version({ brand: { accent: '#063' } })).not.toBe(plain)
    await host.jar().get('/2fa/assets/brand.css').set('If-None-Match', tag).expect(200)
  })

  test('gives way to one of the host', async () => {
    mkdirSync(path.join(folder, 'assets'), { recursive: true })
    writeFileSync(path.join(folder, 'assets', 'brand.css'), 'body{}')
    await start({ views: folder, brand: { accent: '#063' } })
    expect(await sheet()).toBe('body{}')
  })
})

describe('the helper `asset`', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'asset-'))
  let host: HostApp
  afterEach(() => host.close())
  afterAll(() => {
    rmSync(folder, { recursive: true })
  })

  const write = (name: string, content: Buffer | string): void => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), content)
  }

  test('names the hashed URL in layouts, partials, pages and blocks, behind the path of a proxy', async () => {
    write("assets/fonts/ana's font.woff2", 'a font')
    write('partials/fonts.html.hbs', '<link href="{{asset "fonts/ana\'s font.woff2"}}">')
    write('pages/send.hbs', '{{> fonts}}{{#with site}}<i title="{{asset "otp.js"}}">{{/with}}{{> form}}')
    host = await HostApp.start({ otp: { views: folder, basePath: '/shop&co' } })
    const jar = await host.signedIn()
    const { text } = await jar.get('/2fa').set(NAVIGATE).expect(200)
    expect(text).toMatch(/<link href="\/shop&amp;co\/2fa\/assets\/fonts\/ana&#x27;s%20font\.woff2\?v=[\w-]{22}">/)
    expect(text).toMatch(/<i title="\/shop&amp;co\/2fa\/assets\/otp\.js\?v=[\w-]{22}">/)
  })

  test.each(['a.woff2', 'a.woff', 'a.ttf', 'a.otf'])(
    'a font %s has its type, and the policy allows it',
    async (name) => {
      write(`assets/${name}`, 'a font')
      host = await HostApp.start({ otp: { views: folder } })
      const jar = await host.signedIn()
      const { headers } = await jar.get(`/2fa/assets/${name}`).expect(200)
      expect(headers['content-type']).toBe(`font/${name.slice(2)}`)
      expect((await jar.get('/2fa').set(NAVIGATE)).get('Content-Security-Policy')).toContain("font-src 'self'")
    },
  )
})

describe('the logo', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'logo-'))
  const file = images.write('logo.png', PNG)
  const brand = { accent: '#063', logo: { file, width: 120, height: 40 } }
  let host: HostApp
  afterEach(() => host.close())
  afterAll(() => {
    rmSync(folder, { recursive: true })
  })

  test('has a hashed URL on pages, behind the path of a proxy, and is served as it was at start', async () => {
    mkdirSync(path.join(folder, 'layouts'))
    const layout =
      '<body>{{#with brand.logo}}<img src="{{src}}" width="{{width}}" alt="{{alt}}">{{/with}}{{body}}</body>'
    writeFileSync(path.join(folder, 'layouts', 'page.hbs'), layout)
    host = await HostApp.start({ otp: { views: folder, brand, basePath: '/shop' } })
    writeFileSync(file, '<svg onload="alert(1)"/>')
    const jar = await host.signedIn()
    const page = await jar.get('/2fa').set(NAVIGATE).expect(200)
    const [, src = ''] = /<img src="([^"]*)" width="120" alt="Acme">/.exec(page.text) ?? []
    const url = src.replace('&#x3D;', '=')
    expect(url).toMatch(/^\/shop\/2fa\/assets\/brand-logo\.png\?v=[\w-]{22}$/)
    const { headers, body } = await jar.get(url.replace('/shop', '')).expect(200)
    expect(body).toEqual(PNG)
    expect(headers).toMatchObject({ 'content-type': 'image/png', 'x-content-type-options': 'nosniff' })
    expect(page.get('Content-Security-Policy')).toContain("img-src 'self'")
  })

  test('is a URL for `renderPage` and in problem pages too, and no `cid:`', async () => {
    writeFileSync(file, PNG)
    const contexts: PageContext[] = []
    host = await HostApp.start({
      otp: { brand, renderPage: (_req, _res, page) => (contexts.push(page.context), page.body) },
    })
    const jar = await host.signedIn()
    await jar.get('/2fa').set(NAVIGATE).expect(200)
    await jar.get('/2fa?for=altered').set(NAVIGATE).expect(409)
    expect(contexts.map(({ page }) => page)).toEqual(['send', 'problem'])
    for (const context of contexts) {
      expect(context.brand.logo.src).toBe(`/2fa/assets/brand-logo.png?v=${context.assetVersion}`)
      expect(context.brand).toMatchObject({ accent: '#006633', logo: { width: 120, height: 40, alt: 'Acme' } })
    }
  })
})
