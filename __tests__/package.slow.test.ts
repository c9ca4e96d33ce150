import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const ROOT = path.join(__dirname, '..')
const MINUTES = 60_000

/** What a host may load, in the way a host loads it. */
const LOADS = `
  if (typeof emailOtp !== 'function' || typeof storeConformance !== 'function') throw new Error('exports are missing')
  const otp = emailOtp({
    secret: 'x'.repeat(32), site: { name: 'Acme' }, typedEmail: true,
    mail: { transport: 'smtp://127.0.0.1:9', from: 'no-reply@acme.example' },
  })
  const app = express().use(session({ secret: 'x', resave: false, saveUninitialized: false })).use('/2fa', otp.router)
  const server = app.listen(0, '127.0.0.1', async () => {
    const url = 'http://127.0.0.1:' + server.address().port
    const page = await (await fetch(url + '/2fa', { headers: { accept: 'text/html' } })).text()
    const css = await fetch(url + '/2fa/assets/otp.css')
    console.log(page.includes('name="email"') && css.ok ? 'page rendered' : page)
    server.close()
    await otp.close()
  })
`

describe('the packed package, installed in a project of its own', () => {
  let folder: string
  const inFolder = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const run = (file: string, source: string): string => {
    writeFileSync(path.join(folder, file), source)
    return inFolder(process.execPath, file).trim()
  }

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'email-otp-'))
    const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
    const packed = execFileSync('npm', args, {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const { filename } = (JSON.parse(packed) as [{ filename: string }])[0]
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }')
    const needs = ['express@5', 'express-session', '@types/express-session', '@types/node@20', '@types/express@5']
    const types4 = '@types/express4@npm:@types/express@4'
    inFolder('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', filename, ...needs, types4)
  }, 5 * MINUTES)

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  test('holds what it needs and no tests, fixtures or sources (C7)', () => {
    const listing = inFolder('npm', 'ls', 'express-email-otp', '--parseable').trim()
    const files = inFolder('find', listing, '-type', 'f', '-not', '-path', '*/node_modules/*/node_modules/*')
    const names = files
      .trim()
      .split('\n')
      .map((file) => path.relative(listing, file))
    expect(names).toEqual(
      expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'views/pages/code.hbs', 'README.md', 'LICENSE']),
    )
    expect(names.filter((name) => !/^(dist|views)\/|^[A-Z]+\.md$|^LICENSE$|^package\.json$/.test(name))).toEqual([])
    expect(names.filter((name) => /test|fixture|\.ts$/.test(name) && !name.endsWith('.d.ts'))).toEqual([])
  })

  test('loads by require and renders a page', () => {
    const head = `const express = require('express'), session = require('express-session')
      const { emailOtp } = require('express-email-otp')
      const { storeConformance } = require('express-email-otp/store-conformance')\n`
    expect(run('required.cjs', head + LOADS)).toBe('page rendered')
  })

  test('loads by import, named exports and all', () => {
    const head = `import express from 'express'
      import session from 'express-session'
      import { emailOtp } from 'express-email-otp'
      import { storeConformance } from 'express-email-otp/store-conformance'\n`
    expect(run('imported.mjs', head + LOADS)).toBe('page rendered')
  })

  test.each([
    ['5', {}],
    ['4', { paths: { express: ['./node_modules/@types/express4'] } }],
  ])(
    'a strict TypeScript host on @types/express %s compiles',
    (version, paths) => {
      copyFileSync(path.join(__dirname, 'package', 'consumer.ts.txt'), path.join(folder, 'consumer.ts'))
      const compilerOptions = {
        strict: true,
        exactOptionalPropertyTypes: true,
        module: 'node20',
        target: 'es2022',
        noEmit: true,
        esModuleInterop: true,
        types: ['node'],
        skipLibCheck: false,
        ...paths,
      }
      writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }))
      const tsc = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
      expect(inFolder(process.execPath, tsc, '-p', folder, '--listFiles')).toContain(
        version === '4' ? '@types/express4/index.d.ts' : '@types/express/index.d.ts',
      )
    },
    MINUTES,
  )

  test('its types name no class of Express', () => {
    const types = inFolder('find', 'node_modules/express-email-otp/dist', '-name', '*.d.ts').trim().split('\n')
    const naming = types.filter((file) =>
      /['"](express|express-serve-static-core|express-session)['"]/.test(readFileSync(path.join(folder, file), 'utf8')),
    )
    expect(naming).toEqual([])
  })
})
