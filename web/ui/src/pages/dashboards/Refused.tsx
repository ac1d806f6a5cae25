import { ApiError, messageOf } from '@/api/problem'
import type { Dashboard } from '@/api/dashboards'
import styles from './Editors.module.css'

/** Why a dashboard was not kept, in the server's words: each mistake with its panel and its place. */
export function Refused({ error, document }: { readonly error: unknown; readonly document: Dashboard | null }) {
  const places = error instanceof ApiError ? error.places : []
  return (
    <div className={styles.wrong} role="alert">
      {places.length === 0 && <p>{messageOf(error)}</p>}
      {places.map((place, at) => (
        <p key={at}>
          <b>{subject(place.pointer, document)}</b>{place.line > 0 && `, line ${place.line}, column ${place.column}`}: {place.message}{place.hint && <>; {place.hint}</>}
        </p>
      ))}
    </div>
  )
}

/** `/panels/3/query` as people call it. */
function subject(pointer: string | undefined, document: Dashboard | null): string {
  const panel = /^\/panels\/(\d+)/.exec(pointer ?? '')
  const variable = /^\/variables\/(\d+)/.exec(pointer ?? '')
  if (panel) return document?.panels?.[Number(panel[1])]?.title || (pointer ?? '')
  if (variable) return `$${document?.variables?.[Number(variable[1])]?.name ?? ''}`
  return pointer || 'The document'
}
