import type { OtpUser } from 'express-email-otp'

/** One line of a statement. Money is in whole cents, since floats lose fractions. */
export interface Entry {
  readonly at: Date
  readonly what: string
  readonly cents: number
}

/** A customer of the bank. Also an `OtpUser`, which is all that the plugin needs. */
export interface Person extends OtpUser {
  readonly id: string
  readonly name: string
  readonly initial: string
  readonly entries: Entry[]
}

export interface Transfer {
  readonly cents: number
  readonly payee: string
}

const DAY_MS = 86_400_000

/** The two demo people, in memory: each start begins with the same money. */
export class People {
  readonly all: readonly Person[]

  /** @param email address for the mails of both; if null, made-up addresses that only the bank's inbox receives */
  constructor(email: string | null = null) {
    const entries = (...lines: [daysAgo: number, what: string, cents: number][]): Entry[] =>
      lines.map(([days, what, cents]) => ({ at: new Date(Date.now() - days * DAY_MS), what, cents }))
    this.all = [
      {
        id: 'ana',
        name: 'Ana',
        initial: 'A',
        email: email ?? 'ana@example.com',
        entries: entries([2, 'Corner bakery', -640], [5, 'Rent', -91_000], [9, 'Salary', 248_000]),
      },
      {
        id: 'ben',
        name: 'Ben',
        initial: 'B',
        email: email ?? 'ben@example.com',
        entries: entries([1, 'Second-hand bicycle', -18_500], [8, 'Salary', 195_000]),
      },
    ]
  }

  find(id: unknown): Person | null {
    return this.all.find((person) => person.id === id) ?? null
  }

  balance({ entries }: Person): number {
    return entries.reduce((sum, entry) => sum + entry.cents, 0)
  }

  send(payer: Person, { cents, payee }: Transfer): void {
    const at = new Date()
    payer.entries.unshift({ at, what: `To ${payee}`, cents: -cents })
    const recipient = this.all.find(({ name }) => name.toLowerCase() === payee.toLowerCase())
    recipient?.entries.unshift({ at, what: `From ${payer.name}`, cents })
  }
}
