import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A TCP proxy that can drop or delay replies of a server. */
export class FaultyProxy {
  /** Drops the next reply and its connection, then becomes false. The request still reaches the server. */
  dropsReply = false
  /** Milliseconds by which every reply is delayed. */
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
        if (this.dropsReply) {
          this.dropsReply = false
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

  static async to(target: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
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
