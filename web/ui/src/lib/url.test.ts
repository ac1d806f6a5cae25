import { describe, expect, it } from 'vitest'
import { exploreSearch, parseSearch, rangeOf, searchOfRange, stringifySearch } from './url'

describe('search', () => {
  it.each([
    ['nothing', {}],
    ['a query', { q: 'a "b c" | stats count() by x', from: '-15m' }],
    ['every state', { q: 'x+y&z=1#?%', from: '2026-01-31T12:00:00.123456789Z', to: '2026-02-01T00:00:00Z', event: '2026-01-31T12:00:00Z~1abc', view: 'table', tz: 'utc', wrap: 'on', cols: 'user,a b' }],
    ['numbers and booleans stay texts', { q: '42', from: 'all' }],
    ['other scripts', { q: 'größe:ü 日本 😀' }],
  ])('%s comes back from the URL', (_, search) => {
    expect(exploreSearch(parseSearch(stringifySearch(search)))).toEqual(search)
  })

  it('stays readable', () => expect(stringifySearch({ q: 'service:checkout card', from: '-1h', to: undefined })).toBe('?q=service:checkout+card&from=-1h'))
  it('leaves out what it does not know', () => expect(exploreSearch({ q: 'a', view: 'pie', evil: '1', tz: 'mars' })).toEqual({ q: 'a' }))
})

describe('range', () => {
  it.each([
    [{ from: '-1h', to: null }], [{ from: null, to: null }], [{ from: '-15m', to: null }], [{ from: null, to: '2026-01-31T12:00:00Z' }],
    [{ from: '2026-01-30T12:00:00Z', to: '2026-01-31T12:00:00Z' }], [{ from: '-2h', to: '-1h' }],
  ])('%j comes back', (range) => expect(rangeOf(searchOfRange(range))).toEqual(range))
})
