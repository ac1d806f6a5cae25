/** What Settings, Pipelines and the first run ask: in a module of its own, for Explore needs none of it. */
import createClient from 'openapi-fetch'
import { problem } from './problem'
import type { components, paths } from './schema'

const http = createClient<paths, 'application/json'>()

interface Reply<T> { data?: T; error?: unknown; response: Response }

function unwrap<T>({ data, error, response }: Reply<T>): T {
  if (!response.ok || data === undefined) throw problem(response.status, error)
  return data
}

function done({ error, response }: Reply<unknown>): void {
  if (!response.ok) throw problem(response.status, error)
}

type Schemas = components['schemas']
type Found<P extends keyof paths> = paths[P] extends { get: { responses: { 200: { content: { 'application/json': infer T } } } } } ? T : never

export type User = Found<'/api/v1/users/{id}'>
export type Role = User['role']
export type Token = Found<'/api/v1/tokens/{id}'>
export type Scope = Token['scopes'][number]
export type RoleDetail = Found<'/api/v1/roles/{name}'>
export type Permission = RoleDetail['permissions'][number]
export type Session = Found<'/api/v1/session'>
export type BrowserSession = Found<'/api/v1/session/all'>['items'][number]
export type Pipelines = Found<'/api/v1/pipelines'>
export type AuditEntry = Found<'/api/v1/audit'>['items'][number]
export type Lookup = Found<'/api/v1/lookups'>['items'][number]
export type Recording = Found<'/api/v1/recordings'>['items'][number]
export type TriedStep = Schemas['TriedStep']

export const SCOPES: readonly Scope[] = ['ingest', 'query', 'admin']
export const PERMISSIONS: readonly Permission[] = ['query', 'ingest', 'edit', 'operate', 'admin']

export interface AuditFilter { readonly what?: string; readonly who?: string }
export interface NewToken { readonly name: string; readonly scopes: Scope[]; readonly valid_for?: string; readonly project?: string; readonly account?: string; readonly origins?: string[] }
export type RoleBody = Omit<RoleDetail, 'name' | 'built_in'>

export type NotifierEvent = 'opened' | 'flapping' | 'escalated' | 'resolved'
export type PreviewBody = components['schemas']['Wanted']

export const admin = {
  users: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/users', { params: { query: { limit: 1000 } }, signal })).items,
  createUser: async (body: { email: string; role: Role; project?: string; service?: boolean }) => unwrap(await http.POST('/api/v1/users', { body })),
  changeUser: async (id: number, body: { role?: Role; disabled?: boolean }) => unwrap(await http.PATCH('/api/v1/users/{id}', { params: { path: { id } }, body })),
  resetPassword: async (id: number) => unwrap(await http.POST('/api/v1/users/{id}/password', { params: { path: { id } } })),
  deleteUser: async (id: number) => done(await http.DELETE('/api/v1/users/{id}', { params: { path: { id } } })),
  tokens: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/tokens', { params: { query: { limit: 1000 } }, signal })).items,
  createToken: async (body: NewToken) => unwrap(await http.POST('/api/v1/tokens', { body })),
  revokeToken: async (id: number) => unwrap(await http.DELETE('/api/v1/tokens/{id}', { params: { path: { id } } })),
  projects: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/projects', { signal })).items,
  createProject: async (name: string) => unwrap(await http.POST('/api/v1/projects', { body: { name } })),
  notifiers: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/notifiers', { signal })).items,
  testNotifier: async (name: string) => unwrap(await http.POST('/api/v1/notifiers/{name}/test', { params: { path: { name } } })),
  previewNotifier: async (name: string, body: PreviewBody) => unwrap(await http.POST('/api/v1/notifiers/{name}/preview', { params: { path: { name } }, body })),
  retention: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/retention', { signal })).items,
  audit: async (filter: AuditFilter, cursor: string | undefined, signal: AbortSignal) =>
    unwrap(await http.GET('/api/v1/audit', { params: { query: { ...filter, ...(cursor && { cursor }) } }, signal })),
  plugins: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/plugins', { signal })),
  status: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/status', { signal })),
  lookups: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/lookups', { signal })).items,
  recordings: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/recordings', { signal })).items,
  deleteLookup: async (name: string) => done(await http.DELETE('/api/v1/lookups/{name}', { params: { path: { name } } })),
  pipelines: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/pipelines', { signal })),
  tryLines: async (name: string, lines: string[]) => unwrap(await http.POST('/api/v1/pipelines/{name}/try', { params: { path: { name } }, body: { lines } })).steps,
  roles: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/roles', { signal })).items,
  role: async (name: string, signal: AbortSignal) => {
    const reply = await http.GET('/api/v1/roles/{name}', { params: { path: { name } }, signal })
    return { role: unwrap(reply), etag: reply.response.headers.get('ETag') ?? '' }
  },
  createRole: async (body: RoleBody & { name: string }) => unwrap(await http.POST('/api/v1/roles', { body })),
  changeRole: async (name: string, body: RoleBody, etag: string) =>
    unwrap(await http.PUT('/api/v1/roles/{name}', { params: { path: { name }, header: { 'If-Match': etag } }, body })),
  deleteRole: async (name: string) => done(await http.DELETE('/api/v1/roles/{name}', { params: { path: { name } } })),
  sessions: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/session/all', { signal })).items,
  endSession: async (id: number) => done(await http.DELETE('/api/v1/session/all/{id}', { params: { path: { id } } })),
  session: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/session', { signal })),
  secondFactor: async (signal: AbortSignal) => unwrap(await http.GET('/api/v1/session/totp', { signal })),
  startSecondFactor: async () => unwrap(await http.POST('/api/v1/session/totp')),
  confirmSecondFactor: async (code: string) => unwrap(await http.PUT('/api/v1/session/totp', { body: { code } })).recovery_codes,
  stopSecondFactor: async (code: string) => done(await http.POST('/api/v1/session/totp/off', { body: { code } })),
  changePassword: async (body: { current: string; new: string }) => done(await http.PUT('/api/v1/session/password', { body })),
  askForReset: async (email: string) => done(await http.POST('/api/v1/session/reset', { body: { email } })),
  choosePassword: async (body: { token: string; new: string }) => done(await http.PUT('/api/v1/session/reset', { body })),
  resetLink: async (id: number) => unwrap(await http.POST('/api/v1/users/{id}/reset-link', { params: { path: { id } } })),
  first: async (body: { email: string; password: string }) => unwrap(await http.POST('/api/v1/session/first', { body })),
}

/** Put a file as a lookup table: the server reads CSV or Parquet. */
export async function uploadLookup(name: string, file: File): Promise<Lookup> {
  const response = await fetch(`/api/v1/lookups/${encodeURIComponent(name)}`, { method: 'PUT', body: file, headers: { 'Content-Type': 'text/csv' } })
  const body: unknown = await response.json().catch(() => null)
  if (!response.ok) throw problem(response.status, body)
  return body as Lookup
}
