/** Events as rows of an answer, and the names by which the URL remembers one. */

export type LogEvent = Readonly<Record<string, unknown>>

/** The event's time as the server wrote it, or an empty text. */
export const timeOf = (event: LogEvent | undefined): string => (typeof event?.['timestamp'] === 'string' ? event['timestamp'] : '')

interface Table {
  readonly columns: readonly { readonly name: string }[]
  readonly rows: readonly (readonly unknown[])[]
}

/** Does the answer hold events, rather than the rows of an aggregation? */
export function holdsEvents(answer: Table): boolean {
  const names = new Set(answer.columns.map((column) => column.name))
  return names.has('timestamp') && names.has('message')
}

const made = new WeakMap<Table, LogEvent[]>()

/** Rows as objects in the columns' order; nulls are left out. Made once for each answer: a long list is many of them. */
export function eventsOf(answer: Table): LogEvent[] {
  const known = made.get(answer)
  if (known) return known
  const events = rowsToEvents(answer)
  made.set(answer, events)
  return events
}

function rowsToEvents(answer: Table): LogEvent[] {
  const names = answer.columns.map((column) => column.name)
  return answer.rows.map((row) => {
    const event: Record<string, unknown> = {}
    for (const [at, name] of names.entries()) {
      const value = row[at]
      if (value !== null && value !== undefined) event[name] = value
    }
    return event
  })
}

const HEAD = ['timestamp', 'observed_timestamp', 'severity', 'severity_text', 'severity_number', 'service', 'host', 'source', 'message', 'trace_id', 'span_id', 'parse_error']
const HEAD_SET = new Set(HEAD)

/** The attributes of an event, in their order: what is no standard column. */
export const attributesOf = (event: LogEvent): [string, unknown][] => Object.entries(event).filter(([name]) => !HEAD_SET.has(name) && !name.startsWith('_'))

/** Every field for the detail: standard columns first, then attributes by name. */
export function fieldsOf(event: LogEvent): [string, unknown][] {
  const standard = HEAD.filter((name) => event[name] !== undefined && name !== 'message').map((name): [string, unknown] => [name, event[name]])
  return [...standard, ...attributesOf(event).sort(([a], [b]) => a.localeCompare(b))]
}

/** A short name for an event that a link can carry: its time and a hash of its content (events have no id of their own). */
export function eventKey(event: LogEvent): string {
  return `${timeOf(event)}~${hash(JSON.stringify(Object.entries(event).sort(([a], [b]) => (a < b ? -1 : 1))))}`
}

/** The index of the event a key names, or -1; hashes are compared only where the time fits. */
export function indexOfKey(events: readonly LogEvent[], key: string): number {
  const time = key.slice(0, key.lastIndexOf('~'))
  return events.findIndex((event) => event['timestamp'] === time && eventKey(event) === key)
}

/** FNV-1a, 32 bit, in base 36. */
function hash(text: string): string {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return (value >>> 0).toString(36)
}
