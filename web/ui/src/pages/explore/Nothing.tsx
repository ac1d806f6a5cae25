import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { PackageOpen, SearchX } from 'lucide-react'
import { useEffect } from 'react'
import { api } from '@/api/client'
import { Button } from '@/components/ui/Button'
import { Empty, Loading, Snippet } from '@/components/ui/States'
import { sendSnippet } from '@/lib/snippets'
import { ALL_TIME, type Range } from '@/lib/time/range'
import styles from './Nothing.module.css'

interface NothingProps {
  readonly query: string
  readonly range: Range
  readonly onRange: (range: Range) => void
  readonly onClear: () => void
  readonly onAgain: () => void
}

/** No event was found: either none has ever arrived, or none matches. Each has another next step. */
export function Nothing({ query, range, onRange, onClear, onAgain }: NothingProps) {
  const status = useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => api.status(signal),
    staleTime: 0,
    refetchInterval: (latest) => (latest.state.data && !hasEvents(latest.state.data) ? 2000 : false),
  })
  const waiting = status.data !== undefined && !hasEvents(status.data)
  if (status.isPending) return <Loading />
  return waiting ? <First /> : <NoMatch query={query} range={range} onRange={onRange} onClear={onClear} onAgain={onAgain} />
}

interface Counts { readonly segments: { readonly rows: number }; readonly ingest: { readonly events_total: number } | null }
const hasEvents = (status: Counts): boolean => status.segments.rows > 0 || (status.ingest?.events_total ?? 0) > 0

function First() {
  return (
    <Empty title="No events yet" icon={<PackageOpen />}>
      <p>Send the first one from a terminal. It shows up here within a second.</p>
      <Snippet label="Send an event with curl" text={sendSnippet(location.origin)} />
      <p><Link to="/start">Fluent Bit, Vector, OpenTelemetry and others</Link></p>
      <p className={styles.wait}><i /> Waiting for the first event…</p>
    </Empty>
  )
}

function NoMatch({ query, range, onRange, onClear, onAgain }: NothingProps) {
  // Events may have come in since the query ran: the waiting page above turns into this one.
  useEffect(() => {
    if (query === '' && range.from === null) onAgain()
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once, when it appears
  }, [])
  return (
    <Empty title={query ? 'Nothing matches' : 'No events in this time'} icon={<SearchX />}>
      <p>{query ? 'No event in this time range fits the query. Look further back, or take a term away.' : 'Nothing arrived in this time range. Look further back.'}</p>
      <div className={styles.actions}>
        {range.from !== null && <Button look="primary" onClick={() => onRange({ from: '-24h', to: null })}>Last 24 hours</Button>}
        {range.from !== null && <Button onClick={() => onRange(ALL_TIME)}>All time</Button>}
        {query && <Button onClick={onClear}>Clear the query</Button>}
      </div>
      {!query && <Snippet label="Send an event with curl" text={sendSnippet(location.origin)} />}
    </Empty>
  )
}
