import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ApiError } from '@/api/problem'
import { CopyButton } from '@/components/ui/CopyButton'
import { Button } from '@/components/ui/Button'
import { Empty, Failure, Loading } from '@/components/ui/States'
import { cx } from '@/lib/cx'
import { ago, formatTime } from '@/lib/format'
import { usePreference, utcPreference } from '@/lib/prefs'
import styles from './settings.module.css'

/** A section of the settings: what it is about, then its parts. */
export function Section({ label, lead, children }: { readonly label: string; readonly lead?: ReactNode; readonly children: ReactNode }) {
  return (
    <section className={styles.view} aria-label={label}>
      {lead && <p className={styles.lead}>{lead}</p>}
      {children}
    </section>
  )
}

/** What was asked for, or that it is loading, or why it cannot be had. */
export function Loaded<T>({ query, children }: { readonly query: UseQueryResult<T>; readonly children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return <>{children(query.data)}</>
  if (query.isPending) return <Loading />
  if (query.error instanceof ApiError && query.error.status === 403) return <Empty title="Not for your role"><p>{query.error.message}</p></Empty>
  return <Failure error={query.error} onRetry={() => void query.refetch()} />
}

/** How long ago, with the exact time at hand. */
export function When({ time, never = 'never' }: { readonly time: string | null; readonly never?: string }) {
  const utc = usePreference(utcPreference)
  return time === null ? <span className={styles.off}>{never}</span> : <time dateTime={time} title={formatTime(time, utc)}>{ago(time)}</time>
}

/** A secret that is shown this once. */
export function Once({ title, secret, onClose, children }: { readonly title: string; readonly secret: string; readonly onClose: () => void; readonly children?: ReactNode }) {
  return (
    <div className={cx(styles.panel, styles.once)} role="status">
      <div className={styles.row}><h2>{title}</h2><Button look="quiet" className={styles.push} onClick={onClose}>Done</Button></div>
      <p>Copy it now: it is not shown again.</p>
      <div className={styles.secret}><code>{secret}</code><CopyButton text={secret} label={`Copy: ${title}`}>Copy</CopyButton></div>
      {children}
    </div>
  )
}
