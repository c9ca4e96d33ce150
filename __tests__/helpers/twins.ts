import { Clock, HostApp, memorySession } from './host-app.js'
import { MemoryStore, type OtpOptions } from '../../src/index.js'

export interface Twins {
  readonly one: HostApp
  readonly two: HostApp
  readonly clock: Clock
  close(): Promise<void>
}

/** Two apps of one site: one store, one session store, one clock. */
export async function startTwins(otp: Partial<OtpOptions> = {}): Promise<Twins> {
  const clock = new Clock()
  const store = new MemoryStore({ now: clock.now })
  const options = { otp: { store, now: clock.now, ...otp }, session: memorySession() }
  const [one, two] = [await HostApp.start(options), await HostApp.start(options)]
  const close = async (): Promise<void> => {
    await Promise.all([one.close(), two.close()])
    await store.close()
  }
  return { one, two, clock, close }
}
