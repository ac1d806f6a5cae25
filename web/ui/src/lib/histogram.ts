/** From the long rows of `timechart … by severity` to stacked bars. */
import { LEVELS, levelOf, type Level } from './severity'

/** Bars of equal width: `times` are starts in milliseconds, `counts[level][i]` events of that level in bar i. */
export interface Histogram {
  readonly spanMs: number
  readonly times: readonly number[]
  readonly counts: Readonly<Partial<Record<Level, readonly number[]>>>
  readonly totals: Readonly<Partial<Record<Level, number>>>
  readonly total: number
}

/** From the baseline up: the severe levels stand on the axis, where heights can be compared. */
export const STACK: readonly Level[] = ['FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', 'NONE']

interface LongRows {
  readonly columns: readonly { readonly name: string }[]
  readonly rows: readonly (readonly unknown[])[]
}

/**
 * Sum rows `time, severity, count` into bars that cover `from` to `to` without a gap.
 *
 * Without `from` and `to` the rows' own extent is covered; without `spanMs` the smallest distance between two times is the bar's width.
 */
export function histogram(answer: LongRows, range: { from?: number; to?: number }, spanMs?: number): Histogram {
  const index = (name: string): number => answer.columns.findIndex((column) => column.name === name)
  const [timeAt, severityAt] = [index('time'), index('severity')]
  const countAt = answer.columns.findIndex((_, at) => at !== timeAt && at !== severityAt)
  const seen = answer.rows.map((row) => ({
    time: Date.parse(String(row[timeAt])),
    level: severityAt < 0 ? ('NONE' as const) : levelOf(row[severityAt]),
    count: Number(row[countAt] ?? 0),
  })).filter((row) => !Number.isNaN(row.time))

  const distinct = [...new Set(seen.map((row) => row.time))].sort((a, b) => a - b)
  const width = spanMs ?? smallestStep(distinct)
  const anchor = distinct[0] ?? range.from ?? 0
  const start = Math.min(anchor, range.from === undefined ? anchor : anchor - Math.ceil((anchor - range.from) / width) * width)
  const last = Math.max(distinct.at(-1) ?? start, range.to === undefined ? start : range.to - 1)
  const bars = Math.min(5000, Math.floor((last - start) / width) + 1)

  const times = Array.from({ length: bars }, (_, at) => start + at * width)
  const counts: Partial<Record<Level, number[]>> = {}
  const totals: Partial<Record<Level, number>> = {}
  let total = 0
  for (const { time, level, count } of seen) {
    const bar = Math.floor((time - start) / width)
    if (count === 0 || bar < 0 || bar >= bars) continue
    const series = (counts[level] ??= new Array<number>(bars).fill(0))
    series[bar] = (series[bar] ?? 0) + count
    totals[level] = (totals[level] ?? 0) + count
    total += count
  }
  return { spanMs: width, times, counts, totals, total }
}

function smallestStep(times: readonly number[]): number {
  let step = Infinity
  for (let at = 1; at < times.length; at += 1) step = Math.min(step, (times[at] ?? 0) - (times[at - 1] ?? 0))
  return Number.isFinite(step) && step > 0 ? step : 60_000
}

/** The levels that occur, most severe first. */
export const levelsOf = (bars: Histogram): Level[] => [...LEVELS, 'NONE' as const].filter((level) => (bars.totals[level] ?? 0) > 0)
