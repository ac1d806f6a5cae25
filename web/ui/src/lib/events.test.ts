import { describe, expect, it } from 'vitest'
import { eventKey, eventsOf, fieldsOf, holdsEvents, indexOfKey } from './events'
import { nextPage } from '../pages/explore/runner'

const columns = ['timestamp', 'message', 'z', 'a'].map((name) => ({ name, type: 'text' }))
const stats = { elapsed_ms: 1, rows_scanned: 1, bytes_scanned: 1, segments_scanned: 1, segments_pruned: 0, segments_cached: 0 }
const answer = (times: string[], complete = false) => ({ id: 'x', columns, rows: times.map((time, at) => [time, `m${at}`, null, at]), stats, warnings: [], complete, sampled: false })

describe('events', () => {
  const events = eventsOf(answer(['2026-01-31T12:00:02Z', '2026-01-31T12:00:01Z', '2026-01-31T12:00:01Z']))

  it('leaves nulls out, and orders fields', () => {
    expect(events[0]).toEqual({ timestamp: '2026-01-31T12:00:02Z', message: 'm0', a: 0 })
    expect(fieldsOf({ b: 1, service: 's', a: 2, timestamp: 't', message: 'm' }).map(([name]) => name)).toEqual(['timestamp', 'service', 'a', 'b'])
  })

  it('finds an event by its key, told apart from others of its time', () => {
    for (const [at, event] of events.entries()) expect(indexOfKey(events, eventKey(event))).toBe(at)
    expect(indexOfKey(events, '2026-01-31T12:00:01Z~nope')).toBe(-1)
  })

  it('knows events from tables', () => {
    expect(holdsEvents(answer([]))).toBe(true)
    expect(holdsEvents({ columns: [{ name: 'service' }], rows: [] })).toBe(false)
  })
})

describe('nextPage', () => {
  const [a, b] = ['2026-01-31T12:00:02.000000001Z', '2026-01-31T12:00:01.000000001Z']
  it('goes on at the last time, skipping what is there of it', () => {
    expect(nextPage('', [answer([a, b, b])])).toEqual({ to: '2026-01-31T12:00:01.000000002Z', skip: 2 })
    expect(nextPage('', [answer([a, b]), answer([b, b])])).toEqual({ to: '2026-01-31T12:00:01.000000002Z', skip: 3 })
  })
  it('ends where the answer is complete or has an order of its own', () => {
    expect(nextPage('', [answer([a], true)])).toBeNull()
    expect(nextPage('| sort message', [answer([a])])).toBeNull()
  })
})
