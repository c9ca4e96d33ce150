import type { CodeOptions } from './options.js'
import { type CodeFormat, DIGITS, keyspace, type ShortFormats } from '../crypto/code.js'
import { OptionChecker } from '../validate.js'

const check = new OptionChecker('emailOtp')

/**
 * The formats of short codes, with at least a million possibilities (ASVS 6.5.4). By default a typed address has longer
 * ones: nothing else stands between an attacker and a sign-in.
 */
export function resolveCode(options: CodeOptions | undefined, hasUsers: boolean): ShortFormats {
  const address = resolveFormat(options, 8)
  return Object.freeze({ address, user: hasUsers ? resolveFormat(options, 6) : address })
}

function resolveFormat(options: CodeOptions = {}, defaultDigits: number): CodeFormat {
  check.rejectUnknownKeys('code', options, ['digits', 'alphabet', 'length', 'subject'])
  const { digits = defaultDigits, alphabet, length } = options
  if (alphabet === undefined && length === undefined) {
    return assertKeyspace({ alphabet: DIGITS, length: check.integer('code.digits', digits, 1, 18) })
  }
  if (options.digits !== undefined) throw check.invalid('code', options, 'Give `digits`, or `alphabet` and `length`.')
  if (typeof alphabet !== 'string' || !/^(?:[0-9A-Z]{2,}|[0-9a-z]{2,})$/.test(alphabet)) {
    throw check.invalid('code.alphabet', alphabet, 'Give ASCII digits and letters of one case, at least two.')
  }
  if (new Set(alphabet).size < alphabet.length) {
    throw check.invalid('code.alphabet', alphabet, 'Give each character once, or codes are not uniform.')
  }
  return assertKeyspace({ alphabet, length: check.integer('code.length', length, 1, 32) })
}

function assertKeyspace(format: CodeFormat): CodeFormat {
  const count = keyspace(format)
  if (count >= 1_000_000n && count <= 2n ** 64n) return Object.freeze(format)
  const shape = `${format.length} of ${format.alphabet.length} characters`
  if (count > 2n ** 64n) throw check.invalid('code', shape, 'More than 2^64 possibilities gain nothing: shorten it.')
  const guessProbability = ((83 / Number(count)) * 100).toPrecision(2)
  throw check.invalid(
    'code',
    shape,
    `That makes ${count} possibilities: an attacker would have a ${guessProbability} % chance a year per user. ` +
      'Allow at least 1000000, such as `{ digits: 6 }`.',
  )
}
