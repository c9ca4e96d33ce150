import { once } from 'node:events'
import { simpleParser } from 'mailparser'
import { createTransport } from 'nodemailer'
import { HostApp } from '../helpers/host-app.js'
import { codeIn } from '../helpers/mailbox.js'
import { describeWithPostfix, PostfixServer } from '../helpers/postfix-server.js'

const FROM = 'Acme <no-reply@acme.example>'

describeWithPostfix('a real Postfix', () => {
  let postfix: PostfixServer
  beforeAll(async () => {
    postfix = await PostfixServer.start()
  })
  afterAll(() => postfix.stop())

  test('delivers a thousand codes, each exactly once, and each opens the session that asked for it', async () => {
    const transport = postfix.url
    const limits = { sendsPerIp: { capacity: 1_000 } }
    const host = await HostApp.start({
      otp: { user: () => null, typedEmail: true, limits, mail: { transport, from: FROM } },
    })
    const people = Array.from({ length: 1_000 }, (_, i) => ({ email: `person${i}@example.com`, jar: host.jar() }))
    const sent = (): number => host.events.filter(({ type }) => type === 'sent').length
    for (let wave = 0; wave < people.length; wave += 250) {
      const some = people.slice(wave, wave + 250) // the queue holds 500
      await Promise.all(some.map(({ jar, email }) => jar.post('/2fa/send').send({ email }).expect(200)))
      while (sent() < wave + some.length) await once(host.otp.events, 'sent')
    }
    await postfix.until(people.length)
    const came = postfix.delivered()
    expect(came.map(({ to }) => to).sort()).toEqual(people.map(({ email }) => email).sort())
    const ids = new Set(came.map(({ raw }) => /^Message-ID: (.*)$/im.exec(raw)?.[1]))
    expect(ids.size).toBe(1_000)
    expect(came.filter(({ raw }) => /^DKIM-Signature:/im.test(raw))).toEqual([]) // that is for the mail server to add
    const codes = new Map<string, string>()
    for (const { to, raw } of came) codes.set(to, codeIn({ mail: await simpleParser(raw) }))
    for (const { jar, email } of people) {
      await jar
        .post('/2fa/verify')
        .send({ code: codes.get(email) })
        .expect(200)
    }
    expect(host.events.filter(({ type }) => type === 'undelivered')).toEqual([])
    await host.close()
  }, 120_000)

  test('takes no mail for other machines', async () => {
    const lone = createTransport({ host: '127.0.0.1', port: postfix.port, ignoreTLS: true })
    const sent = lone.sendMail({ from: FROM, to: 'ana@elsewhere.example', text: 'hello' })
    await expect(sent).rejects.toMatchObject({ code: 'EENVELOPE', responseCode: 554 })
  })
})
