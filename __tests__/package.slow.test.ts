import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { npmInstall, packInto, run } from './helpers/packed.js'

const MINUTES = 60_000

const REQUIRED = `
  const { emailOtp } = require('express-email-otp')
  if (Object.keys(require.cache).some((file) => /dist.(testing|store-conformance|workbench|cli)/.test(file))) throw new Error('too much')
  const { storeConformance } = require('express-email-otp/store-conformance')
  const { createMailbox } = require('express-email-otp/testing')
  require('express-email-otp/workbench').workbench(emailOtp({
    secret: 'x'.repeat(32), site: { name: 'Acme' }, user: () => null,
    mail: { transport: require('express-email-otp/workbench').devInbox(), from: 'no-reply@acme.example' },
  }))
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

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'email-otp-'))
    const filename = await packInto(folder)
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }')
    await npmInstall(folder, filename, 'express@5', 'express-session')
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
    expect(
      names.filter(
        (name) => !/^(dist|docs|views|src\/workbench\/assets)\/|^[A-Z]+\.md$|^LICENSE$|^package\.json$/.test(name),
      ),
    ).toEqual([])
    const others = names.filter((name) => !/^(dist\/testing|docs)\//.test(name) && !name.endsWith('.d.ts'))
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

  test('beside express and express-session it brings at most 15 packages', async () => {
    const alone = path.join(folder, 'alone')
    mkdirSync(alone)
    writeFileSync(path.join(alone, 'package.json'), '{ "private": true }')
    await npmInstall(alone, path.join('..', readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? ''))
    const lock = JSON.parse(readFileSync(path.join(alone, 'node_modules/.package-lock.json'), 'utf8')) as {
      packages: Record<string, { peer?: boolean }>
    }
    // Express comes with it as its peer.
    const brought = Object.keys(lock.packages).filter((name) => lock.packages[name]?.peer !== true)
    expect(brought).toEqual(expect.arrayContaining(['node_modules/express-email-otp', 'node_modules/nodemailer']))
    expect(brought.length).toBeLessThanOrEqual(15)
    const listed = (await run(alone, 'npm', 'ls', '--all', '--parseable')).trim().split('\n').slice(1)
    expect(listed).toHaveLength(Object.keys(lock.packages).length)
  })

  test('its types name no class of Express', () => {
    const types = inFolder('find', 'node_modules/express-email-otp/dist', '-name', '*.d.ts').trim().split('\n')
    const naming = types.filter((file) =>
      /['"](express|express-serve-static-core|express-session)['"]/.test(readFileSync(path.join(folder, file), 'utf8')),
    )
    expect(naming).toEqual([])
  })
})
