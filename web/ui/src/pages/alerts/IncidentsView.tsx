import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ShieldCheck } from 'lucide-react'
import { api, type Incident } from '@/api/client'
import { Button } from '@/components/ui/Button'
import { SeverityTag } from '@/components/ui/SeverityTag'
import { Empty, Failure, Loading, Snippet } from '@/components/ui/States'
import { StatePill } from '@/components/ui/StatePill'
import { cx } from '@/lib/cx'
import { ago, formatTime, span, valueText } from '@/lib/format'
import { usePreference, utcPreference } from '@/lib/prefs'
import { DETECTOR_SNIPPET } from './snippet'
import styles from './Lists.module.css'

const route = getRouteApi('/alerts/incidents')
const STATES = ['all', 'open', 'acknowledged', 'silenced', 'resolved'] as const

/** Incidents, newest first, of all states or one. */
export default function IncidentsView() {
  const state = route.useSearch().state ?? 'all'
  const navigate = route.useNavigate()
  const utc = usePreference(utcPreference)
  const incidents = useInfiniteQuery({
    queryKey: ['incidents', state],
    queryFn: ({ pageParam, signal }) => api.incidents(state === 'all' ? undefined : state, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: 5000,
  })
  const list = incidents.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <section className={styles.view} aria-label="Incidents">
      <div className={styles.filters} role="group" aria-label="State">
        {STATES.map((name) => (
          <Button key={name} look="quiet" pressed={state === name} onClick={() => void navigate({ search: name === 'all' ? {} : { state: name } })}>
            {name === 'all' ? 'All' : name.charAt(0).toUpperCase() + name.slice(1)}
          </Button>
        ))}
      </div>
      {incidents.isError && list.length === 0 ? <Failure error={incidents.error} onRetry={() => void incidents.refetch()} />
        : incidents.isPending ? <Loading />
        : list.length === 0 ? <NoIncidents state={state} />
        : <ul className={styles.list}>{list.map((incident) => <IncidentLine key={incident.id} incident={incident} utc={utc} />)}</ul>}
      {incidents.hasNextPage && <div className={styles.more}><Button onClick={() => void incidents.fetchNextPage()} disabled={incidents.isFetchingNextPage}>Older incidents</Button></div>}
    </section>
  )
}

function IncidentLine({ incident, utc }: { readonly incident: Incident; readonly utc: boolean }) {
  const end = incident.resolved_at ?? incident.last_seen_at
  return (
    <li className={cx(styles.row, incident.state === 'open' && styles.hot)}>
      <Link to="/alerts/incidents/$id" params={{ id: String(incident.id) }} className={styles.link}>
        <span className={styles.state}><StatePill state={incident.state} /></span>
        <span className={styles.main}>
          <span className={styles.title}>{incident.title}</span>
          <span className={styles.meta}>
            <SeverityTag severity={incident.severity} />
            <span>{incident.detector}</span>
            {incident.flapping && <span title="It opens and ends again and again, and stays open until it is calm">flapping, {incident.flaps} times</span>}
            {Object.entries(incident.group).map(([name, value]) => <code key={name}>{name}={valueText(value)}</code>)}
          </span>
        </span>
        <span className={styles.times}>
          <time dateTime={incident.opened_at} title={formatTime(incident.opened_at, utc)}>{ago(incident.opened_at)}</time>
          <span>{incident.state === 'resolved' ? 'lasted' : 'for'} {span(Math.max(0, (Date.parse(end) - Date.parse(incident.opened_at)) / 1000))}</span>
        </span>
      </Link>
    </li>
  )
}

function NoIncidents({ state }: { readonly state: string }) {
  if (state !== 'all') return <Empty title={`No ${state} incidents`} icon={<ShieldCheck />}><p>Incidents of the other states are under “All”.</p></Empty>
  return (
    <Empty title="No incidents so far" icon={<ShieldCheck />}>
      <p>A detector opens one when its condition holds. Write one into the YAML and start with <code>cordwood up FILE.yaml</code>:</p>
      <Snippet label="A detector in YAML" text={DETECTOR_SNIPPET} />
    </Empty>
  )
}
