import { OtpError } from '../../errors.js'
import type { OtpRequest } from '../../express-types.js'
import { callHostFunction } from '../../host-callback.js'

/**
 * Calls a host's function that reads the request.
 * @throws OtpError `invalid_details` for an object that cannot be made a string: a client can send `{"toString": 1}`, on
 * which String() and template strings throw, and that is a bad request. Else `host_callback`
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
    const cure = 'Mount the body parser (express.json(), express.urlencoded(), multer …) before the guard.'
    const message = `\`${name}(req)\` threw, and there is no req.body: ${cause.message}. ${cure}`
    throw new OtpError('host_callback', message, { cause })
  }
}
