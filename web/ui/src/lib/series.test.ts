import { describe, expect, it } from 'vitest'
import { seriesOf } from './series'

const answer = (names: string[], ...rows: unknown[][]) => ({ columns: names.map((name) => ({ name, type: 'text' })), rows })
const [NOON, ONE] = ['2026-01-31T12:00:00Z', '2026-01-31T13:00:00Z']

describe('series of a timechart', () => {
  it('takes a number for a key where times come twice without it', () => {
    const found = seriesOf(answer(['time', 'status', 'count'], [NOON, 200, 5], [NOON, 502, 3], [ONE, 200, 7]))
    expect(found?.names).toEqual(['200', '502'])
    expect(found?.values).toEqual([[5, 7], [3, null]])
  })
  it('has a line for each figure where each time comes once', () => {
    expect(seriesOf(answer(['time', 'n', 'p95'], [NOON, 5, 1.5], [ONE, 7, 2]))?.names).toEqual(['n', 'p95'])
  })
  it('tells services and statuses apart, and keeps two figures', () => {
    const found = seriesOf(answer(['time', 'service', 'status', 'n', 'p95'], [NOON, 'a', 200, 5, 1], [NOON, 'a', 500, 3, 2]))
    expect(found?.names).toEqual(['a · 200 · n', 'a · 200 · p95', 'a · 500 · n', 'a · 500 · p95'])
  })
})
