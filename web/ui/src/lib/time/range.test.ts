import { describe, expect, it } from 'vitest'
import { ALL_TIME, between, describe as say, inputText, nextNano, parseInput, resolve, spanFor, zoomOut } from './range'

const NOW = Date.parse('2026-01-31T12:00:00.000Z')

describe('resolve', () => {
  it.each([
    ['relative', { from: '-15m', to: null }, { from: '2026-01-31T11:45:00.000Z', to: '2026-01-31T12:00:00.000Z' }],
    ['relative, both ends', { from: '-2h', to: '-1h' }, { from: '2026-01-31T10:00:00.000Z', to: '2026-01-31T11:00:00.000Z' }],
    ['absolute, nanoseconds kept', { from: '2026-01-01T00:00:00.123456789Z', to: '2026-01-02T00:00:00Z' }, { from: '2026-01-01T00:00:00.123456789Z', to: '2026-01-02T00:00:00Z' }],
    ['all time', ALL_TIME, {}],
    ['up to a time', { from: null, to: '2026-01-02T00:00:00Z' }, { to: '2026-01-02T00:00:00Z' }],
    ['nonsense is open', { from: 'soon', to: null }, {}],
  ])('%s', (_, range, expected) => expect(resolve(range, NOW)).toEqual(expected))
})

describe('input', () => {
  it('reads what it writes, in UTC and local', () => {
    for (const utc of [true, false]) {
      expect(parseInput(inputText('2026-01-31T12:00:00.000Z', utc), utc)).toBe('2026-01-31T12:00:00.000Z')
      expect(parseInput(inputText('2026-07-31T12:00:00.250Z', utc), utc)).toBe('2026-07-31T12:00:00.250Z')
    }
  })

  it.each([
    ['', null], ['now', null], ['-90m', '-90m'], ['2026-01-31', '2026-01-31T00:00:00.000Z'], ['2026-01-31 12:30', '2026-01-31T12:30:00.000Z'],
    ['2026-01-31T12:30:00+02:00', '2026-01-31T10:30:00.000Z'], ['soon', undefined], ['-5 minutes', undefined],
  ])('%j', (text, expected) => expect(parseInput(text, true)).toBe(expected))
})

describe('spans', () => {
  it.each([[300_000, '5s'], [3_600_000, '1m'], [86_400_000, '30m'], [7 * 86_400_000, '2h'], [30 * 86_400_000, '12h'], [1000, '50ms']])('%d ms', (width, expected) => {
    const [text, ms] = spanFor(width)
    expect(text).toBe(expected)
    expect(width / ms).toBeLessThanOrEqual(90)
  })
})

describe('zoom', () => {
  it('puts dragged ends in order', () => expect(between(NOW, NOW - 1000)).toEqual({ from: '2026-01-31T11:59:59.000Z', to: '2026-01-31T12:00:00.000Z' }))
  it('doubles around the middle, not beyond now', () => {
    expect(zoomOut({ from: '2026-01-31T10:00:00Z', to: '2026-01-31T11:00:00Z' }, NOW)).toEqual({ from: '2026-01-31T09:30:00.000Z', to: '2026-01-31T11:30:00.000Z' })
    expect(zoomOut({ from: '-1h', to: null }, NOW)).toEqual({ from: '2026-01-31T10:30:00.000Z', to: '2026-01-31T12:00:00.000Z' })
    expect(zoomOut(ALL_TIME, NOW)).toBe(ALL_TIME)
  })
})

describe('describe', () => {
  it('names quick and other ranges', () => {
    expect(say({ from: '-1h', to: null }, true)).toBe('Last hour')
    expect(say({ from: '-45m', to: null }, true)).toBe('Last 45 minutes')
    expect(say({ from: '2026-01-31T10:00:00Z', to: '2026-01-31T11:00:00Z' }, true)).toBe('2026-01-31 10:00:00 – 11:00:00')
    expect(say({ from: '2026-01-30T10:00:00Z', to: null }, true)).toBe('2026-01-30 10:00:00 – now')
  })
})

it('nextNano carries over', () => {
  expect(nextNano('2026-01-31T12:00:00.123456789Z')).toBe('2026-01-31T12:00:00.123456790Z')
  expect(nextNano('2026-01-31T12:00:59.999999999Z')).toBe('2026-01-31T12:01:00.000000000Z')
  expect(nextNano('2026-01-31T12:00:00Z')).toBe('2026-01-31T12:00:00.000000001Z')
})
