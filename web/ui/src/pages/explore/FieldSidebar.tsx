import { useQuery } from '@tanstack/react-query'
import { Braces, ChevronRight, Clock3, Hash, ToggleLeft, Type, X } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { api } from '@/api/client'
import { Button } from '@/components/ui/Button'
import { messageOf } from '@/api/problem'
import { cx } from '@/lib/cx'
import { compact, count } from '@/lib/format'
import type { FieldValue } from '@/lib/query/edit'
import type { Resolved } from '@/lib/time/range'
import styles from './FieldSidebar.module.css'

// Nobody has opened a field when the page opens.
const TopValues = lazy(() => import('./TopValues').then((module) => ({ default: module.TopValues })))

export interface FieldSidebarProps {
  readonly query: string
  readonly range: Resolved
  readonly stamp: number | string
  readonly onFilter: (field: string, value: FieldValue, negated: boolean) => void
  readonly onClose: () => void
}

const FIRST = ['severity', 'service', 'host', 'source', 'trace_id', 'parse_error']
const HIDDEN = new Set(['timestamp', 'observed_timestamp', 'message', 'severity_text', 'severity_number'])

/** The fields of the events found, with how many have each; one opened shows its top values. */
export function FieldSidebar({ query, range, stamp, onFilter, onClose }: FieldSidebarProps) {
  const [filter, setFilter] = useState('')
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const fields = useQuery({
    queryKey: ['explore', 'fields', query, range, stamp],
    queryFn: ({ signal }) => api.fields(query, range, signal),
    staleTime: Infinity,
    placeholderData: (previous) => previous,
  })
  const toggle = (name: string) => setOpen((names) => {
    const next = new Set(names)
    if (!next.delete(name)) next.add(name)
    return next
  })
  const wanted = (fields.data ?? []).filter((field) => !HIDDEN.has(field.name) && field.name.toLowerCase().includes(filter.toLowerCase()))
  const standard = FIRST.flatMap((name) => wanted.filter((field) => field.name === name))
  const others = wanted.filter((field) => !FIRST.includes(field.name)).sort((a, b) => b.count - a.count || a.name.localeCompare(b.name))

  return (
    <aside className={styles.sidebar} aria-label="Fields">
      <header className={styles.head}>
        <input className={styles.filter} placeholder="Find a field" aria-label="Find a field" value={filter} onChange={(event) => setFilter(event.target.value)} spellCheck={false} />
        <Button look="quiet" icon={<X />} title="Hide the fields" aria-label="Hide the fields" onClick={onClose} />
      </header>
      <div className={styles.list}>
        {fields.isError && <p className={styles.note}>{messageOf(fields.error)}</p>}
        {fields.isPending && <p className={styles.note}>Counting fields…</p>}
        {fields.data && wanted.length === 0 && <p className={styles.note}>{filter ? 'No field has that in its name.' : 'No fields in these events.'}</p>}
        {[standard, others].map((group, at) => group.length > 0 && (
          <ul key={at} className={styles.group}>
            {group.map((field) => (
              <li key={field.name}>
                <button type="button" className={styles.field} aria-expanded={open.has(field.name)} onClick={() => toggle(field.name)} title={`${field.name} (${field.type}): in ${count(field.count)} events`}>
                  <ChevronRight className={cx(styles.arrow, open.has(field.name) && styles.turned)} aria-hidden />
                  <TypeIcon type={field.type} />
                  <span className={styles.name}>{field.name}</span>
                  <span className={styles.count}>{compact(field.count)}</span>
                </button>
                {open.has(field.name) && <Suspense><TopValues field={field} query={query} range={range} stamp={stamp} onFilter={onFilter} /></Suspense>}
              </li>
            ))}
          </ul>
        ))}
      </div>
    </aside>
  )
}

function TypeIcon({ type }: { readonly type: string }) {
  const kind = type.toLowerCase()
  const Icon = /int|float|number|double/.test(kind) ? Hash : kind.includes('bool') ? ToggleLeft : /time|date/.test(kind) ? Clock3 : /json|array|object/.test(kind) ? Braces : Type
  return <Icon className={styles.type} aria-hidden />
}
