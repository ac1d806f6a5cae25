import { describe, expect, it } from 'vitest'
import { splitStages, tokenize } from './tokens'

const kinds = (text: string) => tokenize(text).filter((token) => token.kind !== 'space').map((token) => `${token.kind} ${text.slice(token.from, token.to)}`)

describe('tokenize', () => {
  it.each([
    ['plain words', 'checkout timeout', ['word checkout', 'word timeout']],
    ['fields', 'service:checkout severity>=warn', ['field service', 'operator :', 'string checkout', 'field severity', 'operator >=', 'string warn']],
    ['a negated field', '-env:staging', ['operator -', 'field env', 'operator :', 'string staging']],
    ['a negated word', '-staging', ['operator -', 'word staging']],
    ['hyphens inside words', 'web-1 a-b', ['word web-1', 'word a-b']],
    ['numbers', 'status:404', ['field status', 'operator :', 'number 404']],
    ['quotes with escapes', '"a \\" | b"', ['string "a \\" | b"']],
    ['a regular expression', '/user=\\d+|x/', ['regex /user=\\d+|x/']],
    ['a path that is no expression', '/api/v1', ['word /api/v1']],
    ['a field with a regular expression', 'path:/^\\/v\\d+/', ['field path', 'operator :', 'regex /^\\/v\\d+/']],
    ['backticks', '`weird | field`:x', ['field `weird | field`', 'operator :', 'string x']],
    ['keywords', 'a or not b', ['word a', 'keyword or', 'keyword not', 'word b']],
    ['a list', 'status in (500, 502)', ['field status', 'keyword in', 'open (', 'number 500', 'comma ,', 'number 502', 'close )']],
    ['times keep their colons', 'time>=2026-01-31T12:00:00Z', ['field time', 'operator >=', 'string 2026-01-31T12:00:00Z']],
    ['stages', '| stats count() as n by host', ['pipe |', 'stage stats', 'function count', 'open (', 'close )', 'keyword as', 'field n', 'keyword by', 'field host']],
    ['durations and options', '| timechart span=5m count()', ['pipe |', 'stage timechart', 'field span', 'operator =', 'number 5m', 'function count', 'open (', 'close )']],
  ])('%s', (_, text, expected) => expect(kinds(text)).toEqual(expected))

  it('covers every text without gaps', () => {
    for (const text of ['', ' ', '"open', "it's", '/x', ')(', '|||', 'a:b:c', '`', '-', '- -', '!=', 'x!=y', 'é:ü "ß"', 'a\n| b\t/c/', '😀:😀']) {
      let at = 0
      for (const token of tokenize(text)) {
        expect(token.from).toBe(at)
        expect(token.to).toBeGreaterThan(at)
        at = token.to
      }
      expect(at).toBe(text.length)
    }
  })
})

describe('splitStages', () => {
  it.each([
    ['no stage', 'a b', { search: 'a b', stages: [] }],
    ['two stages', 'a | where n > 3 | limit 2', { search: 'a ', stages: ['where n > 3', 'limit 2'] }],
    ['pipes in quotes', '"a|b" | stats count()', { search: '"a|b" ', stages: ['stats count()'] }],
    ['pipes in expressions', '/a|b/ | stats count()', { search: '/a|b/ ', stages: ['stats count()'] }],
    ['pipes in a stage\'s pattern', 'x | parse /a|b/ | limit 1', { search: 'x ', stages: ['parse /a|b/', 'limit 1'] }],
    ['a query inside a stage', 'a | join k (b | stats count() by k) | limit 1', { search: 'a ', stages: ['join k (b | stats count() by k)', 'limit 1'] }],
  ])('%s', (_, text, expected) => expect(splitStages(text)).toEqual(expected))
})
