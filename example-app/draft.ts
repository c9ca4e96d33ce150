import type { Transfer } from './people.js'

/** What was typed into the transfer form: a transfer, or what is wrong with it. */
export type Draft =
  | { readonly outcome: 'fine'; readonly transfer: Transfer }
  | { readonly outcome: 'faulty'; readonly errors: Fields; readonly typed: Fields }

interface Fields {
  readonly amount: string
  readonly payee: string
}

const AMOUNT = /^(\d{1,7})(?:[.,](\d{1,2}))?$/
// Letters only: a payee such as "482915" would look like the code in the mail that names the transfer.
const PAYEE = /^\p{L}[\p{L}\p{M} .'’-]{0,39}$/u

/** Reads the form of a person who has `balance` cents. */
export function readDraft(body: unknown, balance: number, ownName: string): Draft {
  const typed = { amount: field(body, 'amount'), payee: field(body, 'payee') }
  const cents = centsOf(typed.amount)
  const errors = { amount: wrongAmount(cents, balance), payee: wrongPayee(typed.payee, ownName) }
  if (cents === null || errors.amount || errors.payee) return { outcome: 'faulty', errors, typed }
  return { outcome: 'fine', transfer: { cents, payee: typed.payee } }
}

/** The action as the person reads it, on the page and in the mail: "Send 50 EUR to Ana". */
export function inWords({ cents, payee }: Transfer): string {
  return `Send ${euros(cents)} EUR to ${payee}`
}

/** "1,250" or "12.50". The separator also keeps amounts from being mistaken for a code. */
export function euros(cents: number): string {
  return exactEuros(cents).replace(/\.00$/, '')
}

/** "1,250.00": for columns, and for balances. */
export function exactEuros(cents: number): string {
  return new Intl.NumberFormat('en', { minimumFractionDigits: 2 }).format(cents / 100)
}

function wrongAmount(cents: number | null, balance: number): string {
  if (cents === null) return 'Enter an amount in euros, such as 50 or 12.50.'
  if (cents === 0) return 'Enter an amount above zero.'
  return cents > balance ? `You have ${euros(balance)} EUR. Enter an amount up to that.` : ''
}

function wrongPayee(payee: string, ownName: string): string {
  if (payee === '') return 'Enter the name of the person who gets the money.'
  if (!PAYEE.test(payee)) return 'Enter a name of letters, 40 at most.'
  return payee.toLowerCase() === ownName.toLowerCase() ? 'That is you. Enter somebody else’s name.' : ''
}

function centsOf(amount: string): number | null {
  const [whole, euro = '', cents = ''] = AMOUNT.exec(amount) ?? []
  return whole === undefined ? null : Number(euro) * 100 + Number(cents.padEnd(2, '0'))
}

function field(body: unknown, name: keyof Fields): string {
  const value = (body as Partial<Record<string, unknown>> | undefined)?.[name]
  return typeof value === 'string' ? value.normalize('NFC').replace(/\s+/g, ' ').trim() : ''
}
