// A part of a benchmark in a process of its own. It sends a message when it is ready, and answers each message.
import { fork } from 'node:child_process'
import { once } from 'node:events'

export async function startChild(file, ...args) {
  const child = fork(new URL(file, import.meta.url), args)
  const exit = once(child, 'exit').then(() => {
    throw new Error(`${file} has ended`)
  })
  exit.catch(() => undefined) // at the end it may
  const next = async () => (await Promise.race([once(child, 'message'), exit]))[0]
  return {
    ready: await next(),
    ask(what) {
      child.send(what)
      return next()
    },
    stop: () => child.disconnect(),
  }
}
