/** From the rows of an answer to what panels draw. */
import type { Answer } from '@/api/client'
import type { FieldValue } from '@/lib/query/edit'
import { valueText } from '@/lib/format'

/** A value with its name. `keys` are the fields that it was grouped by. */
export interface Category {
  readonly name: string
  readonly value: number
  readonly share: number | null
  readonly keys: readonly (readonly [string, FieldValue])[]
}

interface Rows { readonly columns: Answer['columns']; readonly rows: Answer['rows'] }

const MEASURES = new Set(['count', 'n', 'share', 'total', 'percent'])

function isNumbers(answer: Rows, at: number): boolean {
  return answer.rows.some((row) => typeof row[at] === 'number') && answer.rows.every((row) => row[at] === null || typeof row[at] === 'number')
}

/** The columns that measure: numbers, but for a leading one that others stand behind (a status, a port). */
export function measures(answer: Rows): number[] {
  const numbers = answer.columns.map((_, at) => at).filter((at) => isNumbers(answer, at))
  const [first] = numbers
  const leads = first === 0 && numbers.length > 1 && numbers.length === answer.columns.length && !MEASURES.has(answer.columns[0]?.name ?? '')
  return leads ? numbers.slice(1) : numbers
}

/** A row a category: the first measure is its value, what is no measure its name. */
export function categories(answer: Rows): Category[] {
  const numbers = measures(answer)
  const shareAt = answer.columns.findIndex((column) => column.name === 'share')
  const valueAt = numbers.find((at) => at !== shareAt) ?? numbers[0]
  if (valueAt === undefined) return []
  const named = answer.columns.map((_, at) => at).filter((at) => !numbers.includes(at))
  return answer.rows.flatMap((row): Category[] => {
    const value = row[valueAt]
    if (typeof value !== 'number') return []
    const share = shareAt >= 0 && shareAt !== valueAt ? row[shareAt] : null
    return [{
      name: named.map((at) => valueText(row[at]) || 'none').join(' · ') || (answer.columns[valueAt]?.name ?? ''),
      value,
      share: typeof share === 'number' ? share : null,
      keys: named.map((at) => [answer.columns[at]?.name ?? '', plain(row[at])] as const),
    }]
  })
}

function plain(value: unknown): FieldValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : value === null || value === undefined ? null : JSON.stringify(value)
}

/** The one number of an answer, with the name of its column; null where there is none. */
export function numberOf(answer: Rows): { value: number; name: string } | null {
  const [row] = answer.rows
  const at = row?.findIndex((value) => typeof value === 'number') ?? -1
  return at < 0 ? null : { value: row?.[at] as number, name: answer.columns[at]?.name ?? '' }
}

/** Of many categories the largest, and the rest as one. */
export function largest(found: readonly Category[], most: number): Category[] {
  if (found.length <= most) return [...found]
  const sorted = [...found].sort((a, b) => b.value - a.value)
  const rest = sorted.slice(most - 1).reduce((sum, one) => sum + one.value, 0)
  return [...sorted.slice(0, most - 1), { name: 'other', value: rest, share: null, keys: [] }]
}

/** `12.35 %`, `1.2 M`, `84 ms`: a number of a panel, with the digits and the unit that it asks for. */
export function numberText(value: number, unit = '', decimals?: number | null): string {
  if (!Number.isFinite(value)) return '—'
  const digits = decimals ?? (Number.isInteger(value) ? 0 : Math.abs(value) < 10 ? 2 : Math.abs(value) < 1000 ? 1 : 0)
  const [size, suffix] = Math.abs(value) >= 1e9 ? [1e9, ' B'] : Math.abs(value) >= 1e6 ? [1e6, ' M'] : [1, '']
  const text = (value / size).toLocaleString('en-US', { minimumFractionDigits: size === 1 ? decimals ?? 0 : 0, maximumFractionDigits: size === 1 ? digits : Math.max(digits, 2) })
  return `${text}${suffix}${unit ? ` ${unit}` : ''}`
}
