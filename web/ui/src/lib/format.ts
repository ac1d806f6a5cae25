/** Numbers and times as people read them. */

const pad = (value: number, width = 2): string => String(value).padStart(width, '0')

/** Local or UTC parts of an RFC 3339 time; digits beyond milliseconds come from the text, since Date drops them. */
export function timeParts(time: string, utc: boolean): { date: string; clock: string; fraction: string } | null {
  const at = new Date(time)
  if (Number.isNaN(at.getTime())) return null
  const date = utc
    ? `${at.getUTCFullYear()}-${pad(at.getUTCMonth() + 1)}-${pad(at.getUTCDate())}`
    : `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`
  const clock = utc
    ? `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())}`
    : `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`
  return { date, clock, fraction: (/\.(\d+)/.exec(time)?.[1] ?? '').padEnd(9, '0') }
}

/** `2026-01-31 12:00:00.123` in the chosen zone; `digits` of the fraction, none by default. */
export function formatTime(time: string | null | undefined, utc: boolean, digits = 0): string {
  const parts = time ? timeParts(time, utc) : null
  if (!parts) return time ?? '—'
  return `${parts.date} ${parts.clock}${digits ? `.${parts.fraction.slice(0, digits)}` : ''}`
}

/** `UTC` or the local zone as an offset: `UTC+02:00`. */
export function zoneName(utc: boolean): string {
  const offset = utc ? 0 : -new Date().getTimezoneOffset()
  if (offset === 0) return 'UTC'
  const size = Math.abs(offset)
  return `UTC${offset < 0 ? '−' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`
}

/** The zone's IANA name, as the API takes it. */
export const zoneId = (utc: boolean): string => (utc ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC')

/** `3 min ago`, `in 2 h`; for a person's feeling, beside the exact time. */
export function ago(time: string | null | undefined, now = Date.now()): string {
  const at = time ? Date.parse(time) : NaN
  if (Number.isNaN(at)) return '—'
  const seconds = Math.round((now - at) / 1000)
  const size = Math.abs(seconds)
  if (size < 5) return 'just now'
  return seconds > 0 ? `${span(size)} ago` : `in ${span(size)}`
}

/** Seconds as `45 s`, `12 min`, `3 h`, `2 d`. */
export function span(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86400)} d`
}

const grouped = new Intl.NumberFormat('en-US')
export const count = (value: number): string => grouped.format(value)

/** `12,345` up to five digits, then `1.2 M`. */
export function compact(value: number): string {
  if (Math.abs(value) < 100_000) return grouped.format(value)
  const [size, unit] = Math.abs(value) >= 1e9 ? [1e9, 'B'] : Math.abs(value) >= 1e6 ? [1e6, 'M'] : [1e3, 'k']
  const scaled = value / size
  return `${scaled.toFixed(scaled < 10 ? 1 : 0)} ${unit}`
}

/** Bytes in binary units: `1.4 MiB`. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let scaled = value
  let unit = 0
  while (scaled >= 1024 && unit < units.length - 1) {
    scaled /= 1024
    unit += 1
  }
  return `${scaled.toFixed(unit === 0 || scaled >= 100 ? 0 : 1)} ${units[unit] ?? ''}`
}

/** `8 ms`, `1.24 s`. */
export const elapsed = (ms: number): string => (ms < 1000 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1000).toFixed(2)} s`)

export const plural = (value: number, one: string, many = `${one}s`): string => `${count(value)} ${value === 1 ? one : many}`

/** Any value of a row as text: text as it is, the rest as JSON. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}
