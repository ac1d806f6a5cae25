import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { ArrowDownToLine, Eraser, Pause, Play, Radio, ScrollText, WrapText } from 'lucide-react'
import { useId, useMemo, useRef, useState } from 'react'
import { EventDetail } from '@/components/events/EventDetail'
import { HistoryMenu } from '@/components/query/HistoryMenu'
import { QueryBox, type QueryBoxHandle } from '@/components/query/QueryBox'
import { QueryError } from '@/components/query/QueryError'
import { Button } from '@/components/ui/Button'
import { Empty, Failure, Snippet } from '@/components/ui/States'
import { cx } from '@/lib/cx'
import { useDisplay } from '@/lib/display'
import { timeOf, type LogEvent } from '@/lib/events'
import { count, plural } from '@/lib/format'
import { useHotkeys } from '@/lib/hotkeys'
import { useNarrow } from '@/lib/media'
import { remember, utcPreference, wrapPreference } from '@/lib/prefs'
import { addFilter, filterTerm, type FieldValue } from '@/lib/query/edit'
import { marksOf } from '@/lib/query/marks'
import { sendSnippet } from '@/lib/snippets'
import type { Arrived } from '@/lib/tail'
import { between } from '@/lib/time/range'
import { TailList } from './TailList'
import { useTail, type Connection } from './useTail'
import styles from './TailPage.module.css'

const route = getRouteApi('/tail')
const HINT = 'Follow everything, or a search: service:checkout severity>=warn'
const SHORT_HINT = 'Follow everything'
const AROUND_MS = 30_000
const WORDS: Record<Connection, string> = { connecting: 'connecting', live: 'live', lost: 'connection lost, trying again', refused: 'stopped' }

/** Events as they arrive, with a filter; scrolling up or opening one pauses. */
export default function TailPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const go = useNavigate()
  const query = search.q ?? ''
  const [attempt, setAttempt] = useState(0)
  const { state, dispatch, connection, error, rate } = useTail(query, attempt)
  const { utc, wrap } = useDisplay(search)
  const [opened, setOpened] = useState<Arrived | null>(null)
  const box = useRef<QueryBoxHandle>(null)
  const errorId = useId()
  const marks = useMemo(() => marksOf(query), [query])
  const mistake = error?.isQueryError ? error : null

  const follow = (on: boolean) => dispatch({ type: on ? 'resume' : 'pause' })
  const run = (text: string) => {
    remember(text)
    setAttempt((number) => number + 1)
    void navigate({ search: (current) => ({ ...current, q: text || undefined }) as typeof search })
  }
  const open = (row: Arrived) => {
    setOpened(row.number === opened?.number ? null : row)
    follow(false)
  }
  const step = (by: 1 | -1) => {
    const at = state.rows.findIndex((row) => row.number === opened?.number)
    const next = state.rows[at < 0 ? state.rows.length - 1 : at + by]
    if (next) {
      setOpened(next)
      follow(false)
    }
  }
  const filter = (field: string, value: FieldValue, negated: boolean) => {
    setOpened(null)
    run(addFilter(box.current?.text().trim() ?? query, field, value, negated))
  }
  const explore = (q: string, event?: LogEvent) => {
    const at = event ? Date.parse(timeOf(event)) : 0
    const range = event ? between(at - AROUND_MS, at + AROUND_MS) : null
    void go({ to: '/explore', search: { ...(q && { q }), ...(range?.from && range.to ? { from: range.from, to: range.to } : { from: '-15m' }) } })
  }
  const stream = (event: LogEvent) => ['service', 'host'].filter((name) => typeof event[name] === 'string').map((name) => filterTerm(name, event[name] as string)).join(' ')

  const toggleWrap = () => { wrapPreference.set(!wrap); void navigate({ search: (current) => ({ ...current, wrap: wrap ? 'off' : 'on' }), replace: true }) }
  const toggleZone = () => { utcPreference.set(!utc); void navigate({ search: (current) => ({ ...current, tz: utc ? 'local' : 'utc' }), replace: true }) }
  useHotkeys({
    '/': () => box.current?.focus(), p: () => follow(state.paused), w: toggleWrap, u: toggleZone, j: () => step(1), k: () => step(-1),
    x: () => (opened ? setOpened(null) : step(1)), Escape: () => setOpened(null),
  })

  return (
    <div className={styles.page}>
      <h1 className="sr-only">Live tail</h1>
      <header className={styles.head}>
        <div className={styles.ask}>
          <QueryBox ref={box} value={query} onRun={run} mistake={mistake?.places[0] ?? null} hint={useNarrow() ? SHORT_HINT : HINT} label="Filter" describedBy={errorId} />
          <HistoryMenu onPick={run} />
        </div>
        <Button look={state.paused ? 'primary' : 'plain'} className={styles.pause} icon={state.paused ? <Play /> : <Pause />} title="Pause or follow (p)" onClick={() => follow(state.paused)}>
          {state.paused ? 'Follow' : 'Pause'}
        </Button>
        {mistake && <div className={styles.mistake}><QueryError id={errorId} error={mistake} query={query} /></div>}
      </header>
      <div className={styles.bar} role="toolbar" aria-label="Tail">
        <span className={styles.live} role="status"><i className={cx(styles.dot, connection === 'live' && !state.paused && styles.on, connection === 'lost' && styles.off)} />{state.paused ? 'paused' : WORDS[connection]}</span>
        <span className={styles.rate} aria-label={`${rate.toFixed(1)} events a second`}><b>{rate < 100 ? rate.toFixed(1) : count(Math.round(rate))}</b> events/s</span>
        <span className={styles.total}>{plural(state.arrived, 'event')} since opened{state.dropped > 0 && `, the oldest ${count(state.dropped)} let go`}</span>
        <div className={styles.tools}>
          <Button look="quiet" icon={<WrapText />} pressed={wrap} title="Wrap long lines (w)" aria-label="Wrap long lines" onClick={toggleWrap} />
          <Button look="quiet" className={styles.zone} title="Local time or UTC (u)" onClick={toggleZone}>{utc ? 'UTC' : 'Local'}</Button>
          <Button look="quiet" icon={<Eraser />} title="Clear the list" aria-label="Clear the list" onClick={() => dispatch({ type: 'clear' })} />
          <Button look="quiet" icon={<ScrollText />} title="The last 15 minutes of this in Explore" onClick={() => explore(query)}>Explore</Button>
        </div>
      </div>
      <div className={styles.body}>
        {error && !mistake ? <Failure error={error} onRetry={() => setAttempt((number) => number + 1)} />
          : state.rows.length === 0 ? (
            <div className={styles.empty}>
              <Empty title={query ? 'Waiting for an event that matches' : 'Waiting for events'} icon={<Radio />}>
                <p>{query ? 'Events that fit the filter appear here as they arrive.' : 'Events appear here as they arrive. Send one:'}</p>
                <Snippet label="Send an event with curl" text={sendSnippet(location.origin)} />
              </Empty>
            </div>
          ) : <TailList rows={state.rows} following={!state.paused} utc={utc} wrap={wrap} marks={marks} selected={opened?.number ?? null} onOpen={open} onFollow={follow} />}
        {state.paused && (
          <Button look="primary" className={styles.resume} icon={<ArrowDownToLine />} onClick={() => follow(true)}>
            {state.waiting.length > 0 ? `${plural(state.waiting.length, 'new event')}: follow` : 'Paused: follow'}
          </Button>
        )}
        {opened && (
          <div className={styles.detail}>
            <EventDetail event={opened.event} utc={utc} onClose={() => setOpened(null)} onStep={step} onFilter={filter}
              onTrace={(event) => explore(filterTerm('trace_id', String(event['trace_id'])), event)} onAround={(event) => explore(stream(event), event)} />
          </div>
        )}
      </div>
    </div>
  )
}
