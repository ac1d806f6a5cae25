/** The events of a query, a page at a time. */
import { api, type Answer } from '@/api/client'
import { queryTold, type Progress } from '@/api/told'
import { isPageable } from '@/lib/query/edit'
import { nextNano, type Resolved } from '@/lib/time/range'
import { holdsEvents } from '@/lib/events'

/** Rows of the first page, which is waited for, and of those fetched while scrolling. */
const FIRST_ROWS = 500
const MORE_ROWS = 2000

/** Where the next page begins: events up to this time, without the `skip` ones of that very time that are there already. */
export interface PageStart {
  readonly to: string | undefined
  readonly skip: number
}

export const FIRST_PAGE: PageStart = { to: undefined, skip: 0 }

/** Of the first page, which is waited for, `onProgress` hears how far it is. */
export async function runPage(query: string, range: Resolved, page: PageStart, timezone: string, signal: AbortSignal, onProgress?: (progress: Progress) => void): Promise<Answer> {
  const pageable = isPageable(query)
  const to = page.to ?? range.to
  const body = { query, ...range, timezone, ...(to !== undefined && { to }), ...(pageable && { limit: (page.to === undefined ? FIRST_ROWS : MORE_ROWS) + page.skip }) }
  const answer = await (onProgress && page === FIRST_PAGE ? queryTold(body, signal, onProgress) : api.query(body, signal))
  return page.skip > 0 ? { ...answer, rows: answer.rows.slice(page.skip) } : answer
}

/** The start of the page after these, or null at the end. Older events are found by time, since events have no number. */
export function nextPage(query: string, pages: readonly Answer[]): PageStart | null {
  const last = pages.at(-1)
  if (!last || last.complete || !isPageable(query) || !holdsEvents(last)) return null
  const column = last.columns.findIndex(({ name }) => name === 'timestamp')
  const time = last.rows.at(-1)?.[column]
  if (typeof time !== 'string') return null
  let skip = 0
  for (const page of [...pages].reverse()) {
    const at = page.columns.findIndex(({ name }) => name === 'timestamp')
    const same = page.rows.filter((row) => row[at] === time).length
    skip += same
    if (same < page.rows.length) break
  }
  return { to: nextNano(time), skip }
}
