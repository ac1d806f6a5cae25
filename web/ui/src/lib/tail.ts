/** The live tail's state, apart from the page: what is shown, what waits while paused, and how fast events come. */
import type { LogEvent } from './events'

/** An event with the number of its arrival, which names its row. */
export interface Arrived { readonly number: number; readonly event: LogEvent }

export interface TailState {
  readonly rows: readonly Arrived[]
  /** Arrived while paused. */
  readonly waiting: readonly Arrived[]
  readonly paused: boolean
  readonly arrived: number
  /** Fallen out of the front, since only so many rows are kept. */
  readonly dropped: number
}

export const KEPT = 5000

export const START: TailState = { rows: [], waiting: [], paused: false, arrived: 0, dropped: 0 }

export type TailAction =
  | { readonly type: 'arrive'; readonly events: readonly LogEvent[] }
  | { readonly type: 'pause' | 'resume' | 'clear' | 'restart' }

export function tailReducer(state: TailState, action: TailAction): TailState {
  switch (action.type) {
    case 'arrive': {
      const fresh = action.events.map((event, at) => ({ number: state.arrived + at, event }))
      const into = state.paused ? state.waiting : state.rows
      const all = [...into, ...fresh]
      const kept = all.slice(-KEPT)
      return {
        ...state,
        [state.paused ? 'waiting' : 'rows']: kept,
        arrived: state.arrived + fresh.length,
        dropped: state.dropped + all.length - kept.length,
      }
    }
    case 'pause':
      return state.paused ? state : { ...state, paused: true }
    case 'resume': {
      const all = [...state.rows, ...state.waiting]
      const kept = all.slice(-KEPT)
      return { ...state, paused: false, rows: kept, waiting: [], dropped: state.dropped + all.length - kept.length }
    }
    case 'clear':
      return { ...state, rows: [], waiting: [] }
    case 'restart':
      return { ...START, paused: false }
  }
}

const RATE_WINDOW_MS = 5000

/** Counts arrivals and says how many came in a second, over the last five. */
export class Rate {
  private readonly beats: { at: number; count: number }[] = []

  add(count: number, now: number): void {
    this.beats.push({ at: now, count })
  }

  perSecond(now: number): number {
    while (this.beats[0] && this.beats[0].at < now - RATE_WINDOW_MS) this.beats.shift()
    return this.beats.reduce((sum, beat) => sum + beat.count, 0) / (RATE_WINDOW_MS / 1000)
  }
}
