/** What the Patterns page shows: the patterns of a search in a range, and how each went, compared with the range before. */
import { useQuery } from '@tanstack/react-query'
import { api, type Answer } from '@/api/client'
import { zoneId } from '@/lib/format'
import { histogram } from '@/lib/histogram'
import { addTerm, quoteText, searchPart, withStage } from '@/lib/query/edit'
import { spanFor, type Resolved } from '@/lib/time/range'

export interface Pattern {
  readonly pattern: string
  readonly name: string | null
  /** What the shaped pattern is known by that it is of; null: people did not shape it. */
  readonly shaped: string | null
  readonly count: number
  /** Of all messages of the search, from 0 to 1. */
  readonly share: number
  readonly firstSeen: string
  readonly lastSeen: string
  readonly example: string
}

export interface Course {
  /** Counts in equal steps over the range. */
  readonly bars: readonly number[]
  /** How many there were in as long a time before; null: the range has no beginning. */
  readonly before: number | null
}

const MOST = 200
const BARS = 40

/** The search that finds a pattern's messages, within the search they were found by. */
export const patternSearch = (query: string, pattern: string, negated = false): string => addTerm(searchPart(query), `${negated ? '-' : ''}pattern:${quoteText(pattern)}`)

export function usePatterns(query: string, range: Resolved, stamp: number) {
  return useQuery({
    queryKey: ['patterns', query, range, stamp],
    queryFn: ({ signal }) => api.query({ query: withStage(searchPart(query), `patterns limit=${MOST}`), ...range }, signal),
    select: (answer) => ({ patterns: patternsOf(answer), complete: answer.complete, stats: answer.stats }),
    placeholderData: (previous) => previous,
    staleTime: Infinity,
  })
}

function patternsOf({ columns, rows }: Answer): Pattern[] {
  const at = (name: string): number => columns.findIndex((column) => column.name === name)
  const [pattern, count, share, first, last, example] = ['pattern', 'count', 'share', 'first_seen', 'last_seen', 'example'].map(at) as [number, number, number, number, number, number]
  const text = (row: Answer['rows'][number], name: string): string | null => (typeof row[at(name)] === 'string' ? String(row[at(name)]) : null)
  return rows.map((row) => ({
    pattern: String(row[pattern]), name: text(row, 'name'), shaped: text(row, 'shaped'), count: Number(row[count]), share: Number(row[share]),
    firstSeen: String(row[first]), lastSeen: String(row[last]), example: String(row[example]),
  }))
}

/** One query covers the range and as long a time before it: its second half is the course, its first what to compare with. */
export function useCourse(query: string, pattern: Pattern, range: Resolved, enabled: boolean) {
  return useQuery({
    queryKey: ['patterns', 'course', query, pattern.pattern, range],
    queryFn: ({ signal }) => course(patternSearch(query, pattern.pattern), pattern, range, signal),
    enabled,
    staleTime: Infinity,
  })
}

async function course(search: string, pattern: Pattern, range: Resolved, signal: AbortSignal): Promise<Course> {
  const to = range.to === undefined ? Date.parse(pattern.lastSeen) + 1 : Date.parse(range.to)
  const from = range.from === undefined ? Date.parse(pattern.firstSeen) : Date.parse(range.from)
  const start = range.from === undefined ? from : 2 * from - to
  const [span, spanMs] = spanFor(to - from, BARS)
  const answer = await api.query({
    query: withStage(search, `timechart span=${span} count()`), from: new Date(start).toISOString(), to: new Date(to).toISOString(), timezone: zoneId(true), limit: 1000,
  }, signal)
  const found = histogram(answer, { from: start, to }, spanMs)
  const all = found.counts.NONE ?? found.times.map(() => 0)
  const bars = all.filter((_, at) => (found.times[at] ?? 0) + spanMs > from)
  const total = bars.reduce((sum, value) => sum + value, 0)
  return { bars, before: range.from === undefined ? null : found.total - total }
}
