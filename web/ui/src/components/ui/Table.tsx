import type { ReactNode } from 'react'
import styles from './Table.module.css'

export interface Column<T> { readonly name: string; readonly align?: 'right' | 'actions'; readonly cell: (row: T) => ReactNode }

interface TableProps<T> { readonly label: string; readonly columns: readonly Column<T>[]; readonly rows: readonly T[]; readonly id: (row: T) => string | number }

/** Rows of things; where it is too wide it scrolls by itself, and on a telephone each row is a list of what it says. */
export function Table<T>({ label, columns, rows, id }: TableProps<T>) {
  return (
    <div className={styles.frame} tabIndex={0} role="region" aria-label={label}>
      <table className={styles.table}>
        <thead><tr>{columns.map(({ name, align }) => <th key={name} scope="col" className={align && styles[align]}>{align === 'actions' ? <span className="sr-only">{name}</span> : name}</th>)}</tr></thead>
        <tbody>
          {rows.map((row) => <tr key={id(row)}>{columns.map(({ name, align, cell }) => <td key={name} data-name={name} className={align && styles[align]}>{cell(row)}</td>)}</tr>)}
        </tbody>
      </table>
    </div>
  )
}
