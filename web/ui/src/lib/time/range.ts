/** Time ranges as the URL writes them: relative (`-15m`), absolute (RFC 3339), or open. */

/** `from` null: since the first event; `to` null: now. Strings are relative (`-1h`) or RFC 3339. */
export interface Range {
  readonly from: string | null
  readonly to: string | null
}

/** A range as the API takes it: RFC 3339 in UTC, absent where open. */
export interface Resolved {
  readonly from?: string
  readonly to?: string
}

export const ALL_TIME: Range = { from: null, to: null }
export const DEFAULT_RANGE: Range = { from: '-1h', to: null }

export const QUICK_RANGES: readonly { label: string; range: Range }[] = [
  { label: 'Last 5 minutes', range: { from: '-5m', to: null } },
  { label: 'Last 15 minutes', range: { from: '-15m', to: null } },
  { label: 'Last hour', range: { from: '-1h', to: null } },
  { label: 'Last 3 hours', range: { from: '-3h', to: null } },
  { label: 'Last 12 hours', range: { from: '-12h', to: null } },
  { label: 'Last 24 hours', range: { from: '-24h', to: null } },
  { label: 'Last 7 days', range: { from: '-7d', to: null } },
  { label: 'Last 30 days', range: { from: '-30d', to: null } },
  { label: 'All time', range: ALL_TIME },
]

const UNIT_MS: Record<string, number> = { s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7, w: 6.048e8 }
const RELATIVE = /^-(\d+)(s|m|h|d|w)$/

/** Milliseconds since the epoch of one end of a range, or null where it is no time. */
export function instant(end: string, now: number): number | null {
  if (end === 'now') return now
  const relative = RELATIVE.exec(end)
  if (relative) return now - Number(relative[1]) * (UNIT_MS[relative[2] ?? ''] ?? 0)
  const absolute = Date.parse(end)
  return Number.isNaN(absolute) ? null : absolute
}

/** Fix a range at a moment: absolute ends keep their nanoseconds, an open `to` of a relative range becomes now. */
export function resolve(range: Range, now: number): Resolved {
  const end = (text: string): string | undefined => {
    if (text !== 'now' && !RELATIVE.test(text)) return Number.isNaN(Date.parse(text)) ? undefined : text
    const ms = instant(text, now)
    return ms === null ? undefined : new Date(ms).toISOString()
  }
  const from = range.from === null ? undefined : end(range.from)
  const to = range.to === null ? (from === undefined ? undefined : new Date(now).toISOString()) : end(range.to)
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
}

export const isRelative = (range: Range): boolean => range.from !== null && RELATIVE.test(range.from) && range.to === null

export const sameRange = (a: Range, b: Range): boolean => a.from === b.from && a.to === b.to

/** An absolute range between two instants in milliseconds, in order whichever way it was dragged. */
export function between(a: number, b: number): Range {
  return { from: new Date(Math.floor(Math.min(a, b))).toISOString(), to: new Date(Math.ceil(Math.max(a, b))).toISOString() }
}

/** The same middle, twice the width; an open range stays. */
export function zoomOut(range: Range, now: number): Range {
  const { from, to } = resolve(range, now)
  if (from === undefined || to === undefined) return range
  const [start, end] = [Date.parse(from), Date.parse(to)]
  const half = (end - start) / 2
  return between(start - half, Math.min(end + half, Math.max(now, end)))
}

/** What the picker's button says. */
export function describe(range: Range, utc: boolean): string {
  const quick = QUICK_RANGES.find((item) => sameRange(item.range, range))
  if (quick) return quick.label
  const relative = range.from !== null && range.to === null ? RELATIVE.exec(range.from) : null
  if (relative) {
    const words: Record<string, string> = { s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week' }
    const count = Number(relative[1])
    return `Last ${count} ${words[relative[2] ?? ''] ?? ''}${count === 1 ? '' : 's'}`
  }
  const from = range.from === null ? 'the beginning' : inputText(range.from, utc)
  const to = range.to === null ? 'now' : inputText(range.to, utc)
  const sameDay = from.slice(0, 10) === to.slice(0, 10)
  return `${from} – ${sameDay ? to.slice(11) : to}`
}

/** How an end is written in the picker's field: `2026-01-31 12:00:00`, in the chosen zone; relative ends as they are. */
export function inputText(end: string, utc: boolean): string {
  if (end === 'now' || RELATIVE.test(end)) return end
  const date = new Date(end)
  if (Number.isNaN(date.getTime())) return end
  const shifted = utc ? date : new Date(date.getTime() - date.getTimezoneOffset() * 6e4)
  const text = shifted.toISOString().replace('T', ' ').replace('Z', '')
  return text.endsWith('.000') ? text.slice(0, -4) : text
}

/** Read what was typed into the picker: the forms of `inputText`, RFC 3339, a date alone, or empty for an open end. */
export function parseInput(text: string, utc: boolean): string | null | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return null
  if (trimmed === 'now') return null
  if (RELATIVE.test(trimmed)) return trimmed
  const parts = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?)?$/.exec(trimmed)
  if (parts) {
    const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) => Number(part || '0')) as [number, number, number, number, number, number]
    const fraction = Math.round(Number(parts[7] ?? '0') * 1000)
    const date = utc
      ? new Date(Date.UTC(year, month - 1, day, hour, minute, second, fraction))
      : new Date(year, month - 1, day, hour, minute, second, fraction)
    return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
  }
  const zoned = /[zZ]|[+-]\d\d:?\d\d$/.test(trimmed) ? Date.parse(trimmed) : NaN
  return Number.isNaN(zoned) ? undefined : new Date(zoned).toISOString()
}

const SPANS: readonly [string, number][] = [
  ['10ms', 10], ['50ms', 50], ['100ms', 100], ['500ms', 500],
  ['1s', 1e3], ['2s', 2e3], ['5s', 5e3], ['10s', 1e4], ['15s', 1.5e4], ['30s', 3e4],
  ['1m', 6e4], ['2m', 1.2e5], ['5m', 3e5], ['10m', 6e5], ['15m', 9e5], ['30m', 1.8e6],
  ['1h', 3.6e6], ['2h', 7.2e6], ['3h', 1.08e7], ['6h', 2.16e7], ['12h', 4.32e7],
  ['1d', 8.64e7], ['2d', 1.728e8], ['7d', 6.048e8], ['30d', 2.592e9], ['90d', 7.776e9], ['365d', 3.1536e10],
]

/** The round span that cuts the width into about `target` bars, never more; as `[text, milliseconds]`. */
export function spanFor(widthMs: number, target = 90): readonly [string, number] {
  return SPANS.find(([, ms]) => widthMs / ms <= target) ?? ['365d', 3.1536e10]
}

/** One nanosecond later, so that an exclusive end includes this instant. Keeps all nine digits. */
export function nextNano(time: string): string {
  const match = /^(.*?T\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(time)
  if (!match) return time
  const nanos = Number((match[2] ?? '').padEnd(9, '0')) + 1
  if (nanos < 1e9) return `${match[1] ?? ''}.${String(nanos).padStart(9, '0')}Z`
  const second = new Date(Date.parse(`${match[1] ?? ''}Z`) + 1000)
  return second.toISOString().replace('.000Z', '.000000000Z')
}
