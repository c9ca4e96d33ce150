import { fuzzSeed } from './random.js'
import { fuzzRequests } from './run.js'

test('B8/C6/X3: after each of 60 000 random requests there is no 5xx, no open guard and no leak', async () => {
  const { violations, statuses, runs, mailedCodes } = await fuzzRequests(fuzzSeed(), 60_000)
  expect(violations).toEqual([])
  // They reached all parts of the app.
  expect(Object.keys(statuses)).toEqual(
    expect.arrayContaining(['200', '303', '400', '401', '403', '404', '422', '503']),
  )
  expect(Object.keys(runs).sort()).toEqual(['access', 'deep', 'pay'])
  expect(mailedCodes).toBeGreaterThan(1_500)
}, 1_800_000)
