import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api, type Incident } from '@/api/client'
import { messageOf } from '@/api/problem'
import { count, plural, valueText } from '@/lib/format'
import { addTerm, filterTerm, quoteText } from '@/lib/query/edit'
import styles from './CausesPanel.module.css'

const percent = (share: number): string => `${share > 0 && share < 0.01 ? '<1' : Math.round(share * 100)} %`

/** The values that the incident's events have more often than those they are compared with. */
export function CausesPanel({ incident }: { readonly incident: Incident }) {
  const found = useQuery({ queryKey: ['incident', incident.id, 'causes', incident.from, incident.to], queryFn: ({ signal }) => api.causes(incident.id, signal), staleTime: 60_000 })
  if (found.isPending) return <p className={styles.note}>Comparing events…</p>
  if (found.isError) return <p className={styles.note}>{messageOf(found.error)}</p>
  const { items, compared, events, before_events: beforeEvents } = found.data
  const than = compared === 'before' ? 'the same search before' : 'the other events of the same time'
  if (events === 0) return <p className={styles.note}>There are no events of this time any more.</p>
  if (beforeEvents === 0) return <p className={styles.note}>There are no events to compare with.</p>
  if (items.length === 0) return <p className={styles.note}>No value stands out: the {plural(events, 'event')} are like {than}.</p>
  return (
    <>
      <ul className={styles.list} aria-label="Values that stand out">
        {items.map(({ field, value, share, before_share: before, count: times }) => {
          const term = field === 'pattern' ? `pattern:${quoteText(String(value))}` : filterTerm(field, value)
          return (
            <li key={`${field} ${String(value)}`}>
              <Link to="/explore" search={{ q: addTerm(incident.query, term), from: incident.from, to: incident.to }} title={`${plural(times, 'event')} in Explore`}>
                <span>{field}</span> <b>{valueText(value)}</b>
              </Link>
              <div className={styles.now}><i style={{ width: `${share * 100}%` }} /><span>{percent(share)}</span></div>
              <div className={styles.before}><i style={{ width: `${before * 100}%` }} /><span>{percent(before)}</span></div>
            </li>
          )
        })}
      </ul>
      <p className={styles.note}><i className={styles.keyNow} /> {count(events)} events of the incident <i className={styles.keyBefore} /> {count(beforeEvents)} of {than}</p>
    </>
  )
}
