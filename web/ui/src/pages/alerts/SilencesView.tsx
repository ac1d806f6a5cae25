import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { BellOff } from 'lucide-react'
import { messageOf } from '@/api/problem'
import { silences, type Maintenance, type Silence } from '@/api/silences'
import { Button } from '@/components/ui/Button'
import { Empty, Failure, Loading, Snippet } from '@/components/ui/States'
import { StatePill } from '@/components/ui/StatePill'
import { ago, formatTime, plural } from '@/lib/format'
import { usePreference, utcPreference } from '@/lib/prefs'
import styles from './Lists.module.css'

const EXAMPLE = `maintenance:
  nightly:
    schedule: "0 2 * * *"
    duration: 1h
    timezone: Europe/Berlin
    match: {host: [db-1]}
    reason: backup`

/** Of what nobody is told: silences that hold, are to come, or have ended, and the configuration's maintenance windows. */
export default function SilencesView() {
  const utc = usePreference(utcPreference)
  const found = useInfiniteQuery({
    queryKey: ['silences'],
    queryFn: ({ pageParam, signal }) => silences.list(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: 10_000,
  })
  const windows = useQuery({ queryKey: ['maintenance'], queryFn: ({ signal }) => silences.maintenance(signal), refetchInterval: 30_000 })
  const list = found.data?.pages.flatMap((page) => page.items) ?? []
  const regular = windows.data ?? []
  return (
    <section className={styles.view} aria-label="Silences">
      {found.isError && list.length === 0 ? <Failure error={found.error} onRetry={() => void found.refetch()} />
        : found.isPending || windows.isPending ? <Loading />
        : list.length + regular.length === 0 ? (
          <Empty title="Nothing is silenced" icon={<BellOff />}>
            <p>Silence an incident on its page. For work that comes again, write a window into the YAML:</p>
            <Snippet label="A maintenance window in YAML" text={EXAMPLE} />
          </Empty>
        ) : (
          <ul className={styles.list}>
            {regular.map((one) => <MaintenanceCard key={one.name} window={one} utc={utc} />)}
            {list.map((one) => <SilenceCard key={one.id} silence={one} utc={utc} />)}
          </ul>
        )}
      {found.hasNextPage && <div className={styles.more}><Button onClick={() => void found.fetchNextPage()} disabled={found.isFetchingNextPage}>Older silences</Button></div>}
    </section>
  )
}

function SilenceCard({ silence, utc }: { readonly silence: Silence; readonly utc: boolean }) {
  const client = useQueryClient()
  const end = useMutation({
    mutationFn: () => silences.end(silence),
    onSettled: () => Promise.all(['incidents', 'silences'].map((key) => client.invalidateQueries({ queryKey: [key] }))),
  })
  return (
    <li className={styles.row}>
      <article className={styles.card} aria-label={`Silence ${silence.id}`}>
        <header className={styles.top}>
          <StatePill state={silence.state} />
          <h2>{silence.reason || `Silence ${silence.id}`}</h2>
          <span className={styles.push}>by {silence.created_by}, {ago(silence.created_at)}</span>
        </header>
        <Matchers about={silence} />
        <p className={styles.facts}>
          <span>from <b>{formatTime(silence.from, utc)}</b></span>
          <span>until <b>{formatTime(silence.until, utc)}</b></span>
          {silence.recurring && <span>each <code>{silence.recurring.schedule}</code> for <b>{silence.recurring.duration}</b> in {silence.recurring.timezone}</span>}
          {silence.ended_by && <span>ended by <b>{silence.ended_by}</b></span>}
          <span>matches <b>{plural(silence.fits_now, 'incident')}</b> now, {silence.fits_week} in the last week</span>
        </p>
        {silence.state !== 'ended' && <p><Button disabled={end.isPending} onClick={() => end.mutate()}>End now</Button></p>}
        {end.isError && <p className={styles.wrong} role="alert">{messageOf(end.error)}</p>}
      </article>
    </li>
  )
}

function MaintenanceCard({ window, utc }: { readonly window: Maintenance; readonly utc: boolean }) {
  return (
    <li className={styles.row}>
      <article className={styles.card} aria-label={`Maintenance ${window.name}`}>
        <header className={styles.top}>
          <StatePill state={window.holds ? 'active' : 'coming'} />
          <h2>{window.name}</h2>
          <span className={styles.push}>maintenance, of the configuration</span>
        </header>
        <Matchers about={window} />
        <p className={styles.facts}>
          <span>each <code>{window.schedule}</code> for <b>{window.duration}</b> in {window.timezone}</span>
          <span>next <b>{formatTime(window.next_begin, utc)}</b></span>
          {window.reason && <span>{window.reason}</span>}
        </p>
      </article>
    </li>
  )
}

function Matchers({ about }: { readonly about: Silence | Maintenance }) {
  const parts = [
    ...(about.detectors.length > 0 ? [`detector ${about.detectors.join(' or ')}`] : []),
    ...Object.entries(about.match).map(([name, values]) => `${name}=${values.join(' or ')}`),
    ...(about.severities.length > 0 ? [about.severities.join(' or ')] : []),
  ]
  return <p className={styles.meta}>{parts.length === 0 ? 'every incident of the project' : parts.map((part) => <code key={part}>{part}</code>)}</p>
}
