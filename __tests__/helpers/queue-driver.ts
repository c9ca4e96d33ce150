import { ManualClock, settled } from './manual-clock.js'
import { type FakeTransport, queueOf } from './send-queue.js'
import type { Priority } from '../../src/delivery/queue/connection-slots.js'
import type { DeliveryUpdate, QueuedMail } from '../../src/delivery/queue/queued-mail.js'
import type { Reservation } from '../../src/delivery/queue/reservation.js'
import type { SendQueue, SendQueueOptions } from '../../src/delivery/queue/send-queue.js'

type Update = DeliveryUpdate & { readonly of: string }

/** A send queue over a transport that does as it is told. All its time, real time too, is moved by the test. */
export class QueueDriver {
  readonly clock = new ManualClock()
  readonly updates: Update[] = []
  readonly queue: SendQueue

  constructor(
    readonly transport: FakeTransport,
    options: SendQueueOptions = {},
    rate?: number,
  ) {
    const mail = { transport, ...(rate !== undefined && { rate }) }
    this.queue = queueOf(mail, this.clock, { realTime: this.clock, ...options })
  }

  reserve(priority: Priority = 'anonymous'): Reservation {
    const reservation = this.queue.reserve(priority, { canWaitForOutage: true })
    if (reservation.outcome === 'rejected') throw new Error(reservation.reason)
    return reservation
  }

  /** Queues a mail to an address. */
  mail(address: string, priority: Priority = 'anonymous', more: Partial<QueuedMail> = {}): void {
    const message = { from: 'no-reply@acme.example', to: { name: '', address }, subject: 's', text: 't' }
    this.reserve(priority).enqueue({
      compose: () => Promise.resolve({ message, address, secrets: [] }),
      address,
      challengeId: address,
      firstAttemptUntil: this.clock.now() + 305_000,
      retryUntil: this.clock.now() + 305_000,
      onUpdate: (update) => void this.updates.push({ ...update, of: address }),
      ...more,
    })
  }

  decoy(address: string, more: Partial<QueuedMail> = {}): void {
    this.mail(address, 'anonymous', { isDecoy: true, onUpdate: () => undefined, ...more })
  }

  /** Opens the breaker with mail to signed-in users. */
  async outage(error: Error): Promise<void> {
    this.transport.error = error
    for (let i = 0; i < 5; i++) this.mail(`user@${i}.example`, 'signed-in', { retryUntil: 0 })
    while (this.queue.health().breaker !== 'open') await settled()
    await settled()
  }

  /** Waits for what needs hardly any time of the clock, such as composing a message. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.clock.advance(0.001)
  }
}
