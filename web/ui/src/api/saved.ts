/** The saved queries of the API; apart from the client, since only their menu needs them. */
import { http, unwrap } from './client'
import { problem } from './problem'
import type { components } from './schema'

export type SavedQuery = components['schemas']['SavedQueryAnswer']

export const list = async (signal: AbortSignal): Promise<SavedQuery[]> =>
  unwrap(await http.GET('/api/v1/saved-queries', { params: { query: { limit: 1000 } }, signal })).items

export const save = async (body: { name: string; text: string }): Promise<SavedQuery> => unwrap(await http.POST('/api/v1/saved-queries', { body }))

export const forget = async (name: string): Promise<void> => {
  const { error, response } = await http.DELETE('/api/v1/saved-queries/{name}', { params: { path: { name } } })
  if (!response.ok) throw problem(response.status, error)
}
