import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Clock } from '../helpers/host-app.js'
import { ATTACKERS, attackForAYear, DAY, FAILURES } from '../helpers/yearly-guesses.js'
import { MemoryStore } from '../../src/stores/memory/memory-store.js'

test.each(ATTACKERS)(
  'V6: in a year an attacker %s gets at most 83 short codes compared, and the owner verifies every day',
  async (attacker, guessesOnDay) => {
    const clock = new Clock()
    const store = new MemoryStore({ now: clock.now })
    const passTime = (seconds: number) => {
      clock.tick(seconds)
      return Promise.resolve()
    }
    const { compared, verified } = await attackForAYear({ store, passTime }, attacker, guessesOnDay)
    expect(compared).toBeLessThanOrEqual(83)
    expect(compared).toBeGreaterThanOrEqual(70) // it was an attack
    expect(verified).toBe(365)
    await store.close()
  },
)

test('V6: the README states the number that follows from the limit: ten, and one in five days', () => {
  const readme = readFileSync(path.join(__dirname, '../../README.md'), 'utf8')
  const promised = FAILURES.capacity + Math.floor((365 * DAY) / FAILURES.refill)
  expect(readme).toContain(`compares at most ${promised} short codes`)
})
