import { Clock } from 'lucide-react'
import { Popover } from '@/components/ui/Popover'
import { historyPreference, usePreference } from '@/lib/prefs'
import styles from './HistoryMenu.module.css'

/** Past queries of this browser, newest first. */
export function HistoryMenu({ onPick }: { readonly onPick: (query: string) => void }) {
  const past = usePreference(historyPreference)
  return (
    <Popover label="Query history" icon={<Clock />} align="end" look="quiet">
      {(close) => (
        <div className={styles.menu}>
          <header className={styles.head}>
            <h3>Past queries</h3>
            {past.length > 0 && <button type="button" className={styles.clear} onClick={() => historyPreference.set([])}>Forget all</button>}
          </header>
          {past.length === 0 && <p className={styles.empty}>Queries that you run are kept here, in this browser. The up arrow in the box brings them back, too.</p>}
          <ul>
            {past.map((query) => (
              <li key={query}>
                <button type="button" className={styles.item} onClick={() => { onPick(query); close() }}>{query}</button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Popover>
  )
}
