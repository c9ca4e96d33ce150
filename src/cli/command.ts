import type { Io } from './io.js'

/** 0, or 1 if errors were found. Wrong use is 2, and throws. */
export type ExitCode = 0 | 1

export interface Flag {
  readonly type: 'string' | 'boolean'
  readonly multiple?: true
  /** What stands for the value in the help, such as FILE. */
  readonly value?: string
  readonly help: string
}

export interface Command {
  readonly summary: string
  /** What follows the name of the command, without flags. */
  readonly operands?: string
  readonly flags: Readonly<Record<string, Flag>>
  readonly run: (args: Arguments, io: Io) => Promise<ExitCode>
}

/** What stands behind the command. */
export interface Arguments {
  readonly operands: readonly string[]
  readonly text: (flag: string) => string | undefined
  readonly texts: (flag: string) => readonly string[]
  readonly has: (flag: string) => boolean
}

/** Ends the command with a message instead of a stack. */
export class CommandError extends Error {
  constructor(
    message: string,
    /** 2 for wrong use. */
    readonly exitCode: 1 | 2 = 2,
  ) {
    super(message)
  }
}

export const JSON_FLAG = { json: { type: 'boolean', help: 'print JSON' } } as const
