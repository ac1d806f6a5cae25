import { useQuery } from '@tanstack/react-query'
import { Minus, Plus } from 'lucide-react'
import { api, type Field } from '@/api/client'
import { messageOf } from '@/api/problem'
import { Button } from '@/components/ui/Button'
import { count, valueText } from '@/lib/format'
import type { FieldValue } from '@/lib/query/edit'
import type { FieldSidebarProps } from './FieldSidebar'
import styles from './FieldSidebar.module.css'

interface TopValuesProps extends Pick<FieldSidebarProps, 'query' | 'range' | 'stamp' | 'onFilter'> { readonly field: Field }

/** The most frequent values of a field, each a way to filter by it. */
export function TopValues({ field, query, range, stamp, onFilter }: TopValuesProps) {
  const values = useQuery({
    queryKey: ['explore', 'values', field.name, query, range, stamp],
    queryFn: ({ signal }) => api.values(field.name, query, range, signal),
    staleTime: Infinity,
    placeholderData: (previous) => previous,
  })
  if (values.isError) return <p className={styles.note}>{messageOf(values.error)}</p>
  if (!values.data) return <p className={styles.note}>Counting values…</p>
  const all = Math.max(field.count, 1)
  return (
    <ul className={styles.values} aria-label={`Top values of ${field.name}`}>
      {values.data.map(({ value, count: times }) => {
        const text = value === null ? '(none)' : valueText(value)
        const plain = (typeof value === 'object' && value !== null ? text : value) as FieldValue
        const share = times / all
        return (
          <li key={text} className={styles.value}>
            <button type="button" className={styles.take} onClick={() => onFilter(field.name, plain, false)} title={`Only ${field.name} = ${text}`}>
              <span className={styles.text}>{text === '' ? '(empty)' : text}</span>
              <span className={styles.share} title={`${count(times)} events`}>{share < 0.0995 ? (share * 100).toFixed(1) : Math.round(Math.min(share, 1) * 100)}%</span>
              <i style={{ width: `${Math.min(100, share * 100)}%` }} />
            </button>
            <span className={styles.buttons}>
              <Button look="quiet" icon={<Plus />} aria-label={`Filter in ${field.name} ${text}`} title={`Only ${text}`} onClick={() => onFilter(field.name, plain, false)} />
              <Button look="quiet" icon={<Minus />} aria-label={`Filter out ${field.name} ${text}`} title={`Without ${text}`} onClick={() => onFilter(field.name, plain, true)} />
            </span>
          </li>
        )
      })}
      {values.data.length === 0 && <li className={styles.note}>No values.</li>}
    </ul>
  )
}
