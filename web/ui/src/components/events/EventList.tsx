import { useVirtualizer } from '@tanstack/react-virtual'
import { lazy, Suspense, useEffect, useEffectEvent, useRef, type ReactNode } from 'react'
import type { LogEvent } from '@/lib/events'
import { EventRow } from './EventRow'
import styles from './EventList.module.css'

// Whoever has chosen no columns needs no heads.
const ColumnHeads = lazy(() => import('./ColumnHeads'))

interface EventListProps {
  readonly events: readonly LogEvent[]
  readonly utc: boolean
  readonly wrap: boolean
  readonly withDate: boolean
  readonly marks: RegExp | null
  readonly columns: readonly string[]
  readonly onColumn: (name: string) => void
  /** The row under the cursor, moved by `j` and `k`; -1: none. */
  readonly cursor: number
  readonly onOpen: (index: number) => void
  /** The end is near: more may be fetched. */
  readonly onEnd?: () => void
  readonly footer?: ReactNode
}

const ROW = 27
const NEAR_END = 60 // rows

/** Events in a list that draws only the rows in sight. */
export function EventList({ events, utc, wrap, withDate, marks, columns, onColumn, cursor, onOpen, onEnd, footer }: EventListProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({ count: events.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 16 })
  const items = rows.getVirtualItems()
  const last = items.at(-1)?.index ?? 0
  const reached = useEffectEvent(() => onEnd?.())

  useEffect(() => {
    if (events.length > 0 && last >= events.length - NEAR_END) reached()
  }, [last, events.length])

  const show = useEffectEvent((index: number) => rows.scrollToIndex(index, { align: 'auto' }))
  useEffect(() => {
    if (cursor >= 0) show(cursor)
  }, [cursor])

  return (
    <>
      {columns.length > 0 && <Suspense><ColumnHeads columns={columns} withDate={withDate} onRemove={onColumn} /></Suspense>}
      <div
        ref={scroller}
        className={styles.scroller}
        role="listbox"
        aria-label="Events"
        tabIndex={0}
        aria-activedescendant={cursor >= 0 ? `event-${cursor}` : undefined}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && cursor >= 0) onOpen(cursor)
        }}
      >
        <div className={styles.space} style={{ height: rows.getTotalSize() }} role="presentation">
          {items.map((item) => {
            const event = events[item.index]
            return event && (
              <div
                key={item.key}
                id={`event-${item.index}`}
                ref={rows.measureElement}
                data-index={item.index}
                className={styles.item}
                style={{ transform: `translateY(${item.start}px)` }}
                role="option"
                aria-selected={item.index === cursor}
                aria-posinset={item.index + 1}
                aria-setsize={events.length}
                onClick={() => {
                  if (!window.getSelection()?.toString()) onOpen(item.index)
                }}
              >
                <EventRow event={event} utc={utc} wrap={wrap} withDate={withDate} selected={item.index === cursor} marks={marks} columns={columns} />
              </div>
            )
          })}
        </div>
        {footer}
      </div>
    </>
  )
}
