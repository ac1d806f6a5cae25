/** Page states as they stand in the URL. Values are plain texts: a link can be read and written by hand. */
import { ALL_TIME, DEFAULT_RANGE, sameRange, type Range } from './time/range'

export interface ExploreSearch {
  readonly q?: string
  /** `all` for all time; absent: the default range. */
  readonly from?: string
  readonly to?: string
  /** The opened event's key. */
  readonly event?: string
  readonly view?: 'table' | 'chart'
  readonly tz?: 'utc' | 'local'
  readonly wrap?: 'on' | 'off'
  /** Fields with a column of their own. */
  readonly cols?: string
}

export interface TailSearch { readonly q?: string; readonly tz?: 'utc' | 'local'; readonly wrap?: 'on' | 'off' }
export interface IncidentsSearch { readonly state?: 'open' | 'acknowledged' | 'silenced' | 'resolved' | 'all' }

export interface DetectorsSearch {
  /** The detector whose backtest is shown. */
  readonly backtest?: string
  readonly span?: '1d' | '7d' | '30d'
  /** Wished alerts a week. */
  readonly wish?: string
}

/** `?a=b&c=d` to texts; empty values are left out. */
export function parseSearch(text: string): Record<string, string> {
  return Object.fromEntries([...new URLSearchParams(text)].filter(([, value]) => value !== ''))
}

/** Texts to `?a=b&c=d`, or an empty text; `:` `/` `,` stay readable. */
export function stringifySearch(search: Record<string, unknown>): string {
  const pairs = Object.entries(search).filter((pair): pair is [string, string] => typeof pair[1] === 'string' && pair[1] !== '')
  if (pairs.length === 0) return ''
  return `?${pairs.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value).replace(/%3A/g, ':').replace(/%2C/g, ',').replace(/%20/g, '+').replace(/%2F/g, '/')}`).join('&')}`
}

function one<T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((item) => item === value)
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** Leave out what is undefined: the exact optional properties of a search. */
function present<T extends object>(values: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T
}

export function exploreSearch(raw: Record<string, unknown>): ExploreSearch {
  return present<ExploreSearch>({
    q: text(raw['q']), from: text(raw['from']), to: text(raw['to']), event: text(raw['event']),
    view: one(raw['view'], ['table', 'chart']), tz: one(raw['tz'], ['utc', 'local']), wrap: one(raw['wrap'], ['on', 'off']), cols: text(raw['cols']),
  })
}

export function tailSearch(raw: Record<string, unknown>): TailSearch {
  return present<TailSearch>({ q: text(raw['q']), tz: one(raw['tz'], ['utc', 'local']), wrap: one(raw['wrap'], ['on', 'off']) })
}

export function incidentsSearch(raw: Record<string, unknown>): IncidentsSearch {
  return present<IncidentsSearch>({ state: one(raw['state'], ['open', 'acknowledged', 'silenced', 'resolved', 'all']) })
}

/** As it stands: a page reads its own, since which variables a dashboard has only its document says. */
export const textSearch = (raw: Record<string, unknown>): Readonly<Record<string, string>> => raw as Record<string, string>

export function detectorsSearch(raw: Record<string, unknown>): DetectorsSearch {
  return present<DetectorsSearch>({ backtest: text(raw['backtest']), span: one(raw['span'], ['1d', '7d', '30d']), wish: text(raw['wish']) })
}

export function rangeOf(search: ExploreSearch): Range {
  if (search.from === 'all') return { from: null, to: search.to ?? null }
  if (search.from === undefined && search.to === undefined) return DEFAULT_RANGE
  return { from: search.from ?? null, to: search.to ?? null }
}

/** The part of the URL that says this range; the default needs none. */
export function searchOfRange(range: Range): { from?: string; to?: string } {
  if (sameRange(range, DEFAULT_RANGE)) return {}
  if (sameRange(range, ALL_TIME)) return { from: 'all' }
  return { ...(range.from !== null ? { from: range.from } : { from: 'all' }), ...(range.to !== null && { to: range.to }) }
}
