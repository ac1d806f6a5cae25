import { describe, expect, it } from 'vitest'
import { addFilter, eventsQuery, filterTerm, isPageable, quoteField, readsEvents, searchPart, withStage } from './edit'
import { marksOf } from './marks'

describe('filterTerm', () => {
  it.each([
    ['a plain word', 'service', 'checkout', 'service:checkout'],
    ['a number', 'status', 500, 'status:500'],
    ['a negative number', 'delta', -3.5, 'delta:-3.5'],
    ['a boolean', 'cached', true, 'cached:true'],
    ['a text that looks like a number', 'user', '42', 'user:"42"'],
    ['a text that looks like a boolean', 'flag', 'true', 'flag:"true"'],
    ['a keyword', 'op', 'and', 'op:"and"'],
    ['spaces', 'service', 'check out', 'service:"check out"'],
    ['quotes and backslashes', 'm', 'a "b" \\c', 'm:"a \\"b\\" \\\\c"'],
    ['lines', 'm', 'a\nb', 'm:"a\\nb"'],
    ['a glob in the data', 'path', '/a/*', 'path="/a/*"'],
    ['a path', 'path', '/api/cart', 'path:"/api/cart"'],
    ['a range in the data', 'v', '1..2', 'v:"1..2"'],
    ['the empty text', 'v', '', 'v:""'],
    ['absence', 'trace_id', null, '-trace_id:*'],
    ['an odd name', 'weird field', 'x', '`weird field`:x'],
    ['a backtick in the name', 'a`b', 'x', '`a\\`b`:x'],
    ['a dotted name', 'http.status', 200, 'http.status:200'],
  ])('%s', (_, field, value, expected) => expect(filterTerm(field, value)).toBe(expected))

  it('negates', () => {
    expect(filterTerm('a', 'x', true)).toBe('-a:x')
    expect(filterTerm('a', null, true)).toBe('a:*')
  })

  it('quotes names that are keywords', () => expect(quoteField('not')).toBe('`not`'))
})

describe('addFilter', () => {
  it.each([
    ['to nothing', '', 'service:checkout'],
    ['to a search', 'timeout', 'timeout service:checkout'],
    ['before a stage', 'timeout | stats count() by host', 'timeout service:checkout | stats count() by host'],
    ['before a leading stage', '| stats count()', 'service:checkout | stats count()'],
    ['beside `or`, in parentheses', 'a or b', '(a or b) service:checkout'],
    ['beside `or` that is in parentheses already', '(a or b) c', '(a or b) c service:checkout'],
    ['a pipe in quotes is no stage', '"a | b"', '"a | b" service:checkout'],
    ['the word or in quotes is no `or`', '"a or b"', '"a or b" service:checkout'],
    ['not twice', 'service:checkout', 'service:checkout'],
    ['its opposite goes', 'a -service:checkout b', 'a b service:checkout'],
    ['an opposite inside parentheses stays', '(-service:checkout or x)', '(-service:checkout or x) service:checkout'],
  ])('%s', (_, query, expected) => expect(addFilter(query, 'service', 'checkout')).toBe(expected))

  it('takes a filter in out again when it is filtered out', () => {
    expect(addFilter('x service:checkout', 'service', 'checkout', true)).toBe('x -service:checkout')
  })
})

describe('derived queries', () => {
  it.each([
    ['a | stats count()', 'a'],
    ['a | where n > 3 | stats count()', 'a | where n > 3'],
    ['a | parse "x <y>"', 'a | parse "x <y>"'],
    ['| top 3 user', ''],
    ['a | limit 5', 'a'],
    ['', ''],
  ])('the events of %s', (query, expected) => expect(eventsQuery(query)).toBe(expected))

  it('knows what can be paged', () => {
    expect(isPageable('a | where x > 1')).toBe(true)
    expect(isPageable('a | sort -x')).toBe(false)
    expect(isPageable('a | limit 5')).toBe(false)
  })

  it('knows what reads events', () => {
    expect(readsEvents('from events error')).toBe(true)
    expect(readsEvents('from incidents state:open')).toBe(false)
    expect(readsEvents('from:bob')).toBe(true)
  })

  it('adds a stage to a base, empty or not', () => {
    expect(withStage('', 'limit 1')).toBe('| limit 1')
    expect(withStage('a', 'limit 1')).toBe('a | limit 1')
  })

  it('gives the search alone', () => expect(searchPart('a b | stats count()')).toBe('a b'))
})

describe('marksOf', () => {
  it('marks words and phrases, not fields', () => {
    expect(marksOf('timeout "card declined" service:checkout -foo')?.source).toBe('(timeout|card declined)')
    expect(marksOf('service:checkout')).toBeNull()
    expect('a TIMEOUT b'.split(marksOf('timeout') ?? /$/)).toEqual(['a ', 'TIMEOUT', ' b'])
  })
})
