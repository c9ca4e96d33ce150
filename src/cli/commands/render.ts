import { emailOtp } from '../../email-otp.js'
import { composeMime } from '../../mail/mime.js'
import { servicesOf } from '../../services.js'
import type { Command } from '../command.js'
import { HOST_FLAGS, hostOptions } from '../host-options.js'
import { oneOf } from '../parse-arguments.js'
import { composeNamed, SAMPLE_FLAGS } from '../sample-request.js'

const PARTS = ['text', 'html', 'subject', 'eml'] as const

export const render: Command = {
  summary: 'print a mail with the values of a sample: `code`, `alert`, or the name of a purpose',
  operands: '<mail>',
  flags: {
    ...HOST_FLAGS,
    ...SAMPLE_FLAGS,
    part: { type: 'string', value: PARTS.join('|'), help: 'text by default; eml is the whole message' },
  },
  async run(args, io) {
    const part = oneOf(args, 'part', PARTS) ?? 'text'
    const services = servicesOf('render', emailOtp(await hostOptions(args, io)))
    const { rendered, message } = await composeNamed(services, args)
    const shown = part === 'eml' ? (await composeMime(message)).raw.toString('utf8') : rendered[part]
    io.write(shown.trimEnd())
    return 0
  },
}
