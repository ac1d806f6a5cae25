import { useMemo } from 'react'
import type uPlot from 'uplot'
import type { Figures } from '@/api/client'
import { axes } from './axes'
import { colourOf, useThemeStamp } from './colour'
import { Plot } from './Plot'
import styles from './SeriesChart.module.css'

interface FigureChartProps {
  readonly figures: Figures
  /** What the chart marks: the windows in which the incident was found, in milliseconds. */
  readonly marked: { readonly from: number; readonly to: number }
  readonly utc: boolean
  readonly height: number
  readonly onZoom: (from: number, to: number) => void
}

const NAMES: Record<string, string> = { condition: 'trouble', recover: 'recovered' }
const COLOURS: Record<string, string> = { condition: '--sev-error', recover: '--sev-info' }

/** A figure over time, with the bounds that it is held against and the side of them that is trouble. */
export function FigureChart({ figures, marked, utc, height, onZoom }: FigureChartProps) {
  const theme = useThemeStamp()
  const { options, data } = useMemo(() => {
    const times = figures.times.map((time) => Date.parse(time) / 1000)
    const bounds = figures.levels.map((level) => level.value)
    const built: Omit<uPlot.Options, 'width' | 'height'> = {
      class: theme,
      padding: [12, 20, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
      scales: {
        x: { time: true },
        y: { range: (_, min, max) => [Math.min(0, min, ...bounds), Math.max(1, max, ...bounds) * 1.12] },
      },
      axes: axes(utc, { leftSize: 56, whole: false }),
      series: [{}, { label: figures.column, stroke: colourOf('--accent'), width: 2, points: { size: 5 } }],
      hooks: { drawClear: [(plot) => shade(plot, figures, marked)], draw: [(plot) => lines(plot, figures)] },
    }
    return { options: built, data: [times, figures.values] as uPlot.AlignedData }
  }, [figures, marked, utc, theme])
  const said = figures.levels.map((level) => `${NAMES[level.what] ?? level.what} ${level.op} ${level.value}`)
  return (
    <div>
      <Plot options={options} data={data} height={height} label={`Chart of ${figures.column} over time, with its bounds: ${said.join(', ')}`} onZoom={onZoom} />
      <ul className={styles.legend}>
        <li><i style={{ background: 'var(--accent)' }} /><span><code>{figures.column}</code> of the last {figures.window}</span></li>
        {figures.levels.map((level) => (
          <li key={level.what}>
            <i style={{ background: `var(${COLOURS[level.what] ?? '--sev-warn'})` }} />
            <span>{NAMES[level.what] ?? level.what} <code>{level.op} {level.value.toLocaleString('en-US')}</code>{level.what === 'condition' && figures.hold && ` for ${figures.hold}`}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** Behind the line: the side of the condition that is trouble, and when the incident was found. */
function shade(plot: uPlot, figures: Figures, marked: FigureChartProps['marked']): void {
  const { ctx, bbox } = plot
  ctx.save()
  const condition = figures.levels.find((level) => level.what === 'condition')
  if (condition) {
    const at = Math.min(Math.max(plot.valToPos(condition.value, 'y', true), bbox.top), bbox.top + bbox.height)
    const [top, height] = condition.op.startsWith('>') ? [bbox.top, at - bbox.top] : [at, bbox.top + bbox.height - at]
    ctx.globalAlpha = 0.1
    ctx.fillStyle = colourOf('--sev-error')
    ctx.fillRect(bbox.left, top, bbox.width, height)
  }
  const [from, to] = [marked.from, marked.to].map((time) => Math.min(Math.max(plot.valToPos(time / 1000, 'x', true), bbox.left), bbox.left + bbox.width)) as [number, number]
  ctx.globalAlpha = 0.12
  ctx.fillStyle = colourOf('--ink-3')
  ctx.fillRect(from, bbox.top, Math.max(2, to - from), bbox.height)
  ctx.restore()
}

function lines(plot: uPlot, figures: Figures): void {
  const { ctx, bbox } = plot
  ctx.save()
  ctx.lineWidth = 1.5 * devicePixelRatio
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio])
  for (const level of figures.levels) {
    const at = plot.valToPos(level.value, 'y', true)
    ctx.strokeStyle = colourOf(COLOURS[level.what] ?? '--sev-warn')
    ctx.beginPath()
    ctx.moveTo(bbox.left, at)
    ctx.lineTo(bbox.left + bbox.width, at)
    ctx.stroke()
  }
  ctx.restore()
}
