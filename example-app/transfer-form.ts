import type { Transfer } from './people.js'

/** A transfer, or the errors of the form with what was typed. */
export type TransferForm =
  | { readonly outcome: 'valid'; readonly transfer: Transfer }
  | { readonly outcome: 'invalid'; readonly errors: Fields; readonly typed: Fields }

interface Fields {
  readonly amount: string
  readonly payee: string
}

const AMOUNT = /^(\d{1,7})(?:[.,](\d{1,2}))?$/
// Letters only: in the mail a payee such as "482915" would look like the code.
const PAYEE = /^\p{L}[\p{L}\p{M} .'’-]{0,39}$/u

/** Reads the transfer form. `balance` is in cents. */
export function readTransferForm(body: unknown, balance: number, ownName: string): TransferForm {
  const typed = { amount: field(body, 'amount'), payee: field(body, 'payee') }
  const cents = centsOf(typed.amount)
  const errors = { amount: amountError(cents, balance), payee: payeeError(typed.payee, ownName) }
  if (cents === null || errors.amount || errors.payee) return { outcome: 'invalid', errors, typed }
  return { outcome: 'valid', transfer: { cents, payee: typed.payee } }
}

/** The action as page and mail show it: "Send 50 EUR to Ana". */
export function describeTransfer({ cents, payee }: Transfer): string {
  return `Send ${euros(cents)} EUR to ${payee}`
}

/** "1,250" or "12.50". The separator also keeps amounts from being mistaken for a code. */
export function euros(cents: number): string {
  return exactEuros(cents).replace(/\.00$/, '')
}

/** "1,250.00", for tables and balances. */
export function exactEuros(cents: number): string {
  return new Intl.NumberFormat('en', { minimumFractionDigits: 2 }).format(cents / 100)
}

function amountError(cents: number | null, balance: number): string {
  if (cents === null) return 'Enter an amount in euros, such as 50 or 12.50.'
  if (cents === 0) return 'Enter an amount above zero.'
  return cents > balance ? `You have ${euros(balance)} EUR. Enter an amount up to that.` : ''
}

function payeeError(payee: string, ownName: string): string {
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
