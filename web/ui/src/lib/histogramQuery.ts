import { api } from '@/api/client'
import { histogram, type Histogram } from './histogram'
import { eventsQuery, withStage } from './query/edit'
import { zoneId } from './format'
import { spanFor, type Resolved } from './time/range'

interface HistogramRequest {
  readonly query: string
  readonly range: Resolved
  /** Days begin at midnight in UTC rather than here. */
  readonly utc: boolean
  /** Bars at most, where the range has both ends. */
  readonly bars?: number
}

/** Counts by time and severity of the events that enter the query's aggregation. */
export async function runHistogram({ query, range, utc, bars }: HistogramRequest, signal: AbortSignal): Promise<Histogram> {
  const [from, to] = [range.from === undefined ? undefined : Date.parse(range.from), range.to === undefined ? undefined : Date.parse(range.to)]
  const [span, spanMs] = from !== undefined && to !== undefined ? spanFor(to - from, bars) : [undefined, undefined]
  const stage = `timechart ${span === undefined ? '' : `span=${span} `}count() by severity`
  const answer = await api.query({ query: withStage(eventsQuery(query), stage), ...range, timezone: zoneId(utc), limit: 20_000 }, signal)
  return histogram(answer, { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }, spanMs)
}
