import { type Command, JSON_FLAG } from '../command.js'
import { doctor as examine } from '../doctor/index.js'
import { CONFIG_FLAG, configuredOptions } from '../host-options.js'

export const doctor: Command = {
  summary: 'why codes do not arrive: mail server, DNS and clock; exit code 1 on errors',
  flags: {
    ...CONFIG_FLAG,
    'dkim-selector': {
      type: 'string',
      value: 'NAME',
      help: 'where the DKIM key stands in the DNS: s= of your signatures',
    },
    ...JSON_FLAG,
  },
  async run(args, io) {
    const options = await configuredOptions(args, io)
    return examine(options, { write: io.write, json: args.has('json'), dkimSelector: args.text('dkim-selector') })
  },
}
