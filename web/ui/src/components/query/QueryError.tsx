import type { ApiError } from '@/api/problem'
import styles from './QueryError.module.css'

const AROUND = 48

/** The piece of the line around a column (from 1), and where in it the caret goes. */
export function excerpt(query: string, line: number, column: number): { text: string; caret: number } {
  const whole = query.split('\n')[line - 1] ?? ''
  const at = Math.max(0, Math.min(column - 1, whole.length))
  const from = Math.max(0, at - AROUND)
  const to = Math.min(whole.length, at + AROUND)
  const before = from > 0 ? '…' : ''
  return { text: `${before}${whole.slice(from, to)}${to < whole.length ? '…' : ''}`, caret: at - from + before.length }
}

/** The server's words; what stands in backticks is code. */
function Words({ text }: { readonly text: string }) {
  return text.split(/`([^`]+)`/).map((piece, at) => (at % 2 === 1 ? <code key={at}>{piece}</code> : piece))
}

/** What is wrong with the query, where, and what to do, in the server's words. */
export function QueryError({ id, error, query }: { readonly id: string; readonly error: ApiError; readonly query: string }) {
  return (
    <div id={id} className={styles.error} role="alert">
      {error.places.length === 0 && <p className={styles.message}><Words text={error.message} /></p>}
      {error.places.map((place, index) => {
        const { text, caret } = excerpt(query, place.line, place.column)
        return (
          <div key={index} className={styles.place}>
            <pre className={styles.where} aria-hidden="true">{text}{'\n'}<b>{' '.repeat(caret)}^</b></pre>
            <div>
              <p className={styles.message}><Words text={place.message} /></p>
              {place.hint && <p className={styles.hint}><Words text={place.hint} /></p>}
              <p className={styles.at}>line {place.line}, column {place.column}</p>
            </div>
          </div>
        )
      })}
    </div>
  )
}
