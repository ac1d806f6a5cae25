import { useMutation, useQuery } from '@tanstack/react-query'
import { BellRing } from 'lucide-react'
import { useDeferredValue, useId, useState } from 'react'
import { admin, type NotifierEvent } from '@/api/admin'
import { messageOf } from '@/api/problem'
import { Button } from '@/components/ui/Button'
import { Empty, Snippet } from '@/components/ui/States'
import { cx } from '@/lib/cx'
import { Loaded, Section } from './parts'
import styles from './settings.module.css'

const SNIPPET = `notifiers:
  oncall: {type: slack, token: "\${SLACK_TOKEN}", channel: "#ops"}
detectors:
  errors:
    type: threshold
    query: "severity>=error | stats count() as n by service"
    condition: "n > 50"
    window: 5m
    every: 1m
    notify: [oncall]`

/** Who is told, and a message to see whether it arrives. */
export function Notifiers() {
  const notifiers = useQuery({ queryKey: ['notifiers'], queryFn: ({ signal }) => admin.notifiers(signal) })
  return (
    <Section label="Notifiers" lead="Where messages about incidents go. They stand in the pipeline file; a preview shows what they say, a test whether they arrive.">
      <Loaded query={notifiers}>
        {(items) => items.length === 0 ? (
          <Empty title="No notifiers yet" icon={<BellRing />}><p>Name one in the pipeline file:</p><Snippet label="A notifier in YAML" text={SNIPPET} /></Empty>
        ) : items.map((item) => <Notifier key={item.name} {...item} />)}
      </Loaded>
    </Section>
  )
}

function Notifier({ name, type, detectors }: { readonly name: string; readonly type: string; readonly detectors: readonly string[] }) {
  const [previewing, setPreviewing] = useState(false)
  const test = useMutation({ mutationFn: () => admin.testNotifier(name) })
  return (
    <article className={styles.panel} aria-label={name}>
      <div className={styles.row}>
        <h2>{name}</h2>
        <span className={styles.dim}>{type}</span>
        <span className={styles.dim}>{detectors.length > 0 ? `told by ${detectors.join(', ')}` : 'told by no detector'}</span>
        <Button className={styles.push} pressed={previewing} onClick={() => setPreviewing(!previewing)} aria-label={`Preview of ${name}`}>Preview</Button>
        <Button disabled={test.isPending} onClick={() => test.mutate()} aria-label={`Send test to ${name}`}>{test.isPending ? 'Sending…' : 'Send test'}</Button>
      </div>
      {previewing && <Preview name={name} />}
      {test.data && <p role="status" className={test.data.ok ? styles.good : styles.bad}>{test.data.ok ? 'Arrived' : test.data.may_succeed_later ? 'Not now; a real message would be tried again' : 'Refused'}: {test.data.detail}</p>}
      {test.isError && <p role="alert" className={styles.bad}>{messageOf(test.error)}</p>}
    </article>
  )
}

const EVENTS: readonly NotifierEvent[] = ['opened', 'flapping', 'escalated', 'resolved']

/** What it would send of an incident, by its template or by a draft of one, whose mistake is marked where it is. */
function Preview({ name }: { readonly name: string }) {
  const session = useQuery({ queryKey: ['session'], queryFn: ({ signal }) => admin.session(signal), staleTime: Infinity })
  const [event, setEvent] = useState<NotifierEvent>('opened')
  const [draft, setDraft] = useState<string | null>(null)
  const [incident, setIncident] = useState('')
  const template = useDeferredValue(draft)
  const preview = useQuery({
    queryKey: ['notifier-preview', name, event, template, incident],
    queryFn: () => admin.previewNotifier(name, { event, ...(template !== null && { template }), ...(incident && { incident: Number(incident) }) }),
    placeholderData: (previous) => previous,
    retry: false,
  })
  const may = session.data?.permissions.includes('admin') === true
  return (
    <div>
      <div className={styles.row} role="group" aria-label="Event">
        {EVENTS.map((one) => <Button key={one} look="quiet" pressed={event === one} onClick={() => setEvent(one)}>{one}</Button>)}
        <label className={styles.dim}>of incident <input type="number" min={1} aria-label="Incident" placeholder="made up" className={styles.number} value={incident} onChange={(change) => setIncident(change.target.value)} /></label>
        {may && <Button className={styles.push} pressed={draft !== null} onClick={() => setDraft(draft === null ? preview.data?.template ?? START : null)}>Draft a template</Button>}
      </div>
      {draft !== null && <Draft text={draft} onChange={setDraft} line={preview.data?.line ?? null} problem={preview.data?.problem ?? null} />}
      {draft === null && preview.data?.problem && <p role="alert" className={styles.bad}>{preview.data.problem}</p>}
      {preview.data && <pre className={styles.message} tabIndex={0} aria-label={`Message of ${name}`}>{preview.data.text}</pre>}
      {preview.isError && <p role="alert" className={styles.bad}>{messageOf(preview.error)}</p>}
    </div>
  )
}

const START = '{{ severity }}: {{ title }}\n{% for name, value in values.items() %}{{ name }} is {{ value }}. {% endfor %}\n'

interface DraftProps { readonly text: string; readonly onChange: (text: string) => void; readonly line: number | null; readonly problem: string | null }

function Draft({ text, onChange, line, problem }: DraftProps) {
  const lines = text.split('\n')
  const id = useId()
  return (
    <div className={styles.draft}>
      <div className={styles.sheet}>
        <ol aria-hidden>{lines.map((_, at) => <li key={at} className={cx(at + 1 === line && styles.wrong)} />)}</ol>
        <textarea aria-label="Template" aria-invalid={problem !== null} aria-describedby={id} spellCheck={false} wrap="off" maxLength={20_000} rows={Math.max(lines.length, 4)} value={text} onChange={(change) => onChange(change.target.value)} />
      </div>
      <p id={id} role={problem === null ? undefined : 'alert'} className={problem === null ? styles.dim : styles.bad}>
        {problem === null ? 'A draft is kept nowhere: put it into the pipeline file as template.' : line === null ? problem : `Line ${line}: ${problem}`}
      </p>
    </div>
  )
}
