import { useQuery } from '@tanstack/react-query'
import { Play } from 'lucide-react'
import { lazy, Suspense, useEffect, useId, useMemo, useRef, useState } from 'react'
import { ApiError } from '@/api/problem'
import { EventList } from '@/components/events/EventList'
import { QueryBox, type QueryBoxHandle } from '@/components/query/QueryBox'
import { TimePicker } from '@/components/time/TimePicker'
import { Button } from '@/components/ui/Button'
import { Empty, Failure, Loading, Progress } from '@/components/ui/States'
import { eventKey, eventsOf, holdsEvents, indexOfKey, timeOf, type LogEvent } from '@/lib/events'
import { withColumn } from '@/lib/columns'
import { useHotkeys } from '@/lib/hotkeys'
import { useNarrow } from '@/lib/media'
import { sidebarPreference, usePreference, utcPreference, wrapPreference } from '@/lib/prefs'
import { addFilter, filterTerm, readsEvents, type FieldValue } from '@/lib/query/edit'
import { marksOf } from '@/lib/query/marks'
import { between, nextNano } from '@/lib/time/range'
import { stringifySearch } from '@/lib/url'
import { FieldSidebar } from './FieldSidebar'
import { HistogramPanel } from './HistogramPanel'
import { FIRST_PAGE, runPage } from './runner'
import { Toolbar } from './Toolbar'
import { useExplore } from './useExplore'
import styles from './ExplorePage.module.css'

// Most searches have no stages: the table comes with the first that has.
const Aggregation = lazy(() => import('./Aggregation').then((module) => ({ default: module.Aggregation })))

const QueryError = lazy(() => import('@/components/query/QueryError').then((module) => ({ default: module.QueryError })))
const QueryExamples = lazy(() => import('@/components/query/QueryExamples').then((module) => ({ default: module.QueryExamples })))
const Nothing = lazy(() => import('./Nothing').then((module) => ({ default: module.Nothing })))
const loadDetail = () => import('@/components/events/EventDetail')
const EventDetail = lazy(() => loadDetail().then((module) => ({ default: module.EventDetail })))

const QueryMenus = lazy(() => import('@/components/query/QueryMenus'))
const HINT = 'Search: a word, "a phrase", service:checkout severity>=warn, or | stats count() by service'
const SHORT_HINT = 'Search events'
const TRACE_MS = 15 * 60_000
const AROUND_MS = 30_000
const DAY_MS = 86_400_000

/** Search: a query and a time range above, what they find below. */
export default function ExplorePage() {
  const explore = useExplore()
  const { search, query, range, resolved, events, bars, base, change, shown, shownQuery, utc, wrap, columns, setColumns } = explore
  const box = useRef<QueryBoxHandle>(null)
  const errorId = useId()
  const narrow = useNarrow()
  const sidebar = usePreference(sidebarPreference)
  const [sheet, setSheet] = useState(false)
  const onColumn = (name: string) => setColumns(withColumn(columns, name))

  const list = useMemo(() => (shown?.pages ?? []).flatMap((page) => (holdsEvents(page) ? eventsOf(page) : [])), [shown])
  const answer = shown?.pages[0] ?? null
  const isEvents = answer === null || holdsEvents(answer)
  const mistake = events.error instanceof ApiError && events.error.isQueryError ? events.error : null
  const fieldsOpen = (narrow ? sheet : sidebar) && readsEvents(query) && (!mistake || shown !== null)
  const marks = useMemo(() => marksOf(shownQuery), [shownQuery])

  const [moved, setMoved] = useState<{ at: number; of: string }>({ at: -1, of: '' })
  const openIndex = useMemo(() => (search.event ? indexOfKey(list, search.event) : -1), [list, search.event])
  const cursor = search.event ? openIndex : moved.of === shownQuery ? Math.min(moved.at, list.length - 1) : -1
  const strayed = useStrayEvent(search.event, openIndex < 0 && !events.isFetching)
  const opened: LogEvent | null = search.event ? list[openIndex] ?? strayed : null

  // Fetched once there is something to open: whoever opens an event does not wait for it.
  const some = list.length > 0
  useEffect(() => {
    if (some) void loadDetail()
  }, [some])

  const open = (index: number) => {
    const event = list[index]
    setMoved({ at: index, of: shownQuery })
    if (event) change({ event: search.event && index === openIndex ? undefined : eventKey(event) }, true)
  }
  const close = () => change({ event: undefined }, true)
  const step = (by: 1 | -1) => {
    const next = Math.max(0, Math.min(list.length - 1, cursor + by))
    const event = list[next]
    setMoved({ at: next, of: shownQuery })
    if (event && search.event) change({ event: eventKey(event) }, true)
  }

  /** A click changes what stands in the box, even what was typed and not yet run. */
  const typed = () => box.current?.text().trim() ?? query
  const filter = (field: string, value: FieldValue, negated: boolean) => {
    const next = addFilter(typed(), field, value, negated)
    change({ q: next, event: negated ? undefined : search.event })
  }
  const jump = (next: string, from: number, to: number, event?: LogEvent) => {
    explore.setRange(between(from, to))
    change({ q: next || undefined, ...(event && { event: eventKey(event) }) })
  }
  const onTrace = (event: LogEvent) => {
    const at = Date.parse(timeOf(event))
    jump(filterTerm('trace_id', String(event['trace_id'])), at - TRACE_MS, at + TRACE_MS, event)
  }
  const onAround = (event: LogEvent) => {
    const at = Date.parse(timeOf(event))
    const stream = ['service', 'host'].filter((name) => typeof event[name] === 'string').map((name) => filterTerm(name, event[name] as string))
    jump(stream.join(' '), at - AROUND_MS, at + AROUND_MS, event)
  }
  /** The same view later and elsewhere: the time range is fixed. */
  const link = () => location.origin + location.pathname + stringifySearch({ ...search, from: resolved.from ?? 'all', to: resolved.to, tz: utc ? 'utc' : 'local' })

  useHotkeys({
    '/': () => box.current?.focus(),
    j: () => step(1),
    k: () => step(-1),
    x: () => (search.event && openIndex < 0 ? close() : open(Math.max(0, cursor))),
    Escape: () => search.event && close(),
    w: () => { wrapPreference.set(!wrap); change({ wrap: wrap ? 'off' : 'on' }, true) },
    u: () => { utcPreference.set(!utc); change({ tz: utc ? 'local' : 'utc' }, true) },
  })

  const withDate = useMemo(() => {
    const ends = [list[0], list.at(-1)].map((event) => Date.parse(timeOf(event)))
    return Math.abs((ends[0] ?? 0) - (ends[1] ?? 0)) > DAY_MS / 2 || explore.stamp - (ends[1] ?? 0) > DAY_MS / 2
  }, [list, explore.stamp])

  return (
    <div className={styles.page}>
      <h1 className="sr-only">Explore</h1>
      <header className={styles.head}>
        <div className={styles.ask}>
          <QueryBox ref={box} value={query} onRun={explore.run} mistake={mistake?.places[0] ?? null} hint={narrow ? SHORT_HINT : HINT} label="Query" range={() => explore.resolved} describedBy={errorId} />
          <Suspense><QueryMenus text={typed} onPick={explore.run} /></Suspense>
          <Button look="primary" className={styles.run} icon={<Play />} aria-label="Run" onClick={() => explore.run(typed())}>{narrow ? null : 'Run'}</Button>
        </div>
        <TimePicker range={range} utc={utc} onChange={explore.setRange} onBack={explore.back} onZoomOut={explore.zoomOut}
          onZone={(next) => { utcPreference.set(next); change({ tz: next ? 'utc' : 'local' }, true) }} />
        {mistake && <div className={styles.mistake}><Suspense><QueryError id={errorId} error={mistake} query={query} /></Suspense></div>}
      </header>
      <Progress active={explore.running} />
      {readsEvents(query) && (!mistake || bars.data) && <HistogramPanel bars={bars} zoom={explore.zoom} utc={utc} onFilter={(level) => filter('severity', level, false)} />}
      <Toolbar explore={explore} answer={answer} loaded={isEvents ? list.length : answer.rows.length} isEvents={isEvents}
        fieldsOpen={fieldsOpen} onFields={() => (narrow ? setSheet(!sheet) : sidebarPreference.set(!sidebar))} link={link} typed={typed} />
      <div className={styles.body}>
        {fieldsOpen && (
          <FieldSidebar query={base} range={resolved} stamp={explore.stamp}
            onFilter={(...what) => { setSheet(false); filter(...what) }} onClose={() => (narrow ? setSheet(false) : sidebarPreference.set(false))} />
        )}
        <div className={styles.result} data-stale={(shown !== null && ((events.isFetching && !events.isFetchingNextPage) || mistake !== null)) || undefined}>
          {explore.cancelled ? <Empty title="Cancelled"><Button onClick={explore.again}>Run again</Button></Empty>
            : events.isError && !mistake ? <Failure error={events.error} onRetry={explore.again} />
            : shown === null || answer === null ? (mistake ? <Empty title="Queries that work"><Suspense><QueryExamples onPick={explore.run} /></Suspense></Empty> : <Loading rows={14} label="Searching" />)
            : !isEvents ? (
              <Suspense fallback={<Loading rows={14} label="Loading the table" />}>
                <Aggregation answer={answer} search={search} change={change} utc={utc} range={resolved} onZoom={explore.zoom}
                  onFilter={(field, value) => change({ q: addFilter(base, field, value), view: undefined })} />
              </Suspense>
            )
            : list.length === 0 ? <Suspense><Nothing query={query} range={range} onRange={explore.setRange} onClear={() => change({ q: undefined })} onAgain={explore.again} /></Suspense>
            : (
              <EventList events={list} utc={utc} wrap={wrap} withDate={withDate} marks={marks} columns={columns} onColumn={onColumn} cursor={cursor} onOpen={open}
                onEnd={() => { if (events.hasNextPage && !events.isFetching) void events.fetchNextPage() }}
                footer={<End more={events.hasNextPage} busy={events.isFetchingNextPage} complete={shown.pages.at(-1)?.complete ?? true} count={list.length} />} />
            )}
        </div>
        {opened && isEvents && (
          <div className={styles.detail}>
            <Suspense fallback={<Loading label="Loading the event" />}>
              <EventDetail event={opened} utc={utc} onClose={close} onStep={step} link={link} onFilter={filter} onTrace={onTrace} onAround={onAround} columns={columns} onColumn={onColumn} />
            </Suspense>
          </div>
        )}
      </div>
    </div>
  )
}

function End({ more, busy, complete, count }: { readonly more: boolean; readonly busy: boolean; readonly complete: boolean; readonly count: number }) {
  return <p className={styles.end}>{busy || more ? 'Loading older events…' : complete ? 'No older events in this time range.' : `The query's limit cut the result at ${count} events.`}</p>
}

/** The event that a link names but the loaded pages lack: looked for by its time alone. */
function useStrayEvent(key: string | undefined, wanted: boolean): LogEvent | null {
  const time = key?.slice(0, key.lastIndexOf('~')) ?? ''
  const found = useQuery({
    queryKey: ['explore', 'event', key],
    queryFn: async ({ signal }) => {
      const answer = await runPage('', { from: time, to: nextNano(time) }, FIRST_PAGE, 'UTC', signal)
      const list = eventsOf(answer)
      return list[indexOfKey(list, key ?? '')] ?? null
    },
    enabled: wanted && key !== undefined && !Number.isNaN(Date.parse(time)),
    staleTime: Infinity,
  })
  return found.data ?? null
}
