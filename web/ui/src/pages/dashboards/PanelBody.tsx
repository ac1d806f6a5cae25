import { useMemo } from 'react'
import { ApiError, messageOf } from '@/api/problem'
import type { Panel } from '@/api/dashboards'
import { QueryError } from '@/components/query/QueryError'
import { Button } from '@/components/ui/Button'
import { Loading } from '@/components/ui/States'
import { numberOf, numberText } from '@/lib/dashboards/data'
import { seriesOf } from '@/lib/series'
import { ResultTable } from '@/pages/explore/ResultTable'
import { Bars, Pie, TopList } from './panels/Categories'
import { HeatMap } from './panels/HeatMap'
import type { DrawProps } from './panels/kinds'
import { Markdown } from './panels/Markdown'
import styles from './panels/Panels.module.css'
import { TimeSeries } from './panels/TimeSeries'
import type { PanelAnswer } from './usePanel'

type BodyProps = Pick<DrawProps, 'panel' | 'utc' | 'onZoom' | 'onPick'> & { readonly found: PanelAnswer }

/** What a panel shows: its rows, or why there are none. */
export function PanelBody({ found, ...props }: BodyProps) {
  const { panel } = props
  if (panel.kind === 'markdown') return panel.text ? <Markdown text={panel.text} /> : <Quiet>An empty text.</Quiet>
  if (found.error && !found.data) return <Failed found={found} panel={panel} />
  if (!found.data) return <Loading rows={Math.min(4, panel.position.h)} label={`Loading ${panel.title}`} />
  return <Drawn {...props} answer={found.data} range={found.range} />
}

const Quiet = ({ children }: { readonly children: string }) => <p className={styles.quiet}>{children}</p>

function Failed({ found, panel }: { readonly found: PanelAnswer; readonly panel: Panel }) {
  const { error } = found
  return (
    <div className={styles.failed}>
      {error instanceof ApiError && error.isQueryError ? <QueryError id={`${panel.id}-error`} error={error} query={found.text} /> : <p role="alert">{messageOf(error)}</p>}
      <div><Button look="quiet" onClick={found.again}>Try again</Button></div>
    </div>
  )
}

function Drawn(props: DrawProps) {
  const { panel, answer } = props
  const series = useMemo(() => (panel.kind === 'timeseries' || panel.kind === 'heatmap' || panel.kind === 'bar' ? seriesOf(answer) : null), [panel.kind, answer])
  if (panel.kind === 'number') return <Figure {...props} />
  if (answer.rows.length === 0 || (series && series.values.every((values) => values.every((value) => value === null)))) return <Quiet>Nothing in this time range.</Quiet>
  switch (panel.kind) {
    case 'timeseries': return series ? <TimeSeries {...props} table={series} look={panel.options?.stacked ? 'areas' : 'lines'} /> : <Quiet>A time series needs the rows of a timechart: … | timechart count() by service</Quiet>
    case 'heatmap': return series ? <HeatMap {...props} table={series} /> : <Quiet>A heat map needs the rows of a timechart: … | timechart count() by service</Quiet>
    case 'bar': return series ? <TimeSeries {...props} table={series} look="bars" /> : <Bars {...props} />
    case 'top': return <TopList {...props} />
    case 'pie': return <Pie {...props} />
    default: return <Rows {...props} />
  }
}

function Figure({ panel, answer }: DrawProps) {
  const found = numberOf(answer)
  const level = found && (panel.options?.thresholds ?? []).filter(({ at }) => found.value >= at).at(-1)?.level
  return (
    <div className={styles.number}>
      <b className={level ? styles[level] : undefined}>{found ? numberText(found.value, panel.unit, panel.options?.decimals) : '—'}</b>
      {!found && <small>nothing to count in this time range</small>}
    </div>
  )
}

function Rows({ panel, answer, utc, onPick }: DrawProps) {
  const digits = panel.options?.decimals
  const rounded = useMemo(() => (digits === null || digits === undefined ? answer : {
    ...answer, rows: answer.rows.map((row) => row.map((value: unknown) => (typeof value === 'number' ? Number(value.toFixed(digits)) : value))),
  }), [answer, digits])
  const texts = useMemo(() => new Set(answer.columns.map((column) => column.name).filter((name, at) => name !== 'message' && name !== 'time' && name !== 'timestamp' && answer.rows.some((row) => typeof row[at] === 'string'))), [answer])
  return <div className={styles.table}><ResultTable answer={rounded} utc={utc} searchable={(name) => onPick !== undefined && texts.has(name)} onFilter={(field, value) => onPick?.([[field, value]])} /></div>
}
