import { randomBytes, randomId } from '../../src/crypto/random'

describe('random ids', () => {
  test('never come twice, however often the reserve is drawn anew', () => {
    const ids = Array.from({ length: 20_000 }, () => randomId())
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.every((id) => /^[\w-]{22}$/.test(id))).toBe(true)
    expect(randomId(6)).toMatch(/^[\w-]{8}$/)
  })

  test('bytes once handed out stay as they are', () => {
    const bytes = randomBytes(12)
    const before = bytes.toString('hex')
    for (let i = 0; i < 1_000; i++) randomId()
    expect(bytes.toString('hex')).toBe(before)
  })
})
