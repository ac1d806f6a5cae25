import { describe, expect, it } from 'vitest'
import { KEPT, Rate, START, tailReducer } from './tail'

const events = (count: number) => Array.from({ length: count }, (_, at) => ({ message: String(at) }))

describe('tailReducer', () => {
  it('keeps arrivals back while paused, and shows them after', () => {
    let state = tailReducer(START, { type: 'arrive', events: events(2) })
    state = tailReducer(state, { type: 'pause' })
    state = tailReducer(state, { type: 'arrive', events: events(3) })
    expect([state.rows.length, state.waiting.length]).toEqual([2, 3])
    state = tailReducer(state, { type: 'resume' })
    expect(state.rows.map((row) => row.number)).toEqual([0, 1, 2, 3, 4])
    expect(state.waiting).toEqual([])
  })

  it('lets the oldest go and says how many', () => {
    const state = tailReducer(START, { type: 'arrive', events: events(KEPT + 7) })
    expect([state.rows.length, state.dropped, state.arrived, state.rows[0]?.number]).toEqual([KEPT, 7, KEPT + 7, 7])
  })
})

it('Rate is the mean of five seconds', () => {
  const rate = new Rate()
  rate.add(50, 0)
  rate.add(10, 4000)
  expect(rate.perSecond(4500)).toBe(12)
  expect(rate.perSecond(6000)).toBe(2)
})
