import { QueryText } from './QueryText'
import styles from './QueryExamples.module.css'

const EXAMPLES: readonly [string, string][] = [
  ['timeout', 'the message contains it, ignoring case'],
  ['"card declined"', 'the same for several words'],
  ['service:checkout severity>=warn', 'fields; both must hold'],
  ['status:400..499 -host:web-*', 'a range, and without a glob'],
  ['/user=\\d+/', 'a regular expression'],
  ['timeout | stats count() by service', 'count by a field'],
  ['| timechart span=5m count() by service', 'a series over time'],
  ['| top 10 service', 'the most frequent values'],
]

/** The query language by examples; each can be run where `onPick` is given. */
export function QueryExamples({ onPick }: { readonly onPick?: (query: string) => void }) {
  return (
    <dl className={styles.examples}>
      {EXAMPLES.map(([query, what]) => (
        <div key={query}>
          <dt>{onPick ? <button type="button" onClick={() => onPick(query)}><QueryText text={query} /></button> : <QueryText text={query} />}</dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
  )
}
