import { useMemo } from 'react'
import type uPlot from 'uplot'
import { levelOf, levelVariable } from '@/lib/severity'
import type { SeriesTable } from '@/lib/series'
import type { Resolved } from '@/lib/time/range'
import { axes } from './axes'
import { colourOf, SERIES, useThemeStamp } from './colour'
import { Plot } from './Plot'
import { veil } from './unfinished'
import styles from './SeriesChart.module.css'

/** The rows of a `timechart` as lines, with a legend that names each. */
export function SeriesChart({ table, range, utc, onZoom }: { readonly table: SeriesTable; readonly range: Resolved; readonly utc: boolean; readonly onZoom: (from: number, to: number) => void }) {
  const theme = useThemeStamp()
  const variables = useMemo(() => table.names.map((name, at) => {
    const level = levelOf(name)
    return level === 'NONE' ? SERIES[at % SERIES.length] ?? '--ink' : levelVariable(level)
  }), [table.names])
  const { options, data } = useMemo(() => {
    const built: Omit<uPlot.Options, 'width' | 'height'> = {
      class: theme,
      padding: [12, 20, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
      scales: { x: { time: true }, y: { range: (_, min, max) => [Math.min(0, min), max <= 0 && min >= 0 ? 1 : max * 1.06] } },
      axes: axes(utc, { leftSize: 56, whole: false }),
      hooks: veil(table.times, range),
      series: [{}, ...variables.map((variable, at) => ({ label: table.names[at] ?? '', stroke: colourOf(variable), width: 1.8, points: { show: false } }))],
    }
    return { options: built, data: [table.times.map((time) => time / 1000), ...table.values] as uPlot.AlignedData }
  }, [table, range, variables, utc, theme])
  return (
    <div className={styles.chart}>
      <Plot options={options} data={data} height={320} label={`Chart of ${table.names.join(', ')} over time`} onZoom={onZoom} />
      <ul className={styles.legend}>
        {table.names.map((name, at) => <li key={name}><i style={{ background: `var(${variables[at] ?? '--ink'})` }} />{name}</li>)}
      </ul>
    </div>
  )
}
