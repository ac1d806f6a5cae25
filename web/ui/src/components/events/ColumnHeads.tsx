import { X } from 'lucide-react'
import styles from './EventRow.module.css'

/** What stands over the list when fields have columns: their names, each with the way to be rid of it. */
export default function ColumnHeads({ columns, withDate, onRemove }: { readonly columns: readonly string[]; readonly withDate: boolean; readonly onRemove: (name: string) => void }) {
  return (
    <div className={styles.heads} role="group" aria-label="Columns">
      <span className={withDate ? styles.datedHead : styles.timeHead}>time</span>
      <span className={styles.severityHead}>severity</span>
      <span className={styles.serviceHead}>service</span>
      {columns.map((name) => (
        <span key={name} className={styles.columnHead} title={name}>
          <span>{name}</span>
          <button type="button" onClick={() => onRemove(name)} title={`Without the column ${name}`} aria-label={`Remove the column ${name}`}><X aria-hidden /></button>
        </span>
      ))}
      <span>message</span>
    </div>
  )
}
