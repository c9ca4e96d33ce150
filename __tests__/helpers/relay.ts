import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A wire to a server that can be cut, or made slow. */
export class Relay {
  /** Requests still arrive, but the next reply is lost with its connection; then this is false again. */
  cutsReply = false
  /** Milliseconds that every reply is held back. */
  delay = 0
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  private constructor(target: number) {
    this.#server = createServer((client) => {
      const server = connect(target, '127.0.0.1')
      for (const socket of [client, server]) {
        this.#sockets.add(socket)
        socket.setNoDelay(true)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          this.#sockets.delete(socket)
          client.destroy()
          server.destroy()
        })
      }
      client.on('data', (bytes) => server.write(bytes))
      let inOrder = Promise.resolve()
      server.on('data', (bytes) => {
        if (this.cutsReply) {
          this.cutsReply = false
          client.destroy()
          return
        }
        const due = Date.now() + this.delay
        inOrder = inOrder.then(async () => {
          if (due > Date.now()) await sleep(due - Date.now())
          client.write(bytes)
        })
      })
    })
  }

  static async to(target: number): Promise<Relay> {
    const relay = new Relay(target)
    relay.#server.listen(0, '127.0.0.1')
    await once(relay.#server, 'listening')
    return relay
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
