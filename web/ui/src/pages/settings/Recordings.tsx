import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { admin, type Recording } from '@/api/admin'
import { api } from '@/api/client'
import { Spark } from '@/components/chart/Spark'
import { Snippet } from '@/components/ui/States'
import { StatePill } from '@/components/ui/StatePill'
import { Table } from '@/components/ui/Table'
import { count, plural, valueText } from '@/lib/format'
import { quoteText } from '@/lib/query/edit'
import { Loaded, Section, When } from './parts'
import styles from './settings.module.css'

const EXAMPLE = `recordings:
  checkout_errors:
    query: "service:checkout severity>=error | stats count() as n by region"
    every: 1m`

const STEPS = 40

/** The query that shows a recording, in Explore and in the panel of a dashboard. */
const chartOf = ({ name, every }: Recording) => `from metrics | where name = ${quoteText(name)} | timechart span=${every} sum(value)`

/** Figures of queries that are kept as metrics: how far each has come, what it said last, and how it went. */
export default function Recordings() {
  const recordings = useQuery({ queryKey: ['recordings'], queryFn: ({ signal }) => admin.recordings(signal), refetchInterval: 15_000 })
  return (
    <Section label="Recordings" lead={<>Figures of queries, kept step by step as metrics. Panels of dashboards and reports read them with <code>from metrics</code>.</>}>
      <Loaded query={recordings}>
        {(rows) => rows.length === 0 ? <><p className={styles.dim}>Nothing is recorded. Write a recording into the YAML:</p><Snippet label="A recording in YAML" text={EXAMPLE} /></> : (
          <Table
            label="Recordings"
            rows={rows}
            id={(one) => one.name}
            columns={[
              { name: 'Name', cell: (one) => <Link to="/explore" search={{ q: chartOf(one), from: '-24h' }} title={one.query}>{one.name}</Link> },
              { name: 'State', cell: (one) => <State recording={one} /> },
              { name: `Last ${STEPS} steps`, cell: (one) => <Course recording={one} /> },
              { name: 'Last value', align: 'right', cell: (one) => <Last recording={one} /> },
              { name: 'Kind', cell: (one) => one.kind },
              { name: 'Every', align: 'right', cell: (one) => one.every },
              { name: 'Kept', align: 'right', cell: (one) => one.keep },
              { name: 'Series', align: 'right', cell: (one) => <span title={`at most ${count(one.max_series)}`}>{count(one.series)}</span> },
              { name: 'Left out', align: 'right', cell: (one) => count(one.dropped) },
              { name: 'Recorded until', cell: (one) => <When time={one.recorded_until} /> },
            ]}
          />
        )}
      </Loaded>
    </Section>
  )
}

function State({ recording }: { readonly recording: Recording }) {
  if (recording.error !== null) return <><StatePill state="error" /> <span className={styles.bad}>{recording.error}</span></>
  return <StatePill state={recording.recorded_until === null ? 'waiting' : 'ok'} />
}

/** The sums over the series of the newest steps, oldest first. */
function useFigures({ name, recorded_until }: Recording) {
  return useQuery({
    queryKey: ['recordings', 'figures', name, recorded_until],
    queryFn: ({ signal }) => api.query({ query: `from metrics | where name = ${quoteText(name)} | stats sum(value) as n by timestamp | sort -timestamp | limit ${STEPS}` }, signal),
    select: ({ columns, rows }) => { const at = columns.findIndex((column) => column.name === 'n'); return rows.map((row) => Number(row[at])).reverse() },
    enabled: recorded_until !== null,
    placeholderData: (previous) => previous,
    staleTime: Infinity,
  })
}

function Course({ recording }: { readonly recording: Recording }) {
  const figures = useFigures(recording).data ?? []
  return figures.length > 0 && <div className={styles.course}><Spark bars={figures} label={`The last ${plural(figures.length, 'step')} of ${recording.name}`} /></div>
}

function Last({ recording }: { readonly recording: Recording }) {
  const last = useFigures(recording).data?.at(-1)
  return last === undefined ? null : valueText(last)
}
