/**
 * A tolerant reader of the query language: it colours the query box and finds where stages begin.
 *
 * It accepts every text, since people are in the middle of typing; the server alone decides what is right.
 */

export type TokenKind =
  | 'space' | 'word' | 'field' | 'operator' | 'string' | 'regex' | 'number'
  | 'keyword' | 'stage' | 'function' | 'pipe' | 'open' | 'close' | 'comma'

/** A piece of the text, `from` inclusive, `to` exclusive, in UTF-16 units; `depth` counts the open parentheses around it. */
export interface Token {
  readonly kind: TokenKind
  readonly from: number
  readonly to: number
  readonly depth: number
}

const KEYWORDS = new Set([
  'and', 'or', 'not', 'in', 'by', 'as', 'from', 'on', 'like', 'matches', 'contains', 'startswith', 'endswith', 'true', 'false', 'null',
])
const NUMBER = /^[+-]?\d+(\.\d+)?(ns|us|ms|s|m|h|d|w|B|[KMGT]i?B|%)?$/i
const OPERATOR = /^(!=|>=|<=|==|[:=<>~+*/%-])/
const COMPARISON = /[:=<>~]/ // ends what stands before a value
const STOPS_WORD = /[\s|(),"'`:=<>~]/
const STOPS_VALUE = /[\s|(),]/

/** Cut the text into tokens that together cover all of it. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  let depth = 0
  let inStage = false
  /** The last token that is no space, and whether this place touches it. */
  const last: { kind: TokenKind | 'start'; glued: boolean } = { kind: 'start', glued: false }

  const push = (kind: TokenKind, to: number): void => {
    tokens.push({ kind, from: at, to, depth })
    if (kind !== 'space') last.kind = kind
    last.glued = kind !== 'space'
    at = to
  }

  while (at < text.length) {
    const char = text.charAt(at)
    const rest = text.slice(at)
    if (/\s/.test(char)) push('space', at + (/^\s+/.exec(rest)?.[0].length ?? 1))
    else if (char === '|') {
      inStage = true
      push('pipe', at + 1)
    } else if (char === '(') {
      push('open', at + 1)
      depth += 1
    } else if (char === ')') {
      depth = Math.max(0, depth - 1)
      push('close', at + 1)
    } else if (char === ',') push('comma', at + 1)
    else if (char === '"' || char === "'") push('string', endOfQuoted(text, at, char))
    else if (char === '`') push('field', endOfQuoted(text, at, char))
    else if (char === '/' && regexMayStart(last.kind, last.glued, inStage) && endOfRegex(text, at) > 0) push('regex', endOfRegex(text, at))
    else if (!inStage && char === '-' && !last.glued) push('operator', at + 1)
    else if (!inStage && COMPARISON.test(text.charAt(at - 1)) && !OPERATOR.test(rest)) {
      const to = wordEnd(text, at, STOPS_VALUE)
      push(NUMBER.test(text.slice(at, to)) ? 'number' : 'string', Math.max(to, at + 1))
    } else if (OPERATOR.test(rest) && (inStage || !/^[+*/%-]/.test(char))) push('operator', at + (OPERATOR.exec(rest)?.[0].length ?? 1))
    else {
      const to = Math.max(at + 1, wordEnd(text, at, inStage ? /[\s|(),"'`:=<>~+*/%!]/ : STOPS_WORD))
      push(wordKind(text, at, to, inStage, last.kind), to)
    }
  }
  return tokens
}

function wordKind(text: string, from: number, to: number, inStage: boolean, previous: TokenKind | 'start'): TokenKind {
  const word = text.slice(from, to)
  if (inStage && previous === 'pipe') return 'stage'
  if (NUMBER.test(word)) return 'number'
  if (KEYWORDS.has(word.toLowerCase()) && !/[:=<>~]/.test(text.charAt(to))) return 'keyword'
  if (inStage) return text.charAt(to) === '(' ? 'function' : 'field'
  return /^\s*(:|=|!=|>|<|~|in\s*\()/.test(text.slice(to)) ? 'field' : 'word'
}

function regexMayStart(previous: TokenKind | 'start', glued: boolean, inStage: boolean): boolean {
  if (inStage) return ['stage', 'keyword', 'comma', 'open', 'operator'].includes(previous)
  return !glued || previous === 'operator' || previous === 'open'
}

function wordEnd(text: string, from: number, stop: RegExp): number {
  let end = from
  while (end < text.length && !stop.test(text.charAt(end)) && !text.startsWith('!=', end)) end += 1
  return end
}

function endOfQuoted(text: string, from: number, quote: string): number {
  for (let end = from + 1; end < text.length; end += 1) {
    if (text.charAt(end) === '\\') end += 1
    else if (text.charAt(end) === quote) return end + 1
  }
  return text.length
}

/** Where a `/…/i` ends, or 0 where this slash begins none: the closing one stands before a space, `)`, `|`, `,` or the end. */
function endOfRegex(text: string, from: number): number {
  const match = /^\/(?:[^/\\\n]|\\.)+\/i?(?=[\s)|,]|$)/.exec(text.slice(from))
  return match ? from + match[0].length : 0
}

/** A query's search part and its stages, without the pipes; spaces are kept in `search`, trimmed in `stages`. */
export interface Parts {
  readonly search: string
  readonly stages: readonly string[]
}

/** Cut at the pipes outside of quotes, expressions and parentheses. */
export function splitStages(text: string): Parts {
  const pipes = tokenize(text).filter((token) => token.kind === 'pipe' && token.depth === 0).map((token) => token.from)
  const bounds = [...pipes, text.length]
  const stages = pipes.map((from, index) => text.slice(from + 1, bounds[index + 1]).trim())
  return { search: text.slice(0, pipes[0] ?? text.length), stages }
}
