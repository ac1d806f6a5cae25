import { describe, expect, it } from 'vitest'
import { categories, largest, measures, numberOf, numberText } from './data'

const answer = (names: string[], ...rows: unknown[][]) => ({ columns: names.map((name) => ({ name, type: 'text' })), rows })

describe('what panels draw', () => {
  it('names a category by what is no measure', () => {
    const found = categories(answer(['service', 'host', 'count', 'share'], ['web', null, 7, 0.7], ['api', 'a', 3, 0.3]))
    expect(found.map(({ name, value, share }) => [name, value, share])).toEqual([['web · none', 7, 0.7], ['api · a', 3, 0.3]])
    expect(found[0]?.keys).toEqual([['service', 'web'], ['host', null]])
  })
  it('takes a leading number for a key, as in stats by status', () => {
    expect(measures(answer(['status', 'n'], [500, 7]))).toEqual([1])
    expect(measures(answer(['n', 'p95'], [5, 7]))).toEqual([0, 1])
    expect(measures(answer(['count', 'p95'], [5, 7]))).toEqual([0, 1])
  })
  it('finds the one number', () => {
    expect(numberOf(answer(['n'], [5]))).toEqual({ value: 5, name: 'n' })
    expect(numberOf(answer(['n']))).toBeNull()
    expect(numberOf(answer(['n'], [null]))).toBeNull()
  })
  it('puts the small ones together', () => {
    const many = categories(answer(['s', 'n'], ['a', 5], ['b', 4], ['c', 2], ['d', 1]))
    expect(largest(many, 3).map(({ name, value }) => [name, value])).toEqual([['a', 5], ['b', 4], ['other', 3]])
  })
  it.each([
    [1234.5, '', undefined, '1,235'], [4.154, '%', 2, '4.15 %'], [2_345_678, '', undefined, '2.35 M'], [84, 'ms', undefined, '84 ms'], [0.5, '', undefined, '0.5'],
  ])('writes %d %s', (value, unit, decimals, text) => {
    expect(numberText(value, unit, decimals)).toBe(text)
  })
})
