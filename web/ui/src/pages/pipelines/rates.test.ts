import { describe, expect, it } from 'vitest'
import type { Pipelines } from '@/api/admin'
import { branchRate, outputRate, rateText, sourceRate, stepRate, storeRate } from './rates'

const look = (at: number, events: number): Pipelines => ({
  at_s: at, files: [], yaml: '', errors: [],
  store: { events, failures: 0, pending_bytes: 0, pending_limit: 1, lag_s: 0 },
  sources: [{ name: 'web', type: 'http', state: 'running', error: null, events, cut: 0, spooled: 0, spool_dropped: 0, restarts: 0, implicit: false, settings: {}, counts: {} }],
  outputs: [{ name: 'lake', type: 's3', state: 'ok', error: null, events: events * 2, refused: 0, lag_commits: 0, lag_s: 0, settings: {} }],
  pipelines: [{ name: 'main', from: ['web'], service: null, events, parse: [{ type: 'json', when: null, settings: {}, events, failed: 0, seconds: 0, left_out: 0, branches: [{ when: null, events: events / 2, parse: [{ type: 'clf', when: null, settings: {}, events: events / 2, failed: 0, seconds: 0, left_out: 0, branches: [] }] }] }] }],
})

describe('rates', () => {
  it('are of the time between two looks', () => {
    const looks = { before: look(10, 100), now: look(12, 150) }
    expect([sourceRate(looks, 'web'), stepRate(looks, 'main', [0]), storeRate(looks)]).toEqual([25, 25, 25])
    expect([branchRate(looks, 'main', [0], 0), stepRate(looks, 'main', [0, 0, 0]), outputRate(looks, 'lake')]).toEqual([12.5, 12.5, 50])
    expect([sourceRate(looks, 'nobody'), stepRate(looks, 'main', [0, 1, 0]), branchRate(looks, 'main', [1], 0), outputRate(looks, 'no')]).toEqual([null, null, null, null])
  })
  it('are unknown at first, and after a restart', () => {
    expect(sourceRate({ before: undefined, now: look(1, 5) }, 'web')).toBeNull()
    expect(storeRate({ before: look(500, 900), now: look(2, 3) })).toBeNull()
  })
  it('are written short', () => {
    expect([null, 0, 0.25, 9.96, 1234.5].map(rateText)).toEqual(['–', '0/s', '0.3/s', '10.0/s', '1,235/s'])
  })
})
