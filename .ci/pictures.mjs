// Draws docs/pictures with a real app, real mails and Chromium: `npm run pictures`, or `npm run pictures -- step-1` for those
// whose name begins so. Code, request and time are always the same. The fonts are those of this machine.
import { createRequire } from 'node:module'
import { Camera } from './camera.mjs'

const require = createRequire(import.meta.url) // with `import`, tsx gives these files no `__dirname`
const { ANA } = require('../__tests__/helpers/host-app.ts')
const { guessWrongly } = require('../__tests__/helpers/guessing.ts')
const { StepApp } = require('../__tests__/helpers/template-steps.ts')
const { servicesOf } = require('../src/services.ts')
const { createWorkbench } = require('../src/workbench/workbench.ts')

const [wanted = ''] = process.argv.slice(2)
const DARK = { colorScheme: 'dark' }
const PHONE = { viewport: { width: 375, height: 10 } }
const ARABIC = { locale: 'ar' }
const action = (text) => `/action?text=${encodeURIComponent(text)}`
const TRANSFER = action('Send 50.00 EUR to Ben')
const TRANSFER_AR = action('تحويل 50.00 يورو إلى سارة')
const DELETION = '/delete-account'
const MEMBER = { name: 'Ana Lima', plan: 'Team', workspace: 'Paper mill' }

/** By the number of steps of docs/templates.md that the app has: 0 is our own look. */
const PICTURES = {
  0: {
    mail: (one) => one.mail(TRANSFER),
    'mail-dark': (one) => one.mail(TRANSFER, {}, DARK),
    'mail-phone': (one) => one.mail(TRANSFER, {}, PHONE),
    'mail-ar': (one) => one.mail(TRANSFER_AR, ARABIC),
    alert: (one) => one.alert(),
    page: (one) => one.page(TRANSFER),
    'page-dark': (one) => one.page(TRANSFER, {}, DARK),
    'page-phone': (one) => one.page(TRANSFER, {}, PHONE),
    'page-ar': (one) => one.page(TRANSFER_AR, ARABIC),
    verified: (one) => one.verified(),
  },
  1: { 'step-1': (one) => one.mail(TRANSFER) },
  4: { 'step-4': (one) => one.page(DELETION) },
  5: { 'step-5': (one) => one.mail(DELETION) },
  6: { 'step-6': (one) => one.mail(DELETION), 'step-6-dark': (one) => one.mail(DELETION, {}, DARK) },
  7: {
    'step-7': (one) => one.mail(DELETION),
    workbench: (one) => one.workbench('?view=mail/delete-account'),
    'workbench-dark': (one) => one.workbench('?view=mail/delete-account', DARK),
  },
  8: { 'step-8': (one) => one.mail('/secret', MEMBER) },
  9: { 'step-9': (one) => one.mail('/secret', { ...MEMBER, locale: 'de' }) },
  10: {
    'step-10': (one) => one.mail('/secret', ARABIC),
    'workbench-ar': (one) => one.workbench('?view=mail/code&locale=ar&sample=minimal'),
  },
}

const camera = await Camera.open()
for (const [step, pictures] of Object.entries(PICTURES)) {
  for (const [name, take] of Object.entries(pictures)) {
    if (!name.startsWith(wanted)) continue
    const app = await StepApp.start(Number(step)) // of its own, so that no limit is in the way
    await take({
      mail: async (guarded, user, look) => camera.takeMail(name, await app.ask(guarded, user), look),
      alert: async () => camera.takeMail(name, await alertOf(app.host)),
      page: (guarded, user, look) => camera.takePage(name, app.host, guarded, { ...ANA, ...user }, look),
      verified: () => camera.takeVerified(name, app.host, ANA),
      workbench: (query, look) => camera.takeWorkbench(name, withWorkbench(app.host), query, look),
    })
    await app.close()
    console.log(name)
  }
}
await camera.close()

/** The mail to somebody for whom ten wrong codes were typed. */
async function alertOf(host) {
  for (let challenge = 0; challenge < 2; challenge++) {
    const { jar, code } = await host.asked()
    await guessWrongly(jar, code, 5)
  }
  await host.mailbox.mails(3)
  return { mail: host.mailbox.last.mail }
}

/** Its site is not at this machine, as a workbench of a host must be: no mail of the pictures names localhost. */
function withWorkbench(host) {
  host.app.use('/workbench', createWorkbench(servicesOf('pictures', host.otp)))
  return host
}
