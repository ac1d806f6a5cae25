import { describe, expect, it } from 'vitest'
import type { Dashboard } from '@/api/dashboards'
import { chosenOf, maxAgeOf, rangeOf, refreshOf, searchOfChoice, searchOfRange } from './state'

const document: Dashboard = { name: 'd', title: 'D', from: '-6h', refresh: '30s', variables: [{ name: 's', field: 's', values: ['a'], default: ['a'] }] }

describe('the state of a dashboard in the URL', () => {
  it('takes the range of the document where the URL says none', () => {
    expect(rangeOf({}, document)).toEqual({ from: '-6h', to: null })
    expect(rangeOf({ from: 'all' }, document)).toEqual({ from: null, to: null })
    expect(rangeOf({ from: '-1h' }, document)).toEqual({ from: '-1h', to: null })
    expect(searchOfRange({ from: '-6h', to: null }, document)).toEqual({ from: undefined, to: undefined })
    expect(searchOfRange({ from: null, to: null }, document)).toEqual({ from: 'all', to: undefined })
  })
  it.each([[['a', 'b,c']], [['*']], [[]], [['100%']], [['ü/?&=']]])('keeps the choice %j', (values) => {
    const search = searchOfChoice('s', values)
    expect(chosenOf(search, document)).toEqual({ s: values })
  })
  it('takes the default where the URL says nothing, and survives nonsense', () => {
    expect(chosenOf({}, document)).toEqual({ s: ['a'] })
    expect(chosenOf({ 'v.s': '%E0%A4%A' }, document)).toEqual({ s: ['%E0%A4%A'] })
  })
  it('refreshes no faster than every five seconds', () => {
    expect(refreshOf({}, document)).toEqual({ text: '30s', ms: 30_000 })
    expect(refreshOf({ refresh: '1s' }, document).ms).toBe(5000)
    expect(refreshOf({ refresh: 'off' }, document).ms).toBeNull()
  })
  it.each([['30s', 10], ['1m', 10], ['10s', 3], ['5s', 1], ['off', 1]])('takes answers of a third of the refresh: %s', (refresh, seconds) => {
    expect(maxAgeOf(refreshOf({ refresh }, document))).toBe(seconds)
  })
})
