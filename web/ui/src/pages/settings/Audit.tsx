import { useInfiniteQuery } from '@tanstack/react-query'
import { Download } from 'lucide-react'
import { useState } from 'react'
import { admin, type AuditFilter } from '@/api/admin'
import { ApiError, messageOf } from '@/api/problem'
import { Button } from '@/components/ui/Button'
import { Field, Form } from '@/components/ui/Form'
import { Empty, Failure, Loading } from '@/components/ui/States'
import { Table } from '@/components/ui/Table'
import { Section, When } from './parts'
import styles from './settings.module.css'

const WHAT = ['', 'session', 'user', 'token', 'project', 'lookup', 'deletion', 'retention', 'notifier'] as const

/** Who changed what, and who signed in. */
export function Audit() {
  const [who, setWho] = useState('')
  const [filter, setFilter] = useState<AuditFilter>({})
  const log = useInfiniteQuery({
    queryKey: ['audit', filter],
    queryFn: ({ pageParam, signal }) => admin.audit(filter, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })
  const entries = log.data?.pages.flatMap((page) => page.items) ?? []
  const several = new Set(entries.map((entry) => entry.project)).size > 1
  const forbidden = log.error instanceof ApiError && log.error.status === 403
  return (
    <Section label="Audit log" lead="Every change of accounts, tokens, projects, lookups and stored events, and every sign-in.">
      <div className={styles.panel}>
        <Form label="Filter" onSubmit={() => setFilter({ ...(filter.what && { what: filter.what }), ...(who && { who }) })}>
          <Field label="What">
            <select value={filter.what ?? ''} onChange={(event) => setFilter({ ...(event.target.value && { what: event.target.value }), ...(who && { who }) })}>
              {WHAT.map((what) => <option key={what} value={what}>{what || 'everything'}</option>)}
            </select>
          </Field>
          <Field label="Who" grow><input value={who} placeholder="ann@example.org" onChange={(event) => setWho(event.target.value)} /></Field>
          <Button type="submit">Filter</Button>
          <Button icon={<Download />} onClick={() => { location.href = `/api/v1/audit/export?${new URLSearchParams({ ...filter })}` }}>Export</Button>
        </Form>
      </div>
      {forbidden ? <Empty title="Not for your role"><p>{messageOf(log.error)}</p></Empty>
        : log.isError ? <Failure error={log.error} onRetry={() => void log.refetch()} />
        : log.isPending ? <Loading />
        : entries.length === 0 ? <p className={styles.dim}>No entry fits.</p> : (
          <Table
            label="Entries"
            rows={entries}
            id={(entry) => entry.id}
            columns={[
              { name: 'When', cell: (entry) => <When time={entry.at} /> },
              { name: 'Who', cell: (entry) => entry.who },
              { name: 'What', cell: (entry) => <code className={entry.what === 'session.refused' ? styles.bad : undefined}>{entry.what}</code> },
              ...(several ? [{ name: 'Project', cell: (entry: (typeof entries)[number]) => entry.project ?? '—' }] : []),
              { name: 'Details', cell: (entry) => <span className={styles.note}>{Object.entries(entry.details).map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(', ')}</span> },
            ]}
          />
        )}
      {log.hasNextPage && <p className={styles.more}><Button disabled={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>Older entries</Button></p>}
    </Section>
  )
}
