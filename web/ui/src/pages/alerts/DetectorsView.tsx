import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { History, Radar } from 'lucide-react'
import { api, type Detector } from '@/api/client'
import { QueryText } from '@/components/query/QueryText'
import { Button } from '@/components/ui/Button'
import { SeverityTag } from '@/components/ui/SeverityTag'
import { Empty, Failure, Loading, Snippet } from '@/components/ui/States'
import { StatePill } from '@/components/ui/StatePill'
import { ago, plural } from '@/lib/format'
import { detectorsRoute } from '@/router'
import { BacktestPanel } from './BacktestPanel'
import { DETECTOR_SNIPPET } from './snippet'
import styles from './Lists.module.css'

/** What is watched: each detector with its query, its condition and how its last run went. */
export default function DetectorsView() {
  const detectors = useQuery({ queryKey: ['detectors'], queryFn: ({ signal }) => api.detectors(signal), refetchInterval: 5000 })
  const list = detectors.data?.items ?? []
  return (
    <section className={styles.view} aria-label="Detectors">
      {detectors.isError && list.length === 0 ? <Failure error={detectors.error} onRetry={() => void detectors.refetch()} />
        : detectors.isPending ? <Loading />
        : list.length === 0 ? (
          <Empty title="No detectors yet" icon={<Radar />}>
            <p>A detector runs a query every so often and opens an incident where its condition holds. Write one into the YAML:</p>
            <Snippet label="A detector in YAML" text={DETECTOR_SNIPPET} />
          </Empty>
        ) : <ul className={styles.list}>{list.map((detector) => <DetectorCard key={detector.name} detector={detector} />)}</ul>}
    </section>
  )
}

function DetectorCard({ detector }: { readonly detector: Detector }) {
  const { backtest, span } = detectorsRoute.useSearch()
  const navigate = detectorsRoute.useNavigate()
  const isTried = backtest === detector.name
  return (
    <li className={styles.row}>
      <article className={styles.card}>
        <header className={styles.top}>
          <StatePill state={detector.state} />
          <h2>{detector.name}</h2>
          <SeverityTag severity={detector.severity} />
          <span className={styles.push}>
            {detector.open_incidents > 0 && <><Link to="/alerts/incidents" search={{ state: 'open' }}>{plural(detector.open_incidents, 'open incident')}</Link>, </>}
            {detector.last_run_at ? `ran ${ago(detector.last_run_at)}` : 'has not run yet'}
          </span>
        </header>
        {detector.query !== null && (
          <Link to="/explore" search={{ q: detector.query }} className={styles.query} title="Open this query in Explore"><QueryText text={detector.query} /></Link>
        )}
        <p className={styles.facts}>
          <span>type <b>{detector.type}</b></span>
          {detector.condition && <span>fires when <b className="mono">{detector.condition}</b></span>}
          {detector.window && <span>over <b>{detector.window}</b></span>}
          <span>every <b>{detector.every}</b></span>
          <span>tells <b>{detector.notify.length > 0 ? detector.notify.join(', ') : 'nobody'}</b></span>
        </p>
        <p>
          <Button
            look="quiet" flush icon={<History size={14} aria-hidden />} aria-expanded={isTried}
            onClick={() => void navigate({ search: isTried ? {} : { backtest: detector.name, ...(span && { span }) }, replace: true })}
          >Backtest</Button>
        </p>
        {isTried && <BacktestPanel name={detector.name} />}
        {detector.error && <p className={styles.wrong}>{detector.error}</p>}
      </article>
    </li>
  )
}
