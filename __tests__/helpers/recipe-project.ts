import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import ts from 'typescript'
import { npmInstall, packInto } from './packed.js'
import { Programs, snippet } from './readme.js'

const SECRETS = {
  OTP_SECRET: 'of the recipes, at least 32 characters',
  SESSION_SECRET: 'of the session',
}

/** A project that has the packed package installed, and others; in it the programs of the docs run as they stand. */
export class RecipeProject {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'otp-recipes-'))
  readonly #programs = new Programs()

  private constructor() {
    writeFileSync(path.join(this.folder, 'package.json'), '{ "private": true }')
  }

  static async install(packages: readonly string[]): Promise<RecipeProject> {
    const project = new RecipeProject()
    await npmInstall(project.folder, path.join(project.folder, await packInto(project.folder)), ...packages)
    return project
  }

  /** Starts a program of the docs and resolves with its origin. */
  async run(name: string, env: NodeJS.ProcessEnv): Promise<string> {
    return this.runSource(name, snippet(name), env)
  }

  async runSource(name: string, source: string, env: NodeJS.ProcessEnv): Promise<string> {
    return this.#programs.serve(this.write(`${name}.mjs`, source), { ...SECRETS, ...env })
  }

  write(file: string, source: string): string {
    const target = path.join(this.folder, file)
    mkdirSync(path.dirname(target), { recursive: true })
    writeFileSync(target, source)
    return target
  }

  /** Ends the programs that run. */
  stop(): void {
    this.#programs.kill()
  }

  remove(): void {
    this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A program in TypeScript, with decorators as in Nest or with JSX, as the compiler of the host makes JavaScript of it. */
export function compiled(source: string, fileName = 'source.ts'): string {
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    jsx: ts.JsxEmit.ReactJSX,
  }
  return ts.transpileModule(source, { compilerOptions, fileName }).outputText
}
