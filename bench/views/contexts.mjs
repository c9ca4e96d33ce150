// What the rendered page and mail show, and templates by hand that show the same values.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const Handlebars = require('handlebars')
const { basePageContext, mailContextFor } = require('../../dist/views/context.js')

const site = { name: 'Acme', origin: 'https://acme.example', domain: 'acme.example', supportUrl: '/help' }
const request = { tag: 'KQF', at: '14:22 UTC' }
const shown = { purpose: 'transfer', purposeText: 'Send 50.00 EUR to Ana' }

export const codePage = {
  ...basePageContext,
  ...shown,
  page: 'code',
  title: 'Enter the 6-digit code',
  site,
  path: '/2fa',
  assetVersion: 'v',
  for: 'x'.repeat(200),
  recipient: { masked: 'a•••@example.com', typed: '', changeable: false },
  code: { label: 'Enter the 6-digit code', length: 6, isLong: false, inputMode: 'numeric' },
  expires: { in: '10 minutes' },
  resend: { seconds: 30 },
  request,
  delivery: 'sent',
  deliveryText: 'We mailed it to a•••@example.com.',
}

export const mail = {
  ...mailContextFor(site, 'en'),
  ...shown,
  recipient: { name: '', masked: 'a•••@example.com' },
  code: '482915',
  expires: { minutes: 10, in: '10 minutes', at: '14:32 UTC', iso: '2030-01-01T14:32:00.000Z' },
  request,
  boundLine: '@acme.example #482915',
}

const compile = (source, options) => Handlebars.compile(source, { strict: true, ...options })

const page = compile(
  '<!doctype html><html lang="{{locale}}"><head><title>{{title}} · {{site.name}}</title></head><body><h1>{{title}}</h1>' +
    '<p>{{purposeText}}</p><p>{{deliveryText}}</p><form method="post" action="{{path}}/verify?for={{for}}">' +
    '<input type="hidden" name="for" value="{{for}}"><input name="code"><button>Verify</button></form>' +
    '<p>{{request.tag}}</p></body></html>',
)
const html = compile(
  '<!doctype html><html lang="{{locale}}"><body><h1>{{site.name}}</h1><p>{{purposeText}}</p><p>{{code}}</p>' +
    '<p>{{site.domain}} {{expires.in}} {{expires.at}}</p><p>{{request.tag}}</p></body></html>',
)
const text = compile(
  '{{purposeText}}\n\n{{code}}\n\n{{site.domain}} {{expires.in}} {{expires.at}}\n{{request.tag}}\n\n{{boundLine}}\n',
  { noEscape: true },
)

export const floorPage = () => page(codePage)
export const floorMail = () => [html(mail), text(mail)]
