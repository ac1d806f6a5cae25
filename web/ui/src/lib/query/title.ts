/** A query in words, as the title of what shows its result. */
import { splitStages, tokenize } from './tokens'

const LONGEST = 80
const OF: Readonly<Record<string, string>> = {
  avg: 'Average', sum: 'Sum of', min: 'Smallest', max: 'Largest', distinct: 'Distinct', distinct_exact: 'Distinct', first: 'First', last: 'Last', values: 'Values of',
}
const LEVELS: Readonly<Record<string, string>> = { trace: 'Traces', debug: 'Debug events', info: 'Infos', warn: 'Warnings', error: 'Errors', fatal: 'Fatal errors' }

/** `severity>=error | stats count() as n by service` is “Errors by service”. */
export function titleOf(query: string): string {
  const { search, stages } = splitStages(query)
  const { events, filters } = found(search)
  const said = stages.map((stage) => shown(stage, events)).findLast((words) => words !== null) ?? (stages.length === 0 ? `${events} by severity` : events)
  const title = [said, filters].filter((part) => part !== '').join(' · ')
  return title.length > LONGEST ? `${title.slice(0, LONGEST - 1).trimEnd()}…` : title
}

/** What a search finds, in a word, and what else it asks for. */
function found(search: string): { events: string; filters: string } {
  let events = 'Events'
  const plain = tokenize(search).every((token) => token.kind !== 'keyword' && token.depth === 0)
  if (!plain) return { events, filters: search.trim() }
  const filters = search.replace(/(?:^|\s)(?:severity|level)\s*(>=|:|=)\s*(\w+)(?=\s|$)/gi, (term, sign: string, level: string) => {
    const noun = LEVELS[level.toLowerCase()]
    if (noun === undefined || events !== 'Events') return term
    events = sign === '>=' && level.toLowerCase() !== 'error' && level.toLowerCase() !== 'fatal' ? `${noun} and worse` : noun
    return ''
  })
  return { events, filters: filters.replace(/(^|\s)service\s*:\s*([\w.-]+)(?=\s|$)/g, '$1$2').replace(/\s+/g, ' ').trim() }
}

/** What a stage makes of events; null where it gives other events. */
function shown(stage: string, events: string): string | null {
  const [, name = '', rest = ''] = /^(\w+)\s*([^]*)$/.exec(stage) ?? []
  const [what = '', by] = rest.split(/\s+by\s+|^by\s+/i)
  const grouped = by === undefined ? '' : ` by ${by.trim()}`
  switch (name.toLowerCase()) {
    case 'stats': return figures(what, events) + grouped
    case 'timechart': return `${figures(what, events)}${grouped} over time`
    case 'top': return `Most frequent ${fields(what)}${grouped}`
    case 'rare': return `Rarest ${fields(what)}${grouped}`
    case 'patterns': return events === 'Events' ? 'Patterns' : `Patterns of ${events.toLowerCase()}`
    default: return null
  }
}

/** `top 5 path`: without the number. */
function fields(text: string): string {
  return text.replace(/^\d+\s+/, '').replaceAll('`', '').trim()
}

/** `count() as n, p95(took_ms)` is “Events, p95 of took_ms”; a name that somebody gave it says it better. */
function figures(text: string, events: string): string {
  const all = text.replace(/(^|\s)\w+=\S+/g, ' ').split(/,(?![^(]*\))/).map((one) => figure(one.trim(), events))
  return all.filter((one) => one !== '').join(', ') || events
}

function figure(text: string, events: string): string {
  const named = /\s+as\s+`?([^`]{3,})`?$/i.exec(text)?.[1]
  if (named !== undefined) return capital(named.replaceAll('_', ' '))
  const [, name = '', inner = ''] = /^(\w+)\(([^]*?)\)/.exec(text) ?? []
  if (name === '') return text
  const of = inner.replaceAll('`', '').trim()
  if (name.toLowerCase() === 'count') return of === '' ? events : `${events} with ${of}`
  return `${OF[name.toLowerCase()] ?? `${name} of`} ${of}`.trim()
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
