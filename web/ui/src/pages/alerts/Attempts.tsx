import type { Notification } from '@/api/client'
import { formatTime } from '@/lib/format'
import styles from './Lists.module.css'

/** Every try to deliver a notification, and what the other side answered. */
export function Attempts({ notification, utc }: { readonly notification: Notification; readonly utc: boolean }) {
  if (notification.attempts.length === 0) return <p className={styles.facts}>Not tried yet.</p>
  return (
    <ol className={styles.attempts}>
      {notification.attempts.map((attempt, index) => (
        <li key={index}>
          <time dateTime={attempt.at}>{formatTime(attempt.at, utc)}</time>
          <span className={attempt.ok ? styles.yes : styles.no}>{attempt.ok ? 'delivered' : 'failed'}</span>
          <code>{attempt.detail}</code>
        </li>
      ))}
    </ol>
  )
}
