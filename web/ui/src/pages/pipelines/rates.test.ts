import { describe, expect, it } from 'vitest'
import type { Pipelines } from '@/api/admin'
import { rateText, sourceRate, stepRate, storeRate } from './rates'

const look = (at: number, events: number): Pipelines => ({
  at_s: at, files: [], yaml: '', errors: [],
  store: { events, failures: 0, pending_bytes: 0, pending_limit: 1, lag_s: 0 },
  sources: [{ name: 'web', type: 'http', state: 'running', error: null, events, cut: 0, restarts: 0, implicit: false, settings: {}, counts: {} }],
  outputs: [],
  pipelines: [{ name: 'main', from: ['web'], service: null, events, parse: [{ type: 'json', when: null, settings: {}, events, failed: 0, seconds: 0, left_out: 0, branches: [] }] }],
})

describe('rates', () => {
  it('are of the time between two looks', () => {
    const looks = { before: look(10, 100), now: look(12, 150) }
    expect([sourceRate(looks, 'web'), stepRate(looks, 'main', 0), storeRate(looks)]).toEqual([25, 25, 25])
    expect(sourceRate(looks, 'nobody')).toBeNull()
  })
  it('are unknown at first, and after a restart', () => {
    expect(sourceRate({ before: undefined, now: look(1, 5) }, 'web')).toBeNull()
    expect(storeRate({ before: look(500, 900), now: look(2, 3) })).toBeNull()
  })
  it('are written short', () => {
    expect([null, 0, 0.25, 9.96, 1234.5].map(rateText)).toEqual(['–', '0/s', '0.3/s', '10.0/s', '1,235/s'])
  })
})
