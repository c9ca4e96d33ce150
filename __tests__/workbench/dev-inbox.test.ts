import { ANA, BEN, HostApp } from '../helpers/host-app.js'
import { devInbox, type InboxMail, workbench } from '../../src/workbench/index.js'

const inbox = devInbox()
let host: HostApp
beforeAll(async () => {
  host = await HostApp.start({
    otp: { site: { name: 'Acme' }, mail: { transport: inbox, from: 'Acme <no-reply@acme.example>' } },
    after: (app, otp) => void app.use('/workbench', workbench(otp, { inbox })),
  })
})
afterEach(() => {
  inbox.clear()
})
afterAll(() => host.close())

const newest = (): InboxMail => {
  const [mail] = inbox.mails
  if (!mail) throw new Error('no mail has come')
  return mail
}

describe('an inbox as `mail.transport`', () => {
  test('keeps mails as they arrive, the newest first', async () => {
    for (const user of [BEN, ANA]) {
      const agent = await host.signedIn(user)
      await agent.post('/2fa/send').send({}).expect(200)
    }
    expect(inbox.mails.map(({ to }) => to)).toEqual([[ANA.email], [BEN.email]])
    const { raw, email } = newest()
    expect(email).toMatchObject({
      from: { name: 'Acme', address: 'no-reply@acme.example' },
      to: [{ address: ANA.email }],
    })
    expect(email.text).toMatch(/^\d{6}$/m)
    expect(email.html).toContain('<html')
    expect(raw.toString()).toMatch(/^Auto-Submitted: auto-generated\r$/m)
  })

  test('its codes verify', async () => {
    const agent = await host.signedIn()
    await agent.post('/2fa/send').send({}).expect(200)
    const code = /^\d{6}$/m.exec(newest().email.text ?? '')?.[0]
    await agent.post('/2fa/verify').send({ code }).expect(200)
  })

  test('tells of each mail, and finds it by its id', async () => {
    const seen: InboxMail[] = []
    inbox.once('mail', (mail) => seen.push(mail))
    await inbox.sendMail({ to: 'a@b.example', subject: 'One', text: 'x' })
    expect(seen).toEqual([newest()])
    expect(inbox.find(newest().id)).toBe(newest())
    expect(inbox.find('0')).toBeNull()
  })

  test('shows a mail whose text looks like a broken reference to an image', async () => {
    const attachments = [{ content: 'x', contentType: 'image/png', cid: 'logo@acme' }]
    const html = '<img src="cid:logo%40acme"><p>see cid:100%</p>'
    await inbox.sendMail({ to: 'a@b.example', subject: '100%', text: 'x', html, attachments })
    await host.jar().get('/workbench/inbox').expect(200)
    const { text } = await host.jar().get(`/workbench/inbox/${newest().id}/frame`).expect(200)
    expect(text.trim()).toBe('<img src="data:image/png;base64,eA=="><p>see cid:100%</p>')
  })

  test('keeps the newest 50, and 5 MB at most', async () => {
    for (let i = 1; i <= 52; i++) await inbox.sendMail({ to: 'a@b.example', subject: `Mail ${i}`, text: 'x' })
    expect(inbox.mails.map(({ email }) => email.subject)).toEqual(
      Array.from({ length: 50 }, (_, i) => `Mail ${52 - i}`),
    )
    const content = Buffer.alloc(3_000_000)
    for (let i = 0; i < 2; i++) await inbox.sendMail({ to: 'a@b.example', text: 'x', attachments: [{ content }] })
    expect(inbox.mails).toHaveLength(1)
  })
})
