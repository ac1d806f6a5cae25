/** Buckets that a range covers in part: what is drawn of them fades, lest a chart seems to fall at its end. */
import type uPlot from 'uplot'
import { colourOf } from './colour'

const STROKE = 4 // pixels of the canvas that a line is wide at most, so that its end fades too

/** Indices of the points between which a line leads into a bucket that the range (milliseconds) covers in part. */
export function unfinished(times: readonly number[], from: number, to: number): readonly (readonly [number, number])[] {
  const [first, second, last] = [times[0], times[1], times.at(-1)]
  if (first === undefined || second === undefined || last === undefined) return []
  const span = second - first
  const found: (readonly [number, number])[] = []
  if (first < from) found.push([0, 1])
  if (last + span > to && (times.length > 2 || first >= from)) found.push([times.length - 2, times.length - 1])
  return found
}

/** Draws it: a veil in the colour of the surface. */
export function veil(times: readonly number[], range: { from?: string; to?: string }): uPlot.Hooks.Arrays {
  const ends = unfinished(times, range.from === undefined ? -Infinity : Date.parse(range.from), range.to === undefined ? Infinity : Date.parse(range.to))
  const surface = colourOf('--surface')
  return {
    draw: [(plot) => {
      const { ctx, bbox } = plot
      ctx.save()
      ctx.globalAlpha = 0.6
      ctx.fillStyle = surface
      for (const [a, b] of ends) {
        const [left, right] = [a, b].map((at) => plot.valToPos((times[at] ?? 0) / 1000, 'x', true))
        const start = (left ?? 0) - (a === 0 ? STROKE : 0)
        ctx.fillRect(start, bbox.top, (right ?? 0) + (a === 0 ? 0 : STROKE) - start, bbox.height)
      }
      ctx.restore()
    }],
  }
}
