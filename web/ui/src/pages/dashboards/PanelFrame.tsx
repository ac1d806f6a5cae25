import { Link, useNavigate } from '@tanstack/react-router'
import { Copy, Expand, GripVertical, Pencil, Shrink, SquareArrowOutUpRight, Trash2, X } from 'lucide-react'
import { useState, type KeyboardEvent, type PointerEvent } from 'react'
import type { Panel } from '@/api/dashboards'
import { Button } from '@/components/ui/Button'
import { cx } from '@/lib/cx'
import { formatTime } from '@/lib/format'
import { addFilter, eventsQuery, readsEvents, type FieldValue } from '@/lib/query/edit'
import { between, type Range } from '@/lib/time/range'
import { PanelBody } from './PanelBody'
import { usePanel, type Shared } from './usePanel'
import styles from './PanelFrame.module.css'

/** What can be done with a panel while the dashboard is edited. */
export interface Editing {
  readonly onGrab: (event: PointerEvent, how: 'move' | 'size') => void
  readonly onNudge: (dx: number, dy: number, how: 'move' | 'size') => void
  readonly onEdit: () => void
  readonly onCopy: () => void
  readonly onRemove: () => void
}

interface PanelFrameProps {
  readonly panel: Panel
  readonly shared: Shared
  readonly full: boolean
  readonly onFull: (on: boolean) => void
  readonly onRange: (range: Range) => void
  readonly editing: Editing | null
}

const ARROWS: Record<string, readonly [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

/** A panel with its head: what it is called, and the ways on from it. */
export function PanelFrame({ panel, shared, full, onFull, onRange, editing }: PanelFrameProps) {
  const navigate = useNavigate()
  const found = usePanel(panel, shared)
  const [dragged, setDragged] = useState<{ from: number; to: number } | null>(null)
  const search = (range: Range | null, q = found.text): { q: string; from: string; to?: string } => {
    const to = range?.to ?? shared.range.to
    return { q, from: range?.from ?? shared.range.from ?? 'all', ...(to !== undefined && { to }) }
  }
  const pick = (keys: readonly (readonly [string, FieldValue])[]) => {
    if (!readsEvents(found.text)) return void navigate({ to: '/explore', search: search(null) })
    const query = keys.reduce((text, [field, value]) => addFilter(text, field, value), eventsQuery(found.text))
    void navigate({ to: '/explore', search: search(null, query) })
  }
  const zoomed = dragged && between(dragged.from, dragged.to)
  const onKey = (event: KeyboardEvent) => {
    const arrow = ARROWS[event.key]
    if (!arrow || !editing) return
    event.preventDefault()
    editing.onNudge(arrow[0], arrow[1], event.shiftKey ? 'size' : 'move')
  }
  return (
    <section className={cx(styles.panel, editing && styles.editing)} aria-label={panel.title || panel.id} data-stale={found.isStale || undefined}>
      <header className={styles.head} onPointerDown={editing ? (event) => editing.onGrab(event, 'move') : undefined}>
        {editing && (
          <button type="button" className={styles.grip} aria-label={`Move ${panel.title}: arrow keys; its size: Shift and arrow keys`} title="Drag, or arrow keys; with Shift its size" onKeyDown={onKey}>
            <GripVertical aria-hidden />
          </button>
        )}
        <h2 title={panel.title}>{panel.title}</h2>
        {found.data?.complete === false && panel.kind !== 'number' && panel.kind !== 'table' && <span className={styles.cut} title="A limit cut the rows">cut</span>}
        {found.error !== null && found.data && <span className={styles.cut} title="The last refresh failed">stale</span>}
        <div className={styles.tools} onPointerDown={(event) => event.stopPropagation()}>
          {editing ? (
            <>
              <Button look="quiet" icon={<Pencil />} aria-label={`Edit ${panel.title}`} title="Edit" onClick={editing.onEdit} />
              <Button look="quiet" icon={<Copy />} aria-label={`Copy ${panel.title}`} title="Copy" onClick={editing.onCopy} />
              <Button look="quiet" icon={<Trash2 />} aria-label={`Remove ${panel.title}`} title="Remove" onClick={editing.onRemove} />
            </>
          ) : (
            <>
              {panel.kind !== 'markdown' && (
                <Link to="/explore" search={search(null)} className={styles.link} aria-label={`Open ${panel.title} in Explore`} title="Open in Explore"><SquareArrowOutUpRight aria-hidden /></Link>
              )}
              <Button look="quiet" icon={full ? <Shrink /> : <Expand />} aria-label={full ? 'Back to the dashboard' : `Enlarge ${panel.title}`} title={full ? 'Back to the dashboard (Esc)' : 'Enlarge'} onClick={() => onFull(!full)} />
            </>
          )}
        </div>
      </header>
      {zoomed && (
        <div className={styles.dragged} role="group" aria-label="The time that was dragged over">
          <span>{formatTime(zoomed.from, shared.utc)} – {formatTime(zoomed.to, shared.utc).slice(11)}</span>
          <Button look="primary" autoFocus onClick={() => { setDragged(null); onRange(zoomed) }}>Zoom all panels</Button>
          <Button onClick={() => void navigate({ to: '/explore', search: search(zoomed) })}>Open in Explore</Button>
          <Button look="quiet" icon={<X />} aria-label="Close" onClick={() => setDragged(null)} />
        </div>
      )}
      <div className={styles.body}>
        <PanelBody panel={panel} found={found} utc={shared.utc} onZoom={(from, to) => setDragged({ from, to })} onPick={pick} />
      </div>
      {editing && <div className={styles.corner} aria-hidden onPointerDown={(event) => editing.onGrab(event, 'size')} />}
    </section>
  )
}
