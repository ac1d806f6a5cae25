import { describe, expect, it } from 'vitest'
import { panelOf } from './panel'

describe('panelOf', () => {
  it.each([
    ['', 'bar', '| timechart count() by severity'],
    ['severity>=error', 'bar', 'severity>=error | timechart count() by severity'],
    ['| timechart count() by service', 'timeseries', null],
    ['| top 5 path', 'top', null],
    ['severity>=warn | patterns | limit 5', 'top', null],
    ['| stats count()', 'number', null],
    ['| stats coalesce(max(a), 0) as n', 'number', null],
    ['| stats count() as n by service, host', 'bar', null],
    ['| stats count() as n, p95(duration) as p95 by service', 'table', null],
    ['| stats count() as `a, b` by service', 'bar', null],
    ['| stats count(), sum(n)', 'table', null],
    ['| sort n | limit 5', 'table', null],
  ])('%s is a %s', (query, kind, made) => {
    expect(panelOf(query)).toMatchObject({ kind, query: made ?? query })
  })
})
