import { useMemo, useState } from 'react'
import uPlot from 'uplot'
import { count as grouped, formatTime, plural } from '@/lib/format'
import { STACK, levelsOf, type Histogram } from '@/lib/histogram'
import { levelVariable, type Level } from '@/lib/severity'
import { axes } from './axes'
import { colourOf, useThemeStamp } from './colour'
import { Plot } from './Plot'
import styles from './HistogramChart.module.css'

interface HistogramChartProps {
  readonly bars: Histogram
  readonly utc: boolean
  readonly height: number
  readonly onZoom: (from: number, to: number) => void
}

/** Events by time, stacked by severity; a drag over it zooms. */
export function HistogramChart({ bars, utc, height, onZoom }: HistogramChartProps) {
  const theme = useThemeStamp()
  const [hover, setHover] = useState<{ index: number; left: number } | null>(null)
  const { options, data } = useMemo(() => build(bars, utc, theme), [bars, utc, theme])
  const first = bars.times[0]
  const label = first === undefined
    ? 'Histogram: no events'
    : `Histogram of ${plural(bars.total, 'event')} from ${formatTime(new Date(first).toISOString(), utc)}. Drag to zoom.`
  return (
    <div className={styles.chart} onMouseLeave={() => setHover(null)}>
      <Plot
        options={options}
        data={data}
        height={height}
        label={label}
        onZoom={onZoom}
        onHover={(index, left) => setHover(index === null ? null : { index, left })}
      />
      {hover && <Tip bars={bars} index={hover.index} left={hover.left} utc={utc} />}
    </div>
  )
}

function Tip({ bars, index, left, utc }: { readonly bars: Histogram; readonly index: number; readonly left: number; readonly utc: boolean }) {
  const start = bars.times[index]
  if (start === undefined) return null
  const digits = bars.spanMs < 1000 ? 3 : 0
  const rows = levelsOf(bars).map((level) => [level, bars.counts[level]?.[index] ?? 0] as const).filter(([, count]) => count > 0)
  const end = formatTime(new Date(start + bars.spanMs).toISOString(), utc, digits)
  return (
    <div className={styles.tip} style={{ left: `clamp(4px, ${left + 14}px, calc(100% - 210px))` }}>
      <div className={styles.when}>{formatTime(new Date(start).toISOString(), utc, digits)} – {end.slice(11)}</div>
      {rows.length === 0 && <div>no events</div>}
      {rows.map(([level, count]) => (
        <div key={level} className={styles.row}>
          <i style={{ background: `var(${levelVariable(level)})` }} />
          <span>{level === 'NONE' ? 'no severity' : level}</span>
          <b>{grouped(count)}</b>
        </div>
      ))}
    </div>
  )
}

/** Stacked series are drawn from the whole down to the lowest, so that each bar covers the part below it. */
function build(bars: Histogram, utc: boolean, theme: string): { options: Omit<uPlot.Options, 'width' | 'height'>; data: uPlot.AlignedData } {
  const stacked: { level: Level; sums: number[] }[] = []
  let sums = bars.times.map(() => 0)
  for (const level of STACK) {
    const counts = bars.counts[level]
    if (!counts) continue
    sums = sums.map((sum, at) => sum + (counts[at] ?? 0))
    stacked.unshift({ level, sums })
  }
  const paths = uPlot.paths.bars?.({ size: [0.86, 60], align: 1, gap: 1 })
  const start = (bars.times[0] ?? 0) / 1000
  const end = ((bars.times.at(-1) ?? 0) + bars.spanMs) / 1000
  const options: Omit<uPlot.Options, 'width' | 'height'> = {
    class: theme,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    scales: { x: { time: true, range: () => [start, end] }, y: { range: (_, __, max) => [0, Math.max(1, max * 1.06)] } },
    axes: axes(utc),
    series: [
      {},
      ...stacked.map(({ level }) => {
        const fill = colourOf(levelVariable(level))
        return { label: level, fill, stroke: fill, width: 0, points: { show: false }, ...(paths && { paths }) }
      }),
    ],
  }
  return { options, data: [bars.times.map((time) => time / 1000), ...stacked.map((one) => one.sums)] }
}
