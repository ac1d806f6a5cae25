import { AlertTriangle } from 'lucide-react'
import type { ReactNode } from 'react'
import { cx } from '@/lib/cx'
import { messageOf } from '@/api/problem'
import { Button } from './Button'
import { CopyButton } from './CopyButton'
import styles from './States.module.css'

interface EmptyProps {
  readonly title: string
  readonly icon?: ReactNode
  readonly children?: ReactNode
}

/** Nothing to show, and what to do next. */
export function Empty({ title, icon, children }: EmptyProps) {
  return (
    <div className={styles.state}>
      {icon && <div className={styles.icon}>{icon}</div>}
      <h2>{title}</h2>
      {children}
    </div>
  )
}

/** What went wrong, in the server's own words. */
export function Failure({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  return (
    <div className={styles.state} role="alert">
      <div className={cx(styles.icon, styles.bad)}><AlertTriangle /></div>
      <h2>That did not work</h2>
      <p className={styles.message}>{messageOf(error)}</p>
      {onRetry && <Button onClick={onRetry}>Try again</Button>}
    </div>
  )
}

/** Grey bars where rows will stand. */
export function Loading({ rows = 8, label = 'Loading' }: { readonly rows?: number; readonly label?: string }) {
  return (
    <div className={styles.loading} role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, at) => <div key={at} className={styles.bar} style={{ width: `${[92, 78, 86, 64, 88, 71, 81, 58][at % 8] ?? 80}%` }} />)}
    </div>
  )
}

/** A command to paste into a terminal. */
export function Snippet({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div className={styles.snippet}>
      <pre tabIndex={0} aria-label={label}>{text}</pre>
      <CopyButton text={text} label={`Copy: ${label}`}>Copy</CopyButton>
    </div>
  )
}

/** A thin moving line while something runs. */
export function Progress({ active }: { readonly active: boolean }) {
  return <div className={cx(styles.progress, active && styles.active)} role="progressbar" aria-label="Loading" aria-hidden={!active} />
}
