/** Changes to a query made by a click: filter in, filter out, and the queries that the page derives from the one typed. */
import { splitStages, tokenize } from './tokens'

export type FieldValue = string | number | boolean | null

const PLAIN_FIELD = /^[A-Za-z_]\w*(\.\w+)*$/
const PLAIN_VALUE = /^[A-Za-z_][\w./@-]*$/
const RESERVED = new Set(['and', 'or', 'not', 'in', 'by', 'as', 'from', 'true', 'false', 'null'])
/** Stages that give one row for each row they take, and keep its time and severity. */
const ROW_STAGES = new Set(['where', 'extend', 'parse'])

/** A field's name as the language writes it: bare where it is a plain dotted name, else in backticks. */
export function quoteField(name: string): string {
  if (PLAIN_FIELD.test(name) && !RESERVED.has(name.toLowerCase())) return name
  return '`' + name.replace(/[\\`]/g, '\\$&') + '`'
}

/** A text in double quotes, with what must be escaped in them. */
export function quoteText(text: string): string {
  const escaped = text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t')
  return `"${escaped}"`
}

/** The term that finds exactly this value of the field; `null` stands for the field's absence. */
export function filterTerm(field: string, value: FieldValue, negated = false): string {
  const name = quoteField(field)
  if (value === null) return negated ? `${name}:*` : `-${name}:*`
  const sign = negated ? '-' : ''
  if (typeof value !== 'string') return `${sign}${name}:${value}`
  // `field:"a*b"` is a glob even in quotes; `=` takes every character as it is.
  if (/[*?]/.test(value)) return `${sign}${name}=${quoteText(value)}`
  const bare = PLAIN_VALUE.test(value) && !RESERVED.has(value.toLowerCase())
  return `${sign}${name}:${bare ? value : quoteText(value)}`
}

/** Add a term to the search part; stages stay as they are. The same term is not added twice, its opposite is taken out. */
export function addTerm(query: string, term: string): string {
  const { search, stages } = splitStages(query)
  const terms = topLevelTerms(search)
  if (terms.some((found) => found.text === term)) return query
  const opposite = opposed(term)
  let kept = search
  for (const found of terms.filter((one) => one.text === opposite).reverse()) {
    kept = kept.slice(0, found.from) + kept.slice(found.to)
  }
  kept = kept.replace(/ {2,}/g, ' ').trim()
  if (hasTopLevelOr(kept)) kept = `(${kept})`
  const changed = kept ? `${kept} ${term}` : term
  return [changed, ...stages].join(' | ')
}

/** Filter in (or out) one value of a field. */
export function addFilter(query: string, field: string, value: FieldValue, negated = false): string {
  return addTerm(query, filterTerm(field, value, negated))
}

function opposed(term: string): string {
  return term.startsWith('-') ? term.slice(1) : `-${term}`
}

interface Term { text: string; from: number; to: number }

/** The search's parts between spaces, outside of parentheses and quotes. */
function topLevelTerms(search: string): Term[] {
  const terms: Term[] = []
  let from: number | null = null
  const end = (to: number): void => {
    if (from !== null) terms.push({ text: search.slice(from, to), from, to })
    from = null
  }
  for (const token of tokenize(search)) {
    if (token.kind === 'space' && token.depth === 0) end(token.from)
    else from ??= token.from
  }
  end(search.length)
  return terms
}

function hasTopLevelOr(search: string): boolean {
  return tokenize(search).some((token) => token.kind === 'keyword' && token.depth === 0 && search.slice(token.from, token.to).toLowerCase() === 'or')
}

const stageName = (stage: string): string => /^\w*/.exec(stage)?.[0].toLowerCase() ?? ''

/** The query up to its first aggregation: the events that enter it. Histogram and field counts are about these. */
export function eventsQuery(query: string): string {
  const { search, stages } = splitStages(query)
  const end = stages.findIndex((stage) => !ROW_STAGES.has(stageName(stage)))
  return [search.trim(), ...(end < 0 ? stages : stages.slice(0, end))].join(' | ').trim()
}

/** May further pages be fetched by asking for older events? Not where a stage orders, cuts or aggregates. */
export function isPageable(query: string): boolean {
  return splitStages(query).stages.every((stage) => ROW_STAGES.has(stageName(stage)))
}

/** Has the query stages at all? */
export const hasStages = (query: string): boolean => splitStages(query).stages.length > 0

/** Does the query read the log events, rather than one of Cordwood's own tables (`from incidents`)? */
export function readsEvents(query: string): boolean {
  const head = /^\s*from\s+(\w+)/i.exec(query)
  return head === null || head[1]?.toLowerCase() === 'events'
}

/** The search part alone, which is all that live tail understands. */
export function searchPart(query: string): string {
  return splitStages(query).search.trim()
}

/** Append a stage: `base | stage`, where an empty base means all events. */
export function withStage(base: string, stage: string): string {
  return `${base.trim()} | ${stage}`.trim()
}
