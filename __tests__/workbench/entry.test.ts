import { execFileSync } from 'node:child_process'
import path from 'node:path'

test('H12: the main entry loads nothing of the workbench', () => {
  const program = `
    const { emailOtp } = require('./src/index.ts')
    emailOtp({
      secret: 'x'.repeat(32),
      site: { name: 'Acme' },
      mail: { transport: 'smtp://localhost', from: 'no-reply@acme.example' },
      user: () => null,
    })
    console.log(Object.keys(require.cache).join('\\n'))`
  const cwd = path.join(__dirname, '..', '..')
  const loaded = execFileSync(process.execPath, ['--import', 'tsx', '-e', program], { cwd, encoding: 'utf8' })
  expect(loaded).toContain('email-otp')
  expect(loaded).not.toMatch(/src.workbench|postal-mime/)
})
