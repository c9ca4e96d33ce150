import type { Command } from './command.js'

/** Each is loaded when it is needed: most of them need no mail server and no Express. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  preview: async () => (await import('./commands/preview.js')).preview,
  check: async () => (await import('./commands/check.js')).check,
  list: async () => (await import('./commands/list.js')).list,
  vars: async () => (await import('./commands/vars.js')).vars,
  eject: async () => (await import('./commands/eject.js')).eject,
  diff: async () => (await import('./commands/diff.js')).diff,
  render: async () => (await import('./commands/render.js')).render,
  send: async () => (await import('./commands/send.js')).send,
  doctor: async () => (await import('./commands/doctor.js')).doctor,
}
