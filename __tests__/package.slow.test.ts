import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const ROOT = path.join(__dirname, '..')
const MINUTES = 60_000

const REQUIRED = `
  const { emailOtp } = require('express-email-otp')
  if (Object.keys(require.cache).some((file) => /dist.(testing|store-conformance)/.test(file))) throw new Error('too much')
  const { storeConformance } = require('express-email-otp/store-conformance')
  const { createMailbox } = require('express-email-otp/testing')
  const [express, session] = [require('express'), require('express-session')]
  require('./smoke.cjs')({ express, session, emailOtp, storeConformance, createMailbox })
`
const IMPORTED = `
  import express from 'express'
  import session from 'express-session'
  import { emailOtp } from 'express-email-otp'
  import { storeConformance } from 'express-email-otp/store-conformance'
  import { createMailbox } from 'express-email-otp/testing'
  import smoke from './smoke.cjs'
  await smoke({ express, session, emailOtp, storeConformance, createMailbox })
`

/** The lines of Node that are supported. Binaries of the others come from the npm package `node`. */
const NODES = [20, 22, 24]

describe('the packed package, installed in a project of its own', () => {
  let folder: string
  const inFolder = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const nodeOf = (major: number): string => {
    if (process.versions.node.startsWith(`${major}.`)) return process.execPath
    const prefix = path.join(folder, `node${major}`)
    inFolder('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', '--prefix', prefix, `node@${major}`)
    return path.join(prefix, 'node_modules', 'node', 'bin', 'node')
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
    copyFileSync(path.join(__dirname, 'package', 'smoke.cjs'), path.join(folder, 'smoke.cjs'))
    writeFileSync(path.join(folder, 'required.cjs'), REQUIRED)
    writeFileSync(path.join(folder, 'imported.mjs'), IMPORTED)
  }, 5 * MINUTES)

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  test('C7: the package holds what it needs and no tests, fixtures, example or sources', () => {
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
    const others = names.filter((name) => !name.startsWith('dist/testing/') && !name.endsWith('.d.ts'))
    expect(others.filter((name) => /test|fixture|example-app|mock|\.ts$/.test(name))).toEqual([])
  })

  test.each(NODES)(
    'on Node %s it loads by require and by import, mails a code and verifies it',
    (major) => {
      const node = nodeOf(major)
      expect(inFolder(node, '--version')).toMatch(new RegExp(`^v${major}\\.`))
      for (const file of ['required.cjs', 'imported.mjs']) {
        expect([file, inFolder(node, file).trim()]).toEqual([file, 'the secret'])
      }
    },
    5 * MINUTES,
  )

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
