import type { RequestHandler } from 'express'
import type { Response } from 'supertest'
import { viewsFolder } from '../helpers/views-folder.js'
import { ANA, type Agent, BROWSER, HostApp, type HostOptions } from '../helpers/host-app.js'
import type { OtpOptions, RenderedPage } from '../../src/index.js'

let host: HostApp
afterEach(() => host.close())

const start = async (otp: Partial<OtpOptions>, options: HostOptions = {}): Promise<void> => {
  host = await HostApp.start({ otp, ...options })
}

const get = (jar: Agent, url = '/2fa') => jar.get(url).set(BROWSER)
const failures = (): string[] => host.events.flatMap((event) => (event.type === 'failed' ? [event.error.message] : []))

/** Every response carries our headers, and is a whole page. */
function expectPage(answer: Response): void {
  expect(answer.type).toBe('text/html')
  expect(answer.text).toMatch(/^<!doctype html>[^]*<\/html>\s*$/)
  expect(answer.get('Content-Security-Policy')).toContain("default-src 'none'")
  expect(answer.get('Cache-Control')).toBe('no-store')
  expect(answer.get('X-Content-Type-Options')).toBe('nosniff')
  expect(answer.get('Referrer-Policy')).toBe('same-origin')
}

const noSession: RequestHandler = (_req, _res, next) => void next()
const brokenUser = (): never => {
  throw new Error('the database is down')
}

/** How each problem page without a session or a user comes about. */
const PROBLEM_PAGES: [string, number, Partial<OtpOptions>, HostOptions, () => ReturnType<Agent['get']>][] = [
  ['sign_in_required', 401, {}, {}, () => get(host.jar())],
  ['sign_in_required of a guard', 401, {}, {}, () => get(host.jar(), '/secret')],
  ['no_address', 403, { user: () => ({ ...ANA, email: 'none' }) }, {}, () => get(host.jar())],
  [
    'cross_site',
    403,
    {},
    {},
    () =>
      host
        .jar()
        .post('/2fa/send')
        .set({ ...BROWSER, Origin: 'https://evil.example' }),
  ],
  ['bad_request', 400, {}, {}, () => get(host.jar(), '/2fa?for=1&for=2')],
  ['internal_error', 500, { user: brokenUser }, {}, () => get(host.jar())],
  ['store_unavailable', 503, {}, { session: noSession }, () => get(host.jar())],
]

/** What happens where a template asks for a text whose key it has from `custom`, and there is none. */
const NO_TEXT = 'views: no text has the key "".'

const HOST_LAYOUT =
  '<!doctype html><html><head><title>{{title}}</title></head><body class="mine">' +
  '<a href="{{custom.header.url}}">{{custom.header.name}}</a>{{#each custom.links}}{{this.text}}{{/each}}' +
  '{{#if custom.user}}hello {{custom.user.name}}{{/if}}{{custom.footer}}{{body}}</body></html>\n'

describe('H11: a page that fails to render falls back to ours and is told', () => {
  test.each(PROBLEM_PAGES)(
    'H11: with a layout that names custom.header.name, the page of %s (%i) has the look of the host, and the rest is empty',
    async (_what, status, otp, options, open) => {
      await start({ ...otp, views: viewsFolder({ 'layouts/page.hbs': HOST_LAYOUT }), locals: brokenUser }, options)
      const answer = await open().expect(status)
      expectPage(answer)
      expect(answer.text).toContain('<body class="mine"><a href=""></a><h1>')
      expect(failures().join()).not.toContain('views')
    },
  )

  test.each(PROBLEM_PAGES)(
    'H11: with a layout that cannot be rendered the page of %s (%i) is in ours, and an event tells',
    async (_what, status, otp, options, open) => {
      const layout = '<body class="mine">{{t custom.key}}{{body}}</body>'
      await start({ ...otp, views: viewsFolder({ 'layouts/page.hbs': layout }) }, options)
      const answer = await open().expect(status)
      expectPage(answer)
      expect(answer.text).toContain('<main class="otp-card">')
      expect(answer.text).not.toContain('mine')
      expect(failures().filter((one) => one === NO_TEXT)).toHaveLength(1)
    },
  )

  test.each(PROBLEM_PAGES)(
    'H11: `renderPage` is given the page of %s (%i), with its status',
    async (_what, status, otp, options, open) => {
      const pages: RenderedPage[] = []
      const renderPage: OtpOptions['renderPage'] = (_req, _res, page) => {
        pages.push(page)
        return `<!doctype html><html><body class="mine">${page.body}</body></html>`
      }
      await start({ ...otp, renderPage }, options)
      const answer = await open().expect(status)
      expectPage(answer)
      expect(answer.text).toContain('<body class="mine"><h1>')
      expect(pages).toMatchObject([{ name: 'problem', status, locale: 'en', dir: 'ltr' }])
      expect(pages[0]?.title).toMatch(/^Error: /)
    },
  )

  test('H11: where `locals` fails the answer is the page of the error, in the look of the host', async () => {
    await start({ views: viewsFolder({ 'layouts/page.hbs': HOST_LAYOUT }), locals: brokenUser })
    const answer = await get(await host.signedIn()).expect(500)
    expectPage(answer)
    expect(answer.text).toContain('<body class="mine"><a href=""></a><h1>Something broke on our side</h1>')
    expect(failures()).toEqual(['`locals` threw.'])
  })

  test('H11: where `locals` lacks what the layout names, it is empty, and an event tells each time', async () => {
    await start({ views: viewsFolder({ 'layouts/page.hbs': HOST_LAYOUT }), locals: () => ({ header: null }) })
    const jar = await host.signedIn()
    for (let i = 1; i <= 2; i++) {
      const answer = await get(jar).expect(200)
      expectPage(answer)
      expect(answer.text).toContain('<body class="mine"><a href=""></a><h1>')
      expect(failures()).toHaveLength(i)
    }
  })

  test('H11: a page that fails is replaced by ours, with its form, so that the visitor can go on', async () => {
    await start({
      views: viewsFolder({ 'pages/code.hbs': '<h1>mine</h1>{{t custom.key}}' }),
      locals: () => ({ key: 'none' }),
    })
    const { jar, code } = await host.asked()
    const answer = await get(jar).expect(200)
    expectPage(answer)
    expect(answer.text).toContain('name="code"')
    expect(answer.text).not.toContain('mine')
    expect(failures()).toEqual(['views: no text has the key "none".', NO_TEXT])
    await jar.post('/2fa/verify').set(BROWSER).type('form').send({ code }).expect(303)
  })

  test('H11: the page that replaces it is in the language of the host’s texts', async () => {
    const texts = JSON.stringify({ 'send.title': 'Sind Sie es?', 'send.submit': 'Code schicken' })
    await start({
      locale: 'de',
      views: viewsFolder({ 'locales/de.json': texts, 'layouts/page.hbs': '{{t custom.key}}{{body}}' }),
    })
    const { text } = await get(await host.signedIn()).expect(200)
    expect(text).toContain('<html lang="de"')
    expect(text).toContain('<h1>Sind Sie es?</h1>')
    expect(text).toContain('Code schicken</button>')
  })

  test('H11: a text with a placeholder that is not given cannot break the page of an error', async () => {
    const texts = JSON.stringify({ 'problem.internal_error.title': '{name}, something broke' })
    // A template that gives `name` to the text: the check at start takes it for known.
    const layout = '{{#if custom.never}}{{t "problem.internal_error.title" name="Ana"}}{{/if}}{{body}}'
    await start({ locals: brokenUser, views: viewsFolder({ 'locales/en.json': texts, 'layouts/page.hbs': layout }) })
    const answer = await get(await host.signedIn()).expect(500)
    expectPage(answer)
    expect(answer.text).toContain('<h1>Something broke on our side</h1>')
    expect(failures()).toHaveLength(2)
  })
})

describe('renderPage', () => {
  test('H11: what one tries to write into the variables of a page gets into no other page', async () => {
    const written = (value: object, name: string): boolean => Reflect.set(value, name, 'of one visitor')
    const results: boolean[] = []
    await start({
      views: viewsFolder({ 'layouts/page.hbs': '{{#if custom.user.name}}{{custom.user.name}}{{/if}}{{body}}' }),
      renderPage: (_req, _res, { context }) => {
        const { recipient, fields, site, code, custom } = context
        results.push(written(recipient, 'masked'), written(fields, '0'), written(site, 'name'), written(code, 'label'))
        results.push(written(custom, 'user'), written(custom.user as object, 'name'))
        return JSON.stringify(context)
      },
    })
    for (let visitors = 0; visitors < 2; visitors++) {
      expect((await get(host.jar())).text).not.toContain('of one visitor')
    }
    expect(results).toEqual(Array(12).fill(false))
  })

  const boom = (): never => {
    throw new Error('no such view: hunter2')
  }
  const CURE =
    'Return the page as a string. With `res.render(view, data, callback)` the callback gets it, and nothing is sent.'

  test.each<[string, NonNullable<OtpOptions['renderPage']>, string]>([
    ['throws', boom, '`renderPage` threw.'],
    ['rejects', () => Promise.reject(new Error('hunter2')), '`renderPage` threw.'],
    ['gives a number', (() => 7) as never, `\`renderPage(req, res, page)\`: it gave no HTML. ${CURE}`],
    ['gives nothing', (() => undefined) as never, `\`renderPage(req, res, page)\`: it gave no HTML. ${CURE}`],
    ['gives an empty string', () => '', `\`renderPage(req, res, page)\`: it gave no HTML. ${CURE}`],
    [
      'promises null',
      (() => Promise.resolve(null)) as never,
      `\`renderPage(req, res, page)\`: it gave no HTML. ${CURE}`,
    ],
  ])('H11: one that %s is replaced by the layout file, and is told', async (_what, renderPage, message) => {
    await start({
      renderPage,
      views: viewsFolder({ 'layouts/page.hbs': HOST_LAYOUT }),
      locals: () => ({ header: { url: '/x', name: 'never' } }),
    })
    const answer = await get(await host.signedIn()).expect(200)
    expectPage(answer)
    expect(answer.text).toContain('<body class="mine"><a href=""></a><h1>')
    expect(answer.text).not.toContain('hunter2')
    expect(failures()).toEqual([message])
  })

  test('H11: if the layout file fails too, the page is in ours, and both are told', async () => {
    await start({ renderPage: boom, views: viewsFolder({ 'layouts/page.hbs': '{{t custom.key}}{{body}}' }) })
    const answer = await get(await host.signedIn()).expect(200)
    expectPage(answer)
    expect(answer.text).toContain('<main class="otp-card">')
    expect(failures()).toEqual(['`renderPage` threw.', NO_TEXT])
  })

  test('H11: one that never answers is replaced after five seconds', async () => {
    await start({ renderPage: () => new Promise(() => undefined) })
    const waiting = get(await host.signedIn())
      .expect(200)
      .then()
    await new Promise((resolve) => setTimeout(resolve, 300))
    host.clock.tick(6)
    expectPage(await waiting)
    expect(failures()).toEqual(['`renderPage` timed out.'])
  })

  test('H11: one that sends the response itself is told; the visitor has that page, and nothing is sent twice', async () => {
    await start({
      renderPage: ((_req: never, res: { end: (text: string) => void }) => {
        res.end('mine')
      }) as never,
    })
    const jar = await host.signedIn()
    expect((await get(jar)).text).toBe('mine')
    expect((await get(host.jar())).text).toBe('mine')
    const message = `\`renderPage(req, res, page)\`: it has sent the response, which is ours to send. ${CURE}`
    expect(failures()).toEqual([message, message])
  })

  test('puts every page into a template of the host’s engine through `res.render`', async () => {
    const folder = viewsFolder({ 'otp.html': 'unused' })
    // As EJS would do it.
    const engine = (_file: string, data: object, done: (error: null, html: string) => void): void => {
      const { page, shop } = data as { page: RenderedPage; shop: string }
      const { locale, dir, title, head, body } = page
      done(
        null,
        `<!doctype html><html lang="${locale}" dir="${dir}"><head><title>${title}</title>${head}</head>` +
          `<body><header>${shop}</header>${body}</body></html>`,
      )
    }
    const names: string[] = []
    await start(
      {
        locals: () => ({ shop: 'Bakery' }),
        renderPage: (_req, res, page) => {
          names.push(page.name)
          return new Promise((resolve, reject) => {
            res.render('otp', { page, shop: page.context.custom.shop }, (error, html) => {
              if (error) reject(error)
              else resolve(html)
            })
          })
        },
      },
      {
        before: (app) => {
          app.engine('html', engine as never)
          app.set('view engine', 'html').set('views', folder)
        },
      },
    )
    const jar = await host.signedIn()
    const send = await get(jar).expect(200)
    expectPage(send)
    expect(send.text).toContain('<header>Bakery</header><h1>Confirm that it’s you</h1>')
    expect(send.text).toMatch(/<link rel="stylesheet" href="\/2fa\/assets\/otp\.css\?v=[\w-]+">/)
    expect(send.text).toMatch(/<script src="\/2fa\/assets\/otp\.js\?v=[\w-]+" defer><\/script>/)
    expect(send.text).toContain('<meta name="referrer" content="same-origin">')
    expect(send.text).toContain('<meta name="robots" content="noindex">')
    await jar.post('/2fa/send').type('form').send({}).expect(303)
    expect((await get(jar)).text).toContain('name="code"')
    const right = await jar.post('/2fa/verify').set(BROWSER).type('form').send({ code: host.mailbox.code }).expect(303)
    const onward = await get(jar, right.get('Location'))
    expect(onward.get('Refresh')).toBe('0; url=/')
    await get(jar)
    expect(names).toEqual(['send', 'code', 'continue', 'verified'])
    expect(failures()).toEqual([])
  })

  test('is not asked for JSON, redirects and assets; HEAD gets the headers of the page', async () => {
    let calls = 0
    await start({
      renderPage: () => {
        calls += 1
        return 'page of 15 b'
      },
    })
    const jar = await host.signedIn()
    await jar.get('/2fa').set('Accept', 'application/json').expect(200)
    await jar.get('/secret').set(BROWSER).expect(303)
    await jar.get('/2fa/assets/otp.css').expect(200)
    await jar.post('/2fa/verify').send({}).expect(400)
    expect(calls).toBe(0)
    const head = await jar.head('/2fa').set(BROWSER).expect(200)
    expect(head.get('Content-Length')).toBe('12')
    expect(head.get('Content-Security-Policy')).toContain("default-src 'none'")
    expect(calls).toBe(1)
  })

  test('H11: its headers do not replace ours; a host with scripts of its own sets `contentSecurityPolicy`', async () => {
    const renderPage: OtpOptions['renderPage'] = (_req, res) => {
      res.setHeader('Content-Security-Policy', "script-src 'unsafe-inline'")
      res.setHeader('Cache-Control', 'public')
      res.statusCode = 201
      return '<!doctype html><html></html>'
    }
    await start({ renderPage })
    expectPage(await get(await host.signedIn()).expect(200))
    await host.close()
    await start({ renderPage, contentSecurityPolicy: "default-src 'self'" })
    const own = await get(await host.signedIn()).expect(200)
    expect(own.get('Content-Security-Policy')).toBe("default-src 'self'")
  })

  test('a user of another language gets its locale and direction', async () => {
    const texts = JSON.stringify({ 'send.title': 'أكد هويتك' })
    const pages: RenderedPage[] = []
    await start({
      views: viewsFolder({ 'locales/ar.json': texts }),
      renderPage: (_req, _res, page) => {
        pages.push(page)
        return page.body
      },
    })
    await get(await host.signedIn({ ...ANA, locale: 'ar' })).expect(200)
    expect(pages).toMatchObject([{ locale: 'ar', dir: 'rtl', title: 'أكد هويتك', status: 200, name: 'send' }])
  })
})
