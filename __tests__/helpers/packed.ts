import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

const ROOT = path.join(__dirname, '../..')

/** Runs a command in a folder; resolves with what it prints. */
export async function run(folder: string, command: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(command, args, { cwd: folder, maxBuffer: 2 ** 26 })).stdout
}

/** Packs this package as npm would publish it; resolves with the name of the tarball in the folder. */
export async function packInto(folder: string): Promise<string> {
  const packed = await run(ROOT, 'npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', folder)
  return (JSON.parse(packed) as [{ filename: string }])[0].filename
}

export function npmInstall(folder: string, ...packages: string[]): Promise<string> {
  return run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', ...packages)
}
