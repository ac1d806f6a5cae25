import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'
import { SeverityTag } from '@/components/ui/SeverityTag'
import type { Answer } from '@/api/client'
import { cx } from '@/lib/cx'
import { formatTime, valueText } from '@/lib/format'
import type { FieldValue } from '@/lib/query/edit'
import styles from './ResultTable.module.css'

interface ResultTableProps {
  readonly answer: Answer
  readonly utc: boolean
  /** Columns whose values can be searched for: fields that the events have. */
  readonly searchable: (column: string) => boolean
  readonly onFilter: (field: string, value: FieldValue) => void
}

const ROW = 31
const isTime = (type: string): boolean => /time|date/i.test(type)

/** The rows of an aggregation. A head sorts what is there, a value of a field searches for it. */
export function ResultTable({ answer, utc, searchable, onFilter }: ResultTableProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const [sort, setSort] = useState<{ column: number; down: boolean } | null>(null)
  const sorted = useMemo(() => {
    if (!sort) return answer.rows
    const direction = sort.down ? -1 : 1
    return [...answer.rows].sort((a, b) => direction * compare(a[sort.column], b[sort.column]))
  }, [answer.rows, sort])
  const rows = useVirtualizer({ count: sorted.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 20 })
  const items = rows.getVirtualItems()
  const numeric = useMemo(() => answer.columns.map((_, at) => answer.rows.some((row) => typeof row[at] === 'number') && answer.rows.every((row) => row[at] === null || typeof row[at] === 'number')), [answer])
  const before = items[0]?.start ?? 0
  const after = rows.getTotalSize() - (items.at(-1)?.end ?? 0)

  return (
    <div ref={scroller} className={styles.scroller} tabIndex={0} role="region" aria-label="Result table">
      <table className={styles.table} aria-rowcount={sorted.length + 1}>
        <thead>
          <tr>
            {answer.columns.map((column, at) => (
              <th key={column.name} className={cx(numeric[at] && styles.number)} aria-sort={sort?.column === at ? (sort.down ? 'descending' : 'ascending') : 'none'}>
                <button type="button" onClick={() => setSort(nextSort(sort, at, numeric[at] === true))}>
                  {column.name}<span aria-hidden>{sort?.column === at ? (sort.down ? ' ↓' : ' ↑') : ''}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {before > 0 && <tr aria-hidden><td colSpan={answer.columns.length} style={{ height: before, padding: 0, border: 0 }} /></tr>}
          {items.map((item) => (
            <tr key={item.key}>
              {answer.columns.map((column, at) => {
                const value = sorted[item.index]?.[at]
                const cell = column.name === 'severity' && typeof value === 'string' ? <SeverityTag severity={value} />
                  : value === null || value === undefined ? <span className={styles.none}>—</span>
                  : isTime(column.type) && typeof value === 'string' ? formatTime(value, utc, /\.0*Z$/.test(value) ? 0 : 3)
                  : typeof value === 'number' ? numberText(value) : valueText(value)
                const plain = typeof value === 'object' ? undefined : (value as FieldValue | undefined)
                return (
                  <td key={column.name} className={cx(numeric[at] && styles.number)}>
                    {plain !== undefined && searchable(column.name)
                      ? <button type="button" className={styles.filter} title={`Events with ${column.name} = ${valueText(value)}`} onClick={() => onFilter(column.name, plain)}>{cell}</button>
                      : cell}
                  </td>
                )
              })}
            </tr>
          ))}
          {after > 0 && <tr aria-hidden><td colSpan={answer.columns.length} style={{ height: after, padding: 0, border: 0 }} /></tr>}
        </tbody>
      </table>
    </div>
  )
}

type Sort = { column: number; down: boolean } | null

/** Numbers begin with the largest, texts with the first; a third click brings the server's order back. */
function nextSort(sort: Sort, column: number, numeric: boolean): Sort {
  if (sort?.column !== column) return { column, down: numeric }
  return sort.down === numeric ? { column, down: !numeric } : null
}

function compare(a: unknown, b: unknown): number {
  if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1
  if (b === null || b === undefined) return -1
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return valueText(a).localeCompare(valueText(b), undefined, { numeric: true })
}

function numberText(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en-US') : value.toLocaleString('en-US', { maximumFractionDigits: 4 })
}
