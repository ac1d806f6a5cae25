import { lazy, Suspense } from 'react'
import { Failure } from '@/components/ui/States'
import { compact } from '@/lib/format'
import { levelsOf } from '@/lib/histogram'
import { useNarrow } from '@/lib/media'
import { levelVariable } from '@/lib/severity'
import type { Explore } from './useExplore'
import styles from './HistogramPanel.module.css'

// The chart library comes beside the first query, not before it.
const HistogramChart = lazy(() => import('@/components/chart/HistogramChart').then((module) => ({ default: module.HistogramChart })))

/** Events over time by severity. A level in the legend filters by it, a drag zooms. */
export function HistogramPanel({ bars, zoom, utc, onFilter }: Pick<Explore, 'bars' | 'zoom' | 'utc'> & { readonly onFilter: (level: string | null) => void }) {
  const height = useNarrow() ? 92 : 124
  if (bars.isError) return <div className={styles.panel}><Failure error={bars.error} /></div>
  const blank = <div style={{ height }} className={styles.blank} role="status" aria-label="Loading the histogram" />
  return (
    <section className={styles.panel} aria-label="Events over time" data-stale={bars.isPlaceholderData || undefined}>
      <Suspense fallback={blank}>
        {bars.data ? <HistogramChart bars={bars.data} utc={utc} height={height} onZoom={zoom} /> : blank}
      </Suspense>
      <ul className={styles.legend} aria-label="Severities">
        {bars.data && levelsOf(bars.data).map((level) => (
          <li key={level}>
            <button type="button" className={styles.level} onClick={() => onFilter(level === 'NONE' ? null : level)} title={level === 'NONE' ? 'Only events without a severity' : `Only ${level}`}>
              <i style={{ background: `var(${levelVariable(level)})` }} />
              {level === 'NONE' ? 'no severity' : level}
              <b>{compact(bars.data.totals[level] ?? 0)}</b>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
