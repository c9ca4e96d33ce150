import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { emailOtp } from '../../email-otp.js'
import { servicesOf } from '../../services.js'
import { requireDevelopment } from '../../workbench/development-only.js'
import { createWorkbench } from '../../workbench/workbench.js'
import { type Command, CommandError } from '../command.js'
import { HOST_FLAGS, hostOptions } from '../host-options.js'

export const preview: Command = {
  summary: 'show your mails and pages in a browser on this machine, anew at each change',
  flags: {
    ...HOST_FLAGS,
    port: { type: 'string', value: 'NUMBER', help: 'a free one by default' },
  },
  async run(args, io) {
    const port = Number(args.text('port') ?? 0)
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new CommandError('--port: give a number up to 65535.')
    requireDevelopment('preview')
    const services = servicesOf('preview', emailOtp(await hostOptions(args, io)))
    const app = express().use(createWorkbench(services) as unknown as express.RequestHandler)
    // Only this machine can reach it.
    const server = app.listen(port, '127.0.0.1')
    await once(server, 'listening')
    io.write(`http://localhost:${(server.address() as AddressInfo).port}/`)
    await once(process, 'SIGINT')
    return 0
  },
}
