/** Reports over the API; apart from the rest of the client, since only their page needs it. */
import { http, unwrap } from './client'
import type { components } from './schema'

export type Report = components['schemas']['Report']
export type ReportIssue = components['schemas']['ReportIssue']

export const reports = {
  list: async (signal: AbortSignal): Promise<Report[]> => unwrap(await http.GET('/api/v1/reports', { signal })).items,
  issues: async (name: string, cursor: string | undefined, signal: AbortSignal) =>
    unwrap(await http.GET('/api/v1/reports/{name}/issues', { params: { path: { name }, query: { limit: 20, ...(cursor && { cursor }) } }, signal })),
  make: async (name: string, send: boolean): Promise<ReportIssue> =>
    unwrap(await http.POST('/api/v1/reports/{name}/issues', { params: { path: { name } }, body: { send } })),
}

/** Where a report as it would be now, or an issue in one of its forms, is shown. */
export const previewAddress = (name: string): string => `/api/v1/reports/${encodeURIComponent(name)}/preview`
export const issueAddress = (issue: ReportIssue, form: 'html' | 'pdf' | 'data'): string => `/api/v1/reports/issues/${issue.id}/${form}`
