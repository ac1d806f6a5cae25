/** The state of Explore: what the URL says, and the answers to it. */
import { useInfiniteQuery, useQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import type { Answer } from '@/api/client'
import type { Progress } from '@/api/told'
import { runHistogram } from '@/lib/histogramQuery'
import { joinColumns, splitColumns } from '@/lib/columns'
import { useDisplay } from '@/lib/display'
import { remember } from '@/lib/prefs'
import { zoneId } from '@/lib/format'
import { eventsQuery, hasStages, readsEvents } from '@/lib/query/edit'
import { between, resolve, sameRange, zoomOut, type Range } from '@/lib/time/range'
import { rangeOf, searchOfRange, type ExploreSearch } from '@/lib/url'
import { FIRST_PAGE, nextPage, runPage } from './runner'

const route = getRouteApi('/explore')
const clock = (): number => Date.now()

export function useExplore() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const client = useQueryClient()
  const query = search.q ?? ''
  const range = useMemo(() => rangeOf({ ...(search.from && { from: search.from }), ...(search.to && { to: search.to }) }), [search.from, search.to])
  const display = useDisplay(search)
  const columns = useMemo(() => splitColumns(search.cols), [search.cols])
  const [runs, setRuns] = useState(0)
  const [past, setPast] = useState<readonly Range[]>([])
  const [cancelled, setCancelled] = useState<string | null>(null)

  // Relative ranges are fixed at the moment of a run, so that all answers of one run are about the same time.
  const key = `${query}\n${range.from ?? ''}\n${range.to ?? ''}\n${runs}`
  const [stamp, setStamp] = useState(() => ({ key, now: clock() }))
  if (stamp.key !== key) setStamp({ key, now: clock() })
  const resolved = useMemo(() => resolve(range, stamp.now), [range, stamp.now])
  // The zone matters to what is counted by days and hours, not to events.
  const zone = hasStages(query) ? zoneId(display.utc) : 'UTC'
  const about = [query, resolved, stamp.now, zone] as const

  const [progress, setProgress] = useState<Progress | null>(null)
  const events = useInfiniteQuery({
    queryKey: ['explore', 'events', ...about],
    queryFn: ({ pageParam, signal }) => {
      setProgress(null)
      return runPage(query, resolved, pageParam, zone, signal, setProgress)
    },
    initialPageParam: FIRST_PAGE,
    getNextPageParam: (_, pages) => nextPage(query, pages),
    staleTime: Infinity,
    structuralSharing: false, // comparing a hundred thousand rows with themselves at every page takes seconds
  })
  const base = eventsQuery(query)
  const bars = useQuery({
    queryKey: ['explore', 'histogram', base, resolved, stamp.now, display.utc],
    queryFn: ({ signal }) => runHistogram({ query, range: resolved, utc: display.utc }, signal),
    enabled: readsEvents(query),
    staleTime: Infinity,
    placeholderData: (previous) => previous,
  })

  // While the next answer is on its way, and while a query is wrong, the last good one stays in sight.
  const [good, setGood] = useState<{ data: InfiniteData<Answer>; query: string } | null>(null)
  if (events.data && events.data !== good?.data) setGood({ data: events.data, query })

  const change = (next: Partial<Record<keyof ExploreSearch, string | undefined>>, replace = false) =>
    void navigate({ search: (current) => ({ ...current, ...next }) as ExploreSearch, replace })

  const setRange = (next: Range) => {
    if (sameRange(next, range)) return
    setPast((list) => [...list.slice(-19), range])
    change({ from: undefined, to: undefined, event: undefined, ...searchOfRange(next) })
  }

  return {
    search, query, range, resolved, events, bars, base, change, setRange,
    stamp: stamp.now,
    shown: events.data ?? good?.data ?? null,
    shownQuery: events.data ? query : good?.query ?? query,
    ...display,
    columns,
    setColumns: (next: readonly string[]) => change({ cols: joinColumns(next) || undefined }, true),
    progress: events.isFetching && !events.isFetchingNextPage ? progress : null,
    running: events.isFetching || bars.isFetching,
    cancelled: cancelled === key && !events.isFetching && !events.data,
    run: (text: string) => {
      remember(text)
      setRuns((count) => count + 1)
      if (text !== query) change({ q: text || undefined, event: undefined, view: undefined })
    },
    again: () => setRuns((count) => count + 1),
    cancel: () => {
      setCancelled(key)
      void client.cancelQueries({ queryKey: ['explore'] })
    },
    zoom: (from: number, to: number) => setRange(between(from, to)),
    zoomOut: () => setRange(zoomOut(range, stamp.now)),
    back: past.length === 0 ? null : () => {
      const previous = past.at(-1)
      setPast((list) => list.slice(0, -1))
      if (previous) change({ from: undefined, to: undefined, event: undefined, ...searchOfRange(previous) })
    },
  }
}

export type Explore = ReturnType<typeof useExplore>
