import { useVirtualizer } from '@tanstack/react-virtual'
import { useLayoutEffect, useRef } from 'react'
import { EventRow } from '@/components/events/EventRow'
import type { Arrived } from '@/lib/tail'
import styles from './TailPage.module.css'

interface TailListProps {
  readonly rows: readonly Arrived[]
  readonly following: boolean
  readonly utc: boolean
  readonly wrap: boolean
  readonly marks: RegExp | null
  readonly selected: number | null
  readonly onOpen: (row: Arrived) => void
  /** The reader scrolled away from the end, or back to it. */
  readonly onFollow: (following: boolean) => void
}

const HAND_MS = 600 // a scroll this soon after wheel, key or touch is the reader's
const END = 24 // pixels

/** Rows in order of arrival, the newest at the bottom; it stays at the bottom while following. */
export function TailList({ rows, following, utc, wrap, marks, selected, onOpen, onFollow }: TailListProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const hand = useRef(-Infinity)
  const top = useRef(0)
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 27,
    overscan: 20,
    getItemKey: (index) => rows[index]?.number ?? index,
  })
  const size = list.getTotalSize()
  const last = rows.at(-1)?.number

  useLayoutEffect(() => {
    const element = scroller.current
    if (following && element) element.scrollTop = element.scrollHeight
  }, [following, last, size])

  const touched = () => { hand.current = performance.now() }
  const onScroll = () => {
    const element = scroller.current
    if (!element) return
    const up = element.scrollTop < top.current - 1
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < END
    top.current = element.scrollTop
    if (performance.now() - hand.current > HAND_MS) return
    if (following && up && !atEnd) onFollow(false)
    else if (!following && !up && atEnd) onFollow(true)
  }

  return (
    <div ref={scroller} className={styles.scroller} role="log" aria-label="Events as they arrive" aria-live="off" tabIndex={0}
      onScroll={onScroll} onWheel={touched} onTouchMove={touched} onKeyDown={touched} onPointerDown={touched}>
      <div style={{ height: size, position: 'relative' }}>
        {list.getVirtualItems().map((item) => {
          const row = rows[item.index]
          return row && (
            <div key={item.key} ref={list.measureElement} data-index={item.index} className={styles.item} style={{ transform: `translateY(${item.start}px)` }} onClick={() => onOpen(row)}>
              <EventRow event={row.event} utc={utc} wrap={wrap} withDate={false} selected={row.number === selected} marks={marks} />
            </div>
          )
        })}
      </div>
    </div>
  )
}
