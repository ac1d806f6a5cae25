/** The one way to the API: typed by the generated `schema.d.ts`, errors thrown as `ApiError`. */
import createClient from 'openapi-fetch'
import { problem } from './problem'
import type { paths } from './schema'

export const http = createClient<paths, 'application/json'>()

interface Reply<T> { data?: T; error?: unknown; response: Response }

export function unwrap<T>({ data, error, response }: Reply<T>): T {
  if (!response.ok || data === undefined) throw problem(response.status, error)
  return data
}

type Post<P extends keyof paths> = paths[P] extends { post: { responses: { 200: { content: { 'application/json': infer T } } } } } ? T : never
type Get<P extends keyof paths> = paths[P] extends { get: { responses: { 200: { content: { 'application/json': infer T } } } } } ? T : never

export type Answer = Post<'/api/v1/query'>
export type QueryBody = NonNullable<paths['/api/v1/query']['post']['requestBody']>['content']['application/json']
export type Field = Get<'/api/v1/fields'>['fields'][number]
export type TopValue = Get<'/api/v1/fields/{name}/values'>['values'][number]
export type Incident = Get<'/api/v1/incidents/{id}'>
export type Figures = NonNullable<Get<'/api/v1/incidents/{id}/figures'>['figures']>
export type Notification = Get<'/api/v1/notifications'>['items'][number]
export type Detector = Get<'/api/v1/detectors'>['items'][number]
export type Backtest = Post<'/api/v1/detectors/{name}/backtest'>
export type BacktestBody = NonNullable<paths['/api/v1/detectors/{name}/backtest']['post']['requestBody']>['content']['application/json']
export type Status = Get<'/api/v1/status'>

export type CompleteBody = NonNullable<paths['/api/v1/complete']['post']['requestBody']>['content']['application/json']

export interface Window { from?: string; to?: string }

export const api = {
  query: async (body: QueryBody, signal?: AbortSignal): Promise<Answer> => unwrap(await http.POST('/api/v1/query', { body, ...(signal && { signal }) })),
  complete: async (body: CompleteBody): Promise<Post<'/api/v1/complete'>> => unwrap(await http.POST('/api/v1/complete', { body })),
  fields: async (query: string, range: Window, signal: AbortSignal) =>
    unwrap(await http.GET('/api/v1/fields', { params: { query: { query, ...range } }, signal })).fields,
  values: async (name: string, query: string, range: Window, signal: AbortSignal) =>
    unwrap(await http.GET('/api/v1/fields/{name}/values', { params: { path: { name }, query: { query, ...range, limit: 8 } }, signal })).values,
  incidents: async (state: Incident['state'] | undefined, cursor: string | undefined, signal: AbortSignal) =>
    unwrap(await http.GET('/api/v1/incidents', { params: { query: { ...(state && { state }), ...(cursor && { cursor }) } }, signal })),
  bell: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/bell', { signal })),
  readBell: async (read_upto: number) => unwrap(await http.PUT('/api/v1/bell', { body: { read_upto } })),
  suppressed: async (id: number, signal: AbortSignal) =>
    unwrap(await http.GET('/api/v1/incidents', { params: { query: { suppressed_by: id } }, signal })).items,
  incident: async (id: number, signal: AbortSignal) => unwrap(await http.GET('/api/v1/incidents/{id}', { params: { path: { id } }, signal })),
  acknowledge: async (id: number) => unwrap(await http.POST('/api/v1/incidents/{id}/acknowledge', { params: { path: { id } } })),
  comment: async (id: number, text: string) => unwrap(await http.POST('/api/v1/incidents/{id}/comments', { params: { path: { id } }, body: { text } })),
  causes: async (id: number, signal: AbortSignal) => unwrap(await http.GET('/api/v1/incidents/{id}/causes', { params: { path: { id } }, signal })),
  figures: async (id: number, signal: AbortSignal) => unwrap(await http.GET('/api/v1/incidents/{id}/figures', { params: { path: { id } }, signal })).figures,
  resolve: async (id: number) => unwrap(await http.POST('/api/v1/incidents/{id}/resolve', { params: { path: { id } } })),
  notifications: async (cursor: string | undefined, signal: AbortSignal) =>
    unwrap(await http.GET('/api/v1/notifications', { params: { query: { ...(cursor && { cursor }) } }, signal })),
  detectors: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/detectors', { params: { query: {} }, signal })),
  backtest: async (name: string, body: BacktestBody, signal: AbortSignal): Promise<Backtest> =>
    unwrap(await http.POST('/api/v1/detectors/{name}/backtest', { params: { path: { name } }, body, signal })),
  session: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/session', { signal })),
  signIn: async (body: { email: string; password: string; code?: string }) => unwrap(await http.POST('/api/v1/session', { body })),
  signOut: async () => {
    await http.DELETE('/api/v1/session')
  },
  status: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/status', { signal })),
}

/** Run a query and keep its answer as a file: the server writes the format, the browser saves it. */
export async function download(body: QueryBody, format: 'application/x-ndjson' | 'text/csv', name: string): Promise<void> {
  const response = await fetch('/api/v1/query', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: format },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw problem(response.status, await response.json().catch(() => null))
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await response.blob())
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
