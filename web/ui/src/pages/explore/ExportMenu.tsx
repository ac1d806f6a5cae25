import { useState } from 'react'
import { download } from '@/api/client'
import { messageOf } from '@/api/problem'
import { ShareForm } from '@/components/share/ShareForm'
import { count } from '@/lib/format'
import type { Resolved } from '@/lib/time/range'
import styles from './Toolbar.module.css'

const LIMIT = 100_000

/** The formats that the whole result can be had in. */
export default function ExportMenu({ query, range, onDone }: { readonly query: string; readonly range: Resolved; readonly onDone: () => void }) {
  const [sharing, setSharing] = useState(false)
  const [state, setState] = useState<'idle' | 'busy' | { failed: string }>('idle')
  const save = async (format: 'application/x-ndjson' | 'text/csv', ending: string) => {
    setState('busy')
    try {
      const stamp = new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')
      await download({ query, ...range, limit: LIMIT }, format, `cordwood-${stamp}.${ending}`)
      setState('idle')
      onDone()
    } catch (error) {
      setState({ failed: messageOf(error) })
    }
  }
  if (sharing) return <ShareForm title={query.trim() || 'All events'} subject={{ query, from: range.from ?? '1970-01-01T00:00:00Z', to: range.to ?? new Date().toISOString() }} />
  return (
    <div className={styles.export}>
      <button type="button" disabled={state === 'busy'} onClick={() => void save('application/x-ndjson', 'ndjson')}>NDJSON <span>one JSON object a line</span></button>
      <button type="button" disabled={state === 'busy'} onClick={() => void save('text/csv', 'csv')}>CSV <span>for a spreadsheet</span></button>
      <button type="button" onClick={() => setSharing(true)}>Share by a link <span>for who has no account</span></button>
      <p>{state === 'busy' ? 'Being written…' : typeof state === 'object' ? state.failed : `The whole result, up to ${count(LIMIT)} rows.`}</p>
    </div>
  )
}
