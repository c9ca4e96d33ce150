/** The domain of an address, which is lower-case already. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1)
}

/** The domain without its subdomains, of which anybody can have as many as they like: its last two labels. */
export function parentDomainOf(address: string): string {
  return domainOf(address).split('.').slice(-2).join('.')
}
