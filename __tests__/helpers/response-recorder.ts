import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'

/** A TCP proxy in front of a server. It keeps every byte that the server answers. */
export class ResponseRecorder {
  #bytes = ''
  readonly #proxy: Server

  private constructor(port: number) {
    this.#proxy = createServer((client) => {
      const server = connect(port, '127.0.0.1')
      server.on('data', (bytes) => (this.#bytes += bytes.toString('latin1')))
      server.on('error', () => client.destroy())
      client.on('error', () => server.destroy())
      client.pipe(server).pipe(client)
    })
  }

  static async on(origin: string): Promise<ResponseRecorder> {
    const recorder = new ResponseRecorder(Number(new URL(origin).port))
    recorder.#proxy.listen(0, '127.0.0.1')
    await once(recorder.#proxy, 'listening')
    return recorder
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#proxy.address() as AddressInfo).port}`
  }

  get recorded(): string {
    return this.#bytes
  }

  async close(): Promise<void> {
    this.#proxy.close()
    await once(this.#proxy, 'close')
  }
}
