// An SMTP server that takes every mail and keeps none, in a process of its own and as lean as can be, so that it is not
// what is measured. The message `{ delay }` says after how many ms it answers from now on to a mail; at once by default.
import { createServer } from 'node:net'
import { clearTimeout, setTimeout } from 'node:timers'

const END = '\r\n.\r\n'
const held = new Set()
let delay = 0

function serve(socket) {
  let [rest, isMail] = ['', false]
  const answer = (lines) => socket.write(lines)
  const take = () => {
    if (delay === 0) return answer('250 2.0.0 taken\r\n')
    const one = () => {
      held.delete(one)
      clearTimeout(timer)
      answer('250 2.0.0 taken\r\n')
    }
    const timer = setTimeout(one, delay)
    held.add(one)
  }
  const command = (line) => {
    const verb = line.slice(0, 4).toUpperCase()
    if (verb === 'EHLO') return '250-bench.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n'
    if (verb === 'DATA') return '354 go on\r\n'
    return verb === 'QUIT' ? '221 2.0.0 bye\r\n' : '250 2.0.0 ok\r\n'
  }
  socket.on('error', () => undefined) // clients hang up as they like
  socket.on('data', (bytes) => {
    rest += bytes.toString('latin1')
    let replies = ''
    for (;;) {
      const mark = isMail ? END : '\r\n'
      const end = rest.indexOf(mark)
      if (end < 0) break
      const line = rest.slice(0, end)
      rest = rest.slice(end + mark.length)
      if (isMail) take()
      else replies += command(line)
      isMail = !isMail && replies.endsWith('354 go on\r\n')
    }
    if (replies !== '') answer(replies)
  })
  answer('220 bench.example ESMTP\r\n')
}

const server = createServer({ noDelay: true }, serve).listen(0, '127.0.0.1', () => {
  process.send({ port: server.address().port })
})
process.on('message', (asked) => {
  delay = asked.delay ?? delay
  if (delay === 0) for (const one of held) one()
  const { user, system } = process.cpuUsage()
  process.send({ cpu: (user + system) / 1e6 })
})
process.on('disconnect', () => process.exit())
