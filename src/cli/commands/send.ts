import { sendTestMail } from '../../delivery/trial-send.js'
import { emailOtp } from '../../email-otp.js'
import { parseAddress } from '../../identity/address.js'
import { servicesOf } from '../../services.js'
import { type Command, CommandError } from '../command.js'
import { CONFIG_FLAG, configuredOptions } from '../host-options.js'
import { printable } from '../io.js'
import { composeNamed, SAMPLE_FLAGS } from '../sample-request.js'

export const send: Command = {
  summary: 'send a mail with the values of a sample through your own transport; its code opens nothing',
  operands: '<mail>',
  flags: {
    ...CONFIG_FLAG,
    to: { type: 'string', value: 'ADDRESS', help: 'who gets it, with [TEST] in the subject' },
    ...SAMPLE_FLAGS,
  },
  async run(args, io) {
    const to = parseAddress(args.text('to') ?? '')
    if (!to) throw new CommandError('Give --to with one address, such as me@acme.example.')
    const services = servicesOf('send', emailOtp(await configuredOptions(args, io)))
    const { message } = await composeNamed(services, args)
    io.progress(`sending to ${to.address}`)
    const { outcome, server, encryption, answer, advice, ms } = await sendTestMail(services, message, to.address)
    io.progress('')
    io.write(
      `${outcome === 'accepted' ? 'accepted' : 'not sent'} by ${server} (${encryption}) in ${ms} ms: ${printable(answer)}`,
    )
    if (advice) io.write(advice)
    return outcome === 'accepted' ? 0 : 1
  },
}
