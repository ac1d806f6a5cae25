/** Axes that look the same on every chart. */
import type uPlot from 'uplot'
import { compact, timeParts } from '@/lib/format'
import { colourOf } from './colour'

const FONT = '11px "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif'

const WHOLE = [1, 2, 5].flatMap((digit) => Array.from({ length: 15 }, (_, power) => digit * 10 ** power)).sort((a, b) => a - b)

/** Time below, numbers at the left (counts are `whole`); times in the chosen zone, with the date where days change. */
export function axes(utc: boolean, { leftSize = 48, whole = true } = {}): uPlot.Axis[] {
  const [ink, line] = [colourOf('--ink-3'), colourOf('--line')]
  return [
    {
      stroke: ink, font: FONT, gap: 4, size: 24, space: 90, grid: { show: false }, ticks: { stroke: line, width: 1, size: 4 },
      values: (_, ticks) => ticks.map((tick, at) => tickText(tick, ticks[at - 1], (ticks[1] ?? 0) - (ticks[0] ?? 0), utc)),
    },
    {
      stroke: ink, font: FONT, gap: 6, size: leftSize, space: 26, ...(whole && { incrs: WHOLE }), grid: { stroke: line, width: 1 }, ticks: { show: false },
      values: (_, ticks) => ticks.map((tick) => compact(tick)),
    },
  ]
}

function tickText(tick: number, before: number | undefined, step: number, utc: boolean): string {
  const parts = timeParts(new Date(tick * 1000).toISOString(), utc)
  if (!parts) return ''
  const previous = before === undefined ? null : timeParts(new Date(before * 1000).toISOString(), utc)
  const day = parts.date.slice(5)
  if (step >= 86_400) return day
  if (previous && previous.date !== parts.date) return day
  if (step < 1) return `${parts.clock.slice(3)}.${parts.fraction.slice(0, 3)}`
  return step < 60 ? parts.clock : parts.clock.slice(0, 5)
}
