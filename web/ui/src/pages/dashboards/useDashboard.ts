/** The state of a dashboard's page: what the URL says, the document, and the draft while it is edited. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { dashboards, type Dashboard, type Tagged } from '@/api/dashboards'
import { chosenOf, maxAgeOf, rangeOf, refreshOf, searchOfChoice, searchOfRange, type DashboardSearch } from '@/lib/dashboards/state'
import { usePreference, utcPreference } from '@/lib/prefs'
import { resolve, sameRange, zoomOut, type Range } from '@/lib/time/range'
import type { Shared } from './usePanel'

const route = getRouteApi('/dashboards/$name')

export function useDashboard() {
  const { name } = route.useParams()
  const search = route.useSearch()
  const client = useQueryClient()
  const found = useQuery({ queryKey: ['dashboard', name], queryFn: ({ signal }) => dashboards.get(name, signal), staleTime: 0 })
  const [draft, setDraft] = useState<Dashboard | null>(null)
  const editing = search['edit'] === '1'
  const document = (editing && draft?.name === name ? draft : null) ?? found.data?.document ?? null
  const save = useMutation({
    mutationFn: (overwrite: boolean) => dashboards.change(draft ?? (found.data as Tagged).document, overwrite ? '*' : found.data?.etag ?? ''),
    onSuccess: (kept) => {
      client.setQueryData(['dashboard', name], kept)
      void client.invalidateQueries({ queryKey: ['dashboards'] })
      setDraft(null)
    },
  })
  return { name, search, found, document, editing, isChanged: draft?.name === name, setDraft, save }
}

/** What panels share, and the ways to change it; all of it stands in the URL. */
export function useShared(document: Dashboard, search: DashboardSearch) {
  const navigate = route.useNavigate()
  const preferred = usePreference(utcPreference)
  const utc = search['tz'] === undefined ? preferred : search['tz'] === 'utc'
  const refresh = refreshOf(search, document)
  const shares = maxAgeOf(refresh)
  const [{ stamp, maxAge }, setAsked] = useState(() => ({ stamp: Date.now(), maxAge: shares }))
  const [past, setPast] = useState<readonly Range[]>([])
  const range = useMemo(() => rangeOf(search, document), [search, document])
  const again = () => setAsked({ stamp: Date.now(), maxAge: 0 })

  useEffect(() => {
    if (refresh.ms === null) return undefined
    const timer = setInterval(() => {
      if (!window.document.hidden) setAsked({ stamp: Date.now(), maxAge: shares })
    }, refresh.ms)
    return () => clearInterval(timer)
  }, [refresh.ms, shares])

  const change = (next: Readonly<Record<string, string | undefined>>, replace = false) =>
    void navigate({ search: (current: DashboardSearch) => Object.fromEntries(Object.entries({ ...current, ...next }).filter(([, value]) => value !== undefined)) as DashboardSearch, replace })
  const setRange = (next: Range) => {
    if (sameRange(next, range)) return
    setPast((list) => [...list.slice(-19), range])
    change(searchOfRange(next, document))
  }
  const resolved = useMemo(() => resolve(range, stamp), [range, stamp])
  const chosen = useMemo(() => chosenOf(search, document), [search, document])
  const shared: Shared = { variables: document.variables ?? [], chosen, range: resolved, stamp, maxAge, utc }
  return {
    shared, range, refresh, again, change, setRange, utc,
    choose: (name: string, values: readonly string[]) => change(searchOfChoice(name, values), true),
    zone: (next: boolean) => { utcPreference.set(next); change({ tz: next ? 'utc' : 'local' }, true) },
    zoomOut: () => setRange(zoomOut(range, stamp)),
    back: past.length === 0 ? null : () => {
      const previous = past.at(-1)
      setPast((list) => list.slice(0, -1))
      if (previous) change(searchOfRange(previous, document))
    },
  }
}
