import { useQuery } from '@tanstack/react-query'
import { admin } from '@/api/admin'
import { bytes, compact, count, plural, span } from '@/lib/format'
import { Loaded, Section } from './parts'
import styles from './settings.module.css'

/** How the node and its store are. */
export function System() {
  const status = useQuery({ queryKey: ['status'], queryFn: ({ signal }) => admin.status(signal), refetchInterval: 2000 })
  return (
    <Section label="System">
      <Loaded query={status}>
        {({ version, node, role, uptime_s, database, ingest, segments, compaction }) => (
          <>
            <p role="status" className={database.ok ? styles.good : styles.bad}>{database.ok ? 'The database answers, and events are taken.' : 'The database does not answer. Sources wait; see the server’s log and /readyz for why.'}</p>
            <dl className={`${styles.panel} ${styles.facts} ${styles.thirds}`}>
              {ingest && <div><dt>Coming in</dt><dd>{compact(ingest.events_per_s)} events/s</dd></div>}
              {ingest && <div><dt>Taken in since the start</dt><dd>{plural(ingest.events_total, 'event')}</dd></div>}
              <div><dt>Stored</dt><dd>{plural(segments.rows, 'event')}</dd></div>
              <div><dt>Segments</dt><dd>{count(segments.count)}, {bytes(segments.bytes)}</dd></div>
              <div><dt>Waiting to be merged</dt><dd>{compaction.waiting_segments > 0 ? plural(compaction.waiting_segments, 'segment') : 'none'}</dd></div>
              <div><dt>Database</dt><dd>{database.embedded ? 'embedded PostgreSQL' : 'PostgreSQL server'}</dd></div>
              <div><dt>Cordwood</dt><dd>{version}</dd></div>
              <div><dt>Node</dt><dd>{node}, role {role}</dd></div>
              <div><dt>Up for</dt><dd>{span(uptime_s)}</dd></div>
            </dl>
          </>
        )}
      </Loaded>
    </Section>
  )
}
