import { useRef, useState, type PointerEvent } from 'react'
import type { Panel, Position } from '@/api/dashboards'
import { cx } from '@/lib/cx'
import { clamped, COLUMNS, GAP, moved, reading, ROW, rowsOf } from '@/lib/dashboards/grid'
import { useNarrow } from '@/lib/media'
import type { Range } from '@/lib/time/range'
import { PanelFrame } from './PanelFrame'
import type { Shared } from './usePanel'
import styles from './Grid.module.css'

/** What the page does with panels while they are edited; without it they only show. */
export interface GridEditing {
  readonly onPanels: (panels: Panel[]) => void
  readonly onEdit: (id: string) => void
  readonly onCopy: (id: string) => void
  readonly onRemove: (id: string) => void
}

interface GridProps {
  readonly panels: readonly Panel[]
  readonly shared: Shared
  readonly full: string | undefined
  readonly onFull: (id: string | undefined) => void
  readonly onRange: (range: Range) => void
  readonly editing: GridEditing | null
}

/** Panels on 12 columns; on a narrow screen below each other. The one that is `full` stands alone. */
export function Grid({ panels, shared, full, onFull, onRange, editing }: GridProps) {
  const narrow = useNarrow()
  const place = useRef<HTMLDivElement>(null)
  const [grabbed, setGrabbed] = useState<{ id: string; panels: Panel[] } | null>(null)
  const [said, setSaid] = useState('')
  const shown = reading(grabbed?.panels ?? panels).filter((panel) => full === undefined || panel.id === full)

  const change = (id: string, wanted: Position): Panel[] => {
    const next = moved([...panels], id, wanted)
    const { x, y, w, h } = next.find((panel) => panel.id === id)?.position ?? wanted
    setSaid(`column ${x + 1}, row ${y + 1}, ${w} wide, ${h} high`)
    return next
  }

  /** Follow the pointer from here; the others give way at once, and the document changes when it is let go. */
  const grab = (panel: Panel, event: PointerEvent, how: 'move' | 'size') => {
    const box = place.current
    if (!box || event.button !== 0 || narrow || !editing) return
    event.preventDefault()
    const target = event.currentTarget as HTMLElement
    target.setPointerCapture(event.pointerId)
    const [startX, startY] = [event.clientX, event.clientY]
    const cell = { x: (box.clientWidth + GAP) / COLUMNS, y: ROW + GAP }
    let latest: Panel[] | null = null
    const follow = (moving: globalThis.PointerEvent) => {
      const [dx, dy] = [Math.round((moving.clientX - startX) / cell.x), Math.round((moving.clientY - startY) / cell.y)]
      const { x, y, w, h } = panel.position
      latest = change(panel.id, clamped(how === 'move' ? { x: x + dx, y: y + dy, w, h } : { x, y, w: Math.min(w + dx, COLUMNS - x), h: h + dy }))
      setGrabbed({ id: panel.id, panels: latest })
    }
    const stop = new AbortController()
    const end = (keep: boolean) => () => {
      stop.abort()
      setGrabbed(null)
      if (keep && latest) editing.onPanels(latest)
    }
    target.addEventListener('pointermove', follow, { signal: stop.signal })
    target.addEventListener('pointerup', end(true), { signal: stop.signal })
    target.addEventListener('pointercancel', end(false), { signal: stop.signal })
  }

  const nudge = (panel: Panel, dx: number, dy: number, how: 'move' | 'size') => {
    const { x, y, w, h } = panel.position
    // Downwards past what lies below: a single step would fall back up.
    const below = panels.find((other) => other.id !== panel.id && other.position.y === y + h && other.position.x < x + w && x < other.position.x + other.position.w)
    const step = dy > 0 && how === 'move' ? below?.position.h ?? 1 : dy
    editing?.onPanels(change(panel.id, how === 'move' ? { x: x + dx, y: y + step, w, h } : { x, y, w: Math.min(w + dx, COLUMNS - x), h: h + dy }))
  }

  return (
    <div ref={place} className={cx(styles.grid, narrow && styles.stacked, full !== undefined && styles.one, editing && styles.editing)} style={narrow || full !== undefined ? undefined : { height: Math.max(0, rowsOf(shown) * (ROW + GAP) - GAP) }}>
      {shown.map((panel) => {
        const { x, y, w, h } = panel.position
        const size = { height: h * (ROW + GAP) - GAP }
        const style = full !== undefined ? undefined : narrow ? size : {
          ...size,
          width: `calc((100% + ${GAP}px) / ${COLUMNS} * ${w} - ${GAP}px)`,
          transform: `translate(calc((100% + ${GAP}px) / ${w} * ${x}), ${y * (ROW + GAP)}px)`,
        }
        return (
          <div key={panel.id} className={cx(styles.cell, grabbed?.id === panel.id && styles.grabbed, panel.kind === 'number' && full === undefined && styles.half)} style={style}>
            <PanelFrame
              panel={panel} shared={shared} full={full === panel.id} onFull={(on) => onFull(on ? panel.id : undefined)} onRange={onRange}
              editing={editing && {
                onGrab: (event, how) => grab(panel, event, how),
                onNudge: (dx, dy, how) => nudge(panel, dx, dy, how),
                onEdit: () => editing.onEdit(panel.id),
                onCopy: () => editing.onCopy(panel.id),
                onRemove: () => editing.onRemove(panel.id),
              }}
            />
          </div>
        )
      })}
      <p className="sr-only" role="status">{said}</p>
    </div>
  )
}
