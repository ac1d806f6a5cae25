import { useMemo } from 'react'
import uPlot from 'uplot'
import { axes } from '@/components/chart/axes'
import { colourOf, SERIES, useThemeStamp } from '@/components/chart/colour'
import { Plot } from '@/components/chart/Plot'
import { veil } from '@/components/chart/unfinished'
import { useSize } from '@/components/chart/useSize'
import { numberText } from '@/lib/dashboards/data'
import type { SeriesTable } from '@/lib/series'
import { levelOf, levelVariable, LEVELS } from '@/lib/severity'
import type { DrawProps } from './kinds'
import styles from './Panels.module.css'

/** One pointer over all charts of the page: only its movement is shared, not what is dragged. */
const CURSOR: uPlot.Cursor = {
  y: false, drag: { x: true, y: false, setScale: false }, points: { size: 6 },
  sync: { key: 'dashboard', setSeries: false, filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } },
}

type Look = 'lines' | 'areas' | 'bars'

/** Series over time as lines, stacked areas or stacked bars, with the last values in the legend. */
export function TimeSeries({ table, look, panel, utc, range, onZoom }: DrawProps & { readonly table: SeriesTable; readonly look: Look }) {
  const theme = useThemeStamp()
  const [ref, size] = useSize()
  const shown = useMemo(() => ordered(table, look), [table, look])
  const span = (table.times[1] ?? 0) - (table.times[0] ?? 0)
  const { options, data } = useMemo(() => {
    const times = table.times.map((time) => time / 1000)
    const edges: [number, number] = [
      (range.from === undefined ? undefined : Date.parse(range.from) / 1000) ?? times[0] ?? 0,
      (range.to === undefined ? undefined : Date.parse(range.to) / 1000) ?? (times.at(-1) ?? 0) + span / 1000,
    ]
    const surface = colourOf('--surface')
    const bars = uPlot.paths.bars?.({ size: [0.86, 60], align: 1, gap: 1 })
    const built: Omit<uPlot.Options, 'width' | 'height'> = {
      class: theme,
      padding: [8, 14, 0, 0],
      legend: { show: false },
      cursor: CURSOR,
      scales: { x: { time: true, range: () => edges }, y: { range: (_, min, max) => [Math.min(0, min), max <= 0 && min >= 0 ? 1 : max * 1.06] } },
      axes: axes(utc, { leftSize: 50, whole: false }),
      ...(look !== 'bars' && { hooks: veil(table.times, range) }),
      series: [{}, ...shown.map(({ name, variable }) => {
        const colour = colourOf(variable)
        return {
          label: name, stroke: colour, width: look === 'bars' ? 0 : 1.8, points: { show: table.times.length === 1 },
          ...(look === 'bars' && bars && { paths: bars, fill: colour }),
          ...(look === 'areas' && { fill: `color-mix(in srgb, ${colour} 72%, ${surface})` }), // opaque: it covers what is below
        }
      })],
    }
    return { options: built, data: [times, ...shown.map((one) => one.drawn)] as uPlot.AlignedData }
  }, [table, shown, look, utc, theme, range, span])
  return (
    <div className={styles.series}>
      <div ref={ref} className={styles.canvas}>
        {size.height > 0 && <Plot options={options} data={data} height={size.height} label={`${panel.title}: ${table.names.join(', ')} over time. Drag to zoom.`} onZoom={onZoom} />}
      </div>
      {(shown.length > 1 || shown[0]?.name !== 'count') && (
        <ul className={styles.legend} aria-label="Series">
          {[...shown].reverse().map(({ name, variable, total, last }) => (
            <li key={name} title={`${name}: ${numberText(total)} in all, last ${last === null ? '—' : numberText(last)}`}>
              <i style={{ background: `var(${variable})` }} />{name}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

interface Shown { readonly name: string; readonly variable: string; readonly drawn: readonly (number | null)[]; readonly total: number; readonly last: number | null }

/** In the order in which they are drawn: stacked ones from the whole down, so that each covers the part below it. */
function ordered(table: SeriesTable, look: Look): Shown[] {
  let colour = -1
  const all = table.names.map((name, at) => {
    const level = levelOf(name)
    if (level === 'NONE') colour += 1
    const values = table.values[at] ?? []
    return {
      name, values, level,
      variable: level === 'NONE' ? SERIES[colour % SERIES.length] ?? '--ink' : levelVariable(level),
      total: values.reduce<number>((sum, value) => sum + (value ?? 0), 0),
      last: values.findLast((value) => value !== null) ?? null,
    }
  })
  if (look === 'lines') return all.map((one) => ({ ...one, drawn: one.values })).reverse()
  // Severe levels stand on the axis, where heights can be compared; else the largest does.
  all.sort((a, b) => (a.level !== 'NONE' && b.level !== 'NONE' ? LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) : b.total - a.total))
  let sums: number[] = table.times.map(() => 0)
  return all.map((one) => {
    sums = sums.map((sum, at) => sum + (one.values[at] ?? 0))
    return { ...one, drawn: sums }
  }).reverse()
}
