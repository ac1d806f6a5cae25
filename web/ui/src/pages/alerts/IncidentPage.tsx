import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ArrowLeft, BellOff, Check, Eye, ScrollText } from 'lucide-react'
import { lazy, Suspense, useMemo, useState, type ReactNode } from 'react'
import { api, type Incident } from '@/api/client'
import { messageOf } from '@/api/problem'
import { EventRow } from '@/components/events/EventRow'
import { QueryText } from '@/components/query/QueryText'
import { Button } from '@/components/ui/Button'
import { SeverityTag } from '@/components/ui/SeverityTag'
import { Failure, Loading } from '@/components/ui/States'
import { StatePill } from '@/components/ui/StatePill'
import { ago, formatTime, valueText } from '@/lib/format'
import { runHistogram } from '@/lib/histogramQuery'
import { usePreference, utcPreference } from '@/lib/prefs'
import { CausesPanel } from './CausesPanel'
import { CommentBox } from './CommentBox'
import { NotificationCard } from './NotificationsView'
import { SilenceForm } from './SilenceForm'
import { timelineOf } from './timeline'
import lists from './Lists.module.css'
import styles from './IncidentPage.module.css'

const route = getRouteApi('/alerts/incidents/$id')
const HistogramChart = lazy(() => import('@/components/chart/HistogramChart').then((module) => ({ default: module.HistogramChart })))

const FigureChart = lazy(() => import('@/components/chart/FigureChart').then((module) => ({ default: module.FigureChart })))

/** One incident: what happened, the events behind it, who was told, and what to do with it. */
export default function IncidentPage() {
  const id = Number(route.useParams().id)
  const client = useQueryClient()
  const incident = useQuery({ queryKey: ['incident', id], queryFn: ({ signal }) => api.incident(id, signal), refetchInterval: 5000 })
  const change = useMutation({
    mutationFn: (verb: 'acknowledge' | 'resolve') => api[verb](id),
    onSuccess: async () => {
      await Promise.all([client.invalidateQueries({ queryKey: ['incident', id] }), client.invalidateQueries({ queryKey: ['incidents'] })])
    },
  })
  const [silencing, setSilencing] = useState(false)
  const data = incident.data
  return (
    <div className={styles.page}>
      <Link to="/alerts/incidents" className={styles.back}><ArrowLeft aria-hidden /> Incidents</Link>
      {incident.isPending && <Loading />}
      {incident.isError && !data && <Failure error={incident.error} onRetry={() => void incident.refetch()} />}
      {data && (
        <>
          <header className={styles.head}>
            <div className={styles.pills}><StatePill state={data.state} />{data.flapping && <StatePill state="flapping" />}<SeverityTag severity={data.severity} /><span>{data.detector} · #{data.id}</span></div>
            <h1>{data.title}</h1>
            <div className={styles.actions}>
              <Link to="/explore" search={{ q: data.query, from: data.from, to: data.to }} className={styles.explore}><ScrollText aria-hidden /> Events in Explore</Link>
              {(data.state === 'open' || data.state === 'silenced') && <Button icon={<Eye />} disabled={change.isPending} onClick={() => change.mutate('acknowledge')}>Acknowledge</Button>}
              {data.state !== 'resolved' && <Button icon={<BellOff />} onClick={() => setSilencing(true)}>Silence</Button>}
              {data.state !== 'resolved' && <Button icon={<Check />} disabled={change.isPending} onClick={() => change.mutate('resolve')}>Resolve</Button>}
            </div>
            {change.isError && <p className={lists.wrong} role="alert">{messageOf(change.error)}</p>}
          </header>
          {silencing && <SilenceForm incident={data} onClose={() => setSilencing(false)} />}
          <Body incident={data} />
        </>
      )}
    </div>
  )
}

function Body({ incident }: { readonly incident: Incident }) {
  const utc = usePreference(utcPreference)
  const facts = [...Object.entries(incident.values), ...Object.entries(incident.group)]
  const notifications = incident.notifications ?? []
  return (
    <div className={styles.columns}>
      <div className={styles.main}>
        <Panel title="What was seen last">
          <dl className={styles.facts}>
            {facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{typeof value === 'number' ? value.toLocaleString('en-US') : valueText(value)}</dd></div>)}
            <div><dt>from</dt><dd className={styles.small}>{formatTime(incident.from, utc)}</dd></div>
            <div><dt>to</dt><dd className={styles.small}>{formatTime(incident.to, utc)}</dd></div>
          </dl>
          <Link to="/explore" search={{ q: incident.query, from: incident.from, to: incident.to }} className={lists.query} title="Run this query in Explore"><QueryText text={incident.query} /></Link>
          <Around incident={incident} utc={utc} />
        </Panel>
        <Panel title="What is different"><CausesPanel incident={incident} /></Panel>
        <Panel title="Sample events">
          {incident.samples.length === 0 && <p className={styles.none}>The detector kept no events.</p>}
          <div className={styles.samples}>
            {incident.samples.map((event, index) => <EventRow key={index} event={event} utc={utc} wrap withDate={false} selected={false} marks={null} />)}
          </div>
        </Panel>
        <Suppressed incident={incident} />
        <Panel title="Notifications">
          {notifications.length === 0
            ? <p className={styles.none}>{incident.state === 'silenced' ? 'Nobody was told: it is silenced.' : 'Nobody was told: the detector names no notifier.'}</p>
            : <ul className={styles.flat}>{notifications.map((one) => <NotificationCard key={one.id} notification={one} utc={utc} />)}</ul>}
        </Panel>
      </div>
      <Panel title="Timeline">
        <ol className={styles.timeline}>
          {timelineOf(incident).map((moment, index) => (
            <li key={index} className={styles[moment.tone]}>
              <b>{moment.what}</b>
              {moment.detail && <span className={styles.detail}>{moment.detail}</span>}
              {moment.text && <p className={styles.said}>{moment.text}</p>}
              <time dateTime={moment.at}>{formatTime(moment.at, utc)} <span>{ago(moment.at)}</span></time>
            </li>
          ))}
        </ol>
        <CommentBox id={incident.id} />
      </Panel>
    </div>
  )
}

function Panel({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return <section className={styles.panel} aria-label={title}><h2>{title}</h2>{children}</section>
}

/** The incident that suppresses this one, or those that this one suppresses. */
function Suppressed({ incident }: { readonly incident: Incident }) {
  const below = useQuery({ queryKey: ['incident', incident.id, 'suppressed'], queryFn: ({ signal }) => api.suppressed(incident.id, signal), refetchInterval: 10_000 })
  const list = below.data ?? []
  if (incident.suppressed_by === null && list.length === 0) return null
  return (
    <Panel title="Dependencies">
      {incident.suppressed_by !== null && <p>Depends on <Link to="/alerts/incidents/$id" params={{ id: String(incident.suppressed_by) }}>incident {incident.suppressed_by}</Link>, of which people are told instead.</p>}
      {list.length > 0 && <p>Nobody is told of these while this one lasts:</p>}
      <ul className={styles.flat}>
        {list.map((one) => <li key={one.id}><StatePill state={one.state} /> <Link to="/alerts/incidents/$id" params={{ id: String(one.id) }}>{one.title}</Link></li>)}
      </ul>
    </Panel>
  )
}

const LEAD = 2 // window widths shown before the one that fired

/** The figure that a threshold was held against, with its bounds; else the events of the incident's group around the time. */
function Around({ incident, utc }: { readonly incident: Incident; readonly utc: boolean }) {
  const navigate = route.useNavigate()
  const figures = useQuery({ queryKey: ['incident', incident.id, 'figures'], queryFn: ({ signal }) => api.figures(incident.id, signal), staleTime: 60_000, retry: false })
  const marked = useMemo(() => ({ from: Date.parse(incident.opened_at), to: Date.parse(incident.last_seen_at) }), [incident.opened_at, incident.last_seen_at])
  const onZoom = (from: number, to: number) => void navigate({ to: '/explore', search: { q: incident.query, from: new Date(from).toISOString(), to: new Date(to).toISOString() } })
  if (figures.isPending) return <div style={{ height: 190 }} />
  if (!figures.data) return <Bars incident={incident} utc={utc} onZoom={onZoom} />
  return (
    <Suspense fallback={<div style={{ height: 190 }} />}>
      <FigureChart figures={figures.data} marked={marked} utc={utc} height={160} onZoom={onZoom} />
    </Suspense>
  )
}

function Bars({ incident, utc, onZoom }: { readonly incident: Incident; readonly utc: boolean; readonly onZoom: (from: number, to: number) => void }) {
  const { query } = incident
  const [from, to] = [Date.parse(incident.from), Date.parse(incident.to)]
  const width = Math.max(60_000, to - from)
  const range = { from: new Date(from - LEAD * width).toISOString(), to: new Date(to + width / 4).toISOString() }
  const bars = useQuery({ queryKey: ['incident', incident.id, 'bars', range], queryFn: ({ signal }) => runHistogram({ query, range, utc, bars: 60 }, signal), staleTime: 60_000 })
  if (!bars.data || bars.data.total === 0) return null
  return (
    <Suspense fallback={<div style={{ height: 110 }} />}>
      <HistogramChart bars={bars.data} utc={utc} height={110} onZoom={onZoom} />
    </Suspense>
  )
}
