import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Eye, FileText, Send } from 'lucide-react'
import { useState } from 'react'
import { issueAddress, previewAddress, reports, type Report, type ReportIssue } from '@/api/reports'
import { messageOf } from '@/api/problem'
import { Button } from '@/components/ui/Button'
import { Empty, Failure, Loading, Snippet } from '@/components/ui/States'
import { cx } from '@/lib/cx'
import { ago, formatTime, zoneName } from '@/lib/format'
import { usePreference, utcPreference } from '@/lib/prefs'
import { scheduleWords } from './schedule'
import styles from './ReportsPage.module.css'

const route = getRouteApi('/reports')
const EXAMPLE = `reports:
  weekly:
    schedule: "0 8 * * MON"
    timezone: Europe/Berlin
    dashboard: overview
    notify: [mail]`

/** What is written down by the clock: each report with its next run, its past issues, and ways to look and to send now. */
export default function ReportsPage() {
  const found = useQuery({ queryKey: ['reports'], queryFn: ({ signal }) => reports.list(signal), refetchInterval: 30_000 })
  const list = found.data ?? []
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <h1>Reports</h1>
        <p>A dashboard as a page and a PDF, sent on a schedule, with what changed said in words.</p>
      </header>
      <div className={styles.body}>
        {found.isError && list.length === 0 ? <Failure error={found.error} onRetry={() => void found.refetch()} />
          : found.isPending ? <Loading />
          : list.length === 0 ? (
            <Empty title="No reports yet" icon={<FileText />}>
              <p>A report shows a dashboard as a page and a PDF, and is sent when it falls due. Write one into the YAML:</p>
              <Snippet label="A report in YAML" text={EXAMPLE} />
            </Empty>
          ) : list.map((report) => <Entry key={report.name} report={report} />)}
      </div>
    </div>
  )
}

function Entry({ report }: { readonly report: Report }) {
  const { name: wanted } = route.useSearch()
  const client = useQueryClient()
  const utc = usePreference(utcPreference)
  const [open, setOpen] = useState(wanted === report.name)
  const make = useMutation({
    mutationFn: (send: boolean) => reports.make(report.name, send),
    onSuccess: async () => {
      setOpen(true)
      await client.invalidateQueries({ queryKey: ['reports'] })
    },
  })
  return (
    <article className={styles.card} aria-label={report.title ?? report.name}>
      <header className={styles.top}>
        <h2>{report.title ?? report.name}</h2>
        <span className={styles.next}>next {ago(report.next_at)}, {formatTime(report.next_at, utc).slice(0, 16)} {zoneName(utc)}</span>
        <div className={styles.tools}>
          <a className={styles.look} href={previewAddress(report.name)} target="_blank" rel="noreferrer"><Eye aria-hidden /> Preview</a>
          <Button disabled={make.isPending} onClick={() => make.mutate(false)}>{make.isPending ? 'Running…' : 'Run now'}</Button>
          <Button look="primary" icon={<Send />} disabled={make.isPending || report.notify.length === 0} onClick={() => make.mutate(true)}>Send now</Button>
        </div>
      </header>
      <p className={styles.facts}>
        <span>dashboard <Link to="/dashboards/$name" params={{ name: report.dashboard }} search={{}}>{report.dashboard}</Link></span>
        <span title={`cron: ${report.schedule}`}>{scheduleWords(report.schedule)} <b>{report.timezone}</b></span>
        <span>sent by <b>{report.notify.length > 0 ? report.notify.join(', ') : 'nobody'}</b></span>
      </p>
      {make.isError && <p className={styles.wrong} role="alert">{messageOf(make.error)}</p>}
      {report.last_issue && !open && <Words issue={report.last_issue} most={3} />}
      {report.last_issue ? <Button look="quiet" flush aria-expanded={open} onClick={() => setOpen(!open)}>{open ? 'Hide past issues' : 'Past issues'}</Button> : <p className={styles.none}>No issue yet: it comes by the schedule, or at once by Run now.</p>}
      {open && <Past name={report.name} utc={utc} />}
    </article>
  )
}

function Words({ issue, most }: { readonly issue: ReportIssue; readonly most: number }) {
  if (issue.error) return <p className={styles.wrong}>{issue.error}</p>
  return <ul className={styles.words}>{issue.summary.slice(0, most).map((sentence) => <li key={sentence}>{sentence}</li>)}</ul>
}

function Past({ name, utc }: { readonly name: string; readonly utc: boolean }) {
  const found = useInfiniteQuery({
    queryKey: ['reports', name],
    queryFn: ({ pageParam, signal }) => reports.issues(name, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.items.some((issue) => issue.sent.some((one) => one.status === 'pending'))) ? 2000 : 30_000),
  })
  if (found.isError) return <Failure error={found.error} onRetry={() => void found.refetch()} />
  if (found.isPending) return <Loading rows={3} />
  return (
    <>
      <ul className={styles.past} aria-label="Past issues">
        {found.data.pages.flatMap((page) => page.items).map((issue) => (
          <li key={issue.id}>
            <div className={styles.line}>
              <b>{formatTime(issue.created_at, utc).slice(0, 16)}</b>
              <span className={styles.dim}>{issue.due_at === null ? `requested by ${issue.created_by ?? ''}` : 'by schedule'}, {formatTime(issue.from, utc).slice(0, 16)} to {formatTime(issue.to, utc).slice(0, 16)}</span>
              <span className={styles.forms}>
                {issue.has_html && <a href={issueAddress(issue, 'html')} target="_blank" rel="noreferrer">HTML</a>}
                {issue.has_pdf && <a href={issueAddress(issue, 'pdf')}>PDF</a>}
                {issue.has_data && <a href={issueAddress(issue, 'data')}>CSV</a>}
              </span>
            </div>
            <Words issue={issue} most={20} />
            {issue.sent.map((one) => (
              <p key={one.notifier} className={styles.sent}>
                <b className={cx(one.status === 'sent' && styles.good, one.status === 'failed' && styles.bad)}>{one.status}</b> by {one.notifier} ({one.channel}){one.attempts.length > 0 && `: ${one.attempts.at(-1)?.detail ?? ''}`}
              </p>
            ))}
          </li>
        ))}
      </ul>
      {found.hasNextPage && <Button look="quiet" onClick={() => void found.fetchNextPage()}>Older issues</Button>}
    </>
  )
}
