/** Silences and maintenance windows: of which incidents nobody is told. */
import { http, unwrap } from './client'
import type { components } from './schema'

export type Silence = components['schemas']['Silence']
export type Maintenance = components['schemas']['Maintenance']
export type SilenceBody = components['schemas']['SilenceBody']

export const silences = {
  list: async (cursor: string | undefined, signal: AbortSignal) => unwrap(await http.GET('/api/v1/silences', { params: { query: { ...(cursor && { cursor }) } }, signal })),
  create: async (body: SilenceBody) => unwrap(await http.POST('/api/v1/silences', { body })),
  end: async ({ id, version }: Silence) => unwrap(await http.DELETE('/api/v1/silences/{id}', { params: { path: { id }, header: { 'If-Match': `"${version}"` } } })),
  maintenance: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/maintenance', { signal })).items,
}
