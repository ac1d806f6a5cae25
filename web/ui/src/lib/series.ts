/** From the long rows of any `timechart` to one column a series. */
import { valueText } from './format'

/** `values[s][i]` is series s at `times[i]` (milliseconds); null where it has no row there. */
export interface SeriesTable {
  readonly times: readonly number[]
  readonly names: readonly string[]
  readonly values: readonly (readonly (number | null)[])[]
}

interface LongRows {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly unknown[])[]
}

const MOST = 20

/** The table of a time series, or null where the answer is none: no first column `time`, or no number beside it. */
export function seriesOf(answer: LongRows): SeriesTable | null {
  if (answer.columns[0]?.name !== 'time' || answer.rows.length === 0) return null
  const rest = answer.columns.map((column, at) => ({ ...column, at })).slice(1)
  const isNumber = (at: number): boolean => answer.rows.every((row) => row[at] === null || typeof row[at] === 'number') && answer.rows.some((row) => typeof row[at] === 'number')
  const numbers = rest.filter(({ at }) => isNumber(at))
  const keys = rest.filter(({ at }) => !isNumber(at))
  if (numbers.length === 0) return null
  while (numbers.length > 1 && isTwice(answer.rows, [0, ...keys.map(({ at }) => at)])) keys.push(...numbers.splice(0, 1)) // `by status`

  const times = [...new Set(answer.rows.map((row) => Date.parse(String(row[0]))))].filter((time) => !Number.isNaN(time)).sort((a, b) => a - b)
  const index = new Map(times.map((time, at) => [time, at]))
  const series = new Map<string, (number | null)[]>()
  for (const row of answer.rows) {
    const at = index.get(Date.parse(String(row[0])))
    if (at === undefined) continue
    const key = keys.map((column) => valueText(row[column.at]) || 'none').join(' · ')
    for (const column of numbers) {
      const name = keys.length === 0 ? column.name : numbers.length === 1 ? key : `${key} · ${column.name}`
      const values = series.get(name) ?? new Array<number | null>(times.length).fill(null)
      values[at] = typeof row[column.at] === 'number' ? (row[column.at] as number) : null
      series.set(name, values)
    }
  }
  const shown = [...series].slice(0, MOST)
  return { times, names: shown.map(([name]) => name), values: shown.map(([, values]) => values) }
}

/** Whether two rows have the same values in these columns: then something else tells them apart. */
function isTwice(rows: LongRows['rows'], columns: readonly number[]): boolean {
  return new Set(rows.map((row) => JSON.stringify(columns.map((at) => row[at])))).size < rows.length
}
