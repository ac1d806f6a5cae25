import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { admin } from '@/api/admin'
import { ApiError } from '@/api/problem'
import { Empty, Failure, Loading, Snippet } from '@/components/ui/States'
import { Graph } from './Graph'
import styles from './PipelinesPage.module.css'
import type { Looks } from './rates'
import { TryLine } from './TryLine'

const EXAMPLE = `version: 1
sources:
  access: {type: file, include: [/var/log/nginx/access.log]}
pipelines:
  web:
    from: [access]
    service: nginx
    parse:
      - type: clf`

/** The way of events from sources through parsers to the store, as it runs now. */
export default function PipelinesPage() {
  const [chosen, setChosen] = useState<string | null>(null)
  const looks = useQuery<Looks>({
    queryKey: ['pipelines'],
    queryFn: async ({ signal, client }) => ({ before: client.getQueryData<Looks>(['pipelines'])?.now, now: await admin.pipelines(signal) }),
    refetchInterval: 2000,
    staleTime: 0,
  })
  const now = looks.data?.now
  const names = now?.pipelines.map((pipeline) => pipeline.name) ?? []
  const name = chosen !== null && names.includes(chosen) ? chosen : names[0]
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <h1>Pipelines</h1>
        {now && <p className={styles.dim}>{now.files.length > 0 ? <>read from <code>{now.files.join(', ')}</code></> : 'No file is given: every HTTP source that is installed runs.'}</p>}
      </header>
      {looks.data ? (
        <div className={styles.body}>
          {looks.data.now.errors.length > 0 && (
            <div className={styles.errors} role="alert">
              <h2>The file was changed and is wrong: the old one runs on</h2>
              <ul>{looks.data.now.errors.map((error) => <li key={error}><code>{error}</code></li>)}</ul>
            </div>
          )}
          <Graph looks={looks.data} onTry={setChosen} />
          {name !== undefined && <TryLine names={names} name={name} onName={setChosen} />}
          <section className={styles.panel} aria-label="YAML">
            <h2>What runs, as YAML</h2>
            {looks.data.now.files.length > 0 ? <Snippet label="The running configuration" text={looks.data.now.yaml} /> : (
              <>
                <p className={styles.dim}>Write a file and start with it: <code>cordwood up pipeline.yaml</code>. <code>cordwood check</code> names every mistake in it by line and column.</p>
                <Snippet label="A pipeline in YAML" text={EXAMPLE} />
              </>
            )}
          </section>
        </div>
      ) : looks.isPending ? <Loading rows={10} />
        : looks.error instanceof ApiError && looks.error.status === 403 ? <Empty title="Not for your project"><p>{looks.error.message}</p></Empty>
        : <Failure error={looks.error} onRetry={() => void looks.refetch()} />}
    </div>
  )
}
