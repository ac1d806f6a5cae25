import { describe, expect, it } from 'vitest'
import { clamped, compacted, freePlace, moved, reading, rowsOf, type Placed } from './grid'

const at = (id: string, x: number, y: number, w: number, h: number): Placed => ({ id, position: { x, y, w, h } })
const places = (panels: readonly Placed[]): Record<string, number[]> => Object.fromEntries(panels.map(({ id, position: { x, y, w, h } }) => [id, [x, y, w, h]]))
const two = [at('a', 0, 0, 6, 4), at('b', 6, 0, 6, 4), at('c', 0, 4, 12, 4)]

describe('the grid', () => {
  it('lets a panel push what lies below it', () => {
    expect(places(moved(two, 'a', { x: 6, y: 0, w: 6, h: 4 }))).toEqual({ a: [6, 0, 6, 4], c: [0, 4, 12, 4], b: [6, 8, 6, 4] })
  })
  it('lets all fall upwards when one leaves', () => {
    expect(places(compacted([at('b', 6, 3, 6, 4), at('c', 0, 9, 12, 4)]))).toEqual({ b: [6, 0, 6, 4], c: [0, 4, 12, 4] })
  })
  it('takes a panel to the top when it is put there', () => {
    expect(places(moved(two, 'c', { x: 0, y: 0, w: 12, h: 4 }))).toEqual({ c: [0, 0, 12, 4], a: [0, 4, 6, 4], b: [6, 4, 6, 4] })
  })
  it('holds panels within its columns', () => {
    expect(clamped({ x: 9, y: -3, w: 6, h: 0 })).toEqual({ x: 6, y: 0, w: 6, h: 2 })
    expect(places(moved(two, 'b', { x: 6, y: 0, w: 40, h: 4 }))['b']).toEqual([0, 0, 12, 4])
  })
  it('never lets two overlap, wherever one is put', () => {
    for (let x = 0; x < 12; x += 1) {
      for (let y = 0; y < 10; y += 1) {
        const found = moved(two, 'b', { x, y, w: 5, h: 3 })
        for (const [index, one] of found.entries()) {
          for (const other of found.slice(index + 1)) {
            const [p, q] = [one.position, other.position]
            expect(p.x < q.x + q.w && q.x < p.x + p.w && p.y < q.y + q.h && q.y < p.y + p.h).toBe(false)
          }
        }
      }
    }
  })
  it('finds room for a new one', () => {
    expect(freePlace([at('a', 0, 0, 6, 4)], 6, 3)).toEqual({ x: 6, y: 0, w: 6, h: 3 })
    expect(freePlace(two, 4, 3)).toEqual({ x: 0, y: 8, w: 4, h: 3 })
    expect(rowsOf(two)).toBe(8)
    expect(reading([two[2] as Placed, two[1] as Placed, two[0] as Placed]).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  })
})
