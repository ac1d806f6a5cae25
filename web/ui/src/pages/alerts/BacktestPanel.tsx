import { useState } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api, type Backtest } from '@/api/client'
import { Button } from '@/components/ui/Button'
import { CopyButton } from '@/components/ui/CopyButton'
import { SeverityTag } from '@/components/ui/SeverityTag'
import { Failure, Loading } from '@/components/ui/States'
import { cx } from '@/lib/cx'
import { elapsed, formatTime, plural, span } from '@/lib/format'
import { detectorsRoute } from '@/router'
import styles from './Backtest.module.css'

const SPANS = { '1d': 'Last day', '7d': 'Last 7 days', '30d': 'Last 30 days' } as const
const DAY = 86_400_000
const SHOWN = 100
const perWeek = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 1 : 0 })

/** When the detector would have fired over the past: a line of time, and each incident that would have been. */
export function BacktestPanel({ name }: { readonly name: string }) {
  const { span: chosen = '7d', wish } = detectorsRoute.useSearch()
  const navigate = detectorsRoute.useNavigate()
  const found = useQuery({
    queryKey: ['backtest', name, chosen, wish],
    queryFn: ({ signal }) => {
      const to = Date.now()
      const wished = Number(wish)
      return api.backtest(name, {
        from: new Date(to - Number.parseInt(chosen, 10) * DAY).toISOString(),
        to: new Date(to).toISOString(),
        timeout: 60,
        ...(wished > 0 && { alerts_per_week: wished }),
      }, signal)
    },
    staleTime: Infinity,
    retry: false,
  })
  return (
    <section className={styles.panel} aria-label={`Backtest of ${name}`}>
      <div className={styles.controls}>
        {Object.entries(SPANS).map(([key, label]) => (
          <Link key={key} to="/alerts/detectors" search={{ backtest: name, span: key as keyof typeof SPANS, ...(wish && { wish }) }} replace
            className={cx(styles.span, key === chosen && styles.chosen)} aria-current={key === chosen ? 'true' : undefined}>{label}</Link>
        ))}
        <Wish start={wish ?? ''} onWish={(next) => void navigate({ search: { backtest: name, span: chosen, ...(next && { wish: next }) }, replace: true })} />
        <Button look="quiet" onClick={() => void found.refetch()} disabled={found.isFetching}>Run again</Button>
      </div>
      {found.isError ? <Failure error={found.error} onRetry={() => void found.refetch()} />
        : found.isPending ? <Loading rows={3} label="Judging the past" />
        : <Outcome backtest={found.data} />}
    </section>
  )
}

function Wish({ start, onWish }: { readonly start: string; readonly onWish: (wish: string) => void }) {
  const [text, setText] = useState(start)
  return (
    <form className={styles.wish} onSubmit={(event) => { event.preventDefault(); onWish(text.trim()) }}>
      <label>Wished alerts a week <input type="number" min="0.1" max="10000" step="any" value={text} onChange={(event) => setText(event.target.value)} /></label>
      <Button look="quiet" type="submit">Suggest</Button>
    </form>
  )
}

function Outcome({ backtest }: { readonly backtest: Backtest }) {
  const { items, suggestion } = backtest
  return (
    <>
      <p className={styles.facts} role="status">
        <b>{plural(items.length, 'incident')}</b> would have opened, {perWeek(backtest.per_week)} a week. {plural(backtest.steps, 'window')} judged, one every {span(backtest.step_seconds)}, in {elapsed(backtest.elapsed_ms)}.
        {suggestion && <> Suggested: <code>{suggestion.condition}</code> ({perWeek(suggestion.per_week)} a week).</>}
        {suggestion && <CopyButton text={`condition: ${JSON.stringify(suggestion.condition)}`} label="Copy the condition as a line of the YAML">Copy for the YAML</CopyButton>}
      </p>
      {!backtest.complete && <p className={styles.cut}>Judged up to {formatTime(backtest.until, true)} only: {backtest.reason}.</p>}
      <Strip backtest={backtest} />
      <p className={styles.ends} aria-hidden><span>{formatTime(backtest.from, true).slice(0, 16)}</span><span>{formatTime(backtest.to, true).slice(0, 16)} UTC</span></p>
      <ol className={styles.list}>
        {items.slice(-SHOWN).reverse().map((item) => (
          <li key={`${item.opened_at} ${item.title}`}>
            <SeverityTag severity={item.severity} />
            <span className={styles.title}>{item.title}</span>
            <span className={styles.times}>{formatTime(item.opened_at, true)} to {item.resolved_at ? formatTime(item.resolved_at, true) : 'now'}</span>
          </li>
        ))}
      </ol>
      {items.length > SHOWN && <p className={styles.facts}>The newest {SHOWN} of {items.length} are shown.</p>}
    </>
  )
}

/** The range from left to right, with a bar where an incident would have been open. */
function Strip({ backtest }: { readonly backtest: Backtest }) {
  const start = Date.parse(backtest.from)
  const length = Math.max(1, Date.parse(backtest.to) - start)
  const place = (time: string | null) => ((time === null ? length : Date.parse(time) - start) / length) * 1000
  return (
    <svg className={styles.strip} viewBox="0 0 1000 24" preserveAspectRatio="none" role="img"
      aria-label={`${plural(backtest.items.length, 'incident')} between ${formatTime(backtest.from, true)} and ${formatTime(backtest.to, true)}`}>
      <rect className={styles.ground} width="1000" height="24" />
      {backtest.items.map((item) => (
        <rect key={`${item.opened_at} ${item.title}`} className={styles.fired} x={place(item.opened_at)} y="3" height="18"
          width={Math.max(2, place(item.resolved_at) - place(item.opened_at))}><title>{item.title}</title></rect>
      ))}
    </svg>
  )
}
