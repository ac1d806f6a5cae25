/** Links that show a query or a dashboard to others: made and ended here, and opened by whoever has one. */
import { http, unwrap, type Answer } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type Share = Schemas['ShareList']['items'][number]
export type Opened = Schemas['Shared']
export type NewShare = Schemas['NewShare']

export const shares = {
  list: async (signal: AbortSignal): Promise<Share[]> => unwrap(await http.GET('/api/v1/shares', { params: { query: { limit: 1000 } }, signal })).items,
  create: async (body: NewShare) => unwrap(await http.POST('/api/v1/shares', { body })),
  revoke: async (id: number) => unwrap(await http.DELETE('/api/v1/shares/{id}', { params: { path: { id } } })),
  open: async (token: string, signal: AbortSignal): Promise<Opened> => unwrap(await http.POST('/api/v1/shared', { body: { token }, signal })),
  rows: async (token: string, panel: string | null, timezone: string, signal: AbortSignal): Promise<Answer> =>
    unwrap(await http.POST('/api/v1/shared/query', { body: { token, timezone, ...(panel !== null && { panel }) }, signal })),
}
