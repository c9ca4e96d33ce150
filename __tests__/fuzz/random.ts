import { randomInt } from 'node:crypto'

/** Numbers that follow from a seed (mulberry32), so that a run can be repeated. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to 1, without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  below(end: number): number {
    return Math.floor(this.next() * end)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** From a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  digits(length: number): string {
    return Array.from({ length }, () => this.below(10)).join('')
  }
}

/** The seed of the environment variable FUZZ_SEED, or a new one. It is printed, so that a failure can be repeated. */
export function fuzzSeed(): number {
  const seed = process.env.FUZZ_SEED === undefined ? randomInt(2 ** 32) : Number(process.env.FUZZ_SEED)
  process.stdout.write(`FUZZ_SEED=${seed}\n`)
  return seed
}
