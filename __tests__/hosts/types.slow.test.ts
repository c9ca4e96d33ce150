import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { npmInstall, packInto, run } from '../helpers/packed.js'

const TSC = path.join(__dirname, '../../node_modules/typescript/bin/tsc')
const WITH_EXPRESS = ['host.ts', 'host-tests.ts']
const AROUND = ['@types/express-session', '@types/supertest', 'supertest']

/** Hosts in TypeScript: their types of Express, what they install, and their sources. */
const HOSTS = {
  'types of Express 5': { packages: ['express@5', '@types/express@5', ...AROUND], sources: WITH_EXPRESS },
  'types of Express 4': { packages: ['express@4', '@types/express@4', ...AROUND], sources: WITH_EXPRESS },
  'no types of Express': { packages: [], sources: ['without-express.mts'] },
}

let root: string
const folderOf = (types: string): string => path.join(root, types.replaceAll(' ', '-'))
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'otp-types-'))
  const tarball = path.join(root, await packInto(root))
  const install = async ([types, { packages, sources }]: [string, (typeof HOSTS)[keyof typeof HOSTS]]) => {
    const folder = folderOf(types)
    mkdirSync(folder)
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }')
    await npmInstall(folder, tarball, 'express-session', '@types/node@20', ...packages)
    for (const file of sources) copyFileSync(path.join(__dirname, 'types', `${file}.txt`), path.join(folder, file))
  }
  await Promise.all(Object.entries(HOSTS).map(install))
}, 240_000)
afterAll(() => {
  rmSync(root, { recursive: true, force: true })
})

test.each([
  ['types of Express 5', 'nodenext', 'nodenext'],
  ['types of Express 5', 'bundler', 'esnext'],
  ['types of Express 4', 'nodenext', 'nodenext'],
  ['no types of Express', 'bundler', 'esnext'],
])(
  'a strict host with %s compiles with moduleResolution %s and skipLibCheck off',
  async (types, moduleResolution, module) => {
    const compilerOptions = {
      ...{ moduleResolution, module, target: 'es2022', types: ['node'], esModuleInterop: true, noEmit: true },
      ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false },
    }
    const folder = folderOf(types)
    writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts', '*.mts'] }))
    const files = await run(folder, process.execPath, TSC, '-p', folder, '--listFiles')
    expect(files).toContain('express-email-otp/dist/index.d.ts')
    expect(files.includes('@types/express/index.d.ts')).toBe(types.startsWith('types'))
  },
)

test.each(['5', '4'])('the types of Express %s are those that its host gets', (major) => {
  const file = path.join(folderOf(`types of Express ${major}`), 'node_modules/@types/express/package.json')
  expect((JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version).toMatch(new RegExp(`^${major}\\.`))
})
