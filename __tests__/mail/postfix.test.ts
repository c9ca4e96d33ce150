import { createTransport } from 'nodemailer'
import { describeWithPostfix, PostfixServer } from '../helpers/postfix-server.js'

const FROM = 'Acme <no-reply@acme.example>'

describeWithPostfix('a real Postfix', () => {
  let postfix: PostfixServer
  beforeAll(async () => {
    postfix = await PostfixServer.start()
  })
  afterAll(() => postfix.stop())

  test('delivers each of 50 mails once, to whom it is for', async () => {
    const { port } = postfix
    const pool = createTransport({ host: '127.0.0.1', port, pool: true, maxConnections: 3, ignoreTLS: true })
    const mails = Array.from({ length: 50 }, (_, i) => ({ to: `person${i}@example.com`, subject: `for person ${i}` }))
    await Promise.all(mails.map((mail) => pool.sendMail({ from: FROM, text: 'hello', ...mail })))
    pool.close()
    await postfix.until(mails.length)
    const came = postfix.delivered().map(({ to, raw }) => ({ to, subject: /^Subject: (.*)$/m.exec(raw)?.[1] }))
    expect(came).toHaveLength(mails.length)
    expect(came).toEqual(expect.arrayContaining(mails))
  })

  test('takes no mail for other machines', async () => {
    const lone = createTransport({ host: '127.0.0.1', port: postfix.port, ignoreTLS: true })
    const sent = lone.sendMail({ from: FROM, to: 'ana@elsewhere.example', text: 'hello' })
    await expect(sent).rejects.toMatchObject({ code: 'EENVELOPE', responseCode: 554 })
  })
})
