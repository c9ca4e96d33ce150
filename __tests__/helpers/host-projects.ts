import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript'
import { npmInstall, packInto } from './packed.js'
import { Programs } from './readme.js'

const PROJECTS = path.join(__dirname, '../hosts/projects')

/** The small host apps of `hosts/projects`, each a project with this package as npm would install it. */
export class HostProjects {
  readonly #programs = new Programs()
  #output = ''

  private constructor(readonly folder: string) {}

  /** Installs all of them. Those with the same version of Express are workspaces of one installation. */
  static async install(): Promise<HostProjects> {
    const projects = new HostProjects(mkdtempSync(path.join(tmpdir(), 'otp-hosts-')))
    const { folder } = projects
    const tarball = path.join(folder, await packInto(folder))
    for (const name of projectNames()) {
      const target = projects.#folderOf(name)
      cpSync(path.join(PROJECTS, name), target, { recursive: true })
      // Projects that differ only in the versions that they install have no server of their own.
      const hasServer = ['server.js', 'server.ts.txt'].some((file) => existsSync(path.join(target, file)))
      if (!hasServer) cpSync(path.join(PROJECTS, 'plain-server.cjs'), path.join(target, 'server.js'))
      cpSync(path.join(PROJECTS, 'shop.cjs'), path.join(target, '../shop.cjs'))
      cpSync(tarball, path.join(target, '../../express-email-otp.tgz'))
    }
    compileServers(folder)
    const installations = [...new Set(projectNames().map(expressOf))].map((version) => path.join(folder, version))
    for (const root of installations) {
      writeFileSync(path.join(root, 'package.json'), '{ "private": true, "workspaces": ["projects/*"] }')
    }
    await Promise.all(installations.map((root) => npmInstall(root)))
    return projects
  }

  /** Starts one and resolves with its origin. */
  async start(name: string, env: NodeJS.ProcessEnv): Promise<string> {
    const { said, child } = await this.#programs.start(path.join(this.#folderOf(name), 'server.js'), env)
    child.stderr?.on('data', (text: Buffer) => (this.#output += text.toString()))
    return `http://127.0.0.1:${said}`
  }

  /** The versions of Express that one of them and this package in it get. */
  expressVersions(name: string): string[] {
    const project = this.#folderOf(name)
    const ours = path.dirname(require.resolve('express-email-otp/package.json', { paths: [project] }))
    return [project, ours].map((from) => {
      const file = require.resolve('express/package.json', { paths: [from] })
      return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
    })
  }

  /** Ends them; returns what they have printed after their start. */
  stop(): string {
    this.#programs.kill()
    const output = this.#output
    this.#output = ''
    return output
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #folderOf(name: string): string {
    const folder = path.join(this.folder, expressOf(name), 'projects', name)
    mkdirSync(folder, { recursive: true })
    return folder
  }
}

export function projectNames(): string[] {
  return readdirSync(PROJECTS).filter((name) => !name.includes('.cjs'))
}

/** Compiles the hosts that are written in TypeScript: `server.ts.txt`, which our own compiler does not see. */
function compileServers(folder: string): void {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const sources = files.filter((file) => file.endsWith('server.ts.txt'))
  for (const file of sources.map((source) => path.join(folder, source))) {
    const compilerOptions = { target: ScriptTarget.ES2022, module: ModuleKind.ESNext, experimentalDecorators: true }
    const { outputText } = transpileModule(readFileSync(file, 'utf8'), { compilerOptions })
    writeFileSync(file.replace(/ts\.txt$/, 'js'), outputText)
  }
}

/** The version of Express that a project asks for. */
function expressOf(name: string): string {
  const { dependencies } = JSON.parse(readFileSync(path.join(PROJECTS, name, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  return dependencies.express ?? 'none'
}
