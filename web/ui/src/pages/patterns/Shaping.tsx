import { Check, Undo2 } from 'lucide-react'
import { useState, type SyntheticEvent } from 'react'
import type { Shape } from '@/api/patterns'
import { Button } from '@/components/ui/Button'
import { formatTime } from '@/lib/format'
import { maskOf, PLACEHOLDER, type Shapes } from './useShapes'
import type { Pattern } from './usePatterns'
import styles from './PatternsPage.module.css'

const MOST_PLACES = 12

interface ShapingProps {
  readonly pattern: Pattern
  /** What people made of it, where it is one of theirs. */
  readonly shape: Shape | undefined
  readonly shapes: Shapes
  readonly utc: boolean
}

interface PatternNameProps extends Omit<ShapingProps, 'utc'> { readonly editing: boolean; readonly onDone: () => void }

/** The name of a pattern, changed where it stands. */
export function PatternName({ pattern, shape, shapes, editing, onDone }: PatternNameProps) {
  const own = shape !== undefined && (shape.split === null || pattern.pattern === shape.patterns[0]) ? shape : undefined
  const [draft, setDraft] = useState<string | null>(null)
  const end = () => { setDraft(null); onDone() }
  const save = (event: SyntheticEvent) => {
    event.preventDefault()
    const name = (draft ?? own?.name ?? '').trim()
    if (name !== (own?.name ?? '')) shapes.rename(pattern.pattern, name, own)
    end()
  }
  if (!editing) return pattern.name && <b className={styles.name}>{pattern.name}</b>
  return (
    <form className={styles.name} onSubmit={save}>
      <input aria-label="Name of the pattern" autoFocus required={own === undefined} maxLength={100} value={draft ?? own?.name ?? ''} placeholder="Name"
        onChange={(event) => setDraft(event.target.value)} onKeyDown={(event) => { if (event.key === 'Escape') end() }} />
      <Button type="submit" look="quiet" icon={<Check />} title="Keep the name" aria-label="Keep the name" />
    </form>
  )
}

/** Split a pattern, take a kind of message out of it, undo what was made of it; and who made it. */
export function Shaping({ pattern, shape, shapes, utc }: ShapingProps) {
  const [text, setText] = useState(() => maskOf(pattern.example))
  const isOwn = shape === undefined || (shape.patterns.length === 1 && shape.split === null)
  const places = pattern.pattern.split(PLACEHOLDER).length - 1
  return (
    <>
      {shape && (
        <div>
          <dt>Shaped</dt>
          <dd>
            {[shape.patterns.length > 1 && `merged of ${shape.patterns.length}`, shape.split && `split by value ${shape.split}`, shape.name && 'named'].filter(Boolean).join(', ') || 'taken out'} by {shape.changed_by}, {formatTime(shape.changed_at, utc)}
            {shapes.may && <Button look="quiet" icon={<Undo2 />} disabled={shapes.busy} onClick={() => shapes.undo(shape)}>Undo</Button>}
          </dd>
        </div>
      )}
      {shapes.may && isOwn && places > 0 && (
        <div>
          <dt>Split by the values of</dt>
          <dd className={styles.places}>
            {Array.from({ length: Math.min(places, MOST_PLACES) }, (_, at) => (
              <Button key={at} disabled={shapes.busy} onClick={() => shapes.split(pattern.pattern, at + 1, shape)}>{around(pattern.pattern, at)}</Button>
            ))}
          </dd>
        </div>
      )}
      {shapes.may && (
        <div className={styles.takeOut}>
          <dt>Take out messages like</dt>
          <dd>
            <form onSubmit={(event) => { event.preventDefault(); shapes.takeOut(text) }}>
              <input aria-label="Messages like" required maxLength={1000} value={text} onChange={(event) => setText(event.target.value)} />
              <Button type="submit" disabled={shapes.busy || text === pattern.pattern}>Take out</Button>
            </form>
          </dd>
        </div>
      )}
    </>
  )
}

/** A placeholder with the word before it, which tells it from the others. */
function around(pattern: string, at: number): string {
  const before = pattern.split(PLACEHOLDER).slice(0, at + 1).join(PLACEHOLDER).trimEnd().split(/\s+/).at(-1) ?? ''
  return `${before.slice(-24)} ${PLACEHOLDER}`.trim()
}
