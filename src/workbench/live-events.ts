import type { OtpResponse } from '../express-types.js'
import { modificationStamp } from '../views/files.js'
import type { DevInbox } from './dev-inbox.js'

/** How often the files are looked at while somebody has a workbench open. */
const INTERVAL_MS = 100

/** Tells open workbenches of changed files and new mails, as server-sent events. */
export class LiveEvents {
  readonly #open = new Set<OtpResponse>()
  #timer: NodeJS.Timeout | undefined
  #lastStamp = ''

  /** @param folders of the host's views */
  constructor(
    private readonly folders: readonly string[],
    inbox: DevInbox | undefined,
  ) {
    inbox?.on('mail', () => {
      this.#send('mail')
    })
  }

  /** Keeps a response open and writes the events to it. */
  readonly subscribe = (res: OtpResponse): void => {
    res.setHeader('Content-Type', 'text/event-stream')
    res.setHeader('Cache-Control', 'no-store, no-transform') // no compression, which would hold events back
    res.write('retry: 500\n\n')
    this.#open.add(res)
    this.#watch()
    res.once('close', () => {
      this.#open.delete(res)
      if (this.#open.size === 0) this.#stop()
    })
  }

  #watch(): void {
    if (this.#timer) return
    this.#lastStamp = this.#stamp()
    this.#timer = setInterval(() => {
      const stamp = this.#stamp()
      if (stamp === this.#lastStamp) return
      this.#lastStamp = stamp
      this.#send('change')
    }, INTERVAL_MS).unref()
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** A folder that cannot be read just now, such as one that is being replaced, has a stamp too. */
  #stamp(): string {
    try {
      return modificationStamp(this.folders)
    } catch {
      return ''
    }
  }

  #send(event: 'change' | 'mail'): void {
    for (const res of this.#open) res.write(`event: ${event}\ndata:\n\n`)
  }
}
