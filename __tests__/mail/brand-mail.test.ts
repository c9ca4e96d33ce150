import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { HostApp } from '../helpers/host-app.js'
import { ImageFolder, PNG } from '../helpers/logo.js'
import type { Received } from '../helpers/mailbox.js'
import type { OtpOptions } from '../../src/index.js'

const images = new ImageFolder()
const brand = {
  accent: '#063',
  logo: { file: images.write('logo.png', PNG), width: 120, height: 40, alt: 'Acme "& Sons"' },
  address: '1 Main Street <Springfield>',
}

const LAYOUT = `<html><body>
<img src="{{brand.logo.src}}" width="{{brand.logo.width}}" height="{{brand.logo.height}}" alt="{{brand.logo.alt}}">
<b style="background:{{brand.accent}};color:{{brand.accentInk}}">{{brand.accentDark}}</b>{{body}}<i>{{brand.address}}</i>
</body></html>`

let host: HostApp
const folders: string[] = []
afterEach(() => host.close())
afterAll(() => {
  images.remove()
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** One mail as it arrived, in this layout. */
async function mailed(layout: string, otp: Partial<OtpOptions> = {}): Promise<Received> {
  const views = mkdtempSync(path.join(tmpdir(), 'brand-mail-'))
  folders.push(views)
  mkdirSync(path.join(views, 'layouts'))
  writeFileSync(path.join(views, 'layouts', 'mail.html.hbs'), layout)
  host = await HostApp.start({ otp: { views, brand, ...otp } })
  await host.asked()
  return host.mailbox.last
}

const parts = ({ raw }: Received): string[] =>
  (raw.match(/^Content-Type: [^;\r\n]*/gim) ?? []).map((one) => one.slice(14))

test('a mail carries the logo inside, beside its HTML, and loads nothing', async () => {
  const received = await mailed(LAYOUT)
  expect(parts(received)).toEqual([
    'multipart/alternative',
    'text/plain',
    'multipart/related',
    'text/html',
    'image/png',
  ])
  const [logo, ...others] = received.mail.attachments
  expect(others).toEqual([])
  expect(logo).toMatchObject({
    content: PNG,
    contentType: 'image/png',
    contentDisposition: 'inline',
    filename: 'brand-logo.png',
    related: true,
  })
  expect(received.raw.replace(/=\r?\n/g, '')).toContain(`<img src=3D"cid:${logo?.cid}" width=3D"120" height=3D"40"`)
})

test('nothing of the logo can be taken for the code', async () => {
  const { raw, mail } = await mailed(LAYOUT)
  const [, header = ''] = /(Content-Type: image[^]*?)\r?\n\r?\n/.exec(raw) ?? []
  expect(header).toContain('Content-Disposition: inline; filename=brand-logo.png')
  expect(header).not.toMatch(/\d{4}/)
  expect(mail.text).toContain(host.mailbox.code)
})

test('colours, text of the logo and address are in the HTML, escaped', async () => {
  const { mail } = await mailed(LAYOUT)
  expect(mail.html).toContain('alt="Acme &quot;&amp; Sons&quot;"')
  expect(mail.html).toContain('<b style="background:#006633;color:#ffffff">#4d9470</b>')
  expect(mail.html).toContain('<i>1 Main Street &lt;Springfield&gt;</i>')
})

test('a mail whose HTML does not show the logo does not carry it', async () => {
  const received = await mailed('<html><body>{{body}}</body></html>')
  expect(received.mail.attachments).toEqual([])
  expect(parts(received)).toEqual(['multipart/alternative', 'text/plain', 'text/html'])
})

test('without a logo `brand.logo.src` is empty', async () => {
  const { mail } = await mailed('{{#if brand.logo.src}}a logo{{else}}no logo{{/if}}{{body}}', { brand: {} })
  expect(mail.html).toContain('no logo')
  expect(mail.attachments).toEqual([])
})
