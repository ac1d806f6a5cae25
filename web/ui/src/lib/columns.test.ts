import { describe, expect, it } from 'vitest'
import { joinColumns, MOST_COLUMNS, splitColumns, withColumn } from './columns'

describe('columns', () => {
  it.each([
    ['none', []], ['one', ['user']], ['in their order', ['http.status', 'user', 'host']],
    ['odd names', ['a,b', 'c\\d', 'größe ü', ' ', 'x\\,y', 'line\nbreak']],
  ])('%s come back', (_, names) => expect(splitColumns(joinColumns(names))).toEqual(names))

  it('are few, and each once', () => {
    expect(splitColumns('a,b,a,,b')).toEqual(['a', 'b'])
    expect(splitColumns(Array.from({ length: 100 }, (_, at) => `f${at}`).join(','))).toHaveLength(MOST_COLUMNS)
  })
  it('come and go', () => {
    expect(withColumn(['a'], 'b')).toEqual(['a', 'b'])
    expect(withColumn(['a', 'b'], 'a')).toEqual(['b'])
  })
})
