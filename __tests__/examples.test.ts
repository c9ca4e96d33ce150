import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { PAGES, readPage } from './helpers/readme.js'

const ROOT = path.join(__dirname, '..')
const SRC = path.join(ROOT, 'src')

interface Example {
  /** Where it stands: file and line. */
  readonly at: string
  readonly code: string
  readonly language: 'js' | 'ts'
}

/** What surrounds an example in a host app: an example that declares one of these itself hides it. */
const AMBIENT = `
import type { Express, RequestHandler } from 'express'
import type { EmailOtp, OtpOptions, OtpStore } from 'express-email-otp'
import type makeSession from 'express-session'

declare module 'express-session' {
  interface SessionData {
    user: { id: string | number; email: string; plan?: string }
    draft: { amount: string; payee: string }
    newEmail: string
    next: unknown
    hasForm: boolean
  }
}
declare global {
  namespace NodeJS {
    interface ProcessEnv {
      OTP_SECRET: string
      SESSION_SECRET: string
      SMTP_URL: string
      REDIS_URL: string
      DATABASE_URL: string
      PROVIDER: string
      CLIENT_ID: string
      CLIENT_SECRET: string
      CSRF_SECRET: string
      APP: string
      APP_ORIGIN: string
    }
  }
  namespace Express {
    /** As Passport and the CSRF middlewares declare it. */
    interface Request {
      user: { id: string; email: string }
      logout(done: (error: unknown) => void): void
      csrfToken(): string
    }
  }
  /** As in a browser: the answers of fetch() have any type. */
  interface Response {
    json(): Promise<any>
    clone(): Response
  }
  const app: Express
  const express: typeof import('express')
  const account: RequestHandler
  const login: RequestHandler
  const cors: (options: { origin: string; credentials: boolean; exposedHeaders: string[] }) => RequestHandler
  const transfer: RequestHandler
  const session: typeof makeSession
  const otp: EmailOtp
  const rest: OtpOptions
  const log: { info(fields: object, text: string): void; error(error: unknown): void }
  const invited: Set<string>
  const findOrCreate: (email: string | number) => Promise<{ id: string; email: string }>
  const readTransfer: (body: unknown) => { amount: string; payee: string }
  const RedisStore: typeof import('express-email-otp').RedisStore
  const PostgresStore: typeof import('express-email-otp').PostgresStore
  const emailOtp: typeof import('express-email-otp').emailOtp
  const client: { sendCommand(args: string[]): Promise<unknown> }
  const cluster: { sendCommand(key: string | undefined, isReadonly: boolean, args: string[]): Promise<unknown> }
  const nodes: { host: string; port: number }[]
  const Cluster: typeof import('ioredis').Cluster
  const Pool: typeof import('pg').Pool
  const createClient: typeof import('redis').createClient
  const options: OtpOptions
  const agent: ReturnType<typeof import('supertest').agent>
  const mailbox: import('express-email-otp/testing').Mailbox
  const createMailbox: typeof import('express-email-otp/testing').createMailbox
  const createClock: typeof import('express-email-otp/testing').createClock
  const passOtp: typeof import('express-email-otp/testing').passOtp
  const devInbox: typeof import('express-email-otp/workbench').devInbox
  const workbench: typeof import('express-email-otp/workbench').workbench
  const planOf: (id: string | number) => Promise<string>
  /** A component of React, and what renders it. */
  const CodeMail: (context: object) => object
  const render: (element: object, options?: { plainText: boolean }) => Promise<string>
  const test: (name: string, run: () => Promise<void>) => void
  const expect: (value: unknown) => { toBe(expected: unknown): void }
  const MyStore: new (client?: unknown) => OtpStore
}
`

/** What only the recipes import: __tests__/recipes.slow.test.ts installs it. */
const INSTALLED_FOR_RECIPES = `
declare module '@nestjs/common' {
  export type ArgumentsHost = { switchToHttp(): { getRequest<T>(): T; getResponse<T>(): T } }
  export type ExecutionContext = ArgumentsHost
  export type CanActivate = { canActivate(context: ExecutionContext): Promise<boolean> }
  export type ExceptionFilter = { catch(error: any, host: ArgumentsHost): void }
  export const Catch, Controller, Get, Module, Post, Req, UseFilters, UseGuards: any
}
declare module '@nestjs/core'
declare module 'cookie-parser'
declare module 'cors'
declare module 'csrf-csrf'
declare module 'csrf-sync'
declare module 'csurf'
declare module 'helmet'
declare module 'lusca'
declare module 'passport'
declare module 'passport-local'
declare module 'passport-oauth2'
declare module 'reflect-metadata'
declare module 'react'
declare module '@react-email/render'
`

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.Node20,
  moduleDetection: ts.ModuleDetectionKind.Force,
  esModuleInterop: true,
  types: ['node'],
  skipLibCheck: true,
  allowJs: true,
  checkJs: true,
  noEmit: true,
  strict: true,
  noImplicitAny: false, // parameters in JavaScript have no types
  exactOptionalPropertyTypes: true,
  experimentalDecorators: true, // of Nest
  paths: {
    'express-email-otp': [path.join(SRC, 'index.ts')],
    'express-email-otp/testing': [path.join(SRC, 'testing/index.ts')],
    'express-email-otp/workbench': [path.join(SRC, 'workbench/index.ts')],
    'express-email-otp/store-conformance': [path.join(SRC, 'store-conformance/index.ts')],
  },
}

const APP = `export const createApp: (options?: { transport?: object; now?: () => number }) => import('express').Express`
const CODE_MAIL = `export const CodeMail: (props: object) => object`
const MY_STORE = `export const MyStore: new () => import('express-email-otp').OtpStore`

/** What an example in JavaScript need not narrow: the body, the user behind a guard, and what more a host knows of a user. */
const NOT_NARROWED =
  /^'req\.body' is of type 'unknown'|^'req\.session\.user' is possibly|^Property 'workspace' does not exist on type 'OtpUser'/

/** The blocks after `@example` in doc comments. */
function docComments(): Example[] {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  return files.flatMap((file) =>
    blocks(
      'ts',
      `src/${file}`,
      readFileSync(path.join(SRC, file), 'utf8'),
      /@example\s*\n((?:\s*\*[^/].*\n|\s*\*\n)+)/g,
      (text) =>
        text
          .replace(/^\s*\* ?/gm, '')
          .replace(/^```ts\n/, '')
          .replace(/\n```[^]*$/, '\n'),
    ),
  )
}

function pageExamples(): Example[] {
  const asIs = (text: string): string => text
  return PAGES.flatMap((page) => [
    ...blocks('js', page, readPage(page), /```js\n([^]*?)```/g, asIs),
    ...blocks('ts', page, readPage(page), /```ts\n([^]*?)```/g, asIs),
  ])
}

function blocks(
  language: Example['language'],
  file: string,
  text: string,
  pattern: RegExp,
  clean: (text: string) => string,
): Example[] {
  return [...text.matchAll(pattern)].map(({ 1: found = '', index }) => ({
    at: `${file}:${text.slice(0, index).split('\n').length}`,
    code: clean(found),
    language,
  }))
}

/** Compiles each example as a module of its own; returns what is wrong with it. */
function compile(examples: readonly Example[]): string[] {
  const folder = path.join(ROOT, 'build', 'examples') // inside the project, so that packages are found
  const fileOf = (example: Example, i: number): string => path.join(folder, `example-${i}.m${example.language}`)
  const examplesByFile = new Map(examples.map((example, i) => [fileOf(example, i), example]))
  const sources = new Map([
    [path.join(folder, 'ambient.d.mts'), AMBIENT],
    [path.join(folder, 'app.d.ts'), APP],
    [path.join(folder, 'my-store.d.ts'), MY_STORE],
    [path.join(folder, 'code-mail.d.ts'), CODE_MAIL],
    [path.join(folder, 'installed.d.ts'), INSTALLED_FOR_RECIPES],
    ...[...examplesByFile].map(([file, { code }]) => [file, code] as const),
  ])
  const host = ts.createCompilerHost(OPTIONS)
  const virtual: ts.CompilerHost = {
    ...host,
    fileExists: (file) => sources.has(file) || host.fileExists(file),
    getSourceFile: (file, target, ...rest) => {
      const text = sources.get(file)
      return text === undefined ? host.getSourceFile(file, target, ...rest) : ts.createSourceFile(file, text, target)
    },
    directoryExists: () => true,
  }
  const program = ts.createProgram([...sources.keys()], OPTIONS, virtual)
  return [...sources.keys()]
    .flatMap((file) => {
      const source = program.getSourceFile(file)
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    })
    .map(({ file, messageText }) => ({
      at: examplesByFile.get(file?.fileName ?? '')?.at ?? 'what surrounds the examples',
      text: ts.flattenDiagnosticMessageText(messageText, ' '),
    }))
    .filter(({ at, text }) => at.startsWith('src/') || !NOT_NARROWED.test(text))
    .map(({ at, text }) => `${at}: ${text}`)
}

test('every @example of a doc comment and every block of JavaScript and TypeScript in README and docs/ passes the type checker', () => {
  const [comments, pages] = [docComments(), pageExamples()]
  expect(comments.length).toBeGreaterThan(3)
  expect(pages.length).toBeGreaterThan(8)
  const code = "emailOtp({ ...rest, sekret: 'x' })"
  const wrong: Example = { at: 'an example with a mistake', code, language: 'js' }
  const mistake = expect.stringMatching(/^an example with a mistake: .*'secret'/)
  expect(compile([...comments, ...pages, wrong])).toEqual([mistake])
}, 120_000)
