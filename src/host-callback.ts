import { wrapError } from './errors.js'

/** Runs a function of the host's. @throws OtpError `host_callback` with what it threw as the cause */
export async function callHostFunction<T>(name: string, call: () => T | Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw wrapError('host_callback', `\`${name}\` threw.`, error)
  }
}
