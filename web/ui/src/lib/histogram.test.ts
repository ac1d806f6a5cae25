import { describe, expect, it } from 'vitest'
import { histogram, levelsOf } from './histogram'
import { seriesOf } from './series'

const columns = [{ name: 'time', type: 'time' }, { name: 'severity', type: 'severity' }, { name: 'count()', type: 'int' }]
const at = (second: number) => new Date(second * 1000).toISOString()

describe('histogram', () => {
  it('stacks levels, folds steps, fills gaps over the whole range', () => {
    const bars = histogram(
      { columns, rows: [[at(100), 'INFO', 3], [at(100), 'ERROR', 1], [at(100), 'ERROR2', 2], [at(120), null, 4]] },
      { from: 85_000, to: 145_000 },
      10_000,
    )
    expect(bars.times).toEqual([80_000, 90_000, 100_000, 110_000, 120_000, 130_000, 140_000])
    expect(bars.counts.ERROR).toEqual([0, 0, 3, 0, 0, 0, 0])
    expect(bars.counts.NONE).toEqual([0, 0, 0, 0, 4, 0, 0])
    expect(bars.total).toBe(10)
    expect(levelsOf(bars)).toEqual(['ERROR', 'INFO', 'NONE'])
  })

  it('finds the width of the bars from the rows where all time is asked for', () => {
    const bars = histogram({ columns, rows: [[at(0), 'INFO', 1], [at(300), 'INFO', 1], [at(60), 'INFO', 0]] }, {})
    expect(bars.spanMs).toBe(60_000)
    expect(bars.times.length).toBe(6)
  })

  it('is empty without rows', () => expect(histogram({ columns, rows: [] }, { from: 0, to: 60_000 }, 10_000).total).toBe(0))
})

describe('seriesOf', () => {
  it('makes a series for each key', () => {
    const table = seriesOf({
      columns: [{ name: 'time', type: 'time' }, { name: 'service', type: 'text' }, { name: 'n', type: 'int' }],
      rows: [[at(0), 'a', 1], [at(0), 'b', 2], [at(60), 'a', 3]],
    })
    expect(table).toEqual({ times: [0, 60_000], names: ['a', 'b'], values: [[1, 3], [2, null]] })
  })

  it('is none for a plain table', () => expect(seriesOf({ columns: [{ name: 'service', type: 'text' }], rows: [['a']] })).toBeNull())
})
