import { ArrowDown, ArrowRight, Database } from 'lucide-react'
import { useState } from 'react'
import type { Pipelines } from '@/api/admin'
import { Button } from '@/components/ui/Button'
import { StatePill } from '@/components/ui/StatePill'
import { cx } from '@/lib/cx'
import { bytes, compact, plural } from '@/lib/format'
import styles from './Graph.module.css'
import { events, outputRate, rateText, sourceRate, storeRate, type Looks } from './rates'
import { Steps } from './Steps'

type Source = Pipelines['sources'][number]
type Pipeline = Pipelines['pipelines'][number]
type Output = Pipelines['outputs'][number]

/** Sources, their pipelines with each step, one row a pipeline; the store, and the outputs that read from it. */
export function Graph({ looks, onTry }: { readonly looks: Looks; readonly onTry: (name: string) => void }) {
  const { pipelines, outputs, store } = looks.now
  const full = store.pending_bytes / Math.max(1, store.pending_limit)
  return (
    <section className={styles.graph} aria-label="Graph">
      <ul className={styles.rows}>
        {pipelines.map((pipeline) => <Row key={pipeline.name} pipeline={pipeline} looks={looks} onTry={onTry} />)}
      </ul>
      <div className={styles.right}>
        <div className={cx(styles.store, full >= 0.95 && styles.full)} aria-label="Store" role="group">
          <Database aria-hidden />
          <h2>Store</h2>
          <p className={styles.rate}>{rateText(storeRate(looks))}</p>
          <p>{events(store.events)} committed</p>
          <div className={styles.meter} role="meter" aria-label="Room that waits for a commit" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(full * 100)}><i style={{ width: `${Math.min(100, full * 100)}%` }} /></div>
          <p>{bytes(store.pending_bytes)} wait, lag {store.lag_s.toFixed(1)} s</p>
          <p className={full >= 0.95 ? styles.bad : undefined}>{full >= 0.95 ? 'Full: sources are made to wait' : 'Sources need not wait'}</p>
          {store.failures > 0 && <p className={styles.bad}>{plural(store.failures, 'commit')} failed</p>}
        </div>
        {outputs.length > 0 && (
          <>
            <ArrowDown className={styles.arrow} aria-hidden />
            <ul className={styles.outputs} aria-label="Outputs">
              {outputs.map((output) => <OutputCard key={output.name} output={output} rate={rateText(outputRate(looks, output.name))} />)}
            </ul>
          </>
        )}
      </div>
    </section>
  )
}

function Row({ pipeline, looks, onTry }: { readonly pipeline: Pipeline; readonly looks: Looks; readonly onTry: (name: string) => void }) {
  const [all, setAll] = useState(false)
  const sources = pipeline.from.flatMap((name) => looks.now.sources.find((source) => source.name === name) ?? [])
  const idle = sources.filter((source) => source.implicit && source.events === 0 && source.error === null)
  const shown = all ? sources : sources.filter((source) => !idle.includes(source))
  return (
    <li className={styles.row} aria-label={`Pipeline ${pipeline.name}`}>
      <div className={styles.sources}>
        {shown.map((source) => <SourceCard key={source.name} source={source} rate={rateText(sourceRate(looks, source.name))} />)}
        {idle.length > 0 && <Button look="quiet" onClick={() => setAll(!all)}>{all ? 'Hide idle sources' : `${plural(idle.length, 'source')} without events`}</Button>}
      </div>
      <ArrowRight className={styles.arrow} aria-hidden />
      <div className={styles.pipeline}>
        <header className={styles.name}>
          <h2>{pipeline.name}</h2>
          {pipeline.service && <span className={styles.dim}>service {pipeline.service}</span>}
          <Button look="quiet" className={styles.push} onClick={() => { onTry(pipeline.name); document.getElementById('try')?.scrollIntoView({ behavior: 'smooth', block: 'start' }) }} aria-label={`Try a line in ${pipeline.name}`}>Try a line</Button>
        </header>
        {pipeline.parse.length === 0 && <p className={styles.dim}>No parser: events are stored as they come.</p>}
        <Steps steps={pipeline.parse} pipeline={pipeline.name} looks={looks} />
      </div>
      <ArrowRight className={styles.arrow} aria-hidden />
    </li>
  )
}

function SourceCard({ source, rate }: { readonly source: Source; readonly rate: string }) {
  const counts = Object.entries(source.counts).filter(([, value]) => value > 0)
  return (
    <div className={styles.card}>
      <div className={styles.line}><b>{source.name}</b>{source.name !== source.type && <span className={styles.dim}>{source.type}</span>}<span className={styles.rate}>{rate}</span></div>
      <p className={styles.facts}>
        <StatePill state={source.state} />
        <span>{events(source.events)}</span>
        {source.cut > 0 && <span className={styles.bad}>{compact(source.cut)} cut</span>}
        {source.spooled > 0 && <span className={styles.bad}>{compact(source.spooled)} wait on the disk</span>}
        {source.spool_dropped > 0 && <span className={styles.bad}>{compact(source.spool_dropped)} lost, the disk had no room</span>}
        {source.restarts > 0 && <span className={styles.bad}>started again {plural(source.restarts, 'time')}</span>}
        {counts.map(([name, value]) => <span key={name} className={/^(dropped|rejected)/.test(name) ? styles.bad : undefined}>{name.replace(/_/g, ' ')} {compact(value)}</span>)}
      </p>
      {source.error && <p className={styles.bad}>{source.error}</p>}
    </div>
  )
}

function OutputCard({ output, rate }: { readonly output: Output; readonly rate: string }) {
  return (
    <li className={styles.card} aria-label={`Output ${output.name}`}>
      <div className={styles.line}><b>{output.name}</b>{output.name !== output.type && <span className={styles.dim}>{output.type}</span>}<span className={styles.rate}>{rate}</span></div>
      <p className={styles.facts}>
        <StatePill state={output.state} />
        <span>{events(output.events)} sent</span>
        {output.refused > 0 && <span className={styles.bad}>{compact(output.refused)} refused for good</span>}
      </p>
      <p className={styles.facts}>{output.lag_commits > 0 ? `${plural(output.lag_commits, 'commit')} behind, lag ${output.lag_s.toFixed(1)} s` : 'Nothing waits'}</p>
      {output.error && <p className={styles.bad}>{output.error}</p>}
    </li>
  )
}
