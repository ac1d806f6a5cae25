import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { admin, type TriedStep } from '@/api/admin'
import { Button } from '@/components/ui/Button'
import { Field, Form } from '@/components/ui/Form'
import { cx } from '@/lib/cx'
import { valueText } from '@/lib/format'
import styles from './TryLine.module.css'

interface TryLineProps { readonly names: readonly string[]; readonly name: string; readonly onName: (name: string) => void }
type Event = Record<string, unknown>

/** A line through a pipeline: what each step makes of it, and what that step changed. */
export function TryLine({ names, name, onName }: TryLineProps) {
  const [text, setText] = useState('')
  const tried = useMutation({ mutationFn: () => admin.tryLines(name, text.split('\n').filter((line) => line.trim() !== '')) })
  return (
    <section id="try" className={styles.panel} aria-label="Try a line">
      <h2>Try a line</h2>
      <Form label="Try a line" error={tried.error} onSubmit={() => tried.mutate()}>
        <Field label="Pipeline"><select value={name} onChange={(event) => { onName(event.target.value); tried.reset() }}>{names.map((one) => <option key={one}>{one}</option>)}</select></Field>
        <Field label="Lines as a source hands them over" grow>
          <textarea rows={3} required spellCheck={false} value={text} placeholder='127.0.0.1 - - [31/Jan/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5' onChange={(event) => setText(event.target.value)} />
        </Field>
        <Button type="submit" look="primary" disabled={tried.isPending || text.trim() === ''}>Try</Button>
      </Form>
      {tried.data && <ol className={styles.steps} aria-label="Steps">{tried.data.map((step, at) => <Step key={at} step={step} before={tried.data[at - 1]?.events} />)}</ol>}
    </section>
  )
}

function Step({ step, before }: { readonly step: TriedStep; readonly before: readonly Event[] | undefined }) {
  const title = step.type === 'source' ? 'As it came' : step.type === 'store' ? 'As it is stored' : step.type
  const branches = step.branches.length > 0
  return (
    <li className={styles.step}>
      <h3 className={styles.title}>{title}{step.when && <code> when {step.when}</code>}{before && <span className={styles.dim}>{step.changed ? '' : ' changes nothing'}</span>}</h3>
      {step.branches.map((branch, at) => (
        <section key={at} aria-label={branch.when ? `Branch when ${branch.when}` : 'All others'}>
          <p className={styles.dim}>{branch.when ? <>Branch when <code>{branch.when}</code></> : 'All others'}</p>
          <ol className={styles.steps}>{branch.steps.map((inner, place) => <Step key={place} step={inner} before={inner.before ?? []} />)}</ol>
        </section>
      ))}
      {(step.changed || !before) && !branches && step.events.map((event, at) => <EventView key={at} event={event} before={before?.[at]} />)}
    </li>
  )
}

function EventView({ event, before }: { readonly event: Event; readonly before: Event | undefined }) {
  const gone = before ? Object.keys(before).filter((name) => !(name in event)) : []
  return (
    <dl className={styles.event}>
      {Object.entries(event).map(([name, value]) => {
        const fresh = before !== undefined && valueText(before[name]) !== valueText(value)
        return <div key={name} className={cx(fresh && styles.fresh, name === 'parse_error' && styles.wrong)}><dt>{name}{fresh && <span className="sr-only"> (changed)</span>}</dt><dd>{valueText(value)}</dd></div>
      })}
      {gone.map((name) => <div key={name} className={styles.gone}><dt>{name}</dt><dd>taken away</dd></div>)}
    </dl>
  )
}
