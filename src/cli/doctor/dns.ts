/** The part of `dns.promises.Resolver` that is needed. */
export interface DnsResolver {
  resolve4(name: string): Promise<string[]>
  resolve6(name: string): Promise<string[]>
  resolveMx(name: string): Promise<{ exchange: string; priority: number }[]>
  resolveTxt(name: string): Promise<string[][]>
}

/** No answer, as opposed to the answer that there is no such record. */
export class DnsError extends Error {
  override readonly name = 'DnsError'
}

const NO_RECORD = ['ENOTFOUND', 'ENODATA']

export async function addressesOf(resolver: DnsResolver, host: string): Promise<string[]> {
  const found = await Promise.all([records(host, resolver.resolve4(host)), records(host, resolver.resolve6(host))])
  return found.flat()
}

export function mxOf(resolver: DnsResolver, domain: string): Promise<{ exchange: string; priority: number }[]> {
  return records(domain, resolver.resolveMx(domain))
}

/** TXT records, the strings of each joined without a space (RFC 7208 3.3). */
export async function textsOf(resolver: DnsResolver, name: string): Promise<string[]> {
  const found = await records(name, resolver.resolveTxt(name))
  return found.map((strings) => strings.join(''))
}

/** @throws DnsError */
async function records<T>(name: string, answer: Promise<T[]>): Promise<T[]> {
  try {
    return await answer
  } catch (error) {
    const { code } = (error ?? {}) as { code?: unknown }
    if (NO_RECORD.includes(String(code))) return []
    throw new DnsError(`the DNS gives no answer for ${name} (${String(code)})`, { cause: error })
  }
}
