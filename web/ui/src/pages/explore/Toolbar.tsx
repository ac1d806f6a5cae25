import { AlertTriangle, CircleStop, Columns3, Download, LayoutDashboard, ListTree, WrapText } from 'lucide-react'
import { lazy, Suspense } from 'react'
import type { Answer } from '@/api/client'
import type { Progress } from '@/api/told'
import { Button } from '@/components/ui/Button'
import { CopyButton } from '@/components/ui/CopyButton'
import { Popover } from '@/components/ui/Popover'
import { bytes, compact, count, elapsed, plural, zoneName } from '@/lib/format'
import { utcPreference, wrapPreference } from '@/lib/prefs'
import type { Explore } from './useExplore'
import styles from './Toolbar.module.css'

const ExportMenu = lazy(() => import('./ExportMenu'))
const ColumnsMenu = lazy(() => import('./ColumnsMenu'))
const AddToDashboard = lazy(() => import('@/components/dashboards/AddToDashboard'))

interface ToolbarProps {
  readonly explore: Explore
  readonly answer: Answer | null
  readonly loaded: number
  readonly isEvents: boolean
  readonly fieldsOpen: boolean
  readonly onFields: () => void
  readonly link: () => string
  readonly typed: () => string
}

/** What was found and what it cost; then how it is shown and taken away. */
export function Toolbar({ explore, answer, loaded, isEvents, fieldsOpen, onFields, link, typed }: ToolbarProps) {
  const { utc, wrap, running, progress, cancel, change } = explore
  return (
    <div className={styles.bar} role="toolbar" aria-label="Result">
      <Button look="quiet" icon={<ListTree />} pressed={fieldsOpen} onClick={onFields} title="Fields and their values" aria-label="Fields" />
      <div className={styles.said} role="status">
        {progress && <Reading progress={progress} />}
        {answer && <Found explore={explore} answer={answer} loaded={loaded} isEvents={isEvents} />}
      </div>
      {running && <Button look="quiet" className={styles.cancel} icon={<CircleStop />} onClick={cancel}>Cancel</Button>}
      <div className={styles.tools}>
        {answer && answer.warnings.length > 0 && <Warnings warnings={answer.warnings} />}
        {isEvents && <Columns explore={explore} />}
        {isEvents && (
          <Button look="quiet" icon={<WrapText />} pressed={wrap} title="Wrap long lines (w)" aria-label="Wrap long lines"
            onClick={() => { wrapPreference.set(!wrap); change({ wrap: wrap ? 'off' : 'on' }, true) }} />
        )}
        <Button look="quiet" className={styles.zone} title="Times in local time or UTC (u)"
          onClick={() => { utcPreference.set(!utc); change({ tz: utc ? 'local' : 'utc' }, true) }}>
          {utc ? 'UTC' : `Local ${zoneName(false).replace('UTC', '')}`.trim()}
        </Button>
        <Add query={typed} />
        <Export explore={explore} />
        <CopyButton text={link} label="Copy a link to this view, with its time range fixed">Link</CopyButton>
      </div>
    </div>
  )
}

/** How far a query is, once it has taken long enough to wonder. */
function Reading({ progress: { segments_opened, segments_total, rows, bytes: read } }: { readonly progress: Progress }) {
  return (
    <span className={styles.reading}>
      <progress max={Math.max(1, segments_total)} value={segments_opened} aria-label="Segments read" />
      {count(segments_opened)} of {plural(segments_total, 'segment')}, {compact(rows)} rows, {bytes(read)} read
    </span>
  )
}

function Found({ explore, answer, loaded, isEvents }: Pick<ToolbarProps, 'explore' | 'loaded' | 'isEvents'> & { readonly answer: Answer }) {
  const { stats } = answer
  const bars = isEvents && !explore.bars.isPlaceholderData ? explore.bars.data : undefined
  const total = Math.max(bars?.total ?? 0, loaded)
  const open = isEvents && !bars && !answer.complete // more than these, and not counted yet
  if (explore.events.isError) return <span className={styles.cost}>The list is the result of the query before.</span>
  const noun = isEvents ? 'event' : 'row'
  const pruned = stats.segments_pruned > 0 ? `, ${plural(stats.segments_pruned, 'segment')} skipped unread` : ''
  return (
    <>
      <b>{open ? `${count(total)}+ events` : plural(total, noun)}</b>
      {!answer.complete && !isEvents && <span className={styles.cut}>cut by the limit</span>}
      <span className={styles.cost} title={`${count(stats.rows_scanned)} rows in ${plural(stats.segments_scanned, 'segment')} read${pruned}`}>
        scanned {compact(stats.rows_scanned)} rows, {bytes(stats.bytes_scanned)} in {elapsed(stats.elapsed_ms)}
      </span>
    </>
  )
}

function Warnings({ warnings }: { readonly warnings: readonly string[] }) {
  return (
    <Popover label={plural(warnings.length, 'warning')} look="quiet" align="end" icon={<AlertTriangle className={styles.warn} />} text={plural(warnings.length, 'warning')}>
      {() => <ul className={styles.warnings}>{warnings.map((warning) => <li key={warning}>{warning}</li>)}</ul>}
    </Popover>
  )
}

/** What it takes is loaded when it is first opened. */
function Add({ query }: { readonly query: () => string }) {
  return <Popover label="Add to dashboard" look="quiet" align="end" icon={<LayoutDashboard />} lazy>{() => <Suspense><AddToDashboard key={query()} query={query()} /></Suspense>}</Popover>
}

function Columns({ explore: { base, resolved, stamp, columns, setColumns } }: { readonly explore: Explore }) {
  return (
    <Popover label={columns.length > 0 ? `Columns: ${columns.length}` : 'Columns'} look="quiet" align="end" icon={<Columns3 />} text={columns.length > 0 ? String(columns.length) : undefined} lazy>
      {() => <Suspense><ColumnsMenu query={base} range={resolved} stamp={stamp} chosen={columns} onChange={setColumns} /></Suspense>}
    </Popover>
  )
}

/** So it is with what takes the result away. */
function Export({ explore }: { readonly explore: Explore }) {
  return <Popover label="Export" look="quiet" align="end" icon={<Download />}>{(close) => <Suspense><ExportMenu query={explore.query} range={explore.resolved} onDone={close} /></Suspense>}</Popover>
}
