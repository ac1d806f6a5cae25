/** The grid of a dashboard: 12 columns, panels that never overlap and fall upwards until something holds them. */
import type { Position } from '@/api/dashboards'

export const COLUMNS = 12
export const ROW = 40 // pixels
export const GAP = 10
export const MOST_HEIGHT = 60

export interface Placed { readonly id: string; readonly position: Position }

const overlap = (a: Position, b: Position): boolean => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h

const inOrder = (a: Placed, b: Placed): number => a.position.y - b.position.y || a.position.x - b.position.x

/** A position that lies on the grid, as near as can be to the one that was asked for. */
export function clamped({ x, y, w, h }: Position): Position {
  const width = Math.max(1, Math.min(COLUMNS, Math.round(w)))
  return {
    w: width,
    h: Math.max(2, Math.min(MOST_HEIGHT, Math.round(h))),
    x: Math.max(0, Math.min(COLUMNS - width, Math.round(x))),
    y: Math.max(0, Math.min(900, Math.round(y))),
  }
}

/** Let every panel fall upwards, in their order; `first` keeps its row where nothing holds it down or up. */
export function compacted<T extends Placed>(panels: readonly T[], first?: string): T[] {
  const order = [...panels].sort((a, b) => a.position.y - b.position.y || Number(b.id === first) - Number(a.id === first) || inOrder(a, b))
  const settled: Placed[] = []
  const found = new Map<string, Position>()
  for (const panel of order) {
    let position = panel.position
    while (position.y > 0 && !settled.some((other) => overlap({ ...position, y: position.y - 1 }, other.position))) position = { ...position, y: position.y - 1 }
    while (settled.some((other) => overlap(position, other.position))) position = { ...position, y: position.y + 1 }
    settled.push({ id: panel.id, position })
    found.set(panel.id, position)
  }
  return panels.map((panel) => ({ ...panel, position: found.get(panel.id) ?? panel.position }))
}

/** Put one panel elsewhere, or make it larger; whatever it lies on gives way downwards. */
export function moved<T extends Placed>(panels: readonly T[], id: string, wanted: Position): T[] {
  const position = clamped(wanted)
  const changed = panels.map((panel) => (panel.id === id ? { ...panel, position } : panel))
  const mover = changed.find((panel) => panel.id === id)
  if (!mover) return [...panels]
  // Whoever it lies on goes below it first; the rest gives way to those in turn.
  const pushed = changed.map((panel) => (panel.id !== id && overlap(panel.position, position) ? { ...panel, position: { ...panel.position, y: position.y + position.h } } : panel))
  return compacted(pushed, id)
}

/** Where a new panel goes: the first free place from the top that is wide enough. */
export function freePlace(panels: readonly Placed[], w: number, h: number): Position {
  for (let y = 0; ; y += 1) {
    for (let x = 0; x + w <= COLUMNS; x += 1) {
      const place = { x, y, w, h }
      if (!panels.some((panel) => overlap(panel.position, place))) return place
    }
  }
}

/** Rows that the panels take. */
export const rowsOf = (panels: readonly Placed[]): number => Math.max(0, ...panels.map(({ position }) => position.y + position.h))

/** From the top, from the left: the order in which they are read, and stand on a narrow screen. */
export const reading = <T extends Placed>(panels: readonly T[]): T[] => [...panels].sort(inOrder)
