import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Send } from 'lucide-react'
import { api, type Notification } from '@/api/client'
import { Button } from '@/components/ui/Button'
import { Empty, Failure, Loading, Snippet } from '@/components/ui/States'
import { StatePill } from '@/components/ui/StatePill'
import { ago, formatTime } from '@/lib/format'
import { usePreference, utcPreference } from '@/lib/prefs'
import { Attempts } from './Attempts'
import { DETECTOR_SNIPPET } from './snippet'
import styles from './Lists.module.css'

/** What was sent, to whom, and how each try went. */
export default function NotificationsView() {
  const utc = usePreference(utcPreference)
  const notifications = useInfiniteQuery({
    queryKey: ['notifications'],
    queryFn: ({ pageParam, signal }) => api.notifications(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: 5000,
  })
  const list = notifications.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <section className={styles.view} aria-label="Notifications">
      {notifications.isError && list.length === 0 ? <Failure error={notifications.error} onRetry={() => void notifications.refetch()} />
        : notifications.isPending ? <Loading />
        : list.length === 0 ? (
          <Empty title="Nothing was sent yet" icon={<Send />}>
            <p>When an incident opens or resolves, the notifiers of its detector are told. Name them under <code>notify</code>:</p>
            <Snippet label="A detector in YAML" text={DETECTOR_SNIPPET} />
          </Empty>
        ) : <ul className={styles.list}>{list.map((one) => <NotificationCard key={one.id} notification={one} utc={utc} withTitle />)}</ul>}
      {notifications.hasNextPage && <div className={styles.more}><Button onClick={() => void notifications.fetchNextPage()} disabled={notifications.isFetchingNextPage}>Older notifications</Button></div>}
    </section>
  )
}

/** One notification with its tries. */
export function NotificationCard({ notification, utc, withTitle = false }: { readonly notification: Notification; readonly utc: boolean; readonly withTitle?: boolean }) {
  return (
    <li className={styles.row}>
      <article className={styles.card}>
        <header className={styles.top}>
          <StatePill state={notification.status} />
          {withTitle
            ? <h2>{notification.incident_id === null ? <Link to="/reports">{notification.incident_title}</Link> : <Link to="/alerts/incidents/$id" params={{ id: String(notification.incident_id) }}>{notification.incident_title}</Link>}</h2>
            : <h2>{notification.notifier}</h2>}
          <time className={styles.push} dateTime={notification.created_at} title={formatTime(notification.created_at, utc)}>{ago(notification.created_at)}</time>
        </header>
        <p className={styles.facts}>
          <span>{notification.report === null ? 'incident' : notification.report} <b>{notification.event}</b></span>
          <span>by <b>{notification.channel}</b> to <b>{notification.notifier}</b></span>
          <span title={notification.delivery_id}>delivery <code>{notification.delivery_id.slice(0, 8)}</code></span>
          {notification.digest && <span>in digest <code>{notification.digest}</code></span>}
        </p>
        <Attempts notification={notification} utc={utc} />
        {notification.error && <p className={styles.wrong}>{notification.error}</p>}
      </article>
    </li>
  )
}
