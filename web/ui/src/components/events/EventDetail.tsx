import { ChevronDown, ChevronUp, Columns3, Minus, Plus, Rows3, Waypoints, X } from 'lucide-react'
import { Button } from '@/components/ui/Button'
import { CopyButton } from '@/components/ui/CopyButton'
import { SeverityTag } from '@/components/ui/SeverityTag'
import { IN_EVERY_ROW } from '@/lib/columns'
import { fieldsOf, timeOf, type LogEvent } from '@/lib/events'
import { ago, formatTime, valueText, zoneName } from '@/lib/format'
import type { FieldValue } from '@/lib/query/edit'
import styles from './EventDetail.module.css'

export interface EventActions {
  readonly onFilter: (field: string, value: FieldValue, negated: boolean) => void
  readonly onTrace: (event: LogEvent) => void
  readonly onAround: (event: LogEvent) => void
  /** Where fields can have columns: those that do, and what gives or takes one. */
  readonly columns?: readonly string[]
  readonly onColumn?: (name: string) => void
}

interface EventDetailProps extends EventActions {
  readonly event: LogEvent
  readonly utc: boolean
  readonly onClose: () => void
  readonly onStep?: (step: 1 | -1) => void
  readonly link?: () => string
}

/** These are ranges and links rather than values to filter by. */
const NOT_FILTERS = new Set(['timestamp', 'observed_timestamp'])

/** Everything of one event, with what can be done from it. */
export function EventDetail({ event, utc, onClose, onStep, link, onFilter, onTrace, onAround, columns, onColumn }: EventDetailProps) {
  const message = valueText(event['message'])
  const time = timeOf(event)
  return (
    <section className={styles.detail} aria-label="Event">
      <header className={styles.head}>
        <SeverityTag severity={event['severity']} />
        <span className={styles.ago}>{ago(time)}</span>
        <span className={styles.tools}>
          {onStep && <Button look="quiet" icon={<ChevronUp />} title="Previous event (k)" aria-label="Previous event" onClick={() => onStep(-1)} />}
          {onStep && <Button look="quiet" icon={<ChevronDown />} title="Next event (j)" aria-label="Next event" onClick={() => onStep(1)} />}
          <Button look="quiet" icon={<X />} title="Close (x)" aria-label="Close the event" onClick={onClose} />
        </span>
      </header>
      <div className={styles.scroll}>
        <p className={styles.time}>{formatTime(time, utc, 9)} <span>{zoneName(utc)}</span></p>
        {message && (
          <div className={styles.message}>
            <pre tabIndex={0} aria-label="Message">{message}</pre>
            <CopyButton text={message} label="Copy the message" />
          </div>
        )}
        <div className={styles.actions}>
          {typeof event['trace_id'] === 'string' && <Button icon={<Waypoints />} onClick={() => onTrace(event)}>All of this trace</Button>}
          <Button icon={<Rows3 />} onClick={() => onAround(event)}>Surrounding events</Button>
          <CopyButton className={styles.bordered} text={() => JSON.stringify(event, null, 2)} label="Copy the event as JSON">JSON</CopyButton>
          {link && <CopyButton className={styles.bordered} text={link} label="Copy a link to this event">Link</CopyButton>}
        </div>
        <dl className={styles.fields}>
          {fieldsOf(event).map(([name, value]) => (
            <FieldLine key={name} name={name} value={value} onFilter={onFilter} isColumn={columns?.includes(name) ?? false} {...(onColumn && !IN_EVERY_ROW.has(name) && { onColumn })} />
          ))}
        </dl>
      </div>
    </section>
  )
}

interface FieldLineProps {
  readonly name: string
  readonly value: unknown
  readonly onFilter: EventActions['onFilter']
  readonly isColumn: boolean
  readonly onColumn?: (name: string) => void
}

function FieldLine({ name, value, onFilter, isColumn, onColumn }: FieldLineProps) {
  const text = valueText(value)
  const plain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
  const filterable = plain !== null && !NOT_FILTERS.has(name)
  return (
    <div className={styles.field}>
      <dt title={name}>{name}</dt>
      <dd>
        <span className={typeof value === 'string' ? undefined : styles.typed}>{text}</span>
        <span className={styles.buttons}>
          {filterable && <Button look="quiet" icon={<Plus />} title={`Only ${name} = ${text}`} aria-label={`Filter in ${name} ${text}`} onClick={() => onFilter(name, plain, false)} />}
          {filterable && <Button look="quiet" icon={<Minus />} title={`Without ${name} = ${text}`} aria-label={`Filter out ${name} ${text}`} onClick={() => onFilter(name, plain, true)} />}
          {onColumn && <Button look="quiet" icon={<Columns3 />} pressed={isColumn} title={isColumn ? `Without the column ${name}` : `${name} as a column`} aria-label={`Column ${name}`} onClick={() => onColumn(name)} />}
          <CopyButton text={text} label={`Copy ${name}`} />
        </span>
      </dd>
    </div>
  )
}
