import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { Merge, Play, Shapes, Undo2 } from 'lucide-react'
import { useId, useMemo, useRef, useState } from 'react'
import { ApiError, messageOf } from '@/api/problem'
import { QueryBox, type QueryBoxHandle } from '@/components/query/QueryBox'
import { QueryError } from '@/components/query/QueryError'
import { TimePicker } from '@/components/time/TimePicker'
import { Button } from '@/components/ui/Button'
import { Empty, Failure, Loading, Progress } from '@/components/ui/States'
import { useDisplay } from '@/lib/display'
import { count, plural } from '@/lib/format'
import { useHotkeys } from '@/lib/hotkeys'
import { useNarrow } from '@/lib/media'
import { remember, utcPreference } from '@/lib/prefs'
import { hasStages } from '@/lib/query/edit'
import { resolve, sameRange, zoomOut, type Range } from '@/lib/time/range'
import { exploreSearch, rangeOf, searchOfRange } from '@/lib/url'
import { PatternRow } from './PatternRow'
import { useShapes } from './useShapes'
import { patternSearch, usePatterns, type Pattern } from './usePatterns'
import styles from './PatternsPage.module.css'

const route = getRouteApi('/patterns')
const clock = (): number => Date.now()
const HINT = 'All messages, or those of a search: service:checkout severity>=warn'
const SORTS = { count: 'Most frequent first', rare: 'Rarest first', newest: 'Latest to appear first' } as const
type Sort = keyof typeof SORTS

const ORDER: Record<Sort, (a: Pattern, b: Pattern) => number> = {
  count: (a, b) => b.count - a.count,
  rare: (a, b) => a.count - b.count,
  newest: (a, b) => b.firstSeen.localeCompare(a.firstSeen),
}

/** What kinds of messages there are: groups of like ones, with how many, how they went, and what is new. */
export default function PatternsPage() {
  const raw = route.useSearch()
  const search = useMemo(() => exploreSearch(raw), [raw])
  const navigate = route.useNavigate()
  const go = useNavigate()
  const query = search.q ?? ''
  const sort: Sort = raw['sort'] === 'rare' || raw['sort'] === 'newest' ? raw['sort'] : 'count'
  const range = useMemo(() => rangeOf(search), [search])
  const { utc } = useDisplay(search)
  const box = useRef<QueryBoxHandle>(null)
  const errorId = useId()
  const narrow = useNarrow()
  const [runs, setRuns] = useState(0)
  const [past, setPast] = useState<readonly Range[]>([])
  const [at, setAt] = useState(-1)
  const [expanded, setExpanded] = useState<string | null>(null)
  const [marked, setMarked] = useState<readonly string[]>([])
  const [name, setName] = useState('')

  const key = `${query}\n${range.from ?? ''}\n${range.to ?? ''}\n${runs}`
  const [stamp, setStamp] = useState(() => ({ key, now: clock() }))
  if (stamp.key !== key) {
    setStamp({ key, now: clock() })
    setAt(-1)
  }
  const resolved = useMemo(() => resolve(range, stamp.now), [range, stamp.now])
  const found = usePatterns(query, resolved, stamp.now)
  const patterns = useMemo(() => [...(found.data?.patterns ?? [])].sort(ORDER[sort]), [found.data, sort])
  const shapes = useShapes(() => { setMarked([]); setName(''); setRuns((number) => number + 1) })
  const shapeOf = useMemo(() => new Map(shapes.all.map((one) => [one.patterns[0], one])), [shapes.all])
  const mistake = found.error instanceof ApiError && found.error.isQueryError ? found.error : null

  const change = (next: Record<string, string | undefined>) => void navigate({ search: (current) => ({ ...current, ...next }) as typeof raw })
  const run = (text: string) => {
    remember(text)
    setRuns((number) => number + 1)
    change({ q: text || undefined })
  }
  const setRange = (next: Range, back = false) => {
    if (sameRange(next, range)) return
    setPast((list) => (back ? list.slice(0, -1) : [...list.slice(-19), range]))
    change({ from: undefined, to: undefined, ...searchOfRange(next) })
  }
  const previous = past.at(-1)
  const show = (pattern: Pattern) => void go({ to: '/explore', search: { q: patternSearch(query, pattern.pattern), ...searchOfRange(range) } })
  const chosen = patterns[at]
  const toggle = (pattern: Pattern) => setExpanded(expanded === pattern.pattern ? null : pattern.pattern)

  useHotkeys({
    '/': () => box.current?.focus(),
    j: () => setAt(Math.min(patterns.length - 1, at + 1)),
    k: () => setAt(Math.max(0, at - 1)),
    x: () => chosen && toggle(chosen),
    Enter: () => chosen && show(chosen),
    u: () => { utcPreference.set(!utc); change({ tz: utc ? 'local' : 'utc' }) },
  })

  return (
    <div className={styles.page}>
      <h1 className="sr-only">Patterns</h1>
      <header className={styles.head}>
        <div className={styles.ask}><QueryBox ref={box} value={query} onRun={run} mistake={mistake?.places[0] ?? null} hint={narrow ? 'All messages' : HINT} label="Query" range={() => resolved} describedBy={errorId} /></div>
        <Button look="primary" className={styles.run} icon={<Play />} onClick={() => run(box.current?.text().trim() ?? query)}>Run</Button>
        <TimePicker range={range} utc={utc} onChange={setRange} onBack={previous ? () => setRange(previous, true) : null} onZoomOut={() => setRange(zoomOut(range, stamp.now))}
          onZone={(next) => { utcPreference.set(next); change({ tz: next ? 'utc' : 'local' }) }} />
        {mistake && <div className={styles.mistake}><QueryError id={errorId} error={mistake} query={query} /></div>}
      </header>
      <Progress active={found.isFetching} />
      <div className={styles.bar}>
        <span role="status">{found.data && <><b>{plural(patterns.length, 'pattern')}</b>{found.data.complete ? '' : ', the most frequent ones'}, in {count(found.data.stats.rows_scanned)} rows read</>}</span>
        {hasStages(query) && <span className={styles.note}>of the search; its stages do not count here</span>}
        <label className={styles.sort}>Order <select value={sort} onChange={(event) => change({ sort: event.target.value === 'count' ? undefined : event.target.value })}>
          {Object.entries(SORTS).map(([name, words]) => <option key={name} value={name}>{words}</option>)}
        </select></label>
      </div>
      {(marked.length > 0 || shapes.done || shapes.error) && (
        <div className={styles.bar}>
          {marked.length > 0 ? (
            <form className={styles.merge} onSubmit={(event) => { event.preventDefault(); shapes.merge(marked, name.trim()) }}>
              <span>{plural(marked.length, 'pattern')} selected</span>
              <input aria-label="Name of the merged pattern" placeholder="Name, if you like" maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
              <Button type="submit" look="primary" icon={<Merge />} disabled={marked.length < 2 || shapes.busy}>Merge</Button>
              <Button look="quiet" onClick={() => setMarked([])}>Select none</Button>
            </form>
          ) : shapes.done && <span role="status">{shapes.done.what} <Button look="quiet" icon={<Undo2 />} disabled={shapes.busy} onClick={shapes.takeBack}>Take it back</Button></span>}
          {shapes.error && <span role="alert" className={styles.wrong}>{messageOf(shapes.error)}</span>}
        </div>
      )}
      <div className={styles.body} tabIndex={0} aria-label="Patterns" role="region">
        {found.error && !mistake ? <Failure error={found.error} onRetry={() => setRuns((number) => number + 1)} />
          : found.isPending ? <Loading rows={10} label="Loading patterns" />
          : patterns.length === 0 ? <Empty title="No messages here" icon={<Shapes />}><p>Nothing that the search finds in this time has a message. Take a longer time, or a wider search.</p></Empty>
          : (
            <ol className={styles.list}>
              {patterns.map((pattern, index) => (
                <PatternRow key={pattern.pattern} query={query} pattern={pattern} range={resolved} utc={utc} selected={index === at} expanded={expanded === pattern.pattern}
                  shape={pattern.shaped === null ? undefined : shapeOf.get(pattern.shaped)} shapes={shapes} marked={marked.includes(pattern.pattern)}
                  onMark={(on) => setMarked(on ? [...marked, pattern.pattern] : marked.filter((one) => one !== pattern.pattern))}
                  onToggle={() => { setAt(index); toggle(pattern) }} onShow={() => show(pattern)} onFilter={(negated) => run(patternSearch(query, pattern.pattern, negated))} />
              ))}
            </ol>
          )}
      </div>
    </div>
  )
}
