import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createBank } from './bank.js'
import { Inbox } from './inbox.js'

/** Environment variables; each has a default. */
export type Environment = Readonly<
  Partial<
    Record<
      'PORT' | 'HOST' | 'NODE_ENV' | 'OTP_SECRET' | 'SESSION_SECRET' | 'SMTP_URL' | 'MAIL_FROM' | 'DEMO_EMAIL',
      string | undefined
    >
  >
>

export interface RunningBank {
  readonly url: string
  /** Lines for the console. */
  readonly hints: readonly string[]
  readonly close: () => Promise<void>
}

/** A wrong environment variable or a port in use: printed as one line, without a stack. */
export class StartupError extends Error {}

/** Starts the HTTP server, and a mail server unless `SMTP_URL` names another. */
export async function startBank(environment: Environment): Promise<RunningBank> {
  const env = withoutBlanks(environment)
  const host = env.HOST ?? '127.0.0.1'
  const server = createServer()
  const port = await listen(server, portOf(env.PORT), host)
  const url = `http://localhost:${port}`
  const inbox = env.SMTP_URL ? null : await Inbox.listen()
  const hasWorkbench = isLoopback(host) && env.NODE_ENV !== 'production'
  const generatedSecrets = (['OTP_SECRET', 'SESSION_SECRET'] as const).filter((name) => !env[name])
  const bank = createBank({
    origin: url,
    otpSecret: env.OTP_SECRET ?? randomSecret(),
    sessionSecret: env.SESSION_SECRET ?? randomSecret(),
    mail: {
      transport: inbox?.url ?? env.SMTP_URL ?? '',
      from: env.MAIL_FROM ?? 'Pebble Bank <no-reply@bank.example>',
    },
    inbox,
    hasWorkbench,
    email: env.DEMO_EMAIL ?? null,
  })
  server.on('request', bank.app)

  return {
    url,
    hints: [
      ...mailHints(env, url),
      ...workbenchHints(hasWorkbench, url),
      ...secretHints(generatedSecrets),
      ...hostHints(host),
    ],
    async close() {
      const closed = once(server, 'close')
      server.close()
      await bank.close()
      await inbox?.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'EADDRINUSE') throw new StartupError(`Cannot listen on ${host}:${port} (${message}).`)
    throw new StartupError(`Port ${port} is taken. Set PORT to another one, such as: PORT=${port + 1} npm start`)
  }
  return (server.address() as AddressInfo).port
}

function portOf(text = '3000'): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port
  throw new StartupError(`PORT is "${text}". Set it to a number from 0 to 65535; 0 takes any free port.`)
}

// `SMTP_URL= npm start` counts as not set.
function withoutBlanks(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()))
}

function randomSecret(): string {
  return randomBytes(32).toString('base64url')
}

function mailHints(env: Environment, url: string): string[] {
  if (!env.SMTP_URL) return [`Its mails land in ${url}/inbox`]
  const from = env.MAIL_FROM ? '' : ' Set MAIL_FROM to an address that it lets you send from.'
  const to = env.DEMO_EMAIL ? '' : ' Set DEMO_EMAIL to your address to get the mails of Ana and Ben.'
  return [`Its mails go out by SMTP_URL.${from}${to}`]
}

function secretHints(generated: readonly string[]): string[] {
  if (generated.length === 0) return []
  const reason =
    generated.length === 1 ? 'is not set, so a random one was made' : 'are not set, so random ones were made'
  return [`${generated.join(' and ')} ${reason}: a restart signs everybody out.`]
}

function workbenchHints(hasWorkbench: boolean, url: string): string[] {
  return hasWorkbench ? [`All mails and pages, for developers: ${url}/workbench`] : []
}

function isLoopback(host: string): boolean {
  return ['127.0.0.1', '::1', 'localhost'].includes(host)
}

function hostHints(host: string): string[] {
  if (isLoopback(host)) return []
  return [`HOST is ${host}: anyone who can reach this port can read the inbox. Use it only in a private network.`]
}
