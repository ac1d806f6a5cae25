import { useQuery } from '@tanstack/react-query'
import { api, type Answer } from '@/api/client'
import type { Panel, Variable } from '@/api/dashboards'
import { fill, type Chosen } from '@/lib/dashboards/variables'
import { zoneId } from '@/lib/format'
import type { Resolved } from '@/lib/time/range'

/** Everything that the panels of a page share. `stamp` grows with each refresh; an answer may be `maxAge` seconds old. */
export interface Shared {
  readonly variables: readonly Variable[]
  readonly chosen: Chosen
  readonly range: Resolved
  readonly stamp: number
  readonly maxAge: number
  readonly utc: boolean
}

const LIMIT: Partial<Record<Panel['kind'], number>> = { timeseries: 20_000, bar: 20_000, heatmap: 20_000, table: 500, number: 1, top: 100, pie: 500 }

export interface PanelAnswer {
  readonly text: string
  readonly data: Answer | undefined
  /** The range that `data` is of: while the next answer is on its way, still the last one's. */
  readonly range: Resolved
  readonly error: unknown
  readonly isStale: boolean
  readonly again: () => void
}

/** The answer to a panel's query; while the next is on its way the last one stays. */
export function usePanel(panel: Panel, shared: Shared): PanelAnswer {
  const { variables, chosen, range, stamp, maxAge, utc } = shared
  const text = fill(panel.query ?? '', variables, chosen)
  const found = useQuery({
    queryKey: ['panel', text, panel.kind, range, stamp, maxAge, utc],
    queryFn: async ({ signal }) => ({ answer: await api.query({ query: text, ...range, timezone: zoneId(utc), max_age: maxAge, limit: LIMIT[panel.kind] ?? 100 }, signal), range }),
    enabled: panel.kind !== 'markdown',
    placeholderData: (previous) => previous,
    staleTime: Infinity,
    structuralSharing: false,
  })
  return {
    text, data: found.data?.answer, range: found.data?.range ?? range, error: found.error, isStale: found.isPlaceholderData,
    again: () => void found.refetch(),
  }
}
