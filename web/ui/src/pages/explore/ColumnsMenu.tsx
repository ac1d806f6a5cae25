import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '@/api/client'
import { messageOf } from '@/api/problem'
import { IN_EVERY_ROW, MOST_COLUMNS, withColumn } from '@/lib/columns'
import { compact } from '@/lib/format'
import type { Resolved } from '@/lib/time/range'
import styles from './ColumnsMenu.module.css'

interface ColumnsMenuProps {
  readonly query: string
  readonly range: Resolved
  readonly stamp: number
  readonly chosen: readonly string[]
  readonly onChange: (columns: readonly string[]) => void
}

/** Which fields of the events found have a column of their own. */
export default function ColumnsMenu({ query, range, stamp, chosen, onChange }: ColumnsMenuProps) {
  const [filter, setFilter] = useState('')
  const fields = useQuery({
    queryKey: ['explore', 'fields', query, range, stamp], // the sidebar's own: it is asked once
    queryFn: ({ signal }) => api.fields(query, range, signal),
    staleTime: Infinity,
  })
  const found = (fields.data ?? []).filter(({ name }) => !IN_EVERY_ROW.has(name)).sort((a, b) => b.count - a.count || a.name.localeCompare(b.name))
  const absent = chosen.filter((name) => !found.some((field) => field.name === name)).map((name) => ({ name, count: 0 }))
  const wanted = [...absent, ...found].filter(({ name }) => name.toLowerCase().includes(filter.toLowerCase()))
  const full = chosen.length >= MOST_COLUMNS
  return (
    <div className={styles.menu}>
      <input className={styles.filter} data-autofocus placeholder="Find a field" aria-label="Find a field for a column" value={filter} onChange={(event) => setFilter(event.target.value)} spellCheck={false} />
      {fields.isError && <p className={styles.note}>{messageOf(fields.error)}</p>}
      {fields.isPending && <p className={styles.note}>Counting fields…</p>}
      {fields.data && wanted.length === 0 && <p className={styles.note}>{filter ? 'No field has that in its name.' : 'These events have no further fields.'}</p>}
      <ul className={styles.list} aria-label="Columns">
        {wanted.map(({ name, count }) => (
          <li key={name}>
            <label className={styles.field} title={name}>
              <input type="checkbox" checked={chosen.includes(name)} disabled={full && !chosen.includes(name)} onChange={() => onChange(withColumn(chosen, name))} />
              <span>{name}</span>
              <i>{compact(count)}</i>
            </label>
          </li>
        ))}
      </ul>
      <footer className={styles.foot}>
        <span>{full ? `${MOST_COLUMNS} at most` : 'Without columns, fields follow the message.'}</span>
        {chosen.length > 0 && <button type="button" className={styles.none} onClick={() => onChange([])}>No columns</button>}
      </footer>
    </div>
  )
}
