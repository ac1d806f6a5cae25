/** A dashboard's state as it stands in the URL: time range, refresh, the panel that fills the screen, and `v.NAME` for each variable. */
import type { Dashboard } from '@/api/dashboards'
import type { Range } from '@/lib/time/range'
import type { Chosen } from './variables'

export type DashboardSearch = Readonly<Record<string, string>>

const PREFIX = 'v.'
/** Said where everything of a variable is chosen although its default is less. */
const ALL = '*'

/** The range of the URL, else the document's own. */
export function rangeOf(search: DashboardSearch, document: Dashboard): Range {
  const from = search['from'] ?? (search['to'] === undefined ? document.from ?? '-1h' : 'all')
  const to = search['to'] ?? (search['from'] === undefined ? document.to ?? null : null)
  return { from: from === 'all' ? null : from, to }
}

/** What the URL must say for this range; nothing where it is the document's own. */
export function searchOfRange(range: Range, document: Dashboard): { from: string | undefined; to: string | undefined } {
  const own = rangeOf({}, document)
  if (own.from === range.from && own.to === range.to) return { from: undefined, to: undefined }
  return { from: range.from ?? 'all', to: range.to ?? undefined }
}

/** What is chosen of each variable that the URL speaks of. */
export function chosenOf(search: DashboardSearch, document: Dashboard): Chosen {
  const found: Record<string, readonly string[]> = {}
  for (const variable of document.variables ?? []) {
    const said = search[PREFIX + variable.name]
    found[variable.name] = said === undefined ? variable.default ?? [] : said === ALL ? [] : said.split(',').map(decoded)
  }
  return found
}

/** The part of the URL for a choice. */
export function searchOfChoice(name: string, values: readonly string[]): Record<string, string> {
  return { [PREFIX + name]: values.length === 0 ? ALL : values.map((value) => (value === ALL ? '%2A' : encodeURIComponent(value))).join(',') }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The refresh of the URL or the document, in milliseconds; null: only when asked. */
export function refreshOf(search: DashboardSearch, document: Dashboard): { text: string; ms: number | null } {
  const text = search['refresh'] ?? document.refresh ?? 'off'
  const found = /^(\d{1,6})(s|m|h|d)$/.exec(text)
  const unit = { s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7 }[found?.[2] ?? ''] ?? 0
  return found ? { text, ms: Math.max(5000, Number(found[1]) * unit) } : { text: 'off', ms: null }
}

/** Seconds: as old may an answer be that others got to the same question. A third of the refresh. */
export function maxAgeOf(refresh: { ms: number | null }): number {
  return Math.min(10, Math.max(1, Math.floor((refresh.ms ?? 0) / 3000)))
}
