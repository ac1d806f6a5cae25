import { ListFilter, ListX, Pencil, ScrollText } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { Button } from '@/components/ui/Button'
import { Spark } from '@/components/chart/Spark'
import { cx } from '@/lib/cx'
import { compact, count, formatTime } from '@/lib/format'
import type { Resolved } from '@/lib/time/range'
import type { Shape } from '@/api/patterns'
import { PatternName, Shaping } from './Shaping'
import type { Shapes } from './useShapes'
import { useCourse, type Course, type Pattern } from './usePatterns'
import styles from './PatternsPage.module.css'

interface PatternRowProps {
  readonly query: string
  readonly pattern: Pattern
  readonly range: Resolved
  readonly utc: boolean
  readonly selected: boolean
  readonly expanded: boolean
  readonly shape: Shape | undefined
  readonly shapes: Shapes
  /** Whether it is among those to be merged. */
  readonly marked: boolean
  readonly onMark: (marked: boolean) => void
  readonly onToggle: () => void
  readonly onShow: () => void
  readonly onFilter: (negated: boolean) => void
}

/** One pattern; how it went is asked for when it comes into sight. */
export function PatternRow({ query, pattern, range, utc, selected, expanded, shape, shapes, marked, onMark, onToggle, onShow, onFilter }: PatternRowProps) {
  const row = useRef<HTMLLIElement>(null)
  const [seen, setSeen] = useState(false)
  const [editing, setEditing] = useState(false)
  useEffect(() => {
    const watcher = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) setSeen(true) }, { rootMargin: '200px' })
    if (row.current) watcher.observe(row.current)
    return () => watcher.disconnect()
  }, [])
  useEffect(() => { if (selected) row.current?.scrollIntoView({ block: 'nearest' }) }, [selected])
  const course = useCourse(query, pattern, range, seen).data

  return (
    <li ref={row} className={cx(styles.row, selected && styles.selected)} aria-current={selected || undefined}>
      <div className={styles.figures}>
        {shapes.may && <input type="checkbox" className={styles.mark} aria-label={`Select ${pattern.name ?? pattern.pattern}`} checked={marked} onChange={(event) => onMark(event.target.checked)} />}
        <b title={count(pattern.count)}>{compact(pattern.count)}</b>
        <span>{(pattern.share * 100).toFixed(pattern.share < 0.1 ? 1 : 0)} %</span>
        <i style={{ width: `${Math.max(1, pattern.share * 100)}%` }} />
      </div>
      <div className={styles.course}>{course && <Spark bars={course.bars} label={`Course of ${pattern.count} messages`} />}</div>
      <div className={styles.change}>{course && <Change course={course} now={pattern.count} />}</div>
      <div className={styles.kind}>
        <PatternName pattern={pattern} shape={shape} shapes={shapes} editing={editing} onDone={() => setEditing(false)} />
        <button type="button" className={styles.text} onClick={onToggle} aria-expanded={expanded}><Text pattern={pattern.pattern} /></button>
      </div>
      <div className={styles.acts}>
        {shapes.may && <Button look="quiet" icon={<Pencil />} title="Name it" aria-label="Name it" pressed={editing} onClick={() => setEditing(!editing)} />}
        <Button look="quiet" icon={<ListFilter />} title="Only this pattern" aria-label="Only this pattern" onClick={() => onFilter(false)} />
        <Button look="quiet" icon={<ListX />} title="Without this pattern" aria-label="Without this pattern" onClick={() => onFilter(true)} />
        <Button look="quiet" icon={<ScrollText />} title="Its events in Explore" aria-label="Its events in Explore" onClick={onShow} />
      </div>
      {expanded && (
        <dl className={styles.more}>
          <div><dt>Newest example</dt><dd className={styles.example}>{pattern.example}</dd></div>
          <div><dt>First in this range</dt><dd>{formatTime(pattern.firstSeen, utc, 3)}</dd></div>
          <div><dt>Last in this range</dt><dd>{formatTime(pattern.lastSeen, utc, 3)}</dd></div>
          {course?.before != null && <div><dt>In as long a time before</dt><dd>{count(course.before)}</dd></div>}
          <Shaping pattern={pattern} shape={shape} shapes={shapes} utc={utc} />
        </dl>
      )}
    </li>
  )
}

/** The pattern with its places for values set apart. */
function Text({ pattern }: { readonly pattern: string }) {
  return <code>{pattern.split(/(<\*>)/).map((part, at) => (part === '<*>' ? <mark key={at}>{part}</mark> : part))}</code>
}

function Change({ course, now }: { readonly course: Course; readonly now: number }) {
  if (course.before === null) return null
  if (course.before === 0) return <span className={styles.new}>new</span>
  const factor = now / course.before
  if (factor > 0.8 && factor < 1.25) return <span className={styles.same}>steady</span>
  return <span className={factor > 1 ? styles.rising : styles.less}>{factor > 1 ? '▲' : '▼'} {factor > 1 ? `${factor < 10 ? factor.toFixed(1) : compact(Math.round(factor))}×` : `${Math.max(1, Math.round(factor * 100))} %`}</span>
}
