/** Dashboards over the API; apart from the rest of the client, since only their pages need it. */
import { http, unwrap } from './client'
import { problem } from './problem'
import type { components } from './schema'

type Schemas = components['schemas']
export type Dashboard = Schemas['Dashboard']
export type Panel = Schemas['Panel']
export type PanelKind = Panel['kind']
export type Variable = Schemas['Variable']
export type Position = Schemas['Position']
export type DashboardItem = Schemas['DashboardItem']

/** A document with the tag that its next change must show; `"0"` is that of one that is built in. */
export interface Tagged { readonly document: Dashboard; readonly etag: string }

export const isBuiltIn = (tagged: Tagged): boolean => tagged.etag === '"0"'

interface Reply { data?: Dashboard; error?: unknown; response: Response }

function tagged(reply: Reply): Tagged {
  return { document: unwrap(reply), etag: reply.response.headers.get('etag') ?? '' }
}

export const dashboards = {
  list: async (signal?: AbortSignal): Promise<DashboardItem[]> => {
    const items: DashboardItem[] = []
    let cursor: string | null = null
    do {
      const page: Schemas['DashboardList'] = unwrap(await http.GET('/api/v1/dashboards', { params: { query: { limit: 200, ...(cursor !== null && { cursor }) } }, ...(signal && { signal }) }))
      items.push(...page.items)
      cursor = page.next_cursor ?? null
    } while (cursor !== null)
    return items
  },
  get: async (name: string, signal?: AbortSignal): Promise<Tagged> =>
    tagged(await http.GET('/api/v1/dashboards/{name}', { params: { path: { name } }, ...(signal && { signal }) })),
  create: async (document: Dashboard): Promise<Tagged> => tagged(await http.POST('/api/v1/dashboards', { body: document })),
  change: async (document: Dashboard, etag: string): Promise<Tagged> =>
    tagged(await http.PUT('/api/v1/dashboards/{name}', { params: { path: { name: document.name }, header: { 'If-Match': etag } }, body: document })),
  remove: async (name: string): Promise<void> => {
    const { response, error } = await http.DELETE('/api/v1/dashboards/{name}', { params: { path: { name } } })
    if (!response.ok) throw problem(response.status, error)
  },
}
