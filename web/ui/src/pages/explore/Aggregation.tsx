import { ChartSpline, Table2 } from 'lucide-react'
import { lazy, Suspense, useMemo } from 'react'
import type { Answer } from '@/api/client'
import { Button } from '@/components/ui/Button'
import { Empty } from '@/components/ui/States'
import { seriesOf } from '@/lib/series'
import type { FieldValue } from '@/lib/query/edit'
import type { Resolved } from '@/lib/time/range'
import type { ExploreSearch } from '@/lib/url'
import { ResultTable } from './ResultTable'
import type { Explore } from './useExplore'
import styles from './Aggregation.module.css'

const SeriesChart = lazy(() => import('@/components/chart/SeriesChart').then((module) => ({ default: module.SeriesChart })))

interface AggregationProps {
  readonly answer: Answer
  readonly search: ExploreSearch
  readonly change: Explore['change']
  readonly utc: boolean
  readonly range: Resolved
  readonly onZoom: (from: number, to: number) => void
  readonly onFilter: (field: string, value: FieldValue) => void
}

const COMPUTED = /\(|^(time|count|n|share|total|percent)$/

/** What stages made of the events: a table, or lines where it is a time series. */
export function Aggregation({ answer, search, change, utc, range, onZoom, onFilter }: AggregationProps) {
  const series = useMemo(() => seriesOf(answer), [answer])
  if (answer.rows.length === 0) return <Empty title="The query gives no rows"><p>Nothing entered the aggregation. Look further back, or take a term away.</p></Empty>
  const view = series && search.view !== 'table' ? 'chart' : 'table'
  // What a query computes has numbers; what it groups by are fields, and those can be searched for.
  const searchable = (name: string): boolean => {
    const at = answer.columns.findIndex((column) => column.name === name)
    return !COMPUTED.test(name) && answer.rows.every((row) => typeof row[at] !== 'number' || Number.isInteger(row[at])) && at < firstNumber(answer)
  }
  return (
    <div className={styles.aggregation}>
      {series && (
        <div className={styles.views} role="group" aria-label="View">
          <Button look="quiet" icon={<ChartSpline />} pressed={view === 'chart'} onClick={() => change({ view: undefined }, true)}>Chart</Button>
          <Button look="quiet" icon={<Table2 />} pressed={view === 'table'} onClick={() => change({ view: 'table' }, true)}>Table</Button>
        </div>
      )}
      {series && view === 'chart'
        ? <Suspense><SeriesChart table={series} range={range} utc={utc} onZoom={onZoom} /></Suspense>
        : <ResultTable answer={answer} utc={utc} searchable={searchable} onFilter={onFilter} />}
    </div>
  )
}

/** Keys stand before aggregates: the last leading column that is no aggregate by its look. */
function firstNumber(answer: Answer): number {
  const at = answer.columns.findIndex((column) => COMPUTED.test(column.name) && column.name !== 'time')
  if (at >= 0) return at
  const float = answer.columns.findIndex((_, index) => answer.rows.some((row) => typeof row[index] === 'number'))
  return float < 0 ? answer.columns.length : float
}
