import Handlebars from 'handlebars'
import type { ViewIssue } from '../errors.js'
import { placeAt } from './issues.js'

/** What is wrong with the syntax of a template, and where. */
export type SyntaxProblem = Pick<ViewIssue, 'line' | 'column' | 'message' | 'cure'>

interface Tag {
  readonly offset: number
  readonly text: string
  /** `#` or `/`; `else`; empty for all others. */
  readonly sigil: string
  /** Of a block: `if`. */
  readonly name: string
}

const COMMENT = /\\\{\{|\{\{~?!--[^]*?--~?\}\}|\{\{~?![^]*?\}\}/g
const TAG = /\{\{\{?~?\s*(?<sigil>[#/^]|else\b)?[>*]?\s*(?<name>[^\s{}~"'=()|]*)[^]*?\}?\}\}/g

/**
 * Explains in plain words why Handlebars cannot parse a template. It names tokens of its grammar, and tells a block that is
 * not closed at the end of the file.
 */
export function explainSyntax(source: string, error: unknown): SyntaxProblem {
  const plain = source.replace(COMMENT, (comment) => comment.replace(/[^\n]/g, ' '))
  const at = (offset: number, message: string, cure: string): SyntaxProblem => {
    return { ...placeAt(source, offset), message, cure }
  }
  const open = /\{\{\{?(?:(?!\{\{|\}\})[^])*(?:(?=\{\{)|$)/.exec(plain)
  if (open) return at(open.index, 'this {{ is not closed.', 'Write }} at the end of the tag.')
  const tags = [...plain.matchAll(TAG)].map((match) => tagOf(match))
  return brokenTag(tags, at) ?? openBlock(tags, at) ?? at(0, reasonOf(error), 'See the syntax at handlebarsjs.com.')
}

type At = (offset: number, message: string, cure: string) => SyntaxProblem

/** The first tag that cannot be parsed by itself. */
function brokenTag(tags: readonly Tag[], at: At): SyntaxProblem | null {
  for (const { offset, text, sigil, name } of tags) {
    const quote = /^(?:[^"']|"[^"]*"|'[^']*')*(["'])(?!.*\1)/s.exec(text)
    if (quote) {
      const place = offset + quote[0].length - 1
      return at(place, `the quote ${quote[1]} in ${text} is not closed.`, 'Write the same quote at its end.')
    }
    if (sigil === '/' || sigil === 'else' || (sigil === '^' && !name)) continue
    try {
      Handlebars.parse(sigil ? `${text}{{/${name}}}` : text)
    } catch (error) {
      const inTag = errorOffset(text, reasonOf(error))
      return at(offset + inTag, `${text} cannot be read from here on.`, cureOf(text))
    }
  }
  return null
}

/** The block that is not closed, at its opening tag, or the closing tag that closes nothing. */
function openBlock(tags: readonly Tag[], at: At): SyntaxProblem | null {
  const blocks: Tag[] = []
  for (const tag of tags) {
    const { offset, text, sigil, name } = tag
    if (sigil === '#' || (sigil === '^' && name)) blocks.push(tag)
    if (sigil === 'else' && blocks.length === 0) {
      return at(offset, `${text} stands in no block.`, 'Write it between {{#if …}} and {{/if}}, or delete it.')
    }
    if (sigil !== '/') continue
    const block = blocks.pop()
    if (!block) return at(offset, `${text} closes no block.`, `Open it with {{#${name} …}}, or delete it.`)
    if (block.name === name) continue
    return at(block.offset, `${block.text} is closed by ${text}.`, `Write {{/${block.name}}} where it ends.`)
  }
  const last = blocks.at(-1)
  return last ? at(last.offset, `${last.text} is not closed.`, `Write {{/${last.name}}} where it ends.`) : null
}

function tagOf({ index, 0: text, groups }: RegExpMatchArray): Tag {
  return { offset: index ?? 0, text, sigil: groups?.sigil ?? '', name: groups?.name ?? '' }
}

/** Handlebars draws an arrow below the last 20 characters before the token. */
function errorOffset(text: string, reason: string): number {
  const [, shown = '', arrow = ''] = /\n(.*)\n(-*)\^/.exec(reason) ?? []
  const isCut = shown.startsWith('...')
  const before = shown.slice(isCut ? 3 : 0, arrow.length)
  return isCut ? Math.max(0, text.replaceAll('\n', '').indexOf(before)) + before.length : before.length
}

function cureOf(text: string): string {
  if (/[=!<>]=|&&|\|\||[<>+*]/.test(text)) return 'A tag has no operators. Let `locals` work it out.'
  return 'Write a variable, {{t "key" name=variable}}, {{#if variable}} or {{> partial}}.'
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
