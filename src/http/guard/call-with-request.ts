import { OtpError } from '../../errors.js'
import type { OtpRequest } from '../../express-types.js'
import { callHostFunction } from '../../host-callback.js'

/**
 * Calls a host's function that reads the request.
 * @throws OtpError `invalid_details` for what a client can do, which is a bad request: send `{"toString": 1}`, on which
 * String() and template strings throw, or nothing at all. Else `host_callback`
 */
export async function callWithRequest<T>(name: string, req: OtpRequest, call: () => T | Promise<T>): Promise<T> {
  try {
    return await callHostFunction(name, call)
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    if (!(cause instanceof TypeError)) throw error
    if (cause.message.includes('Cannot convert object to primitive value')) {
      const message = `\`${name}(req)\` cannot convert an object to a string. Check the type of a value before String().`
      throw new OtpError('invalid_details', message, { cause })
    }
    if (req.body !== undefined || req.method === 'GET' || req.method === 'HEAD') throw error
    if (!hasBody(req)) {
      const message = `\`${name}(req)\` threw, since the request was sent without a body: ${cause.message}.`
      throw new OtpError('invalid_details', message, { cause })
    }
    const cure =
      'Mount the body parser (express.json(), express.urlencoded(), multer …) before the guard: one that reads the ' +
      'Content-Type of this request.'
    const message = `\`${name}(req)\` threw, and there is no req.body: ${cause.message}. ${cure}`
    throw new OtpError('host_callback', message, { cause })
  }
}

/** Whether the client has sent a body (RFC 9112 6.3), parsed or not. */
function hasBody({ headers }: OtpRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
