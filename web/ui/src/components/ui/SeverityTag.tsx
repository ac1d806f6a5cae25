import { cx } from '@/lib/cx'
import { levelOf } from '@/lib/severity'
import styles from './SeverityTag.module.css'

/** A severity as a coloured mark and its word: never by colour alone. */
export function SeverityTag({ severity, className }: { readonly severity: unknown; readonly className?: string | undefined }) {
  const level = levelOf(severity)
  const text = typeof severity === 'string' ? severity : '—'
  return <span className={cx(styles.tag, styles[level.toLowerCase()], className)}>{text}</span>
}
