import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

const ROOT = path.join(__dirname, '..')

const lint = async (code: string, as: string): Promise<string[]> => {
  const eslint = path.join(ROOT, 'node_modules/eslint/bin/eslint.js')
  const child = promisify(execFile)(process.execPath, [eslint, '--stdin', '--stdin-filename', as, '--format', 'json'], {
    cwd: ROOT,
  })
  child.child.stdin?.end(code)
  const { stdout } = await child.catch((error: unknown) => error as { stdout: string })
  const [result] = JSON.parse(stdout) as [{ messages: { ruleId: string; message: string }[] }]
  return result.messages.filter(({ ruleId }) => ruleId.startsWith('no-restricted')).map((one) => one.message)
}

test('C5: the linter stops anybody who compares digests with === or draws from Math.random', async () => {
  const rule = 'Compare digests with sameDigest().'
  const code = `
    interface Held { digest: string; short: string; long: string }
    export const one = (digest: string, held: Held): boolean => digest === held.digest
    export const two = (mine: string, held: Held): boolean => held.digest !== mine
    export const three = (mine: string, held: Held): boolean => mine === held.long
    export const four = (wantedDigest: string, mine: string): boolean => mine === wantedDigest
    export const fine = (mine: string, held: string): boolean => mine === held
    export const five = (): number => Math.random()
  `
  expect(await lint(code, 'src/stores/memory/memory-store.ts')).toEqual([
    rule,
    rule,
    rule,
    rule,
    expect.stringContaining('Use node:crypto'),
  ])
})
