import { Fragment, useMemo } from 'react'
import { formatTime } from '@/lib/format'
import { numberText } from '@/lib/dashboards/data'
import type { SeriesTable } from '@/lib/series'
import type { DrawProps } from './kinds'
import styles from './Panels.module.css'

/** Series over time as rows of cells, the darker the more. Shades follow the root: a few large values leave the small ones visible. */
export function HeatMap({ table, panel, utc, onZoom }: DrawProps & { readonly table: SeriesTable }) {
  const most = useMemo(() => Math.max(0, ...table.values.flat().map((value) => value ?? 0)), [table])
  const span = (table.times[1] ?? 0) - (table.times[0] ?? 0)
  const ticks = [0, 0.25, 0.5, 0.75].map((part) => Math.floor(part * table.times.length)).filter((at, index, all) => all.indexOf(at) === index)
  const clock = (at: number): string => {
    const text = formatTime(new Date(table.times[at] ?? 0).toISOString(), utc)
    return span >= 86_400_000 ? text.slice(5, 10) : text.slice(11, 16)
  }
  return (
    <div className={styles.heat} role="img" aria-label={`${panel.title}: ${table.names.join(', ')} over time, at most ${numberText(most, panel.unit)} at once`}>
      {table.names.map((name, row) => (
        <Fragment key={name}>
          <span className={styles.label} title={name}>{name}</span>
          <div className={styles.cells}>
            {table.times.map((time, at) => {
              const value = table.values[row]?.[at] ?? null
              return (
                <i
                  key={time} title={`${name}, ${formatTime(new Date(time).toISOString(), utc)}: ${value === null ? 'nothing' : numberText(value, panel.unit)}`}
                  style={{ background: value ? `color-mix(in oklab, var(--accent) ${Math.round(12 + 88 * Math.sqrt(value / most))}%, var(--surface))` : 'var(--sunken)' }}
                  onClick={() => onZoom(time, time + span)}
                />
              )
            })}
          </div>
        </Fragment>
      ))}
      <span />
      <div className={styles.ticks}>{ticks.map((at) => <span key={at} style={{ left: `${(100 * at) / table.times.length}%` }}>{clock(at)}</span>)}</div>
    </div>
  )
}
