import { useQuery } from '@tanstack/react-query'
import { Link2Off } from 'lucide-react'
import { useSyncExternalStore } from 'react'
import type { Panel } from '@/api/dashboards'
import { ApiError, messageOf } from '@/api/problem'
import { shares, type Opened } from '@/api/shares'
import { EventRow } from '@/components/events/EventRow'
import { Logo } from '@/components/shell/Logo'
import { Empty, Failure, Loading } from '@/components/ui/States'
import { cx } from '@/lib/cx'
import { COLUMNS, GAP, reading, ROW } from '@/lib/dashboards/grid'
import { eventsOf, holdsEvents } from '@/lib/events'
import { ago, formatTime, zoneId, zoneName } from '@/lib/format'
import { PanelBody } from '@/pages/dashboards/PanelBody'
import styles from './SharedPage.module.css'

const UTC = false // whoever has the link sees their own clock
const watched = (onChange: () => void) => {
  addEventListener('hashchange', onChange)
  return () => removeEventListener('hashchange', onChange)
}
const nothing = () => undefined

/** What a shared link shows, to read: its secret stands after # in the address. */
export default function SharedPage() {
  const token = useSyncExternalStore(watched, () => location.hash.slice(1))
  const found = useQuery({ queryKey: ['shared', token], queryFn: ({ signal }) => shares.open(token, signal), staleTime: Infinity })
  if (found.isPending) return <main className={styles.page}><Loading rows={12} /></main>
  if (!found.data) {
    const status = found.error instanceof ApiError ? found.error.status : 0
    return (
      <main className={styles.page}>
        {status === 410 || status === 404 ? <Empty title={status === 410 ? 'This link is over' : 'Nothing is shared here'} icon={<Link2Off />}><p>{status === 410 ? 'It has expired or was revoked. Ask who sent it for a new one.' : messageOf(found.error)}</p></Empty> : <Failure error={found.error} onRetry={() => void found.refetch()} />}
      </main>
    )
  }
  return <Shown token={token} shared={found.data} />
}

function Shown({ token, shared }: { readonly token: string; readonly shared: Opened }) {
  const range = `${shared.from === null ? 'the first event' : formatTime(shared.from, UTC)} to ${formatTime(shared.to, UTC)}`
  return (
    <main className={styles.page}>
      <header className={styles.head}>
        <Logo size={30} />
        <div>
          <h1>{shared.title}</h1>
          <p>{range}, {zoneName(UTC)}. Shared by {shared.shared_by}; the link ends {ago(shared.expires_at)}.</p>
        </div>
      </header>
      {shared.dashboard ? <Board token={token} shared={shared} panels={shared.dashboard.panels ?? []} /> : <Result token={token} shared={shared} />}
    </main>
  )
}

function useRows(token: string, panel: Panel | null, shared: Opened) {
  const found = useQuery({
    queryKey: ['shared rows', token, panel?.id],
    queryFn: ({ signal }) => shares.rows(token, panel?.id ?? null, zoneId(UTC), signal),
    enabled: panel?.kind !== 'markdown',
    staleTime: Infinity,
    structuralSharing: false,
  })
  const range = { ...(shared.from !== null && { from: shared.from }), to: shared.to }
  return { text: '', data: found.data, range, error: found.error, isStale: false, again: () => void found.refetch() }
}

/** The panels where they lie on the dashboard; on a narrow screen below each other. */
function Board({ token, shared, panels }: { readonly token: string; readonly shared: Opened; readonly panels: readonly Panel[] }) {
  return (
    <div className={styles.grid} style={{ gridTemplateColumns: `repeat(${COLUMNS}, minmax(0, 1fr))`, gridAutoRows: ROW, gap: GAP }}>
      {reading([...panels]).map((panel) => <Tile key={panel.id} token={token} shared={shared} panel={panel} />)}
    </div>
  )
}

function Tile({ token, shared, panel }: { readonly token: string; readonly shared: Opened; readonly panel: Panel }) {
  const found = useRows(token, panel, shared)
  const { x, y, w, h } = panel.position
  return (
    <section className={styles.tile} aria-label={panel.title || panel.id} style={{ gridColumn: `${x + 1} / span ${w}`, gridRow: `${y + 1} / span ${h}` }}>
      <h2>{panel.title}</h2>
      <div className={styles.body}><PanelBody panel={panel} found={found} utc={UTC} onZoom={nothing} /></div>
    </section>
  )
}

/** The rows of the query: events as a list, a timechart as lines, other rows as a table. */
function Result({ token, shared }: { readonly token: string; readonly shared: Opened }) {
  const found = useRows(token, null, shared)
  const { data } = found
  const kind = /\|\s*timechart\b/.test(shared.query ?? '') ? 'timeseries' : 'table'
  const panel: Panel = { id: 'rows', title: shared.title, kind, query: '', position: { x: 0, y: 0, w: COLUMNS, h: 12 } }
  const isEvents = data !== undefined && holdsEvents(data)
  return (
    <>
      {shared.query && <pre className={styles.query} aria-label="The query" tabIndex={0}>{shared.query}</pre>}
      {data?.complete === false && <p className={styles.cut} role="status">The first {data.rows.length} rows; there are more.</p>}
      <section className={cx(styles.tile, styles.rows)} aria-label="Rows">
        {isEvents && data.rows.length > 0
          ? <ol className={styles.events} aria-label="Events" tabIndex={0}>{eventsOf(data).map((event, at) => <li key={at}><EventRow event={event} utc={UTC} wrap withDate selected={false} marks={null} /></li>)}</ol>
          : <div className={styles.body}><PanelBody panel={panel} found={found} utc={UTC} onZoom={nothing} /></div>}
      </section>
    </>
  )
}
