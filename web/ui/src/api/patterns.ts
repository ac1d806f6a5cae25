/** Patterns that people shaped; apart from the client, since only the Patterns page needs them. */
import { http, unwrap } from './client'
import { problem } from './problem'
import type { components } from './schema'

export type Shape = components['schemas']['PatternAnswer']
export type ShapeBody = components['schemas']['PatternBody']

const PATH = '/api/v1/patterns/{id}'

export const shapes = {
  list: async (signal: AbortSignal): Promise<Shape[]> => unwrap(await http.GET('/api/v1/patterns', { params: { query: { limit: 200 } }, signal })).items,
  create: async (body: ShapeBody) => unwrap(await http.POST('/api/v1/patterns', { body })),
  change: async ({ id, version }: Pick<Shape, 'id' | 'version'>, body: ShapeBody) =>
    unwrap(await http.PUT(PATH, { params: { path: { id }, header: { 'If-Match': `"${version}"` } }, body })),
  undo: async (id: number): Promise<void> => {
    const { error, response } = await http.DELETE(PATH, { params: { path: { id } } })
    if (!response.ok) throw problem(response.status, error)
  },
}
