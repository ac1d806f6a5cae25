import { describe, expect, it } from 'vitest'
import { unfinished } from './unfinished'

describe('unfinished', () => {
  it.each([
    ['whole buckets', [0, 10, 20], 0, 30, []],
    ['the last goes on', [0, 10, 20], 0, 25, [[1, 2]]],
    ['the first began before', [0, 10, 20], 5, 30, [[0, 1]]],
    ['both', [0, 10, 20], 5, 25, [[0, 1], [1, 2]]],
    ['two that are the same', [0, 10], 5, 15, [[0, 1]]],
    ['one says nothing', [0], 5, 8, []],
    ['no bound', [0, 10, 20], -Infinity, Infinity, []],
  ])('%s', (_, times, from, to, ends) => { expect(unfinished(times, from, to)).toEqual(ends) })
})
